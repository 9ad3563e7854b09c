"""`build()` finds all problems of a graph at once, and says how to fix each."""

from functools import partial
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field, RootModel, SecretStr
from shapes import Counter, increment
from typing_extensions import TypeAliasType

from azure_functions_durable_graph import GraphBuildError, ManifestBuilder, RouteDecision


def faults(builder: ManifestBuilder) -> list[str]:
    with pytest.raises(GraphBuildError) as caught:
        builder.build()
    return [str(fault) for fault in caught.value.faults]


def graph(state_model: Any = Counter, **settings: Any) -> ManifestBuilder:
    """A builder with a valid node `a`, its entrypoint."""
    builder = ManifestBuilder("g", state_model, **settings)
    return builder.set_entrypoint("a").add_node("a", increment, terminal=True)


def one_fault(builder: ManifestBuilder) -> str:
    (fault,) = faults(builder)
    return fault


def test_all_faults_are_reported_at_once() -> None:
    builder = ManifestBuilder("g", Counter)
    builder.add_node("a", increment, next_node="bb")
    builder.add_node("b", increment)
    builder.add_node("c", increment, terminal=True, next_node="a")

    found = faults(builder)

    assert len(found) == 4
    assert any("entrypoint: is not set. Call set_entrypoint" in fault for fault in found)
    assert any(
        "node 'a': next_node names the unknown node 'bb'. Did you mean 'b'? Otherwise, add that node." in f
        for f in found
    )
    assert any("node 'b': is a dead end. Give it next_node=" in fault for fault in found)
    assert any("node 'c': is terminal and has a next_node. Drop terminal=True" in fault for fault in found)


def test_the_error_ends_with_its_faults_and_is_a_value_error() -> None:
    with pytest.raises(ValueError, match=r"graph 'g' has 1 fault:\n  1\. node 'a': is a dead end[^\n]*$"):
        ManifestBuilder("g", Counter).set_entrypoint("a").add_node("a", increment).build()


def test_a_graph_without_nodes_is_a_fault() -> None:
    assert any("graph: has no nodes" in fault for fault in faults(ManifestBuilder("g", Counter)))


def test_an_unknown_entrypoint_is_a_fault() -> None:
    builder = ManifestBuilder("g", Counter).set_entrypoint("b").add_node("a", increment, terminal=True)

    assert "entrypoint: names the unknown node 'b'" in one_fault(builder)


def test_two_entrypoints_are_a_fault() -> None:
    assert "set twice, to 'a' and 'b'" in faults(graph().set_entrypoint("b"))[0]


def test_a_second_node_of_the_same_name_is_a_fault() -> None:
    assert "node 'a': is declared twice" in one_fault(graph().add_node("a", increment, terminal=True))


def test_a_second_handler_for_an_event_is_a_fault() -> None:
    builder = graph()
    for _ in range(2):
        builder.add_event_handler("go", lambda state, payload: None)

    assert "event 'go': has two handlers" in one_fault(builder)


def test_a_node_that_nothing_leads_to_is_a_fault() -> None:
    assert "node 'b': can never be reached" in one_fault(graph().add_node("b", increment, terminal=True))


def test_an_open_route_may_lead_anywhere() -> None:
    builder = ManifestBuilder("g", Counter).set_entrypoint("a")
    builder.add_node("a", increment, route=lambda state: state.said[0])
    builder.add_node("b", increment, terminal=True)

    assert builder.build().manifest.nodes["a"].targets is None


def test_a_circle_without_an_exit_is_a_fault() -> None:
    builder = ManifestBuilder("g", Counter).set_entrypoint("a")
    builder.add_node("a", increment, next_node="b").add_node("b", increment, next_node="a")

    assert all("can never reach an end" in fault for fault in faults(builder))


def test_a_route_that_may_complete_is_an_exit() -> None:
    builder = ManifestBuilder("g", Counter).set_entrypoint("a")
    builder.add_node("a", increment, route=lambda state: "a", targets=["a", "__complete__"])

    assert builder.build().manifest.nodes["a"].targets == ("__complete__", "a")


def test_a_route_that_waits_for_an_event_nobody_handles_is_a_fault() -> None:
    def route(state: Any) -> Any:
        return RouteDecision.wait_for_event(event_name="aproval", resume_node="a")

    builder = ManifestBuilder("g", Counter).set_entrypoint("a").add_node("a", increment, route=route)

    assert "its route waits for the event 'aproval', which has no handler" in one_fault(builder)


def test_targets_come_from_the_return_annotation() -> None:
    def route(state: Any) -> Literal["b", "__complete__"]:
        return "b"

    def perhaps(state: Any) -> Literal["b"] | None:
        return None

    builder = ManifestBuilder("g", Counter).set_entrypoint("a")
    builder.add_node("a", increment, route=route).add_node("b", increment, route=perhaps)
    nodes = builder.build().manifest.nodes

    assert nodes["a"].targets == ("__complete__", "b")
    assert nodes["b"].targets == ("__complete__", "b")


NEXT = TypeAliasType("NEXT", Literal["b", "__complete__"])


