"""graphs.lock.json: what it contains, what has changed since, and what that means for runs in flight."""

import json
import linecache
from typing import Any

import pytest
from pydantic import BaseModel, create_model
from shapes import Counter, increment, line

from azure_functions_durable_graph import GraphRegistration, ManifestBuilder
from azure_functions_durable_graph.change.changes import Impact, manifest_changes
from azure_functions_durable_graph.change.code_digests import NO_SOURCE, code_digests, source_digest
from azure_functions_durable_graph.change.lock import Lock, LockedVersion, compare, next_lock
from azure_functions_durable_graph.change.report import as_json, as_markdown, as_text, needs_new_version
from azure_functions_durable_graph.errors import LockError


def locked(*graphs: GraphRegistration) -> list[LockedVersion]:
    return [LockedVersion(graph.manifest, code_digests(graph)) for graph in graphs]


def lock_of(*graphs: GraphRegistration, after: Lock | None = None) -> Lock:
    return next_lock(after or Lock(), locked(*graphs))


class Before(BaseModel):
    """A state as it was."""

    name: str
    count: int = 0
    inner: "Inner | None" = None


class Inner(BaseModel):
    """A nested model."""

    note: str = ""


class Approval(BaseModel):
    """A payload."""

    approved: bool


def graph(**changes: Any) -> GraphRegistration:
    """A graph with a route, an event and a state, with one thing changed."""
    settings: dict[str, Any] = {
        "model": Before,
        "metadata": None,
        "max_steps": 100,
        "next": "end",
        "event": "go",
        "payload": Approval,
        "extra": (),
        "entry": "a",
        **changes,
    }
    builder = ManifestBuilder("g", settings["model"], "1", settings["metadata"], settings["max_steps"])
    builder.set_entrypoint(settings["entry"])
    builder.add_node("a", increment, route=lambda state: "end", targets=["a", "b", "end", *settings["extra"]])
    builder.add_node("b", increment, next_node=settings["next"])
    for name in ("end", *settings["extra"]):
        builder.add_node(name, increment, terminal=True)
    if settings["event"]:
        builder.add_event_handler(settings["event"], lambda state, payload: None, payload_model=settings["payload"])
    return builder.build()


def impact(**changes: Any) -> tuple[Impact, str]:
    """The most severe change, and its text."""
    found = manifest_changes(graph().manifest, graph(**changes).manifest)
    return found[0].impact, found[0].text


def model(name: str = "Before", **fields: Any) -> type[BaseModel]:
    base: dict[str, Any] = {"name": (str, ...), "count": (int, 0), "inner": (Inner | None, None)}
    return create_model(name, **{k: v for k, v in {**base, **fields}.items() if v is not None})


LARGER_INNER = create_model("Inner", note=(str, ""), more=(str, ""))


@pytest.mark.parametrize(
    ("changes", "expected", "text"),
    [
        ({"metadata": {"team": "blue"}}, Impact.COSMETIC, "metadata changed"),
        ({"model": model("Renamed")}, Impact.COSMETIC, "Before was renamed to Renamed"),
        ({"entry": "b", "next": "a"}, Impact.BREAKING, "node 'b' led to 'end'"),
        ({"max_steps": 200}, Impact.SAFE, "max_steps changed from 100 to 200"),
        ({"max_steps": 50}, Impact.BREAKING, "max_steps changed from 100 to 50"),
        ({"extra": ("more",)}, Impact.SAFE, "node 'more' is new"),
        ({"next": "a"}, Impact.BREAKING, "node 'b' led to 'end' and now leads to 'a'"),
        ({"event": None}, Impact.BREAKING, "event 'go' was removed"),
        ({"event": "come"}, Impact.BREAKING, "event 'go' was removed"),
        ({"payload": None}, Impact.SAFE, "now takes any payload"),
        ({"model": model(extra=(str, ""))}, Impact.SAFE, "state.extra is new, with a default"),
        ({"model": model(extra=(str, ...))}, Impact.BREAKING, "state.extra is new and required"),
        ({"model": model(count=None)}, Impact.BREAKING, "state.count was removed"),
        ({"model": model(count=(str, ""))}, Impact.BREAKING, "state.count changed from integer to string"),
        ({"model": model(count=(int | None, 0))}, Impact.SAFE, "state.count changed from integer to integer or null"),
        ({"model": model(count=(int, 7))}, Impact.SAFE, "state.count now has the default 7"),
        ({"model": model(count=(int, ...))}, Impact.BREAKING, "state.count is now required"),
        ({"model": model(inner=(LARGER_INNER | None, None))}, Impact.SAFE, "state(Inner).more is new"),
    ],
    ids=lambda value: str(value) if isinstance(value, Impact) else None,
)
def test_each_kind_of_change_has_its_impact(changes: Any, expected: Impact, text: str) -> None:
    found, words = impact(**changes)

    assert found is expected, words
    assert text in words


def test_a_graph_that_has_not_changed_has_no_changes() -> None:
    assert manifest_changes(graph().manifest, graph().manifest) == []


def test_removing_a_node_needs_a_new_version() -> None:
    (item,) = compare(lock_of(line("a", "b", "c")), lock_of(line("a", "c")))

    assert item.impact is Impact.BREAKING
    assert [change.text for change in item.changes][:2] == [
        "node 'b' was removed",
        "node 'a' led to 'b' and now leads to 'c'",
    ]


def test_a_fix_inside_a_handler_is_safe_and_named() -> None:
    def fixed(state: Any) -> Any:
        return {"value": state.value + 1}

    builder = ManifestBuilder("line", Counter).set_entrypoint("a").add_node("a", fixed, terminal=True)

    (item,) = compare(lock_of(line("a")), lock_of(builder.build()))

    assert [(change.impact, change.text) for change in item.changes] == [(Impact.SAFE, "the code of node 'a' changed")]


