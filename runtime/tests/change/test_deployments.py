"""Deployments happen while runs are in flight. Nothing is lost, nothing diverges, whatever is deployed."""

import random
from collections import Counter as Tally
from datetime import timedelta
from pathlib import Path
from typing import Any

from shapes import Counter, conversation, increment, line

from azure_functions_durable_graph import GraphRegistration, ManifestBuilder, RouteDecision
from azure_functions_durable_graph.change.code_digests import code_digests
from azure_functions_durable_graph.change.lock import Lock, LockedVersion, next_lock
from azure_functions_durable_graph.testing import GraphHost


def review(version: str = "1", *, more: bool = False, short: bool = False) -> GraphRegistration:
    """A graph with two waits. `more` adds a node that its route may lead to; `short` drops one: a breaking change."""

    def first(state: Counter) -> RouteDecision:
        return RouteDecision.wait_for_event(event_name="answer", resume_node="end" if short else "middle")

    def second(state: Counter) -> RouteDecision:
        if more:
            return RouteDecision.next("extra")
        return RouteDecision.wait_for_event(event_name="answer", resume_node="end")

    def hear(state: Counter, payload: dict[str, Any]) -> dict[str, Any]:
        return {"said": [*state.said, payload["text"]]}

    builder = ManifestBuilder("review", Counter, version).set_entrypoint("begin")
    builder.add_node("begin", increment, route=first, targets=["end" if short else "middle"])
    if not short:
        builder.add_node("middle", increment, route=second, targets=["end", *(["extra"] if more else [])])
    if more:
        builder.add_node("extra", increment, next_node="end")
    builder.add_node("end", increment, terminal=True).add_event_handler("answer", hear)
    return builder.build()


def write_lock(path: Path, *graphs: GraphRegistration) -> Path:
    """Write the lock as the command `lock` would, after the one that exists."""
    before = Lock.from_text(path.read_text()) if path.exists() else Lock()
    path.write_text(next_lock(before, [LockedVersion(g.manifest, code_digests(g)) for g in graphs]).to_text())
    return path


def test_a_run_in_flight_goes_on_with_a_safe_change_and_adopts_its_plan(tmp_path: Path) -> None:
    old, new = review(), review(more=True)
    host = GraphHost(old)
    run = host.start("review", {})
    write_lock(tmp_path / "graphs.lock.json", old)
    host.deploy(new, lock=write_lock(tmp_path / "graphs.lock.json", new))

    run.send("answer", {"text": "a"})

    assert run.status == "completed"
    assert run.path == ["begin", "middle", "extra", "end"]
    assert run.view["graph_hash"] == new.graph_hash
    assert run.state.value == 4


def test_without_a_lock_a_changed_graph_is_another_graph() -> None:
    host = GraphHost(review())
    run = host.start("review", {})

    host.deploy(review(more=True))
    run.send("answer", {"text": "a"})

    assert run.status == "parked"


def test_a_lock_never_lets_a_breaking_change_take_runs_over(tmp_path: Path) -> None:
    host = GraphHost(review())
    run = host.start("review", {})
    lock = tmp_path / "graphs.lock.json"
    write_lock(lock, review())
    host.deploy(review(short=True), lock=write_lock(lock, review(short=True)))

    run.send("answer", {"text": "a"})

    assert run.status == "parked"


def test_a_lock_that_is_missing_broken_or_out_of_date_only_parks_runs(tmp_path: Path, caplog: Any) -> None:
    broken, missing, other = tmp_path / "broken.json", tmp_path / "missing.json", tmp_path / "other.json"
    broken.write_text("{")
    write_lock(other, review())
    write_lock(other, review(more=True))
    for lock in (broken, missing, other):
        host = GraphHost(review())
        run = host.start("review", {})
        host.deploy(line("a"), lock=lock)
        run.send("answer", {"text": "a"})
        assert run.status == "parked"

    assert caplog.text.count("are not taken over") == 2
    assert "other.json is out of date for graph 'review'" in caplog.text


def test_versions_stand_side_by_side_and_their_live_runs_are_counted() -> None:
    host = GraphHost(review("1"))
    first = [host.start("review", {}) for _ in range(3)]
    host.deploy(review("1"), review("2", short=True))
    second = [host.start("review", {}) for _ in range(2)]

    assert counts(host) == {"1": 3, "2": 2}

    for run in (*first, *second):
        run.send("answer", {"text": "a"})
    assert counts(host) == {"1": 3, "2": 0}

    host.deploy(review("2", short=True))
    assert counts(host) == {"1": 3, "2": 0}
    assert deployed(host) == {"1": False, "2": True}


def graph_view(host: GraphHost) -> list[dict[str, Any]]:
    from azure_functions_durable_graph.http.listing import get_graph

    versions: list[dict[str, Any]] = host.call(get_graph, {"graph": "review"})["versions"]
    return versions


def counts(host: GraphHost) -> dict[str, int]:
    return {version["version"]: version["live_runs"] for version in graph_view(host)}


def deployed(host: GraphHost) -> dict[str, bool]:
    return {version["version"]: version["deployed"] for version in graph_view(host)}


def test_two_hundred_runs_live_through_four_deployments_two_of_them_bad(tmp_path: Path) -> None:
    """The first deployment is good, the second lacks the graph, the third has another, the fourth is good again."""
    dice = random.Random(7)
    lock = tmp_path / "graphs.lock.json"
    host = GraphHost(review())
    runs = [host.start("review", {}, run_id=f"run-{number}") for number in range(200)]
    write_lock(lock, review())
    said: dict[str, list[str]] = {run.id: [] for run in runs}

    def answer_some(share: float) -> None:
        for run in runs:
            if run.waits and dice.random() < share:
                text = f"{run.id}/{len(said[run.id])}"
                run.send("answer", {"text": text})
                said[run.id].append(text)

    answer_some(0.3)
    host.deploy(conversation(), review(more=False), lock=lock)  # good: another graph beside it
    answer_some(0.3)
    host.deploy(conversation())  # bad: the graph is missing
    answer_some(0.3)
    host.advance(timedelta(minutes=3))
    host.deploy(review(short=True))  # bad: not the same graph any more
    answer_some(0.3)
    host.advance(timedelta(minutes=3))
    assert {run.status for run in runs} <= {"waiting", "parked", "completed"}
    host.deploy(review("2", short=True), review(), lock=lock)  # good again, with the next version beside it
    host.advance(timedelta(minutes=10))
    for _ in range(2):
        answer_some(1.0)

    assert Tally(run.status for run in runs) == {"completed": 200}
    assert {run.id: run.state.said for run in runs} == said
    assert all(run.path == ["begin", "middle", "end"] for run in runs)
