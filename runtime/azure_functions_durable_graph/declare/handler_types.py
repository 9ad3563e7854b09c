"""What may be passed to a ManifestBuilder, for type checkers. Nothing here is imported at run time.

Each kind of handler has three shapes: without a context, with one as the last argument, and with one by keyword. An
`async def` returns an Awaitable of the same answer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, Union

from pydantic import BaseModel

if TYPE_CHECKING:
    from ..graph.context import NodeContext
    from ..graph.decisions import RouteDecision

AnyStateT = TypeVar("AnyStateT", bound=BaseModel)
ArgumentT = TypeVar("ArgumentT")
_StateT_contra = TypeVar("_StateT_contra", contravariant=True)
_ArgumentT_contra = TypeVar("_ArgumentT_contra", contravariant=True)
_AnswerT_co = TypeVar("_AnswerT_co", covariant=True)

PayloadT = TypeVar("PayloadT", bound=BaseModel)
ItemT = TypeVar("ItemT")

Update = Union[Mapping[str, Any], AnyStateT, None]
"""Changed fields, a whole state, or no change."""

EventualUpdate = Union[Update[AnyStateT], Awaitable[Update[AnyStateT]]]

RouteAnswer = Union["RouteDecision", str, Mapping[str, Any], None]
"""A decision, a node's name, a decision as a dict, or None for the node's `next_node`."""

EventualRouteAnswer = Union[RouteAnswer, Awaitable[RouteAnswer]]


class _OfState(Protocol[_StateT_contra, _AnswerT_co]):
    def __call__(self, state: _StateT_contra, /, *, context: NodeContext) -> _AnswerT_co: ...


class _OfStateAndArgument(Protocol[_StateT_contra, _ArgumentT_contra, _AnswerT_co]):
    def __call__(
        self, state: _StateT_contra, argument: _ArgumentT_contra, /, *, context: NodeContext
    ) -> _AnswerT_co: ...


NodeHandler = Union[
    Callable[[AnyStateT], EventualUpdate[AnyStateT]],
    Callable[[AnyStateT, "NodeContext"], EventualUpdate[AnyStateT]],
    _OfState[AnyStateT, EventualUpdate[AnyStateT]],
]

RouteHandler = Union[
    Callable[[AnyStateT], EventualRouteAnswer],
    Callable[[AnyStateT, "NodeContext"], EventualRouteAnswer],
    _OfState[AnyStateT, EventualRouteAnswer],
]

EventHandler = Union[
    Callable[[AnyStateT, ArgumentT], EventualUpdate[AnyStateT]],
    Callable[[AnyStateT, ArgumentT, "NodeContext"], EventualUpdate[AnyStateT]],
    _OfStateAndArgument[AnyStateT, ArgumentT, EventualUpdate[AnyStateT]],
]

MapHandler = Union[
    Callable[[AnyStateT, ArgumentT], Any],
    Callable[[AnyStateT, ArgumentT, "NodeContext"], Any],
    _OfStateAndArgument[AnyStateT, ArgumentT, Any],
]

OnError = Union[str, Mapping[Any, str]]
"""A node for any error, or a table from exception classes (or their names, or "*") to nodes.

To a type checker the keys may be anything: a table of names alone, in a variable, is no mapping of names and classes.
"""
