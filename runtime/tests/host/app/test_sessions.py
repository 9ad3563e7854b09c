"""Runs are kept where they wait; what goes on in one is what a replay from the start gives."""

from collections.abc import Iterator

import pytest
from pydantic import BaseModel
from watching import record

from azure_functions_durable_graph import GraphRegistration, ManifestBuilder, RouteDecision
from azure_functions_durable_graph.azure import sdk
from azure_functions_durable_graph.host.app import sessions
from azure_functions_durable_graph.run.limits import HISTORY_BUDGET
from azure_functions_durable_graph.testing import GraphHost


class State(BaseModel):
    steps: int = 0
    heard: list[str] = []


def step(state: State) -> dict[str, int]:
    return {"steps": state.steps + 1}


def again(state: State) -> RouteDecision:
    if state.steps % 5 == 0:
        return RouteDecision.wait_for_event(event_name="word", resume_node="step")
    return RouteDecision.complete() if state.steps > 2 * HISTORY_BUDGET else RouteDecision.next("step")


def loop() -> GraphRegistration:
    """A loop that continues as new, and asks at each fifth step."""
    builder = ManifestBuilder("loop", State).set_entrypoint("step")
    builder.add_node("step", step, route=again, targets=["step", "__complete__"])
    return builder.add_event_handler("word", lambda state, payload: {"heard": [*state.heard, payload]}).build()


@pytest.fixture
def host() -> Iterator[GraphHost]:
    """A host in a test replays, unless it is told to keep runs."""
    with GraphHost(loop()) as host:
        host._host.worker._sessions.most = sessions.MOST
        yield host


def heard_in(host: GraphHost) -> list[str]:
    run = host.start("loop", {})
    while run.status == "waiting":
        run.send("word", str(run.state.steps))
    return list(run.state.heard)


HEARD = [str(steps) for steps in range(5, 2 * HISTORY_BUDGET + 2, 5)]


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The calls that begin at the start of a history."""
    found: list[str] = []
    begin = sdk.Session.begin

    def noted(session: sdk.Session) -> str:
        found.append("begun")
        return begin(session)

    monkeypatch.setattr(sdk.Session, "begin", noted)
    return found


def test_a_run_goes_on_where_it_waited(host: GraphHost, begun: list[str]) -> None:
    assert heard_in(host) == HEARD
    assert len(begun) == 3  # one call for each generation


def test_what_goes_on_answers_as_a_replay_does(host: GraphHost) -> None:
    recording = record(host)  # calls each episode again, which finds nothing that it could continue

    assert heard_in(host) == HEARD
    assert len(recording.episodes) > 2 * HISTORY_BUDGET


def test_a_host_in_a_test_replays_every_step(begun: list[str]) -> None:
    with GraphHost(loop()) as host:
        assert heard_in(host) == HEARD

    assert len(begun) > 2 * HISTORY_BUDGET


def test_only_runs_that_went_on_last_are_kept(host: GraphHost) -> None:
    host._host.worker._sessions.most = 2
    runs = [host.start("loop", {}) for _ in range(3)]

    assert list(host._host.worker._sessions._kept) == [run.id for run in runs[1:]]


def test_a_run_that_is_over_is_not_kept(host: GraphHost) -> None:
    heard_in(host)

    assert not host._host.worker._sessions._kept
