"""A manifest is frozen data with a hash that changes when, and only when, its meaning changes."""

import json
from typing import Any

import pytest
from pydantic import BaseModel, Field
from shapes import Counter, conversation, increment, line, loop

from azure_functions_durable_graph import GraphManifest, ManifestBuilder
from azure_functions_durable_graph.errors import ManifestError
from azure_functions_durable_graph.graph.nodes import NodeSpec

SHAPES = [line("a"), line("a", "b", "c"), loop(), conversation()]


def build(**changes: Any) -> Any:
    """A two-node graph, with one thing changed."""
    settings: dict[str, Any] = {
        "graph_name": "g",
        "state_model": Counter,
        "version": "1",
        "metadata": None,
        "order": ["a", "b"],
        "event": "go",
        "payload": None,
        "max_steps": 1000,
        **changes,
    }
    builder = ManifestBuilder(
        settings["graph_name"],
        settings["state_model"],
        settings["version"],
        settings["metadata"],
        settings["max_steps"],
    )
    builder.set_entrypoint("a")
    nodes: dict[str, Any] = {"a": {"next_node": "b"}, "b": {"terminal": True}}
    for name in settings["order"]:
        builder.add_node(name, increment, **nodes[name])
    builder.add_event_handler(settings["event"], lambda state, payload: None, payload_model=settings["payload"])
    return builder.build().manifest


class Renamed(BaseModel):
    """A docstring that says something else."""

    value: int = Field(default=0, description="and a description", title="and a title", examples=[3])
    goal: int = 0
    said: list[str] = []


class WithField(Counter):
    """One more field."""

    extra: str = ""


class Typed(BaseModel):
    """A payload."""

    answer: int


@pytest.mark.parametrize("registration", SHAPES, ids=lambda graph: f"{graph.graph_name}-{len(graph.nodes)}")
def test_a_manifest_survives_json(registration: Any) -> None:
    manifest = registration.manifest

    again = GraphManifest.from_dict(json.loads(json.dumps(manifest.to_dict())))

    assert again == manifest
    assert again.graph_hash == manifest.graph_hash


def test_the_order_of_declaration_does_not_matter() -> None:
    assert build(order=["b", "a"]).graph_hash == build().graph_hash


@pytest.mark.parametrize(
    "change",
    [
        {"graph_name": "h"},
        {"version": "2"},
        {"metadata": {"team": "blue"}},
        {"state_model": WithField},
        {"event": "stop"},
        {"payload": Typed},
        {"max_steps": 7},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_changes_the_meaning_changes_the_hash(change: Any) -> None:
    assert build(**change).graph_hash != build().graph_hash


def test_words_for_people_do_not_change_the_hash() -> None:
    Renamed.__name__ = "Counter"

    assert build(state_model=Renamed).graph_hash == build().graph_hash


def test_a_field_named_like_a_schema_keyword_is_still_a_field() -> None:
    class One(BaseModel):
        title: str = ""

    class Other(BaseModel):
        title: int = 0

    Other.__name__ = "One"

    assert build(state_model=One).graph_hash != build(state_model=Other).graph_hash


def test_another_function_behind_a_node_does_not_change_the_hash() -> None:
    def elsewhere(state: Any) -> Any:
        return {"value": 7}

    builder = ManifestBuilder("line", Counter)
    builder.set_entrypoint("a").add_node("a", elsewhere, terminal=True)

    assert builder.build().graph_hash == line("a").graph_hash


def test_the_hash_is_the_same_on_every_machine() -> None:
    """A golden value: if it changes, every run in flight parks after an update of the runtime."""
    assert line("a", "b").graph_hash == "6c24f23985de24706f2242f70bfb3871788242c3c657b98677866bc799c5ce52"


def test_a_manifest_cannot_be_changed() -> None:
    manifest = build()

    with pytest.raises(TypeError):
        manifest.nodes["c"] = manifest.nodes["a"]
    with pytest.raises(AttributeError):
        manifest.version = "2"


def test_a_run_carries_the_plan_without_any_schema() -> None:
    assert conversation().manifest.plan()["nodes"] == {"listen": {"routed": True}}
    assert line("a", "b").manifest.plan()["nodes"] == {"a": {"next": "b"}, "b": {}}


@pytest.mark.parametrize(
    ("edit", "text"),
    [
        (lambda data: data.pop("entrypoint"), r"manifest\.entrypoint: missing"),
        (lambda data: data.update(format=99), r"manifest\.format: .* not 99"),
        (lambda data: data["nodes"]["a"].update(next=7), r"manifest\.nodes\.a\.next: expected str, not int"),
        (lambda data: data["nodes"].update(a=[]), r"manifest\.nodes\.a: expected an object, not list"),
        (lambda data: data.update(colour="red"), r"manifest\.colour: unknown key"),
        (lambda data: data.update(max_steps=True), r"manifest\.max_steps: expected int, not bool"),
    ],
    ids=["missing", "newer format", "wrong type", "no object", "unknown key", "bool for int"],
)
def test_a_manifest_that_cannot_be_read_says_where(edit: Any, text: Any) -> None:
    data = build().to_dict()
    edit(data)

    with pytest.raises(ManifestError, match=text):
        GraphManifest.from_dict(data)


@pytest.mark.parametrize("seconds", [-1, 0, float("nan"), float("inf"), 3651 * 86400, True])
@pytest.mark.parametrize("key", ["timeout", "seconds"])
def test_a_duration_that_makes_no_sense_cannot_be_read(key: str, seconds: Any) -> None:
    with pytest.raises(ManifestError, match=rf"^manifest\.nodes\.a\.{key}: "):
        NodeSpec.from_dict("a", {key: seconds}, "manifest.nodes.a")
