"""What a change of each part of a manifest means for runs in flight: no part without a row."""

from dataclasses import fields, replace
from typing import Any

import pytest

from azure_functions_durable_graph.change.changes import Change, Impact, code_changes, heaviest, manifest_changes
from azure_functions_durable_graph.change.report import as_text
from azure_functions_durable_graph.graph.manifest import GraphManifest
from azure_functions_durable_graph.graph.nodes import EventSpec, NodeSpec

COSMETIC, SAFE, BREAKING = Impact.COSMETIC, Impact.SAFE, Impact.BREAKING

NODE = NodeSpec("n", next_node="end")
STATE = {"type": "object", "properties": {"value": {"type": "integer"}}, "required": ["value"]}
PAYLOAD = {"type": "object", "properties": {"text": {"type": "string"}}}

MANIFEST = GraphManifest(
    "g", "1", "n", "State", STATE, {"n": NODE, "end": NodeSpec("end", terminal=True)}, {"go": EventSpec("go")}
)

OF_A_NODE: dict[str, list[tuple[Any, Any, Impact, str]]] = {
    "next_node": [("end", "n", BREAKING, "node 'n' led to 'end' and now leads to 'n'")],
    "routed": [(False, True, BREAKING, "node 'n' led to 'end' and now leads where its route says, or to 'end'")],
    "terminal": [(False, True, BREAKING, "node 'n' led to 'end' and now leads to the end")],
    "targets": [
        (None, ("a",), SAFE, "the route of node 'n' declares 'a' instead of nothing"),
        (("a",), ("a", "b"), SAFE, "the route of node 'n' declares 'a', 'b' instead of 'a'"),
    ],
    "kind": [("task", "wait", BREAKING, "node 'n': kind changed from 'task' to 'wait'")],
    "over": [("a", "b", BREAKING, "node 'n': over changed from 'a' to 'b'")],
    "into": [("a", "b", BREAKING, "node 'n': into changed from 'a' to 'b'")],
    "graph": [("a", "b", BREAKING, "node 'n': graph changed from 'a' to 'b'")],
    "input": [({"a": "b"}, {}, SAFE, "node 'n': input changed from {'a': 'b'} to {}")],
    "output": [({"a": "b"}, {}, BREAKING, "node 'n': output changed from {'a': 'b'} to {}")],
    "branches": [(("a",), ("a", "b"), SAFE, "node 'n': branches changed from ('a',) to ('a', 'b')")],
    "limit": [(None, 3, SAFE, "node 'n': limit changed from none to 3")],
    "seconds": [(5.0, 7.0, SAFE, "node 'n': seconds changed from 5.0 to 7.0")],
    "retry": [(None, {"max_attempts": 2}, SAFE, "node 'n': retry changed from none to {'max_attempts': 2}")],
    "timeout": [(5.0, None, SAFE, "node 'n': timeout changed from 5.0 to none")],
    "on_error": [({"*": "end"}, None, SAFE, "node 'n': on_error changed from {'*': 'end'} to none")],
    "min_successful": [(None, 2, SAFE, "node 'n': min_successful changed from none to 2")],
    "stop_when": [(None, 1, SAFE, "node 'n': stop_when changed from none to 1")],
    "deadline": [(None, 60.0, SAFE, "node 'n': deadline changed from none to 60.0")],
    "collect": [(False, True, BREAKING, "node 'n': collect changed from False to True")],
    "checkpoint": [(True, False, SAFE, "node 'n': checkpoint changed from True to False")],
}
"""Field of a NodeSpec -> what it was, what it is, what that means, and in which words."""

OTHER_END = {"n": NODE, "end": NodeSpec("end", terminal=True, timeout=3.0)}

OF_A_MANIFEST: dict[str, list[tuple[Any, Impact, str]]] = {
    "entrypoint": [("end", SAFE, "new runs begin at 'end' instead of 'n'")],
    "state_model": [("Order", COSMETIC, "the state model State was renamed to Order")],
    "state_schema": [({**STATE, "properties": {}}, BREAKING, "state.value was removed")],
    "nodes": [
        ({"n": NODE}, BREAKING, "node 'end' was removed"),
        ({**MANIFEST.nodes, "more": NODE}, SAFE, "node 'more' is new"),
        (OTHER_END, SAFE, "node 'end': timeout changed from none to 3.0"),
    ],
    "event_handlers": [
        ({}, BREAKING, "event 'go' was removed: a run that waits for it can no longer be answered"),
        ({**MANIFEST.event_handlers, "more": EventSpec("more")}, SAFE, "event 'more' is new"),
        (
            {"go": EventSpec("go", PAYLOAD)},
            BREAKING,
            "event 'go' now has a payload model, which may reject what was accepted before",
        ),
    ],
    "metadata": [({"team": "blue"}, COSMETIC, "the metadata changed")],
    "max_steps": [
        (1001, SAFE, "max_steps changed from 1000 to 1001"),
        (999, BREAKING, "max_steps changed from 1000 to 999"),
    ],
    "reducers": [({"value": "add"}, SAFE, "the reducers changed from {} to {'value': 'add'}")],
}
"""Field of a GraphManifest -> what it is now, what that means, and in which words."""


