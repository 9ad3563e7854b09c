"""A NodeContext reaches whatever user code asks for one: handlers, routes, event handlers and map handlers."""

from functools import partial, wraps
from typing import Any

from pydantic import BaseModel

from azure_functions_durable_graph import ManifestBuilder, NodeContext, RouteDecision
from azure_functions_durable_graph.testing import run_graph


class Visits(BaseModel):
    """Which nodes were told where they are."""

    seen: list[str] = []
    items: list[int] = [1, 2]
    results: list[str] = []


def seen(state: Visits, context: NodeContext) -> dict[str, Any]:
    return {"seen": [*state.seen, context.node]}


def test_a_handler_and_its_route_get_it_by_keyword() -> None:
    def handler(state: Visits, *, context: NodeContext) -> dict[str, Any]:
        return seen(state, context)

    async def route(state: Visits, *, ctx: NodeContext | None = None) -> str:
        return "b" if ctx is not None and ctx.node == "a" else "a"

    builder = ManifestBuilder("g", Visits).set_entrypoint("a")
    builder.add_node("a", handler, route=route, targets=["a", "b"])
    builder.add_node("b", partial(handler), terminal=True)

    assert run_graph(builder.build(), {}).state.seen == ["a", "b"]


def test_an_event_handler_gets_it_after_the_payload() -> None:
    def answered(state: Visits, payload: Any, context: "NodeContext | None" = None) -> dict[str, Any]:
        return {"seen": [*state.seen, f"{payload} at {context.node if context else None}"]}

    builder = ManifestBuilder("g", Visits).set_entrypoint("ask").add_event_handler("go", answered)
    wait = RouteDecision.wait_for_event(event_name="go", resume_node="end")
    builder.add_node("ask", lambda state: None, route=lambda state: wait, targets=["end"])
    builder.add_node("end", lambda state: None, terminal=True)

    assert run_graph(builder.build(), {}).send("go", "yes").state.seen == ["yes at end"]


def test_a_map_handler_gets_it_after_the_item() -> None:
    def each(state: Visits, item: int, *, context: NodeContext) -> str:
        return f"{context.idempotency_key[-1]}:{item}"

    builder = ManifestBuilder("g", Visits).set_entrypoint("each")
    builder.add_map("each", each, over="items", into="results")

    assert run_graph(builder.build(), {}).state.results == ["0:1", "1:2"]


def test_a_decorated_method_of_an_object_gets_it() -> None:
    def logged(code: Any) -> Any:
        @wraps(code)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            return code(*args, **kwargs)

        return wrapper

    class Service:
        @logged
        def visit(self, state: Visits, context: NodeContext) -> dict[str, Any]:
            return seen(state, context)

        async def __call__(self, state: Visits, context: NodeContext) -> dict[str, Any]:
            return seen(state, context)

    builder = ManifestBuilder("g", Visits).set_entrypoint("a")
    builder.add_node("a", Service().visit, next_node="b").add_node("b", Service(), terminal=True)

    assert run_graph(builder.build(), {}).state.seen == ["a", "b"]


def test_what_a_wrapper_does_not_pass_on_is_not_given() -> None:
    def without_context(code: Any) -> Any:
        @wraps(code)
        def wrapper(state: Visits) -> Any:
            return code(state, None)

        return wrapper

    @without_context
    def handler(state: Visits, context: NodeContext | None) -> dict[str, Any]:
        return {"seen": ["nothing" if context is None else context.node]}

    builder = ManifestBuilder("g", Visits).set_entrypoint("a").add_node("a", handler, terminal=True)

    assert run_graph(builder.build(), {}).state.seen == ["nothing"]
