"""Maps that stop, and the parts that tell and hear of it, are recorded, replayed and followed like any run."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from reviewing import papers, piling, reading

from azure_functions_durable_graph import DurableGraphApp
from azure_functions_durable_graph.history.recording import recorded_run
from azure_functions_durable_graph.testing import GraphHost, replay_recording

HOUR = timedelta(hours=1)


def seen(host: GraphHost, run_id: str) -> Any:
    query = {"showHistory": "True", "showHistoryOutput": "True", "showInput": "True"}
    return host._management.handle("GET", f"instances/{run_id}", query, b"").body


@pytest.mark.parametrize(("items", "at_once"), [(5, 5), (60, 60), (60, 3)])
def test_every_run_of_a_map_that_stops_is_replayed(items: int, at_once: int, tmp_path: Path) -> None:
    graph = piling(stop_when=2, deadline=HOUR, min_successful=1, max_concurrency=at_once)
    host = GraphHost(graph, reading())
    enough = host.start("pile", papers(*[f"ask {number}" for number in range(items)]))
    late = host.start("pile", papers(*[f"ask {number}" for number in range(items)]))
    for run in (enough, enough, late):
        run.send("opinion", {"text": "yes"}, wait_id=run.view["waits"][-1]["id"])
    host.advance(HOUR)
    assert (enough.state.verdicts, late.state.verdicts) == (["yes", "yes"], ["yes"])

    app = DurableGraphApp()
    app.register_registration(graph)
    parts = [run_id for run_id in host.run_ids() if run_id.startswith("pile.")]
    for run_id in parts:
        record = host.peek(run_id)
        assert record is not None
        if record.status == "completed":
            (tmp_path / "run.json").write_text(recorded_run(seen(host, run_id)).to_text())
            replay_recording(tmp_path / "run.json", app)
    assert [step["node"] for step in enough.steps] == ["review", "end"]
    assert enough.restart("end").state.verdicts == ["yes", "yes"]
