"""Function apps on disk, and the command line run on them in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from processes import COMMAND_LINE, environment

APP = """
from pathlib import Path
from pydantic import BaseModel
from azure_functions_durable_graph import DurableGraphApp, ManifestBuilder, RouteDecision

class State(BaseModel):
    name: str = ""
    approved: bool = False

def nothing(state):
    return None

def ask(state):
    return RouteDecision.wait_for_event(event_name="approval", resume_node="end")

def merge(state, payload):
    return {"approved": payload["approved"]}

def build(version="1"):
    builder = ManifestBuilder("review", State, version).set_entrypoint("begin")
    builder.add_node("begin", nothing, route=ask, targets=["end"])
    builder.add_node("end", nothing, terminal=True)
    return builder.add_event_handler("approval", merge).build()

runtime = DurableGraphApp()
runtime.register_registration(build())
runtime.register_lock(Path(__file__).with_name("graphs.lock.json"))
app = runtime.function_app
"""


SAFE = ('name: str = ""', 'name: str = ""\n    more: int = 0')
BREAKING = ('.add_node("end", nothing, terminal=True)', '.add_node("end", nothing, next_node="done")')
DONE = ("return builder.add_event", 'builder.add_node("done", nothing, terminal=True)\n    return builder.add_event')
"""Edits of that app: a change that is safe, one that runs in flight would not survive, and the node that it needs."""


def write_app(folder: Path, *edits: tuple[str, str], source: str = APP) -> Path:
    """Write the app with some of its text replaced."""
    for old, new in edits:
        assert old in source, old
        source = source.replace(old, new)
    (folder / "function_app.py").write_text(source, encoding="utf-8")
    return folder


def command_line(*words: str | Path, cwd: Path | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m azure_functions_durable_graph …` to its end, with these environment variables set as well."""
    return subprocess.run(
        [sys.executable, *COMMAND_LINE, *map(str, words)],
        cwd=cwd,
        capture_output=True,
        encoding=variables.get("PYTHONIOENCODING", "utf-8"),
        timeout=120,
        env=environment(**{"GITHUB_STEP_SUMMARY": "", "PYTHONIOENCODING": "utf-8", **variables}),
        check=False,
    )


def lock(folder: Path, *words: str | Path, **variables: str) -> tuple[int, str]:
    """Run `lock`; returns the exit code and the output, which never has a traceback."""
    answer = command_line("lock", folder, *words, cwd=None, **variables)
    assert "Traceback" not in answer.stderr, answer.stderr
    return answer.returncode, answer.stdout + answer.stderr