def test_targets_are_found_beside_arguments_of_types_that_only_type_checkers_know() -> None:
    def route(state: Any, context: Any) -> Any:
        return "b"

    route.__annotations__ = {"context": "ImportedForTypeCheckers", "return": 'Literal["b", "__complete__"]'}
    builder = ManifestBuilder("g", Counter).set_entrypoint("a")
    builder.add_node("a", increment, route=route).add_node("b", increment, terminal=True)

    assert builder.build().manifest.nodes["a"].targets == ("__complete__", "b")


def test_targets_come_from_aliases_callable_objects_and_partials() -> None:
    class Route:
        def __call__(self, state: Any) -> NEXT:
            return "b"

    def route(state: Any, *, by: str) -> NEXT:
        return "b"

    builder = ManifestBuilder("g", Counter).set_entrypoint("a")
    builder.add_node("a", increment, route=Route()).add_node("b", increment, route=partial(route, by="size"))
    nodes = builder.build().manifest.nodes

    assert nodes["a"].targets == nodes["b"].targets == ("__complete__", "b")


def test_an_unknown_target_is_a_fault() -> None:
    builder = ManifestBuilder("g", Counter).set_entrypoint("a")
    builder.add_node("a", increment, route=lambda state: "a", targets=["a", "nowhere", "__complete__"])

    assert "targets names the unknown node 'nowhere'" in one_fault(builder)


def test_targets_without_a_route_are_a_fault() -> None:
    builder = ManifestBuilder("g", Counter).set_entrypoint("a")
    builder.add_node("a", increment, terminal=True, targets=["a"])

    assert "has targets but no route" in one_fault(builder)


class NotAModel:
    """Not a pydantic model."""


class Listing(RootModel[list[int]]):
    """A model without fields."""


class Hidden(BaseModel):
    """A field that would be lost."""

    token: str = Field(default="", exclude=True)


class Secret(BaseModel):
    """A field that would be masked."""

    token: SecretStr = SecretStr("")


class NoSchema(BaseModel):
    """A field that JSON cannot represent."""

    model_config = {"arbitrary_types_allowed": True}
    thing: NotAModel | None = None


@pytest.mark.parametrize(
    ("model", "text"),
    [
        (NotAModel, "NotAModel is not a pydantic v2 model. Derive it from pydantic.BaseModel"),
        (dict, "dict is not a pydantic v2 model"),
        (Listing, "is a RootModel"),
        (Hidden, "field 'token' of Hidden is excluded from serialization, so it would be lost"),
        (Secret, "contains a SecretStr or SecretBytes, which is masked"),
        (NoSchema, "has no JSON Schema"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_state_model_that_would_not_survive_is_a_fault(model: Any, text: Any) -> None:
    assert text in one_fault(graph(state_model=model))


@pytest.mark.parametrize("name", ["", "1st", "a b", "a/b", "a.b", "ü", "a" * 61], ids=repr)
def test_names_that_cannot_stand_in_a_url_are_faults(name: Any) -> None:
    builder = ManifestBuilder("g", Counter).set_entrypoint(name).add_node(name, increment, terminal=True)

    assert any("is not a valid name" in fault for fault in faults(builder))


def test_an_event_cannot_be_called_as_the_one_that_ends_parts_of_maps() -> None:
    builder = ManifestBuilder("g", Counter).set_entrypoint("a").add_node("a", increment, terminal=True)
    builder.add_event_handler("durable_graph_stop", lambda state, payload: None)

    assert "event 'durable_graph_stop': is reserved by the runtime. Choose another name." in faults(builder)


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"metadata": {"when": object()}}, "metadata: is not plain JSON"),
        ({"metadata": ["a"]}, "metadata: is a list"),
        ({"version": ""}, "version: is ''"),
        ({"version": 2}, "version: is 2"),
        ({"max_steps": 0}, "max_steps: is 0"),
    ],
    ids=["metadata that is no JSON", "metadata that is no dict", "no version", "a number as version", "no steps"],
)
def test_settings_that_make_no_sense_are_faults(settings: Any, text: Any) -> None:
    assert text in one_fault(graph(**settings))


def test_handlers_must_be_functions_that_return() -> None:
    def generator(state: Any) -> Any:
        yield {}

    class Generating:
        def __call__(self, state: Any) -> Any:
            yield {}

    builder = ManifestBuilder("g", Counter).set_entrypoint("a")
    builder.add_node("a", {"value": 1}, next_node="b")  # type: ignore[arg-type]
    builder.add_node("b", generator, next_node="c").add_node("c", Generating(), terminal=True)

    found = faults(builder)

    assert "handler is a dict, not a function" in found[0]
    assert "handler is a generator" in found[1]
    assert "handler is a generator" in found[2]


def test_arguments_in_the_wrong_order_are_a_fault_not_a_crash() -> None:
    builder: Any = graph()
    builder.add_node(increment, "b").add_event_handler(increment, "go")

    assert [fault.split(": ", 1)[1][:34] for fault in faults(builder)] == ["has a name that is not a string. P"] * 2
