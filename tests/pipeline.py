"""The generated workflows, run step by step: `run:` commands are executed, expressions are looked up.

What is outside is a program on the path or a server on this machine: `gh` answers from the checkout's own history, `az`
from the environment, and the token of a job comes from a server that signs nothing.
"""

from __future__ import annotations

import base64
import http.server
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from projects import ROOT

WORKFLOWS = ROOT / "{{cookiecutter.project_slug}}" / ".github" / "workflows"

GH = """
import json, os, re, subprocess, sys
call = " ".join(sys.argv[1:])
if "graphql" in sys.argv:
    (place,) = [word.partition("=")[2] for word in sys.argv if word.startswith("environment=")]
    nodes = json.loads(os.environ["DEPLOYMENTS"]).get(place, [])
    print(json.dumps({"data": {"repository": {"deployments": {"nodes": nodes}}}}))
elif "/contents/" in call:
    path, revision = re.search(r"contents/([\\w./-]+)[?]ref=(\\w+)", call).groups()
    done = subprocess.run(["git", "show", f"{revision}:./{path}"], text=True, capture_output=True)
    sys.stdout.write(done.stdout)
    sys.exit(done.returncode)
else:
    with open(os.path.join(os.environ["RUNNER_TEMP"], "gh.txt"), "a") as file:
        file.write(call + "\\n")
    print("4711")
"""

AZ = """
import os, sys
answers = {"list": "APP_ID", "show": "APP_HOST", "rest": "APP_KEY"}
print(next((os.environ.get(variable, "") for word, variable in answers.items() if word in sys.argv), ""))
"""


def workflow(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((WORKFLOWS / name).read_text(encoding="utf-8"))
    return loaded


def commands(name: str, job: str) -> list[dict[str, Any]]:
    """The steps of a job that are commands, with the job's environment."""
    known = workflow(name)
    found = known["jobs"][job]
    return [
        {**step, "env": {**known.get("env", {}), **found.get("env", {}), **step.get("env", {})}}
        for step in found.get("steps", [])
        if "run" in step
    ]


def looked_up(text: object, values: Mapping[str, object]) -> str:
    """A text with the value of each `${{ … }}`; an expression that nobody gave a value is an error."""
    return re.sub(r"\$\{\{ (.*?) \}\}", lambda match: str(values[match[1]]), str(text))


def programs(folder: Path) -> Path:
    """A folder for the front of the path: nox and pip of this environment, and the stand-ins of `gh` and `az`."""
    folder.mkdir(exist_ok=True)
    for name, text in {"gh": GH, "az": AZ}.items():
        (folder / f"{name}.py").write_text(text)
    scripts = {
        "nox": "-m nox",
        "pip": "-m pip",
        "python": "",
        **{name: f'"{folder}/{name}.py"' for name in ("gh", "az")},
    }
    for name, words in scripts.items():
        (folder / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {words} "$@"\n')
        (folder / name).chmod(0o755)
    return folder


@dataclass
class Runner:
    """Runs commands in a checkout as GitHub's runner would, and keeps what they give out."""

    checkout: Path
    path: Path
    temporary: Path
    nox: str
    """Options for nox: where it keeps its environments, or that it uses this one."""

    environment: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)

    def run(
        self, step: Mapping[str, Any], values: Mapping[str, object] | None = None, /, **environment: object
    ) -> subprocess.CompletedProcess[str]:
        """Execute one step; `environment` replaces what its `env` says."""
        known = {**self.outputs, **(values or {})}
        given = {name: looked_up(text, known) for name, text in step["env"].items() if name not in environment}
        output = self.temporary / "output.txt"
        output.write_text("")
        answer = subprocess.run(
            ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", self._command(step["run"])],
            cwd=self.checkout,
            env={
                **os.environ,
                "GITHUB_REPOSITORY": "owner/orders",
                "RUNNER_TEMP": str(self.temporary),
                "GITHUB_STEP_SUMMARY": str(self.temporary / "summary.md"),
                "GITHUB_OUTPUT": str(output),
                "PATH": f"{self.path}{os.pathsep}{os.environ['PATH']}",
                **self.environment,
                **given,
                **{name: str(value) for name, value in environment.items()},
            },
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        for line in output.read_text().splitlines():
            name, _, value = line.partition("=")
            self.outputs[f"steps.{step['id']}.outputs.{name}"] = value
        return answer

    def _command(self, text: str) -> str:
        return re.sub(r"\bnox -s", f"nox {self.nox} -s", text)


@contextmanager
def token_server(subject: str) -> Iterator[dict[str, str]]:
    """Where a job gets the token that it shows to Azure; gives the two variables that lead there."""
    claims = base64.urlsafe_b64encode(json.dumps({"sub": subject}).encode()).decode().rstrip("=")

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = self.headers["Authorization"] == "bearer secret" and "audience=" in self.path
            self.send_response(200 if known else 401)
            self.end_headers()
            self.wfile.write(json.dumps({"value": f"e30.{claims}.c2ln"}).encode())

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            url = f"http://127.0.0.1:{server.server_address[1]}/token?version=1"
            yield {"ACTIONS_ID_TOKEN_REQUEST_URL": url, "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "secret"}
        finally:
            server.shutdown()


@contextmanager
def served(project: Path) -> Iterator[str]:
    """A project served on this machine, in place of the deployed app; gives its address."""
    words = [sys.executable, "-m", "azure_functions_durable_graph", "serve", "--port", "0", "--memory"]
    with subprocess.Popen(words, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            found = re.search(r"http://[\w.:]+", process.stdout.readline())
            assert found is not None
            yield found.group()
        finally:
            process.kill()
