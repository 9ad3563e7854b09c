"""Random graphs whose code ends in random ways: each run ends as declared, can be read, and its host goes on."""

from __future__ import annotations

import asyncio
import json
import operator
from collections.abc import Callable
from typing import Annotated, Any, NamedTuple

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from azure_functions_durable_graph import GraphRegistration, ManifestBuilder, NodeContext
from azure_functions_durable_graph.testing import GraphHost


class Other(BaseModel):
    """Not the state's class."""

    value: int = 0


class State(BaseModel):
    """A state."""

    value: int = 0
    items: list[int] = [1, 2]
    found: list[int] = []
    notes: Annotated[list[str], operator.add] = []
    words: set[str] = {"a", "b", "c"}
    anything: Any = None
    seen: str = ""


class Rude(BaseException):
    """A user's own, outside of Exception."""


def _raise(error: BaseException) -> Any:
    raise error


class Ending(NamedTuple):
    """What a handler does, and the type of the error that must come of it; None where all is well."""

    act: Callable[[], Any]
    error: str | None


RAISED = [
    Ending(lambda: _raise(ValueError("bad")), "ValueError"),
    Ending(lambda: _raise(SystemExit(2)), "SystemExit"),
    Ending(lambda: _raise(KeyboardInterrupt()), "KeyboardInterrupt"),
    Ending(lambda: _raise(GeneratorExit()), "GeneratorExit"),
    Ending(lambda: _raise(asyncio.CancelledError()), "CancelledError"),
    Ending(lambda: _raise(TimeoutError()), "TimeoutError"),
    Ending(lambda: _raise(Rude("out")), "Rude"),
]
UPDATES = [
    Ending(lambda: None, None),
    Ending(lambda: {"value": 7}, None),
    Ending(lambda: {"notes": ["x"]}, None),
    Ending(lambda: {"words": {"z", "y"}}, None),
    Ending(lambda: {"anything": {"deep": [1, {"a": None}]}}, None),
    Ending(lambda: {"value": "many"}, "ValidationError"),
    Ending(lambda: {"valeu": 1}, "TypeError"),
    Ending(lambda: ["a"], "TypeError"),
    Ending(lambda: 7, "TypeError"),
    Ending(lambda: Other(value=1), "TypeError"),
    Ending(lambda: {"anything": object()}, "PayloadError"),
    Ending(lambda: {"anything": float("nan")}, "PayloadError"),
    Ending(lambda: {"anything": 10**5000}, "PayloadError"),
    Ending(lambda: {"anything": "\ud800"}, "PayloadError"),
    Ending(lambda: {"anything": {"__class__": "x"}}, "PayloadError"),
]
RESULTS = [
    Ending(lambda: 3, None),
    Ending(lambda: True, None),
    Ending(lambda: "many", "ValidationError"),
    Ending(lambda: None, "ValidationError"),
    Ending(lambda: [object()], "ValidationError"),
]
KINDS = {"task": [*UPDATES, *RAISED], "branch": [*UPDATES, *RAISED], "map": [*RESULTS, *RAISED]}


@st.composite
def nodes(draw: Any) -> tuple[str, Ending, bool, bool]:
    """One node: its kind, how its code ends, whether that code is async, and whether an error edge leads away."""
    kind = draw(st.sampled_from(sorted(KINDS)))
    return kind, draw(st.sampled_from(KINDS[kind])), draw(st.booleans()), draw(st.booleans())


def handler(ending: Ending, is_async: bool) -> Any:
    if is_async:

        async def act_async(*arguments: Any) -> Any:
            await asyncio.sleep(0)
            return ending.act()

        return act_async
    return lambda *arguments: ending.act()


def remember(state: Any, context: NodeContext) -> dict[str, Any]:
    assert context.error is not None
    return {"seen": context.error["type"]}


def line_of(parts: list[tuple[str, Ending, bool, bool]]) -> GraphRegistration:
    """The nodes one after the other; error edges lead to `mend`."""
    builder = ManifestBuilder("g", State).set_entrypoint("n0")
    for number, (kind, ending, is_async, mends) in enumerate(parts):
        name, last = f"n{number}", number == len(parts) - 1
        code = handler(ending, is_async)
        edges: dict[str, Any] = {} if last else {"next_node": f"n{number + 1}"}
        edges |= {"on_error": "mend"} if mends else {}
        if kind == "task":
            builder.add_node(name, code, terminal=last, **edges)
        elif kind == "map":
            builder.add_map(name, code, over="items", into="found", **edges)
        else:
            builder.add_parallel(name, branches=[f"b{number}", f"c{number}"], **edges)
            builder.add_node(f"b{number}", code).add_node(f"c{number}", lambda state: None)
    if any(mends for *_, mends in parts):
        builder.add_node("mend", remember, terminal=True)
    return builder.build()


def spare() -> GraphRegistration:
    """A graph that nothing can go wrong with."""
    return (
        ManifestBuilder("spare", State).set_entrypoint("a").add_node("a", lambda s: {"value": 1}, terminal=True).build()
    )


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(nodes(), min_size=1, max_size=4))
def test_a_run_ends_as_declared_whatever_its_code_ends_with(parts: Any) -> None:
    host = GraphHost(line_of(parts), spare())

    run = host.start("g", {})

    broken = next((n for n, (_, ending, *_) in enumerate(parts) if ending.error), None)
    if broken is None:
        assert (run.status, run.error) == ("completed", None)
    elif parts[broken][3]:
        assert (run.status, run.state.seen, run.path[-1]) == ("completed", parts[broken][1].error, "mend")
    else:
        assert run.error is not None
        assert (run.status, run.error["type"], run.error["node"]) == (
            "failed",
            parts[broken][1].error,
            f"n{broken}",
        )
    assert json.loads(json.dumps([run.view, run.steps]))
    assert host.start("spare", {}).status == "completed"
