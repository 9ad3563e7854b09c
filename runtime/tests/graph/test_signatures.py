"""What a callable accepts, whatever it says about itself: where a NodeContext fits, and what cannot be called."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Optional, Union

import pytest

import azure_functions_durable_graph as g
from azure_functions_durable_graph import NodeContext
from azure_functions_durable_graph.graph.signatures import (
    ContextParameter,
    awaits,
    context_parameter,
    signature_problem,
)

if TYPE_CHECKING:
    import azure_functions_durable_graph as only_for_checkers

Renamed = NodeContext
Code = Callable[..., Any]


def by_position(name: str) -> ContextParameter:
    return ContextParameter(name, keyword_only=False)


def by_keyword(name: str) -> ContextParameter:
    return ContextParameter(name, keyword_only=True)


def passing_everything(code: Code) -> Code:
    @functools.wraps(code)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return code(*args, **kwargs)

    return wrapper


def passing_positions(code: Code) -> Code:
    @functools.wraps(code)
    def wrapper(*args: Any) -> Any:
        return code(*args)

    return wrapper


def passing_keywords(code: Code) -> Code:
    @functools.wraps(code)
    def wrapper(state: Any, **kwargs: Any) -> Any:
        return code(state, **kwargs)

    return wrapper


def passing_the_state_alone(code: Code) -> Code:
    @functools.wraps(code)
    def wrapper(state: Any) -> Any:
        return code(state, None)

    return wrapper


def plain(state: Any) -> None: ...
def required(state: Any, ctx) -> None: ...  # type: ignore[no-untyped-def]
def annotated(state: Any, ctx: NodeContext) -> None: ...
def optional(state: Any, ctx: Optional[NodeContext] = None) -> None: ...  # noqa: UP045
def in_a_union(state: Any, ctx: Union[str, NodeContext, None] = None) -> None: ...
def in_annotated(state: Any, ctx: Annotated[NodeContext, "note"] = ...) -> None: ...
def dotted(state: Any, ctx: g.NodeContext | None = None) -> None: ...
def renamed(state: Any, ctx: Renamed | None = None) -> None: ...
def in_quotes(state: Any, ctx: "NodeContext | None" = None) -> None: ...  # noqa: UP037
def unresolved(state: Any, ctx: only_for_checkers.NodeContext | None = None) -> None: ...
def named(state: Any, context: Any = None) -> None: ...
def only_by_keyword(state: Any, *, ctx: NodeContext) -> None: ...
def by_keyword_with_default(state: Any, *, context: NodeContext | None = None) -> None: ...
def behind_an_option(state: Any, loud: bool = False, ctx: NodeContext | None = None) -> None: ...
def with_an_option(state: Any, loud: bool = False) -> None: ...
def with_a_dict(state: Any, context: dict[str, Any] | None = None) -> None: ...
def with_everything(*args: Any, **kwargs: Any) -> None: ...
def with_a_database(database: Any, state: Any, ctx: NodeContext) -> None: ...
def with_named_database(state: Any, database: Any, ctx: NodeContext) -> None: ...
def with_payload(state: Any, payload: Any, ctx: NodeContext) -> None: ...


class Called:
    """A callable object, and methods of all sorts."""

    __hash__ = None  # type: ignore[assignment]  # as a dataclass with __eq__ has it

    def __call__(self, state: Any, ctx: NodeContext) -> None: ...

    def method(self, state: Any, ctx: NodeContext) -> None: ...

    @passing_everything
    def wrapped(self, state: Any, ctx: NodeContext) -> None: ...

    @classmethod
    def of_the_class(cls, state: Any, ctx: NodeContext) -> None: ...

    @staticmethod
    def static(state: Any, ctx: NodeContext) -> None: ...


class Decorated:
    """A decorator that is a class."""

    def __init__(self, code: Code) -> None:
        functools.update_wrapper(self, code)

    def __call__(self, *args: Any, **kwargs: Any) -> None: ...


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (plain, None),
        (required, by_position("ctx")),
        (annotated, by_position("ctx")),
        (optional, by_position("ctx")),
        (in_a_union, by_position("ctx")),
        (in_annotated, by_position("ctx")),
        (dotted, by_position("ctx")),
        (renamed, by_position("ctx")),
        (in_quotes, by_position("ctx")),
        (unresolved, by_position("ctx")),
        (named, by_position("context")),
        (only_by_keyword, by_keyword("ctx")),
        (by_keyword_with_default, by_keyword("context")),
        (behind_an_option, by_keyword("ctx")),
        (with_an_option, None),
        (with_a_dict, None),
        (with_everything, None),
        (lambda state, context: None, by_position("context")),
        (lambda state, *, context: None, by_keyword("context")),
        (Called(), by_position("ctx")),
        (Called().method, by_position("ctx")),
        (Called().wrapped, by_position("ctx")),
        (Called.of_the_class, by_position("ctx")),
        (Called.static, by_position("ctx")),
        (Decorated(annotated), by_position("ctx")),
        (passing_everything(annotated), by_position("ctx")),
        (passing_everything(passing_everything(only_by_keyword)), by_keyword("ctx")),
        (passing_everything(plain), None),
        (passing_positions(annotated), by_position("ctx")),
        (passing_positions(by_keyword_with_default), None),
        (passing_keywords(annotated), by_keyword("ctx")),
        (passing_the_state_alone(annotated), None),
        (functools.lru_cache(annotated), by_position("ctx")),
        (functools.partial(with_a_database, object()), by_position("ctx")),
        (functools.partial(with_named_database, database=object()), by_keyword("ctx")),
        (functools.partial(passing_everything(with_a_database), object()), by_position("ctx")),
        (functools.partial(optional, ctx=None), None),
        (functools.partial(by_keyword_with_default, context=None), None),
        (print, None),
    ],
    ids=lambda value: getattr(value, "__qualname__", None) or type(value).__name__,
)
def test_the_context_goes_where_the_callable_takes_it(code: Code, expected: ContextParameter | None) -> None:
    assert context_parameter(code, 1) == expected
    assert signature_problem(code, 1) is None


@pytest.mark.parametrize("annotation", ["NodeContext", NodeContext, NodeContext | None, Annotated[NodeContext, "note"]])
def test_annotations_count_as_text_and_as_objects(annotation: Any) -> None:
    def handler(state: Any, ctx=None) -> None: ...  # type: ignore[no-untyped-def]

    handler.__annotations__["ctx"] = annotation

    assert context_parameter(handler, 1) == by_position("ctx")


def test_the_context_comes_after_all_that_is_given() -> None:
    assert context_parameter(with_payload, 2) == by_position("ctx")
    assert context_parameter(annotated, 2) is None


@pytest.mark.parametrize(
    ("code", "given", "problem"),
    [
        (lambda: None, 1, "takes no arguments, but is called with 1"),
        (plain, 2, "takes 1 argument, but is called with 2"),
        (lambda *, state: None, 1, "takes no arguments, but is called with 1"),
        (lambda state, one, two: None, 1, "requires the argument 'two', which nothing passes"),
        (lambda state, *, one, two: None, 1, "requires the argument 'two', which nothing passes"),
        (functools.partial(plain, None), 1, "takes no arguments, but is called with 1"),
        (passing_the_state_alone(annotated), 2, "takes 1 argument, but is called with 2"),
        (Called().method, 3, "takes 2 arguments, but is called with 3"),
    ],
)
def test_what_cannot_be_called_is_told(code: Code, given: int, problem: str) -> None:
    assert signature_problem(code, given) == problem


def test_an_argument_that_is_surely_something_else_is_no_context() -> None:
    def handler(state: Any, retries: int) -> None: ...

    assert context_parameter(handler, 1) is None
    assert signature_problem(handler, 1) == "requires the argument 'retries', which nothing passes"


def test_a_circle_of_decorators_ends() -> None:
    wrapper = passing_everything(plain)
    wrapper.__wrapped__ = wrapper  # type: ignore[attr-defined]

    assert context_parameter(wrapper, 1) is None


async def asynchronous(state: Any) -> None: ...


class Async:
    """Awaited when it is called."""

    async def __call__(self, state: Any) -> None: ...

    async def method(self, state: Any) -> None: ...


@pytest.mark.parametrize(
    "code",
    [asynchronous, functools.partial(asynchronous), Async(), functools.partial(Async()), Async().method],
    ids=["function", "partial", "object", "partial of an object", "method"],
)
def test_what_is_async_is_awaited(code: Code) -> None:
    assert awaits(code)


@pytest.mark.parametrize("code", [plain, passing_everything(asynchronous), Called(), Async, print])
def test_what_may_block_is_not(code: Code) -> None:
    assert not awaits(code)
