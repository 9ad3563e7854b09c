"""Code that can never work is a fault of the graph; code that might work never is."""

import functools
from collections.abc import Awaitable, Mapping, Sequence
from typing import Annotated, Any, Generic, Literal, Protocol, TypeVar

import pytest
from pydantic import BaseModel

from azure_functions_durable_graph import GraphBuildError, ManifestBuilder, NodeContext, RouteDecision


class Doc(BaseModel):
    """An item."""

    text: str = ""


class Base(BaseModel):
    """What the state derives from."""

    value: int = 0


class Order(Base):
    """The state of the graphs here."""

    docs: list[Doc] = []
    counts: list[int] | None = None
    anything: list[Any] = []
    results: list[int] = []


class Narrower(Order):
    """Derived from the state: a run's state is never one."""


class Other(BaseModel):
    """A model that has nothing to do with the state."""


class Approval(BaseModel):
    """A payload."""


class HasValue(Protocol):
    """What handlers may ask for instead of a model."""

    value: int


T = TypeVar("T")
StateT = TypeVar("StateT", bound=BaseModel)


def faults_of(builder: Any) -> list[str]:
    try:
        builder.build()
    except GraphBuildError as error:
        return [str(fault) for fault in error.faults]
    return []


def handled(handler: Any, model: Any = Order) -> list[str]:
    builder: Any = ManifestBuilder("g", model).set_entrypoint("a")
    return faults_of(builder.add_node("a", handler, terminal=True))


def routed(route: Any) -> list[str]:
    builder: Any = ManifestBuilder("g", Order).set_entrypoint("a")
    return faults_of(builder.add_node("a", lambda state: None, route=route))


def answered(handler: Any, payload_model: Any = None) -> list[str]:
    builder: Any = ManifestBuilder("g", Order).set_entrypoint("a").add_node("a", lambda state: None, terminal=True)
    return faults_of(builder.add_event_handler("go", handler, payload_model))


def mapped(handler: Any, over: str = "docs") -> list[str]:
    builder: Any = ManifestBuilder("g", Order).set_entrypoint("a")
    return faults_of(builder.add_map("a", handler, over=over, into="results"))


def no_argument() -> None: ...
def two_unknown(state: Order, first: Any, second: Any) -> None: ...
def wrong_context(state: Order, context: int) -> None: ...
def other_state(state: Other) -> None: ...
def narrower_state(state: Narrower) -> None: ...
def dict_state(state: dict[str, Any]) -> None: ...
def quoted_state(state: "Annotated[Other, 'note']") -> None: ...
def a_list(state: Order) -> list[str]: ...  # type: ignore[empty-body]
def an_int(state: Order) -> int: ...  # type: ignore[empty-body]
async def a_string(state: Order) -> str: ...  # type: ignore[empty-body]
def other_model(state: Order) -> Other: ...  # type: ignore[empty-body]


class Method:
    """Bound methods and callable objects are judged, too."""

    def handle(self, state: Other) -> None: ...
    def __call__(self, state: Order) -> list[str]: ...  # type: ignore[empty-body]


SHAPES = "Declare it as handler(state) or handler(state, context: NodeContext)."


@pytest.mark.parametrize(
    ("handler", "text"),
    [
        (no_argument, f"its handler takes no arguments, but is called with 1. {SHAPES}"),
        (two_unknown, f"its handler requires the argument 'second', which nothing passes. {SHAPES}"),
        (wrong_context, f"its handler requires the argument 'context', which nothing passes. {SHAPES}"),
        (other_state, "its handler takes an Other, but the state of the graph is an Order. Annotate its first"),
        (narrower_state, "its handler takes a Narrower, but the state of the graph is an Order."),
        (dict_state, "its handler takes a dict, but the state of the graph is an Order."),
        (quoted_state, "its handler takes an Other, but the state of the graph is an Order."),
        (functools.partial(other_state), "its handler takes an Other, but the state"),
        (Method().handle, "its handler takes an Other, but the state"),
        (a_list, "its handler returns a list. Return a dict of changed fields, an Order or None."),
        (an_int, "its handler returns an int."),
        (a_string, "its handler returns a str."),
        (Method(), "its handler returns a list."),
        (other_model, "its handler returns an Other."),
    ],
)
def test_a_handler_that_cannot_work_is_a_fault(handler: Any, text: str) -> None:
    (fault,) = handled(handler)

    assert fault.startswith(f"node 'a': {text}")


def yes(state: Order) -> bool: ...  # type: ignore[empty-body]
def several(state: Order) -> list[str]: ...  # type: ignore[empty-body]


