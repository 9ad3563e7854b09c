"""Recorded runs replay against today's code, and the first difference is named."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from approvals import approval, asking
from apps import command_line
from failing import Failing, graph
from fan_out_graphs import checks, docs, scoring
from pydantic import BaseModel
from reviews import YES, parent, review
from served import served
from shapes import conversation, increment, line, loop

from azure_functions_durable_graph import DurableGraphApp, GraphRegistration, ManifestBuilder, RetryPolicy
from azure_functions_durable_graph.errors import HistoryError
from azure_functions_durable_graph.history.recording import RecordedRun, recorded_run
from azure_functions_durable_graph.testing import GraphHost, GraphRun, replay_recording


def app_with(*graphs: GraphRegistration) -> DurableGraphApp:
    runtime = DurableGraphApp()
    for registration in graphs:
        runtime.register_registration(registration)
    return runtime


def recording_of(run: GraphRun, path: Path) -> Path:
    """Record a run of a test host as the command would."""
    url = f"instances/{run.id}"
    query = {"showHistory": "true", "showHistoryOutput": "true"}
    path.write_text(recorded_run(run.host._management.handle("GET", url, query, b"").body).to_text())
    return path


def finished_conversation() -> GraphRun:
    host = GraphHost(conversation())
    return host.start("conversation", {}).send("answer", {"text": "more"}).send("answer", {"text": "stop"})


BRANCHES = {"credit": lambda state: {"credit": 1, "notes": ["c"]}, "fraud": lambda state: {"notes": ["f"]}}


def size_of(state: Any, doc: Any) -> int:
    size: int = doc.size
    return size


def late() -> GraphRegistration:
    return asking(approval(8))


RUNS: dict[str, Any] = {
    "completed": (finished_conversation, conversation),
    "waiting": (lambda: GraphHost(conversation()).start("conversation", {}), conversation),
    "continued as new": (lambda: GraphHost(loop()).start("loop", {"goal": 50}), loop),
    "a line": (lambda: GraphHost(line("a", "b", "c")).start("line", {}), lambda: line("a", "b", "c")),
    "failed": (lambda: GraphHost(loop(max_steps=5)).start("loop", {"goal": 50}), lambda: loop(max_steps=5)),
    "parallel": (lambda: GraphHost(checks(BRANCHES)).start("g", {}), lambda: checks(BRANCHES)),
    "map": (lambda: GraphHost(scoring(size_of)).start("g", docs(30)), lambda: scoring(size_of)),
    "subgraph": (lambda: GraphHost(parent(), review()).start("article", {}).send("verdict", YES), parent),
    "deadline": (lambda: GraphHost(late()).start("g", {}).advance(timedelta(days=9)), late),
    "retried": (
        lambda: GraphHost(graph(Failing(2), retry=RetryPolicy())).start("g", {}).advance(timedelta(days=1)),
        lambda: graph(Failing(0), retry=RetryPolicy()),
    ),
    "cancelled": (lambda: GraphHost(conversation()).start("conversation", {}).cancel(), conversation),
}


@pytest.mark.parametrize("case", RUNS)
def test_a_recorded_run_replays_against_the_code_that_ran_it(case: str, tmp_path: Path) -> None:
    start, code = RUNS[case]

    replay_recording(recording_of(start(), tmp_path / "run.json"), app_with(code()))


def test_a_parked_run_replays_with_its_timers(tmp_path: Path) -> None:
    host = GraphHost(conversation())
    run = host.start("conversation", {})
    host.deploy(line("a"))
    run.send("answer", {"text": "stop"})
    run.advance(timedelta(minutes=2))
    host.deploy(conversation())
    run.advance(timedelta(minutes=10))
    assert run.status == "completed"

    replay_recording(recording_of(run, tmp_path / "run.json"), app_with(conversation()))


def differs(path: Path, *graphs: GraphRegistration, text: str) -> None:
    app = app_with(*graphs)
    data = json.loads(path.read_text())
    for other in graphs:  # as a lock would, wrongly
        app.registry.take_over(other.graph_name, data["input"]["plan"]["hash"], other.graph_hash)
    with pytest.raises(HistoryError, match=text):
        replay_recording(path, app)


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    return recording_of(GraphHost(line("a", "b", "c")).start("line", {}), tmp_path / "run.json")


def test_a_version_that_is_no_longer_registered_is_named(recording: Path) -> None:
    with pytest.raises(HistoryError, match="no registered graph 'line' serves runs of version '1'"):
        replay_recording(recording, app_with(line("a")))


def test_a_node_that_is_gone_is_named(recording: Path) -> None:
    differs(recording, line("a", "c"), text=r"event 2 of 3: node 'b' ran, but today graph 'line' does not have it")


def test_a_state_that_cannot_be_read_any_more_is_named(recording: Path) -> None:
    class Other(BaseModel):
        value: str

    builder = ManifestBuilder("line", Other).set_entrypoint("a").add_node("a", increment, next_node="b")
    other = builder.add_node("b", increment, next_node="c").add_node("c", increment, terminal=True).build()

    differs(recording, other, text="event 0 of 3: its state can no longer be read")


def edited(recording: Path, edit: Any) -> Path:
    data = json.loads(recording.read_text())
    edit(data)
    recording.write_text(json.dumps(data))
    return recording


@pytest.mark.parametrize(
    ("edit", "text"),
    [
        (
            lambda data: data["events"].reverse(),
            "event 1 of 3: node 'c' ran at step 2, but today it would be node 'a' at step 0",
        ),
        (lambda data: data["events"].pop(), "event 2 of 2: the run ended as Completed, but today it continues"),
        (
            lambda data: data["events"].append({"kind": "timer", "at": "2030-01-01T00:00:00Z"}),
            "the run has already ended",
        ),
        (lambda data: data["events"].insert(0, {"kind": "timer", "at": "2030-01-01T00:00:00Z"}), "sets none"),
        (lambda data: data["output"].update(value=9), "its output was"),
        (lambda data: data["custom_status"].update(node="a"), "its status was"),
    ],
    ids=["order", "too short", "too long", "a timer", "output", "status"],
)
def test_the_first_difference_is_named(recording: Path, edit: Any, text: str) -> None:
    differs(edited(recording, edit), line("a", "b", "c"), text=text)


@pytest.mark.parametrize("text", ["{", "[]", '{"format": 2}', '{"format": 1}'])
def test_a_file_that_is_no_recording_is_one_sentence(text: str) -> None:
    with pytest.raises(HistoryError, match=r"run\.json"):
        RecordedRun.from_text(text, "run.json")


def test_the_command_records_a_run_of_a_served_app(tmp_path: Path) -> None:
    runtime = app_with(conversation())
    with served(runtime.function_app) as (url, _):
        httpx.post(f"{url}/api/graphs/conversation/runs", json={"instance_id": "r:1"})
        httpx.post(f"{url}/api/runs/r:1/events/answer", json={"text": "stop"})
        httpx.get(f"{url}/api/runs/r:1?wait=10")
        answer = command_line("record", "r:1", "--url", url, "--output", tmp_path / "deep" / "histories")
        unknown = command_line("record", "nobody", "--url", url, cwd=tmp_path)

    assert answer.returncode == 0, answer.stderr
    path = Path(answer.stdout.strip())
    assert path.name == "r_1-83780627.json"
    replay_recording(path, app_with(conversation()))
    assert (unknown.returncode, "there is no such run" in unknown.stderr) == (1, True)


@pytest.mark.parametrize(
    ("words", "text"),
    [(["a/b"], "is not a valid run id"), (["r", "--url", "http://127.0.0.1:9"], "cannot be reached")],
    ids=["bad id", "nobody answers"],
)
def test_what_cannot_be_recorded_is_one_sentence(words: list[str], text: str) -> None:
    answer = command_line("record", *words)

    assert answer.returncode == 1
    assert text in answer.stderr
    assert "Traceback" not in answer.stderr


def test_another_orchestration_is_no_run() -> None:
    with pytest.raises(HistoryError, match="'x' is not a run of a graph, but an instance of 'main'"):
        recorded_run({"name": "main", "instanceId": "x"})
