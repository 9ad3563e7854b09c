"""A start under an Idempotency-Key: sent again, it finds the run that it has started."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from contract import problem
from reviews import parent, review
from shapes import conversation, line

from azure_functions_durable_graph.testing import GraphHost, Problem

BODY = {"input": {"goal": 3}}


def post(api: Any, key: str, body: Any = BODY, graph: str = "conversation") -> Any:
    return api.post(f"/graphs/{graph}/runs", json=body, headers={"Idempotency-Key": key})


def test_a_repeated_start_finds_the_run_while_it_lives_and_after(api: Any) -> None:
    first, second = post(api, "order 17"), post(api, "order 17")

    assert (first.status_code, second.status_code) == (202, 200)
    run_id = first.json()["id"]
    assert second.json()["id"] == run_id
    assert second.headers["location"] == first.headers["location"]
    api.post(f"/runs/{run_id}/events/answer", json={"text": "stop"})
    api.get(f"/runs/{run_id}", params={"wait": 10})
    assert post(api, "order 17").json()["status"] == "completed"


def test_starts_under_one_key_at_once_are_one_run(api: Any) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: post(api, "at once"), range(8)))

    assert {answer.status_code for answer in answers} == {200, 202}
    assert [answer.status_code for answer in answers].count(202) == 1
    assert len({answer.json()["id"] for answer in answers}) == 1


def test_another_input_under_the_key_is_422_and_starts_nothing(api: Any) -> None:
    post(api, "used")

    problem(post(api, "used", {"input": {"goal": 4}}), 422, "key-reused")
    problem(post(api, "used", {"input": {"goal": True}}), 422, "key-reused")


def test_a_key_and_an_id_together_are_422(api: Any) -> None:
    body = problem(post(api, "k", {**BODY, "instance_id": "mine"}), 422, "invalid")

    assert "not both" in body["detail"]


def test_each_graph_has_keys_of_its_own(api: Any) -> None:
    assert post(api, "shared", graph="line").json()["id"] != post(api, "shared").json()["id"]


def test_the_input_that_counts_is_the_one_of_the_start_in_every_generation() -> None:
    host = GraphHost(conversation())
    run = host.start("conversation", {"goal": 3}, key="k")
    for number in range(20):
        run.send("answer", {"text": str(number)})

    assert host.start("conversation", {"goal": 3}, key="k").id == run.id
    with pytest.raises(Problem, match="key-reused"):
        host.start("conversation", {"goal": 4}, key="k")


def test_the_run_that_is_found_shows_what_its_children_ask_for() -> None:
    host = GraphHost(parent(), review(), line("a"))
    host.start("article", {}, key="k")

    assert host.start("article", {}, key="k").waits == ["verdict"]