@pytest.mark.parametrize(
    ("route", "text"),
    [
        (
            no_argument,
            "its route takes no arguments, but is called with 1. Declare it as route(state) or ",
        ),
        (other_state, "its route takes an Other, but the state"),
        (yes, "its route returns a bool. Return a RouteDecision, the name of a node, a dict or None."),
        (several, "its route returns a list."),
        (other_model, "its route returns an Other."),
    ],
)
def test_a_route_that_cannot_work_is_a_fault(route: Any, text: str) -> None:
    (fault,) = routed(route)

    assert fault.startswith(f"node 'a': {text}")


def approve(state: Order, payload: Approval) -> None: ...
def take_dict(state: Order, payload: dict[str, Any]) -> None: ...


@pytest.mark.parametrize(
    ("handler", "model", "text"),
    [
        (
            other_state,
            None,
            "its event handler takes 1 argument, but is called with 2. Declare it as ",
        ),
        (approve, None, "its event handler takes an Approval, but without a payload_model it gets plain JSON. Pass "),
        (
            approve,
            Doc,
            "its event handler takes an Approval as its payload, but is given a Doc. Annotate",
        ),
        (take_dict, Approval, "its event handler takes a dict as its payload, but is given an Approval."),
    ],
)
def test_an_event_handler_that_cannot_work_is_a_fault(handler: Any, model: Any, text: str) -> None:
    (fault,) = answered(handler, model)

    assert fault.startswith(f"event 'go': {text}")


def of_number(state: Order, item: int) -> int:
    return item


def of_doc(state: Order, item: Doc) -> list[str]:
    return [item.text]


@pytest.mark.parametrize(
    ("handler", "over", "text"),
    [
        (other_state, "docs", "its map handler takes 1 argument, but is called with 2."),
        (of_number, "docs", "its map handler takes an int as its item, but is given a Doc. Annotate its item as Doc."),
        (of_doc, "counts", "its map handler takes a Doc as its item, but is given an int."),
    ],
)
def test_a_map_handler_that_cannot_work_is_a_fault(handler: Any, over: str, text: str) -> None:
    (fault,) = mapped(handler, over)

    assert fault.startswith(f"node 'a': {text}")


def copied_annotations(code: Any) -> Any:
    @functools.wraps(code)
    def as_update(state: Any) -> Any:
        return {"results": code(state.docs)}

    return as_update


def of_base(state: Base, context: NodeContext | None = None) -> Order | dict[str, Any] | None: ...
def of_protocol(state: HasValue) -> "Unknown": ...  # type: ignore[name-defined]  # noqa: F821
def of_union(state: Other | Order) -> list[str] | dict[str, Any]: ...  # type: ignore[empty-body]
def of_typevar(state: StateT) -> StateT:
    return state


def of_any(state: Any, *rest: Any, **more: Any) -> Any: ...
def of_awaitable(state: Order) -> Awaitable[dict[str, Any]]: ...  # type: ignore[empty-body]
def to_mapping(state: Order) -> Mapping[str, object]: ...  # type: ignore[empty-body]
def to_base(state: Order) -> Base: ...  # type: ignore[empty-body]
def to_narrower(state: Order) -> Narrower: ...  # type: ignore[empty-body]
@copied_annotations
def of_docs(docs: list[Doc]) -> list[int]: ...  # type: ignore[empty-body]


@pytest.mark.parametrize(
    "handler",
    [
        of_base,
        of_protocol,
        of_union,
        of_typevar,
        of_any,
        of_awaitable,
        to_mapping,
        to_base,
        to_narrower,
        of_docs,
        print,
    ],
)
def test_a_handler_that_might_work_is_left_alone(handler: Any) -> None:
    assert handled(handler) == []


class Box(BaseModel, Generic[T]):
    """A generic state."""

    item: T


def test_a_generic_state_is_known_by_its_origin() -> None:
    def of_box(state: Box[Any]) -> Box[Any]:
        return state

    assert handled(of_box, Box[int]) == []


def to_name(state: Order) -> str: ...  # type: ignore[empty-body]
def to_literal(state: Order) -> Literal["a", "__complete__"]: ...  # type: ignore[empty-body]
def to_decision(state: Order) -> RouteDecision | None: ...
def to_dict(state: Order) -> dict[str, str]: ...  # type: ignore[empty-body]


@pytest.mark.parametrize("route", [to_name, to_literal, to_decision, to_dict])
def test_a_route_that_might_work_is_left_alone(route: Any) -> None:
    assert routed(route) == []


def of_object(state: Order, item: object) -> None: ...
def of_float(state: Order, item: float) -> None: ...
def of_sequence(state: Order, item: Sequence[str]) -> None: ...


@pytest.mark.parametrize(
    ("handler", "over"),
    [(of_doc, "docs"), (of_object, "docs"), (of_float, "counts"), (of_number, "anything"), (of_sequence, "docs")],
)
def test_a_map_handler_that_might_work_is_left_alone(handler: Any, over: str) -> None:
    assert mapped(handler, over) == []


def test_an_event_handler_that_might_work_is_left_alone() -> None:
    assert answered(take_dict) == []
    assert answered(approve, Approval) == []
