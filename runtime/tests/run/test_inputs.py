"""A run carries each value of its input once, and can always tell with what it was started."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from watching import record

from azure_functions_durable_graph import GraphRegistration, ManifestBuilder
from azure_functions_durable_graph.run.inputs import for_next_generation, original_input, with_input
from azure_functions_durable_graph.run.limits import HISTORY_BUDGET
from azure_functions_durable_graph.testing import GraphHost

ROUNDS = 3 * HISTORY_BUDGET


class Report(BaseModel):
    text: str
    title: str = ""
    rounds: int = 0


def counting() -> GraphRegistration:
    """Counts to ROUNDS; in the middle it gives the report a title."""

    def count(state: Report) -> dict[str, Any]:
        title = {"title": "new"} if state.rounds == ROUNDS // 2 else {}
        return {"rounds": state.rounds + 1, **title}

    builder = ManifestBuilder("g", Report).set_entrypoint("count")
    again = lambda state: "count" if state.rounds < ROUNDS else "__complete__"  # noqa: E731
    return builder.add_node("count", count, route=again, targets=["count", "__complete__"]).build()


def test_a_large_input_crosses_once_in_every_generation_and_is_shown_as_it_was() -> None:
    text, host = "x" * 10_000, GraphHost(counting())
    seen = record(host)

    run = host.start("g", {"text": text, "title": "old"})

    began = [json.loads(context)["history"][1]["Input"] for _, context, _ in seen.episodes]
    assert len(set(began)) > 2
    assert max(started.count(text) for started in began) == 1
    assert run.view["input"] == {"text": text, "title": "old"}
    assert run.view["state"]["title"] == "new"
    assert run.restart().view["input"] == {"text": text, "title": "old"}


VALUES = st.recursive(st.none() | st.booleans() | st.integers(0, 2) | st.floats(0, 1) | st.text(max_size=2), st.lists)
OBJECTS = st.dictionaries(st.sampled_from("abc"), VALUES)


@given(OBJECTS, OBJECTS, st.lists(OBJECTS, max_size=3))
def test_the_input_is_what_was_given_after_any_number_of_generations(
    given: dict[str, Any], state: dict[str, Any], patches: list[dict[str, Any]]
) -> None:
    run = with_input({"state": state}, given)  # type: ignore[typeddict-item]

    for patch in patches:
        before = run["state"]
        run = for_next_generation({**run, "state": {**before, **patch}}, before)

    assert json.dumps(original_input(run), sort_keys=True) == json.dumps(given, sort_keys=True)


@pytest.mark.parametrize("same", [[1, None], [["a"]], ["b"], [{}]])
def test_a_foreign_run_is_read_all_the_same(same: Any) -> None:
    assert original_input({"state": {"a": 1}, "input": {"c": 2}, "same": same}) == {"c": 2}