def one_change(old: GraphManifest, new: GraphManifest) -> tuple[Impact, str]:
    (change,) = manifest_changes(old, new)
    return change.impact, change.text


@pytest.mark.parametrize("field", [field.name for field in fields(NodeSpec) if field.name != "name"])
def test_every_field_of_a_node_has_its_impact(field: str) -> None:
    for before, after, impact, text in OF_A_NODE[field]:
        old, new = (
            replace(MANIFEST, nodes={**MANIFEST.nodes, "n": replace(NODE, **{field: value})})
            for value in (before, after)
        )

        assert one_change(old, new) == (impact, text)


@pytest.mark.parametrize(
    "field", [field.name for field in fields(GraphManifest) if field.name not in ("graph_name", "version")]
)
def test_every_field_of_a_manifest_has_its_impact(field: str) -> None:
    for after, impact, text in OF_A_MANIFEST[field]:
        assert one_change(MANIFEST, replace(MANIFEST, **{field: after})) == (impact, text)


@pytest.mark.parametrize(
    ("before", "after", "impact", "text"),
    [
        (PAYLOAD, None, SAFE, "event 'go' now takes any payload"),
        (PAYLOAD, {**PAYLOAD, "required": ["text"]}, BREAKING, "go.payload.text is now required"),
        ({**PAYLOAD, "required": ["text"]}, {**PAYLOAD, "properties": {}}, BREAKING, "go.payload.text was removed"),
        (
            PAYLOAD,
            {**PAYLOAD, "properties": {**PAYLOAD["properties"], "more": {"default": 1}}},  # type: ignore[dict-item]
            SAFE,
            "go.payload.more is new, with a default",
        ),
    ],
)
def test_a_payload_that_was_accepted_stays_readable(before: Any, after: Any, impact: Impact, text: str) -> None:
    old, new = (replace(MANIFEST, event_handlers={"go": EventSpec("go", schema)}) for schema in (before, after))

    assert one_change(old, new) == (impact, text)


def test_what_leads_from_a_node_is_told_in_words() -> None:
    def led(**declared: Any) -> str:
        old = replace(MANIFEST, nodes={"n": NodeSpec("n", terminal=True)})
        new = replace(MANIFEST, nodes={"n": NodeSpec("n", **declared)})
        return one_change(old, new)[1].partition(" leads ")[2]

    assert led(routed=True) == "where its route says"
    assert led(routed=True, next_node="b") == "where its route says, or to 'b'"
    assert led(next_node="b") == "to 'b'"


def test_a_route_that_leads_elsewhere_altogether_is_one_change() -> None:
    old = replace(MANIFEST, nodes={"n": NodeSpec("n", routed=True, targets=("a",))})
    new = replace(MANIFEST, nodes={"n": NodeSpec("n", terminal=True)})

    assert one_change(old, new) == (BREAKING, "node 'n' led where its route says and now leads to the end")


def test_the_heaviest_change_comes_first_and_counts() -> None:
    new = replace(MANIFEST, metadata={"a": 1}, entrypoint="end", max_steps=5)

    found = manifest_changes(MANIFEST, new)

    assert [change.impact for change in found] == [BREAKING, SAFE, COSMETIC]
    assert heaviest(found) is BREAKING
    assert heaviest(found[1:]) is SAFE
    assert heaviest([]) is COSMETIC


def test_only_code_that_was_there_before_and_is_there_now_can_have_changed() -> None:
    old = {"node 'a'": "1", "node 'b'": "1", "node 'gone'": "1"}
    new = {"node 'a'": "1", "node 'b'": "2", "node 'new'": "1"}

    assert code_changes(old, new) == [Change(SAFE, "the code of node 'b' changed")]


def test_a_lock_in_which_nothing_has_changed_says_so() -> None:
    assert as_text([]) == "No graph has changed."
