"""How `serve` ends: with grace for what is at work, or, where it cannot go on, with a sentence and code 1."""

import contextlib
import json
import resource
import signal
import subprocess
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest
from processes import WAITING, serving, until

from azure_functions_durable_graph.commands.serve import Stopping
from azure_functions_durable_graph.host.store import SqliteStore

WORKING = """
import pathlib, time
from pydantic import BaseModel
from azure_functions_durable_graph import DurableGraphApp, ManifestBuilder

here = pathlib.Path(__file__).parent

class State(BaseModel):
    done: bool = False

def work(state):
    (here / "began").touch()
    while not (here / "go").exists():
        time.sleep(0.01)
    return {"done": True}

builder = ManifestBuilder("long", State).set_entrypoint("work").add_node("work", work, terminal=True)
runtime = DurableGraphApp()
runtime.register_registration(builder.build())
app = runtime.function_app
"""
"""An app whose node is at work until the file `go` is there."""


def completed_tasks(folder: Path) -> int:
    """How many activities of the run have their result in the store."""
    with contextlib.closing(SqliteStore(folder / ".durable" / "runs.db")) as store:
        instance = store.load("r")
        assert instance is not None
        events = [json.loads(text) for text in instance.history] + instance.inbox + (instance.batch or [])
        return sum(event["EventType"] == 5 for event in events)


@contextlib.contextmanager
def at_work(folder: Path, **options: Any) -> Any:
    """`serve` with a node at work."""
    (folder / "function_app.py").write_text(WORKING)
    with serving(folder, memory=False, **options) as (process, url):
        assert httpx.post(f"{url}/graphs/long/runs", json={"instance_id": "r"}).status_code == 202
        until((folder / "began").exists)
        yield process


@pytest.mark.parametrize(
    "signals", [[signal.SIGINT], [signal.SIGTERM], [signal.SIGINT, signal.SIGTERM], [signal.SIGTERM, signal.SIGINT]]
)
def test_one_press_of_ctrl_c_gives_what_is_at_work_its_time(tmp_path: Path, signals: list[signal.Signals]) -> None:
    """Nox and `--reload` pass an interrupt on as SIGTERM: both are one press."""
    with at_work(tmp_path) as process:
        for number in signals:
            process.send_signal(number)
        (tmp_path / "go").touch()

        assert process.wait(30) == 0
        assert process.stdout.read().rstrip().endswith("stopped")
    assert completed_tasks(tmp_path) == 1


ENDLESS_GRACE = """
import sys
from azure_functions_durable_graph.commands import cli, serve
serve.GRACE = 3600.0
sys.exit(cli.main(sys.argv[1:]))
"""


def test_the_same_signal_again_does_not_wait(tmp_path: Path) -> None:
    with at_work(tmp_path, program=("-c", ENDLESS_GRACE)) as process:
        process.send_signal(signal.SIGINT)
        while not process.stdout.readline().startswith("stopping: running functions have 3600 seconds to finish"):
            pass
        process.send_signal(signal.SIGINT)

        assert process.wait(30) == 0
    assert completed_tasks(tmp_path) == 0


@pytest.mark.parametrize(
    ("numbers", "at_once"),
    [([2], False), ([2, 15], False), ([15, 2], False), ([2, 2], True), ([2, 15, 15], True), ([2, 15, 2], True)],
)
def test_only_the_same_signal_again_means_at_once(numbers: list[int], at_once: bool) -> None:
    stopping = Stopping()

    for number in numbers:
        stopping.signal(number)

    assert stopping.asked.is_set()
    assert stopping.at_once.is_set() == at_once


NO_HANDLERS = """
import asyncio, sys
def refuse(*_):
    raise NotImplementedError
asyncio.SelectorEventLoop.add_signal_handler = refuse
from azure_functions_durable_graph.commands.cli import main
sys.exit(main(sys.argv[1:]))
"""


def test_a_loop_without_signal_handlers_as_on_windows_is_stopped_in_the_same_way(tmp_path: Path) -> None:
    with at_work(tmp_path, program=("-c", NO_HANDLERS)) as process:
        process.send_signal(signal.SIGINT)
        (tmp_path / "go").touch()

        assert process.wait(30) == 0
        assert process.stdout.read().rstrip().endswith("stopped")
    assert completed_tasks(tmp_path) == 1


def test_a_store_that_cannot_be_written_ends_the_process_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "function_app.py").write_text(WAITING)

    def no_large_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, 500_000))

    with serving(tmp_path, memory=False, stderr=subprocess.PIPE, preexec_fn=no_large_files) as (process, url):
        said: list[str] = []
        reader = threading.Thread(target=lambda: said.extend(process.stderr))
        reader.start()
        accepted = httpx.post(f"{url}/graphs/patient/runs", json={"instance_id": "kept"})
        refused = httpx.post(f"{url}/graphs/patient/runs", json={"input": {"said": "x" * 900_000}})

        assert process.wait(30) == 1
        reader.join()
    assert (accepted.status_code, refused.status_code) == (202, 503)
    (line,) = [line for line in said if line.startswith("error: ")]
    assert "the store" in line
    assert "cannot be written" in line
    with contextlib.closing(SqliteStore(tmp_path / ".durable" / "runs.db")) as store:
        assert [instance.id for instance in store.live()] == ["kept"]


@pytest.mark.parametrize("store", ["a-file/runs.db", "a-folder"])
def test_a_store_that_cannot_be_made_gets_one_sentence(
    tmp_path: Path, store: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a-file").touch()
    (tmp_path / "a-folder").mkdir()

    with pytest.raises(Exception, match=r"the store .* cannot be opened \(.*\); remove it, or choose another store"):
        SqliteStore(tmp_path / store)


def test_a_name_that_is_allowed_is_served(tmp_path: Path) -> None:
    (tmp_path / "function_app.py").write_text(WAITING)

    with serving(tmp_path, "--allow-host", "forwarded.example") as (_, url):
        for host, status in (("forwarded.example", 200), ("evil.example", 403)):
            assert httpx.get(f"{url}/graphs", headers={"Host": host}).status_code == status
