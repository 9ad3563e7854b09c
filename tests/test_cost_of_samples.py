"""The table of docs/operations.md says what the samples cost: as the command counts it, and written by hand."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from apps import command_line
from hand_written import counted
from operations_page import PAGE
from projects import ROOT

from azure_functions_durable_graph.commands.cost_report import Assumptions, cost_of
from azure_functions_durable_graph.commands.cost_runs import CountedRun
from azure_functions_durable_graph.commands.cost_units import PLANS, UNITS

PROJECT = ROOT / "{{cookiecutter.project_slug}}"
COMMANDS = re.findall(r"^    python -m azure_functions_durable_graph (cost .*)$", PAGE, re.MULTILINE)
COLUMNS = ("activities", "messages", "transactions", "actions", "executions", "gb_seconds")

ANSWERS = {
    "support_agent": (("", "manager_approval"),),
    "document_review": ((".legal", "sign_off"), (".editor", "sign_off")),
}
"""Events of the runs that are written by hand: to which instance, and their name."""

APP = """
import graphs
from azure_functions_durable_graph import DurableGraphApp

runtime = DurableGraphApp()
runtime.register_package(graphs)
app = runtime.function_app
"""


def table() -> Iterator[tuple[str, str, list[float]]]:
    """The rows: the run, what it is written as, and the numbers."""
    row = re.compile(r"^\| `(\w+)` \| (.+?) \| ([\d,. |]+) \|$", re.MULTILINE)
    for graph, kind, numbers in row.findall(PAGE.split("\n## Cost\n")[1]):
        yield graph, kind, [float(number.replace(",", "")) for number in numbers.split(" | ")]


def write_samples(folder: Path, **options: str) -> Path:
    """The samples as an app, with more options for each graph."""
    (folder / "graphs").mkdir(parents=True)
    (folder / "function_app.py").write_text(APP, encoding="utf-8")
    (folder / "graphs" / "__init__.py").write_text("", encoding="utf-8")
    more = "".join(f", {name}={value!r}" for name, value in options.items())
    for path in PROJECT.glob("graphs/*samples*"):
        source, name = path.read_text(encoding="utf-8"), path.name.split("%}")[1].split("{%")[0]
        (folder / "graphs" / name).write_text(source.replace('version="1")', f'version="1"{more})'), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def apps(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("samples")
    return {
        "a graph": write_samples(folder / "plain"),
        'a graph, `durability="wait"`': write_samples(folder / "wait", durability="wait"),
    }


def by_hand(command: list[str]) -> dict[str, Any]:
    """The cost of the same work by hand."""
    graph, given = command[1], command[command.index("--input") + 1]
    tally = counted(graph, json.dumps(given), *ANSWERS.get(graph, ()))
    run = CountedRun("1", [], "completed", tally, tally.activities, [])
    return cost_of(graph, run, Assumptions(PLANS["flex"], 2048, float(command[command.index("--seconds") + 1]), {}))


def numbers(cost: dict[str, Any]) -> list[float]:
    return [{**cost, "activities": cost["rows"]["activity"]["count"]}[name] for name in COLUMNS]


@pytest.mark.parametrize("text", COMMANDS, ids=lambda text: text.split()[1])
def test_a_sample_costs_what_the_table_says(text: str, apps: dict[str, Path]) -> None:
    command = shlex.split(text)
    found = {"by hand": numbers(by_hand(command))}
    for kind, folder in apps.items():
        answer = command_line(*command, "--json", cwd=folder)
        assert answer.returncode == 0, answer.stderr
        found[kind] = numbers(json.loads(answer.stdout))

    assert found == {kind: values for graph, kind, values in table() if graph == command[1]}


def test_every_sample_has_its_rows() -> None:
    graphs = {path.name.split("%}")[1].split(".")[0] for path in PROJECT.glob("graphs/*samples*")}

    assert {text.split()[1] for text in COMMANDS} == graphs
    assert {(graph, kind) for graph, kind, _ in table()} == {
        (graph, kind) for graph in graphs for kind in ("by hand", "a graph", 'a graph, `durability="wait"`')
    }


def test_the_units_are_those_of_the_code() -> None:
    rows = re.findall(r"^\| ([^|]+) \| (\d+) \| (\d+) \| (\d+) \|$", PAGE, re.MULTILINE)

    assert [(int(messages), int(transactions), int(actions)) for _, messages, transactions, actions in rows] == [
        (unit.messages, unit.transactions, unit.actions) for unit in UNITS.values()
    ]
