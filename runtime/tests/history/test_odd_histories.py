"""Nothing that a hub may hold makes a read raise: it is shown as far as it goes, or is not a run."""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from approvals import approval, asking
from chance import Played, random_run
from failing import Failing, graph
from fan_out_graphs import checks, credit, docs, scoring
from hypothesis import given, settings
from hypothesis import strategies as st
from reviews import parent, review
from shapes import conversation, line, loop

from azure_functions_durable_graph import RetryPolicy
from azure_functions_durable_graph.azure import sdk
from azure_functions_durable_graph.azure.records import head_of, record_of
from azure_functions_durable_graph.history.arrivals import answered, arrival, moment
from azure_functions_durable_graph.history.record import STATUSES, RunRecord
from azure_functions_durable_graph.history.tasks import Task
from azure_functions_durable_graph.history.views import history_view, list_line, run_line, run_view
from azure_functions_durable_graph.history.walk import follow
from azure_functions_durable_graph.http.values import Response
from azure_functions_durable_graph.testing import GraphHost, GraphRun


def reported(run: GraphRun) -> dict[str, Any]:
    """What the management API says of a run."""
    query = {"showHistory": "true", "showHistoryOutput": "true"}
    answer: dict[str, Any] = run.host._management.handle("GET", f"instances/{run.id}", query, b"").body
    answer["input"] = json.loads(answer["input"])  # the SDK's client has sent text, others send the value
    return answer


