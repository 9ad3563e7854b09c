"""A host that is killed at any time, a hundred times, under load: nothing is lost, nothing is applied twice.

One process loads the SDK and forks the hosts, so that each starts quickly. Threads start runs and post events all the
time; a host is killed after a random number of responses, with requests in flight and nodes running. Everything that
was accepted must exist in the end.
"""

import contextlib
import json
import os
import random
import re
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
from processes import spawn
from systems import needs_fork

from azure_functions_durable_graph.history.recording import recorded_run
from azure_functions_durable_graph.host.engine.history_events import TASK_COMPLETED, render_events
from azure_functions_durable_graph.host.engine.instance import Instance
from azure_functions_durable_graph.host.replay import replay
from azure_functions_durable_graph.host.store import SqliteStore
from azure_functions_durable_graph.host.web.management_values import status_view
from azure_functions_durable_graph.work.registry import Registry

KILLS = 100
CLIENTS = 4

APP = """
from pydantic import BaseModel
from azure_functions_durable_graph import DurableGraphApp, ManifestBuilder, RouteDecision

class State(BaseModel):
    steps: int = 0
    heard: list[str] = []

def step(state):
    return {"steps": state.steps + 1}

def ask(state):
    return RouteDecision.wait_for_event(event_name="word", resume_node="second")

builder = ManifestBuilder("work", State).set_entrypoint("first")
builder.add_node("first", step, route=ask, targets=["second"])
builder.add_node("second", step, next_node="third").add_node("third", step, terminal=True)
builder.add_event_handler("word", lambda state, payload: {"heard": [*state.heard, payload["text"]]})
registration = builder.build()
runtime = DurableGraphApp()
runtime.register_registration(registration)
app = runtime.function_app
"""

CRADLE = """
import os, sys
from pathlib import Path
from azure_functions_durable_graph.azure import serving
from azure_functions_durable_graph.commands.serve import serve

def say(text):
    print(os.getpid(), text.splitlines()[0], flush=True)

for line in sys.stdin:
    child = os.fork()
    if not child:
        serve(Path(sys.argv[1]), 0, Path("runs.db"), say)
    os.waitpid(child, 0)
"""


class Cradle:
    """A process that forks one host after another."""

    def __init__(self, folder: Path) -> None:
        self._process = spawn("-c", CRADLE, folder)

    @contextlib.contextmanager
    def host(self) -> Iterator[str]:
        """A host's base URL; the host is killed when the block ends."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        print(file=stdin, flush=True)
        found = re.match(r"(\d+) Studio +(http://\S+)/studio", stdout.readline())
        assert found is not None
        try:
            yield found[2]
        finally:
            os.kill(int(found[1]), signal.SIGKILL)

    def close(self) -> None:
        """Fork no more hosts."""
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            stream.close()
        self._process.wait(30)


class Load:
    """What clients have sent, and what was accepted."""

    def __init__(self) -> None:
        self.lock = threading.Condition()
        self.started: list[str] = []
        self.sent: dict[str, set[str]] = {}
        self.accepted: dict[str, str] = {}
        self.answers = 0

    def client(self, url: str, name: str, dice: random.Random) -> None:
        """Start runs and post events until the host is dead."""
        with httpx.Client(base_url=url, timeout=30) as client, contextlib.suppress(httpx.HTTPError):
            for number in range(10_000):
                open_runs = [run_id for run_id in self.started[-40:] if run_id not in self.accepted]
                if open_runs and dice.random() < 0.5:
                    self.tell(client, dice.choice(open_runs), f"{name}-{number}")
                else:
                    self.start(client, f"{name}-{number}")

    def start(self, client: httpx.Client, run_id: str) -> None:
        """Start a run."""
        answer = client.post("/graphs/work/runs", json={"instance_id": run_id})
        assert answer.status_code == 202, answer.text
        self.answered(lambda: self.started.append(run_id))

    def tell(self, client: httpx.Client, run_id: str, text: str) -> None:
        """Post an event with a unique text; another client may have posted one for the same wait."""
        with self.lock:
            self.sent.setdefault(run_id, set()).add(text)
        answer = client.post(f"/runs/{run_id}/events/word?wait=2", json={"text": text})
        if answer.status_code in (200, 202):
            self.answered(lambda: self.accepted.setdefault(run_id, text))
        else:
            assert answer.status_code in (409, 410), answer.text

    def answered(self, note: Any) -> None:
        """Note what was accepted."""
        with self.lock:
            note()
            self.answers += 1
            self.lock.notify_all()

    def until(self, answers: int) -> None:
        """Wait for this many more responses."""
        with self.lock:
            goal = self.answers + answers
            assert self.lock.wait_for(lambda: self.answers >= goal, timeout=60)


@needs_fork
def test_a_hundred_kills_lose_nothing_and_apply_nothing_twice(tmp_path: Path) -> None:
    (tmp_path / "function_app.py").write_text(APP)
    dice = random.Random(5)
    cradle, load = Cradle(tmp_path), Load()
    for life in range(KILLS):
        with cradle.host() as url:
            clients = [
                threading.Thread(target=load.client, args=(url, f"{life}-{number}", random.Random(dice.random())))
                for number in range(CLIENTS)
            ]
            for client in clients:
                client.start()
            load.until(dice.randint(1, 12))
        for client in clients:
            client.join()

    with cradle.host() as url, httpx.Client(base_url=url, timeout=60) as http:
        for run_id in load.started:
            if run_id not in load.accepted:
                load.tell(http, run_id, f"the end of {run_id}")
            run = http.get(f"/runs/{run_id}?wait=30").json()
            assert (run["status"], run["output"]["steps"]) == ("completed", 3), run
            (heard,) = run["output"]["heard"]
            assert heard in load.sent[run_id]  # of several that were sent for one wait, one is taken
            assert len(load.sent[run_id]) > 1 or run_id in load.accepted
    cradle.close()

    assert len(load.started) > KILLS
    registry = registry_of(APP)
    store = SqliteStore(tmp_path / "runs.db")
    for run_id in load.started:
        instance = store.load(run_id)
        assert instance is not None
        events = [json.loads(text) for text in instance.history]
        answers = Counter(event["TaskScheduledId"] for event in events if event["EventType"] == TASK_COMPLETED)
        assert set(answers.values()) == {1}
        replay(recorded_run(told_by(instance, events)), registry)
    store.close()


def registry_of(source: str) -> Registry:
    """The graphs of an app."""
    names: dict[str, Any] = {}
    exec(source, names)
    registry: Registry = names["runtime"].registry
    return registry


def told_by(instance: Instance, events: list[dict[str, Any]]) -> dict[str, Any]:
    """What the management API says of an instance with its history."""
    return {**status_view(instance, show_input=True), "historyEvents": render_events(events, outputs=True)}
