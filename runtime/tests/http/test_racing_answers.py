"""Two to twenty clients answer a run at once over real sockets."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from contract import start


def race(api: Any, run_id: str, event: str, bodies: list[Any], **headers: str) -> list[Any]:
    def post(body: Any) -> Any:
        return api.post(f"/runs/{run_id}/events/{event}", json=body, params={"wait": 10}, headers=headers)

    with ThreadPoolExecutor(len(bodies)) as pool:
        return list(pool.map(post, bodies))


@pytest.mark.parametrize("clients", [2, 5, 20])
def test_of_many_answers_at_once_one_is_applied_and_every_other_sender_knows(api: Any, clients: int) -> None:
    run_id = start(api)

    answers = race(api, run_id, "approval", [{"approved": True}] * clients)

    told = Counter(answer.status_code for answer in answers)
    assert told[200] == 1
    assert set(told) <= {200, 409, 410}
    assert {answer.json().get("outcome") for answer in answers if answer.status_code == 200} == {"applied"}


def test_every_answer_to_a_run_that_asks_again_is_applied_once_or_refused(api: Any) -> None:
    run_id = api.post("/graphs/conversation/runs", json={}).json()["id"]
    applied: list[str] = []
    for round_ in range(6):
        texts = [f"{round_}.{number}" for number in range(10)]
        answers = race(api, run_id, "answer", [{"text": text} for text in texts])
        assert {answer.status_code for answer in answers} <= {200, 409}
        applied += [text for text, answer in zip(texts, answers, strict=True) if answer.status_code == 200]

    said = api.get(f"/runs/{run_id}", params={"wait": 10}).json()["state"]["said"]
    assert sorted(said) == sorted(applied)
    assert len(applied) >= 6


@pytest.mark.parametrize("clients", [2, 20])
def test_twins_under_one_key_are_all_told_that_it_is_applied_and_it_is_once(api: Any, clients: int) -> None:
    run_id = api.post("/graphs/conversation/runs", json={}).json()["id"]

    answers = race(api, run_id, "answer", [{"text": "a"}] * clients, **{"Idempotency-Key": "twins"})

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["event_id"] for answer in answers}) == 1
    assert api.get(f"/runs/{run_id}", params={"wait": 10}).json()["state"]["said"] == ["a"]