def real_runs() -> Iterator[GraphRun]:
    yield GraphHost(conversation()).start("conversation", {}).send("answer", {"text": "more"})
    yield GraphHost(line("a", "b")).start("line", {})
    yield GraphHost(loop()).start("loop", {"goal": 50})
    yield GraphHost(checks({"credit": credit, "bad": lambda state: 1 // 0})).start("g", {})
    yield GraphHost(scoring(lambda state, item: item.size)).start("g", docs(5))
    yield GraphHost(parent(), review()).start("article", {})
    yield GraphHost(asking(approval(8))).start("g", {}).advance(timedelta(days=4))
    yield GraphHost(graph(Failing(9), retry=RetryPolicy())).start("g", {})


@pytest.fixture(scope="module")
def real() -> list[dict[str, Any]]:
    return [reported(run) for run in real_runs()]


ODD: tuple[Callable[[], Any], ...] = (
    lambda: None,
    lambda: 5,
    lambda: -1,
    lambda: True,
    lambda: float("nan"),
    lambda: float("inf"),
    lambda: 10**30,
    lambda: "",
    lambda: "x",
    lambda: "\ud800",
    lambda: "2030-13-45T99:00:00Z",
    lambda: [],
    lambda: {},
    lambda: [[]],
    lambda: {"plan": 5},
    lambda: json.loads("[" * 300 + "]" * 300),
)


def mutated(value: Any, dice: Random) -> Any:
    """A copy with one thing changed, somewhere inside."""
    value = copy.deepcopy(value)
    place = value
    while place:
        inside: list[Any] = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = dice.choice(inside)
        if isinstance(place[key], (dict, list)) and place[key] and dice.random() < 0.8:
            place = place[key]
            continue
        change = dice.choice(["replace", "replace", "drop", "swap"])
        if change == "drop":
            del place[key]
        elif change == "swap":
            other = dice.choice(inside)
            place[key], place[other] = place[other], place[key]
        else:
            place[key] = dice.choice(ODD)()
        break
    return value


def _listed(item: Any) -> RunRecord | None:
    """An instance as it is read; None for one that the SDK cannot read, or that is not a run."""
    head = head_of(item)
    if head is not None:
        check_shown(list_line(head), LINE | {"error"})
    try:
        status = sdk.read_status(item)
    except Exception:
        return None
    return record_of(status)


def check_readable(record: RunRecord) -> None:
    """All that the API shows of a run is JSON of the promised shape."""
    for show, keys in ((run_line, LINE), (run_view, VIEW), (history_view, HISTORY)):
        check_shown(show(record), keys)


def check_shown(body: Any, keys: set[str]) -> None:
    """It is JSON of the promised shape."""
    text = Response(200, body).encoded()
    shown = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert keys <= set(shown)
    assert shown.get("status", "running") in STATUSES
    assert isinstance(shown.get("incomplete", ""), str)
    for step in shown.get("steps", ()):
        assert isinstance(step["node"], str)
        assert isinstance(step["step"], int)


LINE = {"id", "graph", "version", "graph_hash", "status", "node", "step", "tags", "started_at"}
LINE |= {"updated_at"}
VIEW = LINE | {"waits", "input", "metadata", "state", "output", "error"}
HISTORY = {"id", "steps_not_shown", "steps", "events"}


@given(st.integers(0, 2**32))
@settings(max_examples=800)
def test_an_instance_that_is_changed_at_random_is_shown_or_is_not_a_run(real: Any, seed: int) -> None:
    dice = Random(seed)
    item = dice.choice(real)
    for _ in range(dice.randint(1, 4)):
        item = mutated(item, dice)

    record = _listed(item)

    if record is not None:
        check_readable(record)


@given(st.integers(0, 2**32))
@settings(max_examples=150)
def test_a_history_that_is_changed_at_random_is_followed_as_far_as_it_goes(seed: int) -> None:
    dice = Random(seed)
    played = Played(random_run(dice), dice).go(20)
    history: Any = {"events": dice.choice([played.raw, played.shown])}
    for _ in range(dice.randint(1, 4)):
        history = mutated(history, dice)
    if not isinstance(history.get("events"), list):
        return

    follow("r", played.run, history["events"])  # type: ignore[arg-type]


def test_a_run_shows_why_its_history_cannot_be_followed(real: Any) -> None:
    item = copy.deepcopy(real[0])
    event = next(event for event in item["historyEvents"] if event["EventType"] == "TaskCompleted")
    event["Result"]["node"] = "another"

    record = _listed(item)

    assert record is not None
    assert history_view(record)["incomplete"] == (
        "the history cannot be followed beyond node 'listen' at step 0: "
        "TaskCompleted of node 'another' at step 0 does not match anything that the run asks for here"
    )
    assert run_view(record)["state"]["value"] == 0
    assert "incomplete" not in run_line(record)


def test_a_plan_that_goes_in_circles_without_a_node_does_not_hang_a_read() -> None:
    run = random_run(Random(1))
    run["plan"] |= {"max_steps": 10**12, "nodes": {"a": {"kind": "parallel", "branches": [], "next": "a"}}}

    followed = follow("r", run, [])  # type: ignore[arg-type]

    assert "goes in circles" in str(followed.incomplete)


def test_a_result_that_came_twice_changes_nothing(real: Any) -> None:
    item = copy.deepcopy(real[0])
    first = next(event for event in item["historyEvents"] if event["EventType"] == "TaskCompleted")
    item["historyEvents"].insert(item["historyEvents"].index(first), copy.deepcopy(first))
    twice, once = _listed(item), _listed(real[0])

    assert twice is not None
    assert once is not None
    assert run_view(twice) == run_view(once)


def test_a_timer_that_was_cancelled_and_fires_all_the_same_is_not_taken_for_the_next_one() -> None:
    """The extension may have queued the firing when the event came."""
    run = GraphHost(asking(approval(1))).start("g", {}).advance(timedelta(hours=1))
    item = reported(run)
    created = next(event for event in item["historyEvents"] if event["EventType"] == "TimerCreated")
    at = "2030-01-01T02:00:00.000000Z"
    item["historyEvents"] += [
        {"EventType": "EventRaised", "Name": "approval.0", "Input": "1", "Timestamp": at},
        {"EventType": "TimerFired", "FireAt": created["FireAt"], "Timestamp": at},
    ]
    record = _listed(item)
    assert record is not None

    assert "incomplete" not in history_view(record)
    assert history_view(record)["steps"][0]["wait"]["outcome"] == "answered"


@pytest.mark.parametrize(
    ("fired", "cancelled", "live", "meant"),
    [
        ("10:00:00", "10:00:00", "12:00:00", "cancelled"),
        ("10:00:20", "10:00:00", "12:00:00", "cancelled"),
        ("12:00:20", "10:00:00", "12:00:00", "live"),
        ("10:00:40", "10:00:00", "10:00:40", "live"),
        ("10:00:00", "10:00:00", "10:00:40", "cancelled"),
        ("10:00:20", "10:00:00", "10:00:40", "live"),
        ("23:00:00", "10:00:00", "12:00:00", "live"),
        ("nonsense", "10:00:00", "12:00:00", "live"),
    ],
)
def test_without_ids_a_timer_is_known_by_its_time(fired: str, cancelled: str, live: str, meant: str) -> None:
    """The walk's clock may be a little behind the run's; a timer that was cancelled counts where it fits better."""
    tasks = {
        name: Task("timer", moment(f"2030-01-01T{at}Z")) for name, at in (("cancelled", cancelled), ("live", live))
    }
    tasks["cancelled"].cancel()
    event = arrival({"EventType": "TimerFired", "FireAt": f"2030-01-01T{fired}Z"})
    assert event is not None

    assert answered(event, list(tasks.values()), Counter()) is tasks[meant]


def test_azure_stamps_a_firing_when_the_timer_is_set_and_the_walk_reads_when_it_fires() -> None:
    run = GraphHost(asking(approval(8))).start("g", {}).advance(timedelta(days=9))
    item = reported(run)
    for event in item["historyEvents"]:
        if event["EventType"] == "TimerFired":
            event["Timestamp"] = "2030-01-01T00:00:00Z"
    record = _listed(item)
    assert record is not None

    assert history_view(record)["steps"] == history_view(_listed(reported(run)) or record)["steps"]