def test_code_without_a_file_has_no_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    namespace: dict[str, Any] = {}
    exec("def f(state):\n    return 1", namespace)
    other = ["import sys\n", "print(sys.path)\n"]
    monkeypatch.setitem(linecache.cache, "<string>", (30, None, other, "<string>"))  # as `python -c` on 3.13

    assert source_digest(namespace["f"]) == NO_SOURCE


def test_formatting_does_not_change_the_digest_of_code() -> None:
    # fmt: off
    def spaced(state: Any) -> int:

        # a comment
        return 1
    first = source_digest(spaced)
    def spaced(state: Any) -> int:  # type: ignore[no-redef]
        return 1
    # fmt: on
    assert first != NO_SOURCE
    assert source_digest(spaced) != first  # the comment behind the signature counts: it is on a line of code


# --- the lock that follows ----------------------------------------------------------------------------------------


def test_a_safe_change_takes_over_the_runs_of_the_hash_before() -> None:
    first = lock_of(graph())
    second = lock_of(graph(metadata={"a": 1}), after=first)
    third = lock_of(graph(metadata={"a": 1}, max_steps=200), after=second)

    version = third.graphs["g"].versions["1"]

    assert set(version.serves) == {graph().graph_hash, graph(metadata={"a": 1}).graph_hash}


def test_going_back_takes_over_the_other_way() -> None:
    there = lock_of(graph(metadata={"a": 1}), after=lock_of(graph()))
    back = lock_of(graph(), after=there)

    assert back.graphs["g"].versions["1"].serves == (graph(metadata={"a": 1}).graph_hash,)


def test_a_breaking_change_takes_nothing_over_and_is_reported() -> None:
    first = lock_of(line("a", "b"))
    second = lock_of(line("a"), after=first)

    assert second.graphs["line"].versions["1"].serves == ()
    assert [item.version for item in needs_new_version(compare(first, second))] == ["1"]


def test_a_new_version_beside_the_old_one_needs_nothing() -> None:
    old, new = line("a", "b"), line("a", version="2")
    found = compare(lock_of(old), lock_of(old, new, after=lock_of(old)))

    assert [(item.version, item.kind) for item in found] == [("1", "same"), ("2", "new")]
    assert needs_new_version(found) == []
    assert lock_of(old, new).graphs["line"].default == "2"


def test_a_version_that_is_dropped_is_named() -> None:
    found = compare(lock_of(line("a", "b")), lock_of(line("a", version="2")))

    assert "line, version 1 is no longer registered: its runs in flight are parked" in as_text(found)
    assert needs_new_version(found) == []


def test_one_version_cannot_be_two_graphs() -> None:
    with pytest.raises(LockError, match="registered twice as version '1'"):
        lock_of(line("a"), line("a", "b"))


# --- the file -----------------------------------------------------------------------------------------------------


def test_a_lock_survives_its_text() -> None:
    lock = lock_of(graph(), line("a", "b"), after=lock_of(graph(metadata={"a": 1})))

    assert Lock.from_text(lock.to_text()) == lock
    assert Lock.from_text(lock.to_text()).to_text() == lock.to_text()


def edited(edit: Any) -> str:
    data = json.loads(lock_of(line("a", "b")).to_text())
    edit(data)
    return json.dumps(data)


ENTRY = ("graphs", "line", "versions", "1")


def entry(data: Any) -> Any:
    for key in ENTRY:
        data = data[key]
    return data


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", r"line 1, column 2: not JSON"),
        ("[]", "expected a JSON object, not list"),
        ('{"format": 2, "graphs": {}}', "is not a lock of format 1"),
        ('{"format": 1, "graphs": {"g": {}}}', "graph 'g': its entry cannot be read"),
        (edited(lambda data: entry(data)["manifest"].pop("nodes")), r"manifest\.nodes: missing"),
        (edited(lambda data: entry(data)["manifest"]["nodes"]["a"].update(next="a")), "was edited by hand"),
        (edited(lambda data: entry(data).update(graph_hash="0")), "was edited by hand"),
        (edited(lambda data: entry(data).update(serves="all")), r"serves: expected list, not str"),
        (edited(lambda data: data["graphs"]["line"].update(default="9")), "has no version '9'"),
        ("<<<<<<< ours\n", "it contains a merge conflict"),
    ],
)
def test_a_bad_lock_is_one_clear_sentence(text: str, message: str) -> None:
    with pytest.raises(LockError, match=message) as caught:
        Lock.from_text(text)

    assert str(caught.value).startswith("graphs.lock.json")
    assert "\n" not in str(caught.value)


# --- the report ---------------------------------------------------------------------------------------------------


def test_the_report_says_the_same_in_words_in_markdown_and_in_json() -> None:
    found = compare(lock_of(line("a", "b", "c")), lock_of(line("a", "c")))

    assert as_text(found).splitlines()[:2] == [
        "line, version 1: needs a new version",
        "  ✗ needs a new version: node 'b' was removed",
    ]
    assert "Give the graph a new version" in as_text(found)
    markdown = as_markdown(found)
    assert "| needs a new version | node 'b' was removed |" in markdown
    assert markdown.count("```mermaid") == 2
    assert as_json(found)[0]["impact"] == "needs a new version"


def test_a_picture_is_drawn_only_where_it_changed() -> None:
    assert "mermaid" not in as_markdown(compare(lock_of(graph()), lock_of(graph(metadata={"a": 1}))))
    assert "No graph has changed." in as_markdown(compare(lock_of(graph()), lock_of(graph())))
