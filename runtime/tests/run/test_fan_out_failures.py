"""What is told where several branches or items fail: one record, which names each and keeps the type that all share."""

from __future__ import annotations

from typing import Any

import pytest
from fan_out_graphs import Doc, Work, checks, docs, scoring

from azure_functions_durable_graph.testing import GraphRun, run_graph


def raising(*errors: Exception | None) -> dict[str, Any]:
    """Branches that end with these errors."""

    def branch(error: Exception | None) -> Any:
        def handler(state: Work) -> None:
            if error is not None:
                raise error

        return handler

    return {f"b{number}": branch(error) for number, error in enumerate(errors)}


def mapped(*errors: Exception | None) -> GraphRun:
    def handler(state: Work, item: Doc) -> int:
        error = errors[item.size]
        if error is not None:
            raise error
        return item.size

    return run_graph(scoring(handler), docs(len(errors)))


def told(run: GraphRun) -> dict[str, Any]:
    error = run.error
    assert error is not None
    return error


def test_one_branch_that_fails_keeps_its_type_and_bases() -> None:
    error = told(run_graph(checks(raising(None, KeyError("k"), None)), {}))

    assert error == {
        "type": "KeyError",
        "bases": ["LookupError", "Exception"],
        "message": "1 of 3 branches failed: b1: KeyError: 'k'",
        "where": "branches",
        "errors": [
            {
                "type": "KeyError",
                "bases": ["LookupError", "Exception"],
                "message": "'k'",
                "where": "handler",
                "node": "b1",
            }
        ],
        "node": "check",
        "step": 0,
        "attempts": 1,
    }


def test_branches_that_fail_alike_keep_the_type_that_they_share() -> None:
    error = told(run_graph(checks(raising(ValueError("x"), None, ValueError("y"))), {}))

    assert (error["type"], error["bases"]) == ("ValueError", ["Exception"])
    assert error["message"] == "2 of 3 branches failed: b0: ValueError: x; b2: ValueError: y"


def test_branches_that_fail_in_different_ways_are_a_failed_fan_out() -> None:
    error = told(run_graph(checks(raising(KeyError("k"), ValueError("y"))), {}))

    assert (error["type"], error["bases"], error["where"]) == ("FanOutFailed", ["Exception"], "branches")
    assert [one["type"] for one in error["errors"]] == ["KeyError", "ValueError"]


def test_items_are_named_by_their_index() -> None:
    error = told(mapped(None, ValueError("x"), None, ValueError("y")))

    assert (error["type"], error["where"]) == ("ValueError", "items")
    assert error["message"] == "2 of 4 items failed: 1: ValueError: x; 3: ValueError: y"
    assert [one["item"] for one in error["errors"]] == [1, 3]


def test_twenty_failures_are_listed_and_the_text_is_cut() -> None:
    error = told(mapped(*(ValueError("x" * 70) for _ in range(25))))

    assert len(error["errors"]) == 20
    assert error["message"].startswith("25 of 25 items failed: 0: ValueError: xxx")
    assert len(error["message"]) == 2000


@pytest.mark.parametrize("first", ["credit", "fraud"])
def test_a_conflict_is_told_with_both_writers_and_what_to_do(first: str) -> None:
    branches = {"one": lambda state: {first: 1}, "two": lambda state: {first: 0}}

    error = told(run_graph(checks(branches), {}))

    assert {key: error[key] for key in ("type", "bases", "where")} == {
        "type": "MergeConflict",
        "bases": ["Exception"],
        "where": "merge",
    }
    assert error["message"] == (
        f"branches 'one' and 'two' both wrote '{first}', which has no reducer: declare one, as in "
        f"`{first}: Annotated[list[str], operator.add]`, or let one branch write it"
    )
