"""Recorded runs are replayed against today's code: a change that a run in flight would not survive fails the test.

Record a run with `nox -s record -- RUN_ID`, and commit the file in tests/histories/.
"""

from pathlib import Path

from azure_functions_durable_graph.testing import replay_recording
from function_app import runtime

HISTORIES = Path(__file__).parent / "histories"


def test_every_recorded_run_goes_the_same_way_today() -> None:
    for path in sorted(HISTORIES.glob("*.json")):
        replay_recording(path, runtime)
