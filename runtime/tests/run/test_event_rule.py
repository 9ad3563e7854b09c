"""The rule for events, over random graphs and random schedules.

An accepted event is applied once, or is shown as discarded if another answer, or the deadline, reached the same wait at
the same time. It never answers a later wait. No run stalls, and a run that is answered or timed out continues at once:
nothing of an old wait is left that could hold it.

The host awaits top-level actions one by one, as the Durable extension does. Events arrive early, late, twice, during a
retry's pause, together with the deadline in either order, around continue-as-new, and for waits of one name one after
the other.
"""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from wait_graphs import WAITS, Wait, graph_of

from azure_functions_durable_graph.host.engine.instance import Instance
from azure_functions_durable_graph.host.engine.messages import RaiseEvent
from azure_functions_durable_graph.testing import GraphHost, GraphRun, Problem

SHARDS, SCHEDULES = 4, 500
"""2,000 schedules a run, in parts that can run side by side."""


ACTIONS = st.one_of(
    st.tuples(st.just("post"), st.sampled_from(["go", "stop"])),
    st.tuples(st.just("twice"), st.sampled_from(["go", "stop"])),
    st.tuples(st.just("advance"), st.sampled_from([0.5, 1.0, 29.0, 72.0, 200.0])),
    st.tuples(st.just("at the deadline"), st.booleans()),
    st.tuples(st.just("stray"), st.sampled_from(["go", "stop", "closed"])),
)


class Player:
    """Plays a schedule on a run, and keeps count of what was accepted."""

    def __init__(self, run: GraphRun) -> None:
        self.run = run
        self.host = run.host._host
        self.accepted: list[str] = []
        self.sent = 0
        self.seen: set[str] = set()
        self.first_generation = self._instance().execution_id

    @property
    def continued(self) -> bool:
        """Whether the run has continued as new."""
        return self._instance().execution_id != self.first_generation

    def play(self, action: tuple[str, Any]) -> None:
        kind, argument = action
        moves: dict[str, Callable[[Any], object]] = {
            "post": self._post,
            "twice": self._twice,
            "advance": lambda hours: self.run.advance(timedelta(hours=hours)),
            "at the deadline": self._at_the_deadline,
            "stray": self._stray,
        }
        self.seen |= {wait["address"] for wait in self._waits()}
        moves[kind](argument)
        self._check()

    def _post(self, event: str) -> None:
        text = self._text()
        try:
            self.run.send(event, text)
        except Problem as refused:
            if refused.status not in (409, 410):
                raise
        else:
            self.accepted.append(text)

    def _twice(self, event: str) -> None:
        """Two answers that both saw the wait open: the second is discarded, never kept for a later wait."""
        address = self._address(event)
        if address is not None:
            self._raise(address, self._text())
            self._raise(address, self._text())

    def _at_the_deadline(self, event_first: bool) -> None:
        """An answer that is accepted as the timer fires, just before or just after it."""
        wait = next((wait for wait in self._waits() if "deadline" in wait), None)
        due = self.host.next_timer
        if wait is None or due is None:
            return
        self.run.host.clock.move_to(due)
        text = self._text()
        if event_first:
            self._raise(wait["address"], text)
            self.host.fire_due()
        else:
            self.host.fire_due()
            self._raise(wait["address"], text)

    def _stray(self, name: str) -> None:
        """An event past the API, under a bare name, or under the address of a wait that is over."""
        closed = sorted(self.seen - {wait["address"] for wait in self._waits()})
        address = name if name != "closed" else (closed or ["none.99"])[0]
        self.host.send(RaiseEvent(self.run.id, address, json.dumps(json.dumps({"payload": "stray"}))))

    def _raise(self, address: str, text: str) -> None:
        self.accepted.append(text)
        self.host.send(RaiseEvent(self.run.id, address, json.dumps(json.dumps({"payload": text}))))

    def _text(self) -> str:
        self.sent += 1
        return f"e{self.sent}"

    def _waits(self) -> list[dict[str, Any]]:
        instance = self._instance()
        waits: list[dict[str, Any]] = json.loads(instance.custom_status or "{}").get("waits", [])
        return [] if instance.terminal else waits

    def _instance(self) -> Instance:
        instance = self.host.store.load(self.run.id)
        assert instance is not None
        return instance

    def _address(self, event: str) -> str | None:
        return next((wait["address"] for wait in self._waits() if wait["event"] == event), None)

    def _check(self) -> None:
        """Invariants checked after every action: nothing stalls; what was applied had been accepted, once, in order."""
        state = self.run.state
        assert self._instance().stalled_on is None
        assert state.heard == [text for text in self.accepted if text in state.heard]

    def finish(self) -> None:
        """Answer, or let time out, whatever is left."""
        for _ in range(60):
            if self.run.status == "completed":
                return
            if self.run.waits:
                self._post(self.run.waits[0])
            else:
                self.run.advance(timedelta(days=10))
        raise AssertionError(f"the run stands at {self.run.view}")


@pytest.fixture(scope="module")
def quiet() -> Iterator[None]:
    """Keep thousands of nodes that fail on purpose out of the log."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("shard", range(SHARDS))
@settings(max_examples=SCHEDULES, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(waits=st.lists(WAITS, min_size=1, max_size=4), schedule=st.lists(ACTIONS, max_size=8))
def test_every_accepted_event_is_applied_once_or_shown_as_discarded(
    quiet: None, shard: int, waits: list[Wait], schedule: list[tuple[str, Any]]
) -> None:
    run = GraphHost(graph_of(waits)).start("g", {})
    player = Player(run)

    for action in schedule:
        player.play(action)
    player.finish()

    assert run.host._host.next_timer is None, "something of an old wait is left"
    if not player.continued:  # a new generation has a history of its own
        outcomes = Counter(event["outcome"] for event in run.events)
        strays = sum(1 for action in schedule if action[0] == "stray")
        assert outcomes["applied"] == len(run.state.heard)
        assert outcomes["discarded"] >= len(player.accepted) - len(run.state.heard)
        assert sum(outcomes.values()) <= len(player.accepted) + strays
    timed = sum(1 for wait in waits if wait.kind != "sleep")
    assert len(run.state.heard) + run.state.timeouts == timed


def test_waits_of_one_name_around_continue_as_new_each_get_their_own_answer() -> None:
    waits = [Wait("one", None), Wait("any", 24.0 * 8), Wait("one", 1.0)] * 12
    run = GraphHost(graph_of(waits)).start("g", {})
    player = Player(run)

    for number in range(len(waits)):
        player.play(("twice", "go"))
        assert run.state.heard[-1] == f"e{2 * number + 1}"

    assert run.status == "completed"
    assert len(run.state.heard) == len(waits)
