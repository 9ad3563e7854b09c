"""A run is copied as a command that starts it, and as a test that passes when it is pasted."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from studio_graphs import FAILING

expect = pytest.importorskip("playwright.sync_api", reason="no browser: Playwright is not installed").expect

pytestmark = pytest.mark.xdist_group("browser")

ODD = 'it\'s 5 % \\ "off" for\n\ttwo \u2028 \U0001f600 ✓'
VERDICT = {"approved": True, "reviewer": "Ada"}


def copied(studio: Any, run: str, button: str, heading: str) -> str:
    """What a button of a run's page puts into the clipboard."""
    with studio.open(f"#/runs/{run}") as page:
        page.evaluate("navigator.clipboard.writeText = async (text) => { window.copied = text; }")
        expect(page.locator(".title .status")).to_have_text(heading)
        page.get_by_role("button", name=button).click()
        page.wait_for_function("() => window.copied")
        text: str = page.evaluate("window.copied")
        return text


def passes(text: str, folder: Path) -> None:
    """Paste the test into a file, and run it as a user would."""
    (folder / "test_pasted.py").write_text(text, encoding="utf-8")
    paths = os.pathsep.join(path for path in sys.path if path)
    answer = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_pasted.py"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, text + answer.stdout + answer.stderr
    assert "1 passed" in answer.stdout


def test_a_command_starts_a_run_like_it(studio: Any) -> None:
    run = studio.start("expenses", {"title": ODD, "amount": "3"}, tags={"team": "it's us"}, metadata={"a": [1]})

    words = shlex.split(copied(studio, run, "Copy as curl", "waiting"))

    assert words[:4] == ["curl", "-X", "POST", f"{studio.url.removesuffix('studio')}graphs/expenses/runs"]
    body = json.loads(words[words.index("-d") + 1])
    assert body["input"]["title"] == ODD
    assert (body["tags"], body["metadata"]) == ({"team": "it's us"}, {"a": [1]})
    assert studio.api.post("/graphs/expenses/runs", json=body).status_code == 202


def test_a_test_reproduces_input_answers_and_failed_attempts(studio: Any, tmp_path: Path) -> None:
    studio.fail_payments(1)
    run = studio.start("payments", {"value": 3, "said": [ODD]})

    text = copied(studio, run, "Copy as test", "completed")

    assert 'fail={\n        "charge": [BankClosed("attempt 1")],' in text
    assert "class BankClosed(ConnectionError):" in text
    studio.fail_payments(0)
    passes(text, tmp_path)


def test_a_test_reproduces_a_failed_run(studio: Any, tmp_path: Path) -> None:
    studio.fail_payments(2)
    run = studio.start("payments", {"value": 3})

    text = copied(studio, run, "Copy as test", "failed")

    assert 'assert run.error["type"] == "BankClosed"' in text
    passes(text, tmp_path)


FAN_OUTS = {
    "items, no attempt left": (
        "strict_sums",
        {"2": 1, "4": 1},
        '1: [ValueError("2 is out of order")],\n            3: [ValueError("4 is out of order")],\n        },\n',
    ),
    "items, some of them twice": ("lenient_sums", {"1": 1, "4": 2}, "3: [ValueError("),
    "a branch of one node": ("strict_sums", {"quick": 1}, '"quick": [BankClosed("quick is out of order")]'),
    "a branch that is a run": ("strict_sums", {"slower": 1}, '"slower": [BankClosed("slower is out of order")]'),
}


@pytest.mark.parametrize(("graph", "failing", "planned"), FAN_OUTS.values(), ids=FAN_OUTS)
def test_a_test_reproduces_failed_items_and_branches(
    studio: Any, tmp_path: Path, graph: str, failing: dict[str, int], planned: str
) -> None:
    FAILING.update(failing)
    run = studio.start(graph, {"numbers": [1, 2, 3, 4]})

    text = copied(studio, run, "Copy as test", "completed")

    assert planned in text
    output = studio.api.get(f"/runs/{run}").json()["output"]
    passes(f"{text}    assert run.state.model_dump() == {output}\n", tmp_path)


def test_a_test_reproduces_a_run_with_a_subgraph_that_was_answered_and_a_pause(studio: Any, tmp_path: Path) -> None:
    run = studio.start("trips", {"title": ODD, "amount": "400", "approved": None})
    studio.api.post(f"/runs/{run}/events/verdict", json=VERDICT).raise_for_status()

    text = copied(studio, run, "Copy as test", "completed")

    assert "GraphHost(trips_registration, expenses_registration)" in text
    assert "run.advance(timedelta(seconds=" in text
    passes(text, tmp_path)


def test_a_test_reproduces_a_run_that_was_restarted_in_the_middle(studio: Any, tmp_path: Path) -> None:
    run = studio.start("expenses", {"title": "pens", "amount": "3"})
    studio.api.post(f"/runs/{run}/events/verdict", json={**VERDICT, "approved": False}).raise_for_status()
    state = {**studio.api.get(f"/runs/{run}", params={"wait": 20}).json()["state"], "approved": True}
    again = studio.api.post(f"/runs/{run}/restart", json={"node": "settle", "state": state}).json()["id"]

    text = copied(studio, again, "Copy as test", "completed")

    assert 'run.restart("settle", {' in text
    passes(text, tmp_path)
