"""The command `cost`: what a run takes in Azure, counted from a run in memory or from recordings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from apps import command_line, write_app
from processes import serving
from shapes import line

from azure_functions_durable_graph.commands.cost_report import Assumptions, as_text, cost_of
from azure_functions_durable_graph.commands.cost_runs import CountedRun, run_here
from azure_functions_durable_graph.commands.cost_units import PLANS
from azure_functions_durable_graph.errors import HostError
from azure_functions_durable_graph.host.harness.tally import Tally
from azure_functions_durable_graph.work.registry import Registry

YES = 'approval={"approved": true}'
ASKED = ("cost", "review", "--input", "{}", "--event", YES)

BRANCHES = (
    'builder.add_node("begin", nothing, route=ask, targets=["end"])',
    """builder.add_parallel("begin", branches=["one", "ask"], next_node="end")
    builder.add_node("one", nothing, next_node="two").add_node("two", nothing)
    builder.add_node("ask", nothing, route=ask_here, targets=["asked"]).add_node("asked", nothing)""",
)
ASK_HERE = (
    "def merge(",
    'def ask_here(state):\n    return RouteDecision.wait_for_event(event_name="approval", resume_node="asked")\n\n'
    "def merge(",
)
"""Edits of the app: the run asks in a branch."""

TALKATIVE = ("def nothing(state):\n", "def nothing(state):\n    print('handled')\n")
BROKEN = ("def nothing(state):\n", "def nothing(state):\n    raise ValueError('no money')\n")


def found(folder: Path, *words: str | Path) -> dict[str, Any]:
    answer = command_line(*words, "--json", cwd=folder)
    assert answer.returncode == 0, answer.stderr + answer.stdout
    cost: dict[str, Any] = json.loads(answer.stdout)
    return cost


def refused(folder: Path, *words: str | Path) -> str:
    answer = command_line(*words, cwd=folder)
    assert "Traceback" not in answer.stderr, answer.stderr
    assert answer.returncode == 1, answer.stdout
    assert answer.stdout == ""
    return answer.stderr


def test_a_run_is_told_by_what_it_takes_and_what_that_costs(tmp_path: Path) -> None:
    words = ("--price-transactions", "0.0004", "--price-actions", "2", "--price-gb-seconds", "0.00002")
    answer = command_line(*ASKED, *words, "--price-executions", "0.2", cwd=write_app(tmp_path))

    assert answer.returncode == 0, answer.stderr
    told = answer.stdout.splitlines()
    assert told[0] == "review 1: begin -> end (completed)"
    assert [line.split() for line in told[3:7]] == [
        ["start", "1", "1", "9", "1"],
        ["activity", "2", "4", "18", "4"],
        ["event", "1", "1", "6", "1"],
        ["total", "6", "33", "6"],
    ]
    assert "executions: 6 (4 of the orchestrator)" in told
    assert "GB-seconds: 12.000 (flex, 2048 MB, activities as measured)" in told
    money = {line[:24].strip(): line.split()[-1] for line in told if line.startswith(("Azure", "Durable"))}
    assert money == {"Azure Storage": "242.52", "Durable Task Scheduler": "253.20"}
    assert "not counted: polling" in answer.stdout
    assert max(map(len, told)) <= 100


def test_the_seconds_of_activities_can_be_said(tmp_path: Path) -> None:
    cost = found(write_app(tmp_path), *ASKED, "--seconds", "2")

    assert cost["gb_seconds"] == 2 * (4 * 1 + 2 * 2)


def test_otherwise_they_are_those_that_were_measured() -> None:
    tally = Tally()
    tally.calls = [0.05, 0.15]
    run = CountedRun("1", [], "completed", tally, [0.25, 0.0], [])

    cost = cost_of("g", run, Assumptions(PLANS["consumption"], 512, None, {}))

    assert cost["gb_seconds"] == 0.5 * (0.25 + 0.1)


def test_a_node_that_is_visited_again_and_again_stands_once_in_the_path() -> None:
    run = CountedRun("1", ["a", "b", "b", "b", "a"], "completed", Tally(), [], [])

    assert as_text(cost_of("g", run, Assumptions(PLANS["flex"], 2048, None, {}))).startswith(
        "g 1: a -> b (3 times) -> a (completed)\n"
    )


def test_a_path_that_is_not_shown_from_its_beginning_says_so() -> None:
    registry = Registry()
    registry.add(line(*(f"n{number}" for number in range(40))))

    run = run_here(registry, "line", {}, [])

    assert len(run.path) < 40
    before = 40 - len(run.path)
    assert run.notes == [f"the path shows the last {len(run.path)} steps; the {before} before them are counted, too"]
    assert run.tally.counts()["activity"] == 40


def test_what_handlers_print_is_not_part_of_the_answer(tmp_path: Path) -> None:
    answer = command_line(*ASKED, "--json", cwd=write_app(tmp_path, TALKATIVE))

    assert json.loads(answer.stdout)["ending"] == "completed"
    assert answer.stderr.count("handled") == 2


def test_recordings_count_what_the_run_has_done_and_call_no_handler(tmp_path: Path) -> None:
    folder = write_app(tmp_path, BRANCHES, ASK_HERE)
    with serving(folder) as (_, url):
        start = httpx.post(f"{url}/graphs/review/runs", json={"input": {}}, params={"wait": "20"})
        run = start.json()["id"]
        httpx.post(f"{url}/runs/{run}/events/approval", json={"approved": True}, params={"wait": "20"})
        ended = httpx.get(f"{url}/runs/{run}", params={"wait": "20"}).json()
        assert ended["status"] == "completed", ended
        steps = httpx.get(f"{url}/runs/{run}/history").json()["steps"]
        children = sorted({step["child"] for step in steps if "child" in step})
        files = []
        for one in (run, *children):
            saved = command_line("record", one, "--url", url, "--output", folder / "histories")
            files += ["--recording", saved.stdout.strip()]
    write_app(folder, BRANCHES, ASK_HERE, BROKEN)

    whole = found(folder, "cost", "review", *files)
    alone = found(folder, "cost", "review", *files[:2])
    here = found(write_app(folder, BRANCHES, ASK_HERE), *ASKED)

    assert whole["rows"] == here["rows"]
    assert whole["rows"]["child"]["count"] == len(children) == 2
    assert whole["notes"] == []
    assert alone["notes"] == ["not counted: 2 runs below these; record them, and pass their files as well"]


def test_a_run_that_fails_costs_too(tmp_path: Path) -> None:
    cost = found(write_app(tmp_path, BROKEN), "cost", "review", "--input", "{}")

    assert cost["ending"] == "failed: ValueError: no money"
    assert cost["rows"]["activity"]["count"] == 1


def test_large_states_are_counted_as_blobs(tmp_path: Path) -> None:
    cost = found(write_app(tmp_path), *ASKED[:2], "--input", json.dumps({"name": "x" * 100_000}), *ASKED[4:])

    assert cost["large_payloads"]["messages"] == 3  # the start, and two calls with the state
    assert cost["large_payloads"]["transactions"] > 3 * 6
    assert cost["transactions"] == 33 + cost["large_payloads"]["transactions"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("nothing", "--input", "{}"), "there is no graph 'nothing' in this app; it has review"),
        (("review",), "choose a run: --input JSON runs"),
        (("review", "--input", "{}", "--recording", "a.json"), "choose a run"),
        (("review", "--input", "{"), "--input is not JSON"),
        (("review", "--input", "[1]"), "--input must be a JSON object"),
        (("review", "--input", '{"approved": "maybe"}'), "input.approved"),
        (("review", "--input", "{}"), "the run waits for approval: answer it with --event 'approval={…}'"),
        (("review", "--input", "{}", "--event", "rejected={}"), "--event rejected is for another wait"),
        (("review", "--input", "{}", "--event", "={}"), "write NAME=JSON"),
        (("review", "--input", "{}", "--event", "approval={"), "--event approval is not JSON"),
        ((*ASKED[1:], "--event", YES), "completed before it waited for approval; leave out that --event"),
        (("review", "--recording", "nothing.json"), "nothing.json"),
        (("review", "--recording", "function_app.py"), "function_app.py is not a recording of a run"),
        (("review", "--recording", "a.json", "--event", YES), "a recorded run already has its events"),
        ((*ASKED[1:], "--memory", "100"), "512, 2048 or 4096 MB"),
        ((*ASKED[1:], "--plan", "consumption"), "pass --memory MB"),
        ((*ASKED[1:], "--plan", "consumption", "--memory", "0"), "1 to 1536 MB"),
        ((*ASKED[1:], "--app", "billing"), "pyproject.toml does not exist"),
    ],
)
def test_what_cannot_be_counted_is_one_sentence(tmp_path: Path, words: tuple[str, ...], sentence: str) -> None:
    assert sentence in refused(write_app(tmp_path), "cost", *words)


@pytest.mark.parametrize("price", ["nan", "inf", "-1", "1e300", "a lot", "0,01"])
def test_a_price_is_a_number(tmp_path: Path, price: str) -> None:
    answer = command_line(*ASKED, f"--price-actions={price}", cwd=write_app(tmp_path))

    assert answer.returncode == 2
    assert "is not a number from 0 to" in answer.stderr


def test_a_recording_that_goes_another_way_today_is_told(tmp_path: Path) -> None:
    folder = write_app(tmp_path)
    with serving(folder) as (_, url):
        run = httpx.post(f"{url}/graphs/review/runs", json={"input": {}}, params={"wait": "20"}).json()["id"]
        saved = command_line("record", run, "--url", url, "--output", folder).stdout.strip()
    write_app(folder, ('version="1"', 'version="2"'))

    assert "no registered graph 'review' serves runs of version '1'" in refused(
        folder, "cost", "review", "--recording", saved
    )


@pytest.mark.parametrize(
    ("plan", "seconds", "billed"),
    [
        ("flex", 0.0, 1.0),
        ("flex", 1.0, 1.0),
        ("flex", 1.01, 1.1),
        ("flex", 2.3, 2.3),
        ("consumption", 0.0, 0.1),
        ("consumption", 0.1004, 0.101),
        ("consumption", 0.3, 0.3),
    ],
)
def test_time_is_rounded_as_the_plan_does(plan: str, seconds: float, billed: float) -> None:
    assert PLANS[plan].billed(seconds) == pytest.approx(billed)


@pytest.mark.parametrize(("plan", "given", "billed"), [("flex", 512, 512), ("consumption", 129, 256)])
def test_memory_is_that_of_the_plan(plan: str, given: int, billed: int) -> None:
    assert PLANS[plan].memory(given) == billed


def test_no_instance_has_another_size() -> None:
    with pytest.raises(HostError, match="512, 2048 or 4096"):
        PLANS["flex"].memory(1024)
