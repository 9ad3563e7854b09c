"""What the sender of an answer is told holds, over random graphs, crowds and accidents.

`applied` is applied exactly once; 409 and 410 are never applied; a Location tells what became of an answer while the
run exists. Crowds of up to twenty post at once and see the run as it was a while ago, responses are lost, clients
try again under their key, runs are suspended and terminated, deadlines pass, runs continue as new; and each graph is
played by itself and as a subgraph.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from crowds import Client, Crowd
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from wait_graphs import WAITS, Log, Wait, graph_of

from azure_functions_durable_graph import ManifestBuilder
from azure_functions_durable_graph.testing import GraphHost, GraphRun

SHARDS, SCHEDULES = 2, 60

ACTIONS = st.one_of(
    st.tuples(st.just("crowd"), st.integers(2, 20)),
    st.tuples(st.just("post"), st.none()),
    st.tuples(st.just("again"), st.integers(0, 99)),
    st.tuples(st.just("advance"), st.sampled_from([0.5, 30.0, 72.0, 200.0])),
    st.tuples(st.just("switch"), st.none()),
    st.tuples(st.just("terminate"), st.sampled_from([False] * 7 + [True])),
)


class Player:
    """Plays a schedule on a run: in the run itself, or through the parent of the run that asks."""

    def __init__(self, waits: list[Wait], nested: bool, dice: Random) -> None:
        self.dice, self.sent = dice, 0
        self.host = GraphHost(graph_of(waits), around())
        self.run = self.host.start("around" if nested else "g", {})
        self.asking = GraphRun(self.host, self.run.view["children"][0]["id"]) if nested else self.run
        self.crowd = Crowd(self.host, dice)

    def play(self, kind: str, argument: Any) -> None:
        moves: dict[str, Callable[[], None]] = {
            "crowd": lambda: self.crowd.post(self.run.id, *(self._client() for _ in range(argument))),
            "post": lambda: self.crowd.post(self.run.id, self._client()),
            "again": lambda: self._again(argument),
            "advance": lambda: self.host.advance(timedelta(hours=argument)),
            "switch": lambda: self._manage("resume" if self.asking.status == "suspended" else "suspend"),
            "terminate": lambda: self._manage("terminate") if argument else None,
        }
        moves[kind]()
        self.check()

    def check(self) -> None:
        """What every client has been told is true."""
        heard = self.asking.state.heard
        for client in self.crowd.clients:
            assert heard.count(client.text) <= 1, f"{client} was applied twice"
            if client.outcomes() <= {"409", "410"}:
                assert client.text not in heard, f"{client} was told that it is not applied"
        for client in self.crowd.clients:
            said = {where: self.crowd.look(where) for _, where in client.told if where}
            for outcome, where in client.told:
                assert said.get(where) != "404"
                assert outcome != "applied" or said[where] == "applied"
            if self.asking.status != "cancelled" and not self.resting:
                assert heard.count(client.text) == ("applied" in said.values()) or "lost" in client.outcomes()

    @property
    def resting(self) -> bool:
        """Whether an event that was taken waits for the next attempt of the node that applies it."""
        return self.asking.view.get("retry") is not None

    def finish(self) -> None:
        """Answer, or let time out, whatever is left."""
        if self.asking.status == "suspended":
            self._manage("resume")
        for _ in range(100):
            if self.asking.status in ("completed", "cancelled"):
                return
            if self.asking.waits:
                self.crowd.post(self.run.id, self._client(self.asking.waits[0]))
            else:
                self.run.advance(timedelta(days=10))
        raise AssertionError(f"the run stands at {self.run.view}")

    def _client(self, event: str | None = None) -> Client:
        self.sent += 1
        key = self.dice.choice([None, f"key {self.sent}"])
        return Client(event or self.dice.choice(["go", "go", "stop"]), f"e{self.sent}", key)

    def _again(self, number: int) -> None:
        """A client that may not have seen its response sends the same again, and its twin does at the same time."""
        keyed = [client for client in self.crowd.clients if client.key is not None]
        if keyed:
            client = keyed[number % len(keyed)]
            self.crowd.post(self.run.id, client, client)

    def _manage(self, verb: str) -> None:
        self.host._management.handle("POST", f"instances/{self.asking.id}/{verb}", {"reason": "test"}, b"")
        self.run.advance(timedelta(0))


def around() -> Any:
    """A graph that runs the other as a subgraph."""
    builder = ManifestBuilder("around", Log).set_entrypoint("inner")
    return builder.add_subgraph("inner", graph="g", output={"heard": "heard"}).build()


@pytest.fixture(scope="module")
def quiet() -> Iterator[None]:
    """Keep thousands of nodes that fail on purpose out of the log."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("shard", range(SHARDS))
@settings(max_examples=SCHEDULES, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(
    waits=st.lists(WAITS, min_size=1, max_size=4),
    times=st.sampled_from([1, 1, 6]),
    nested=st.booleans(),
    schedule=st.lists(ACTIONS, max_size=6),
    seed=st.integers(0, 10**6),
)
@example(waits=[Wait("one", None)], times=16, nested=False, schedule=[("crowd", 20)] * 16, seed=1)
@example(waits=[Wait("any", None)], times=16, nested=True, schedule=[("crowd", 20), ("again", 3)] * 8, seed=2)
def test_what_the_sender_of_an_answer_is_told_holds(
    quiet: None, shard: int, waits: list[Wait], times: int, nested: bool, schedule: list[tuple[str, Any]], seed: int
) -> None:
    player = Player(waits * times, nested, Random(seed))

    for kind, argument in schedule:
        player.play(kind, argument)
    player.finish()

    player.check()
    assert all(player.crowd.look(where) != "pending" for one in player.crowd.clients for _, where in one.told if where)
