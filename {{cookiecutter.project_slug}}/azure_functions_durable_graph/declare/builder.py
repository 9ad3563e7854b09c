"""ManifestBuilder: declare a graph, then compile it once.

Declaring never raises for a fault of the graph: faults are collected, and `build()` reports all of them at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Generic, Literal, overload

from pydantic import BaseModel

from ..graph.manifest import DEFAULT_MAX_STEPS
from ..graph.names import COMPLETE, plain_name
from ..graph.nodes import NodeSpec
from ..graph.registration import GraphRegistration, NodeCode
from .declarations import Declarations
from .map_settings import collecting, map_of_graph, with_policy

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    from ..graph.policies import RetryPolicy
    from .handler_types import EventHandler, ItemT, MapHandler, NodeHandler, OnError, PayloadT, RouteHandler

    StateT = TypeVar("StateT", bound=BaseModel, default=Any)
else:
    from typing import TypeVar

    StateT = TypeVar("StateT")


class ManifestBuilder(Generic[StateT]):
    """Declares a graph; `build()` returns the registration for an app.

    Generic over the state: `ManifestBuilder(graph_name="g", state_model=OrderState)` lets a type checker check every
    handler and route against `OrderState`.
    """

    def __init__(
        self,
        graph_name: str,
        state_model: type[StateT],
        version: str = "1",
        metadata: Mapping[str, Any] | None = None,
        max_steps: int = DEFAULT_MAX_STEPS,
        durability: Literal["node", "wait"] = "node",
    ) -> None:
        """Begin a graph. `max_steps` limits the nodes that one run may visit; a run that reaches the limit fails.

        With `durability="node"` the result of every node is kept before the next one begins. With "wait", results are
        kept when the run waits, sleeps, branches, fails or ends: fewer activities, and after a crash of the worker the
        nodes since then run again, with the same idempotency keys.
        """
        given = {} if metadata is None else metadata
        self._declared = Declarations(graph_name, state_model, version, given, max_steps, durability)

    def set_entrypoint(self, name: str) -> ManifestBuilder[StateT]:
        """Set the node at which every run begins."""
        self._declared.start_at(name)
        return self

    def add_node(  # noqa: PLR0913 - all but two by keyword
        self,
        name: str,
        handler: NodeHandler[StateT],
        *,
        next_node: str | None = None,
        route: RouteHandler[StateT] | None = None,
        terminal: bool = False,
        targets: Iterable[str] | None = None,
        retry: RetryPolicy | None = None,
        timeout: timedelta | None = None,
        on_error: OnError | None = None,
        checkpoint: bool | None = None,
    ) -> ManifestBuilder[StateT]:
        """Add a node.

        `handler(state)` or `handler(state, context)` returns changed fields, a state or None. What follows is
        `next_node`, or what `route(state)` decides, or nothing (`terminal`). With both, `next_node` follows if the
        route returns None. `targets` declares what the route can decide, as does a `Literal[…]` return annotation.
        An attempt that takes longer than `timeout` (at most 3650 days) fails with NodeTimeout. After the attempts that
        `retry` allows, `on_error` names the node that follows, for any error or by the error's type.
        `checkpoint=False` says that its result need not be kept before the next node begins, `True` that it must; the
        default is the graph's `durability`.
        """
        read = self._declared.reader("node", name)
        declared = None if targets is None else tuple(sorted(set(read.names("targets", targets))))
        if declared is not None and route is None:
            read.fault("has targets but no route", "Add route=…, or drop targets=…")
        if declared is None and callable(route):
            from .introspection import annotated_targets  # reads annotations: needed only if there is a route

            declared = annotated_targets(route, otherwise=str(plain_name(next_node) or COMPLETE))
        spec = NodeSpec(name, routed=route is not None, targets=declared, terminal=terminal)
        code = NodeCode(handler, route)
        if checkpoint is not None:
            self._declared.keep_checkpoint(read, name, checkpoint)
        self._declared.keep_node(read, spec, code, next_node=next_node, retry=retry, timeout=timeout, on_error=on_error)
        return self

    def add_parallel(
        self,
        name: str,
        branches: Iterable[str],
        *,
        stop_when: Literal["first_success", "first_failure"] | int | None = None,
        deadline: timedelta | None = None,
        min_successful: int | None = None,
        next_node: str | None = None,
        on_error: OnError | None = None,
    ) -> ManifestBuilder[StateT]:
        """Run several branches at once on one snapshot of the state, then merge what they changed.

        A branch is a node of any kind, or a chain that begins there; it ends where it leads to `next_node`, or at an
        end. Two branches may write one field only if it has a reducer. The parallel fails if a branch does, or, with
        `min_successful`, if fewer succeed. The node that `on_error` names sees what the others have changed.

        With `stop_when`, the other branches are stopped after the first failure, or after that many successes, which
        are then enough. With a `deadline`, branches that are not done by then are stopped, and fail with
        DeadlineExceeded.
        """
        read = self._declared.reader("node", name)
        spec = NodeSpec(name, kind="parallel", branches=read.names("branches", branches))
        spec = with_policy(read, spec, stop_when, deadline, min_successful)
        self._declared.keep_node(read, spec, next_node=next_node, on_error=on_error)
        return self

    @overload
    def add_map(
        self,
        name: str,
        handler: MapHandler[StateT, Any],
        *,
        over: str,
        into: str,
        item_type: None = None,
        max_concurrency: int = 20,
        on_item_error: Literal["fail", "collect"] = "fail",
        stop_when: Literal["first_success", "first_failure"] | int | None = None,
        deadline: timedelta | None = None,
        min_successful: int | None = None,
        next_node: str | None = None,
        retry: RetryPolicy | None = None,
        timeout: timedelta | None = None,
        on_error: OnError | None = None,
    ) -> ManifestBuilder[StateT]: ...

    @overload
    def add_map(
        self,
        name: str,
        handler: MapHandler[StateT, ItemT],
        *,
        over: str,
        into: str,
        item_type: type[ItemT],
        max_concurrency: int = 20,
        on_item_error: Literal["fail", "collect"] = "fail",
        stop_when: Literal["first_success", "first_failure"] | int | None = None,
        deadline: timedelta | None = None,
        min_successful: int | None = None,
        next_node: str | None = None,
        retry: RetryPolicy | None = None,
        timeout: timedelta | None = None,
        on_error: OnError | None = None,
    ) -> ManifestBuilder[StateT]: ...

    @overload
    def add_map(
        self,
        name: str,
        *,
        graph: str,
        over: str,
        input: Mapping[str, str] | None = None,
        output: Mapping[str, str] | None = None,
        max_concurrency: int = 100,
        on_item_error: Literal["fail", "collect"] = "fail",
        stop_when: Literal["first_success", "first_failure"] | int | None = None,
        deadline: timedelta | None = None,
        min_successful: int | None = None,
        next_node: str | None = None,
        retry: RetryPolicy | None = None,
        on_error: OnError | None = None,
    ) -> ManifestBuilder[StateT]: ...

    def add_map(  # noqa: PLR0913 - as add_node, and all but two by keyword
        self,
        name: str,
        handler: MapHandler[StateT, Any] | None = None,
        *,
        graph: str | None = None,
        over: str,
        into: str | None = None,
        input: Mapping[str, str] | None = None,  # noqa: A002 - as in add_subgraph
        output: Mapping[str, str] | None = None,
        item_type: type[Any] | None = None,
        max_concurrency: int | None = None,
        on_item_error: Literal["fail", "collect"] = "fail",
        stop_when: Literal["first_success", "first_failure"] | int | None = None,
        deadline: timedelta | None = None,
        min_successful: int | None = None,
        next_node: str | None = None,
        retry: RetryPolicy | None = None,
        timeout: timedelta | None = None,
        on_error: OnError | None = None,
    ) -> ManifestBuilder[StateT]:
        """Run `handler(state, item)` on each item of the field `over`; the results, in order, become `into`.

        `over` is a list, a tuple, a set, or a dict whose items are pairs. In the state that a handler gets, it contains
        only the handler's item. At most `max_concurrency` run at once (20). `item_type` tells type checkers what the
        items are; `build()` compares it with the field.

        With `graph`, each item becomes a run of that graph (at most 100 at once). `input` maps its fields to
        fields of this state, to `"__item__"` or to a part of it, `"__item__.text"`; without it the item is the input.
        `output` maps list fields of this state to the field of each run, in order.

        The map fails if an item does, or, with `min_successful`, if fewer succeed; the results are then those of the
        items that succeeded. With `on_item_error="collect"` results are `ItemResult[…]`, each with a value or an error.
        `stop_when` and `deadline` work as in a parallel; items that have not begun by then never begin.
        """
        read = self._declared.reader("node", name)
        limit = (20 if graph is None else 100) if max_concurrency is None else max_concurrency
        spec = NodeSpec(name, kind="map", over=read.text("over", over), into=read.text("into", into), limit=limit)
        spec = map_of_graph(read, spec, graph, input, output, handler, timeout)
        spec = collecting(read, with_policy(read, spec, stop_when, deadline, min_successful), on_item_error)
        if item_type is not None and isinstance(name, str):
            self._declared.item_types[plain_name(name)] = item_type
        code = NodeCode(handler if spec.graph is None else None)
        self._declared.keep_node(read, spec, code, next_node=next_node, retry=retry, timeout=timeout, on_error=on_error)
        return self

    def add_subgraph(
        self,
        name: str,
        *,
        graph: str,
        input: Mapping[str, str] | None = None,  # noqa: A002 - the word that users look for
        output: Mapping[str, str] | None = None,
        next_node: str | None = None,
        retry: RetryPolicy | None = None,
        on_error: OnError | None = None,
    ) -> ManifestBuilder[StateT]:
        """Run another graph of the app as a run of its own, and wait for it.

        `input` maps the child's fields to fields of this state, `output` this state's fields to the child's.
        """
        read = self._declared.reader("node", name)
        spec = NodeSpec(
            name,
            kind="subgraph",
            graph=read.text("graph", graph),
            input=read.table("input", input),
            output=read.table("output", output),
        )
        self._declared.keep_node(read, spec, next_node=next_node, retry=retry, on_error=on_error)
        return self

    def add_wait(self, name: str, *, duration: timedelta, next_node: str | None = None) -> ManifestBuilder[StateT]:
        """Let time pass before the run continues; a wait lasts at most 3650 days."""
        read = self._declared.reader("node", name)
        spec = NodeSpec(name, kind="wait", seconds=read.seconds("duration", duration))
        self._declared.keep_node(read, spec, next_node=next_node)
        return self

    @overload
    def add_event_handler(
        self, event_name: str, handler: EventHandler[StateT, Any], payload_model: None = None
    ) -> ManifestBuilder[StateT]: ...

    @overload
    def add_event_handler(
        self, event_name: str, handler: EventHandler[StateT, PayloadT], payload_model: type[PayloadT]
    ) -> ManifestBuilder[StateT]: ...

    def add_event_handler(
        self, event_name: str, handler: EventHandler[StateT, Any], payload_model: type[BaseModel] | None = None
    ) -> ManifestBuilder[StateT]:
        """Handle an external event: `handler(state, payload)` returns what a node's handler returns.

        With a `payload_model` a posted payload is validated first (422), and the handler gets an instance of the model.
        """
        self._declared.keep_event(event_name, handler, payload_model)
        return self

    def build(self) -> GraphRegistration:
        """Compile the graph. Raises GraphBuildError with every fault and how to fix it."""
        return self._declared.compile()
