"""The commands of docs/command_line.md do what the page says, on the samples of a generated project."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from guide.blocks import ReviewState, guide_review
from processes import environment, serving
from projects import ROOT
from served import served
from systems import needs_bash

from azure_functions_durable_graph import DurableGraphApp
from azure_functions_durable_graph.client import GraphClient

PAGE = (ROOT / "docs" / "command_line.md").read_text(encoding="utf-8")
SCRIPTS = re.findall(r"^```bash\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)

TICKET = {"ticket_id": "T", "customer": "Ono", "message": "It leaks", "refund": "80"}


def order(sku: str) -> dict[str, Any]:
    return {"order_id": "A", "lines": [{"sku": sku, "quantity": 1}]}


@pytest.fixture(scope="module")
def url(project: Path) -> Iterator[str]:
    with serving(project) as (_, found):
        yield found


def filled(script: str, client: GraphClient) -> str:
    """The script with ids of runs in the states that it is about. Its lines are about one run, as they stand."""

    def ended(sku: str) -> str:
        return client.wait(client.start("order_flow", order(sku), tags={"team": "billing"})).id

    if "RUN" in script:
        asking = client.wait(client.start("support_agent", TICKET), until="idle")
        if "--watch" in script:
            client.cancel(asking)
        script = script.replace("RUN", asking.id)
    return script.replace("FAILED", ended("grinder")).replace("FINISHED", ended("moka-pot"))


@needs_bash
@pytest.mark.parametrize("number", range(len(SCRIPTS)))
def test_the_commands_do_what_the_page_says(url: str, number: int, tmp_path: Path) -> None:
    pytest.importorskip("rich")
    with GraphClient(url) as client:
        script = filled(SCRIPTS[number], client)
        watched = "--watch" in script

        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        answer = subprocess.run(
            ["bash", "-c", f"set -e\n{script}"],
            env=environment(PATH=path, DURABLE_GRAPH_URL=url),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

        assert answer.returncode == (1 if watched else 0), answer.stdout + answer.stderr
        assert answer.stderr.startswith("error: the run ") if watched else answer.stderr == ""
        if "outage-" in script:
            retried = [client.get(line) for line in answer.stdout.split()]
            assert retried
            assert {(run.origin or {})["verb"] for run in retried} == {"retry"}


def test_the_loop_over_pages_ends_when_all_are_cancelled() -> None:
    (code,) = re.findall(r"^```python\n(from azure.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(code, "docs/command_line.md", "exec"), names)
    runtime = DurableGraphApp()
    runtime.register_registration(guide_review().build())

    with served(runtime.function_app) as (url, _), GraphClient(url) as client:
        runs = [client.start("reviews", ReviewState(), tags={"team": "red"}) for _ in range(3)]
        other = client.wait(client.start("reviews"), until="idle")
        for run in runs:
            client.wait(run, until="idle")
        assert names["cancel_all"](url, "key", "red") == 3
        assert {client.get(run).status for run in runs} == {"cancelled"}
        assert client.get(other).status == "waiting"
