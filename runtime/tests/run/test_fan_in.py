"""What comes back from items, branches and children is merged by the state's rules, and fails where it came back."""

from __future__ import annotations

import operator
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field, model_validator

from azure_functions_durable_graph import ManifestBuilder, NodeContext
from azure_functions_durable_graph.run.policy import keeps_for
from azure_functions_durable_graph.testing import GraphHost, GraphRun, run_graph


class State(BaseModel):
    """A state with a list of each kind."""

    items: list[int] = [1, 2]
    numbers: list[int] = []
    added: Annotated[list[int], operator.add] = [0]
    short: list[int] = Field(default=[], max_length=1)
    words: set[str] = set()
    seen: str = ""


def remember(state: Any, context: NodeContext) -> dict[str, Any]:
    assert context.error is not None
    return {"seen": f"{context.error['node']}: {context.error['type']}"}


def mapped(into: str, result: Any, *, model: Any = State) -> GraphRun:
    builder = ManifestBuilder("g", model).set_entrypoint("m")
    builder.add_map("m", lambda state, item: result, over="items", into=into, next_node="end", on_error="mend")
    builder.add_node("end", lambda state: None, terminal=True).add_node("mend", remember, terminal=True)
    return run_graph(builder.build(), {})


@pytest.mark.parametrize(
    ("into", "result", "field"),
    [("numbers", 3, [3, 3]), ("numbers", "4", [4, 4]), ("added", 5, [0, 5, 5]), ("words", "w", {"w"})],
)
def test_results_of_a_map_become_what_the_field_says(into: str, result: Any, field: Any) -> None:
    run = mapped(into, result)

    assert (run.path, getattr(run.state, into)) == (["m", "end"], field)


def test_a_result_is_read_by_the_type_of_the_lists_items_before_it_is_merged() -> None:
    (step, _) = mapped("numbers", "4").steps

    assert step["patch"] == {"numbers": [4, 4]}


@pytest.mark.parametrize(("into", "result"), [("numbers", "many"), ("added", "many"), ("short", 1), ("words", 7)])
def test_results_that_do_not_fit_fail_the_map_itself(into: str, result: Any) -> None:
    assert mapped(into, result).state.seen == "m: ValidationError"


def test_an_empty_list_is_validated_too() -> None:
    class Filled(BaseModel):
        items: list[int] = []
        found: list[int] = Field(default=[0], min_length=1)
        seen: str = ""

    assert mapped("found", 1, model=Filled).state.seen == "m: ValidationError"


class Sums(BaseModel):
    """Two fields that are valid together only."""

    a: int = 0
    b: int = 0
    seen: str = ""

    @model_validator(mode="after")
    def small(self) -> Sums:
        if self.a + self.b > 10:
            raise ValueError("together they are more than 10")
        return self


def test_branches_that_are_valid_alone_and_not_together_fail_the_parallel() -> None:
    builder = ManifestBuilder("g", Sums).set_entrypoint("p")
    builder.add_parallel("p", branches=["a", "b"], on_error="mend")
    builder.add_node("a", lambda state: {"a": 6}).add_node("b", lambda state: {"b": 6})
    builder.add_node("mend", remember, terminal=True)

    run = run_graph(builder.build(), {})

    assert (run.state.seen, run.state.a, run.state.b) == ("p: ValidationError", 0, 0)


class Child(BaseModel):
    """A child's state."""

    text: str = ""
    score: int | None = None
    tags: list[int] = []


class Parent(BaseModel):
    """A parent's state."""

    draft: str = "d"
    score: int = 0
    text: str = ""
    tags: Annotated[list[int], operator.add] = [0]
    seen: str = ""


def with_child(update: dict[str, Any], output: dict[str, str]) -> tuple[GraphHost, GraphRun]:
    child = ManifestBuilder("child", Child).set_entrypoint("n").add_node("n", lambda state: update, terminal=True)
    builder = ManifestBuilder("g", Parent).set_entrypoint("s")
    builder.add_subgraph("s", graph="child", input={"text": "draft"}, output=output, on_error="mend")
    host = GraphHost(child.build(), builder.add_node("mend", remember, terminal=True).build())
    return host, host.start("g", {})


def test_a_childs_field_is_read_by_the_parents_model() -> None:
    assert with_child({"score": 3}, {"score": "score"})[1].state.score == 3


def test_a_childs_value_that_the_parent_cannot_hold_fails_the_subgraph() -> None:
    assert with_child({"score": None}, {"score": "score"})[1].state.seen == "s: ValidationError"


def test_a_childs_list_is_reduced_into_a_field_that_has_a_reducer() -> None:
    assert with_child({"tags": [1, 2]}, {"tags": "tags"})[1].state.tags == [0, 1, 2]


def test_a_field_whose_type_says_all_costs_no_further_activity() -> None:
    host, run = with_child({"text": "t"}, {"text": "text"})

    assert (run.state.text, host.activities_run) == ("t", 2)


@pytest.mark.parametrize("last", [True, False])
def test_no_run_completes_with_a_state_that_its_model_refuses(last: bool) -> None:
    builder = ManifestBuilder("g", State).set_entrypoint("m")
    following: dict[str, Any] = {} if last else {"next_node": "end"}
    builder.add_map("m", lambda state, item: "no number", over="items", into="numbers", **following)
    if not last:
        builder.add_node("end", lambda state: None, terminal=True)

    assert run_graph(builder.build(), {}).status == "failed"


@pytest.mark.parametrize(("plan", "kept"), [({}, False), ({"keeps": False}, False), ({"keeps": True}, True)])
def test_what_succeeded_is_kept_only_for_plans_that_say_so(plan: dict[str, bool], kept: bool) -> None:
    """Plans in flight of a release without `keeps` go on as they began."""
    error: Any = {"type": "ValueError", "bases": ["Exception"], "message": "no", "where": "handler"}

    assert keeps_for({**plan, "on_error": {"*": "mend"}}, error) is kept  # type: ignore[typeddict-item]
    assert not keeps_for({**plan, "on_error": {"KeyError": "mend"}}, error)  # type: ignore[typeddict-item]
