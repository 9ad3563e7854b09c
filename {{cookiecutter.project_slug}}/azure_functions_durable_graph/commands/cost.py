"""The command `cost`: what a run costs in Azure, in units that are billed, and in money if the prices are given."""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import HostError

if TYPE_CHECKING:
    from ..work.registry import Registry
    from .cost_report import Assumptions
    from .cost_runs import CountedRun

PRICES = {
    "transactions": "of 10,000 storage transactions",
    "actions": "of a million actions of the scheduler",
    "executions": "of a million executions",
    "gb_seconds": "of a GB-second",
}
"""What a price is for, by the unit."""


MOST = 1_000_000_000
"""Of whatever a price or a time is given in."""


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The parser of `cost`."""
    cost = commands.add_parser(
        "cost",
        help="count what a run costs in Azure: storage transactions, actions, GB-seconds",
        description="Run a graph in memory, or replay recorded runs, and count what the engine does: for Azure Storage "
        "and for the Durable Task Scheduler. --input runs the graph's handlers on this machine, with all "
        "their effects on other systems; --recording runs none. Pass your own prices, in any currency, per unit named.",
    )
    cost.add_argument("graph", metavar="GRAPH")
    cost.add_argument("--app", metavar="APP", help="the app that the graph belongs to, if the project has several")
    cost.add_argument("--input", metavar="JSON", help="run the graph with this input; @FILE, or - for standard input")
    cost.add_argument(
        "--event",
        action="append",
        default=[],
        metavar="NAME=JSON",
        help="answer the run when it waits for this event; repeat it for several, in order. Otherwise time passes",
    )
    cost.add_argument(
        "--recording",
        action="append",
        default=[],
        metavar="FILE",
        help="replay what `record` saved; repeat it for each run below that one (branches, items, subgraphs)",
    )
    cost.add_argument(
        "--plan", choices=("flex", "consumption"), default="flex", help="decides how time is rounded (default: flex)"
    )
    cost.add_argument(
        "--memory", type=int, metavar="MB", help="of an instance (default with flex: 2048), or used by the app"
    )
    cost.add_argument("--seconds", type=_number, metavar="S", help="duration of each activity (default: as measured)")
    for unit, text in PRICES.items():
        cost.add_argument(f"--price-{unit.replace('_', '-')}", type=_number, metavar="PRICE", help=text)
    cost.add_argument("--json", action="store_true", help="print the counts as JSON")
    cost.set_defaults(run=_cost, log=logging.CRITICAL)


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= MOST:  # NaN is not, either
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to {MOST:,}, such as 0.25")
    return value


def _cost(options: argparse.Namespace) -> int:
    from .cost_report import as_text, cost_of

    assumed = _assumptions(options)
    with contextlib.redirect_stdout(sys.stderr):  # what the app and its handlers print is not the answer
        run = _counted(options)
    found = cost_of(options.graph, run, assumed)
    print(json.dumps(found, indent=2) if options.json else as_text(found))
    return 0


def _assumptions(options: argparse.Namespace) -> Assumptions:
    from .cost_report import Assumptions
    from .cost_units import PLANS

    plan, memory = PLANS[options.plan], options.memory
    if memory is None and plan.name != "flex":
        raise HostError("the Consumption plan bills the memory that the app uses: measure it, and pass --memory MB")
    prices = {unit: getattr(options, f"price_{unit}") for unit in PRICES}
    given = {unit: price for unit, price in prices.items() if price is not None}
    return Assumptions(plan, plan.memory(2048 if memory is None else memory), options.seconds, given)


def _counted(options: argparse.Namespace) -> CountedRun:
    from .cost_runs import replayed, run_here
    from .served_app import read_body

    if (options.input is None) == (not options.recording):
        raise HostError(
            "choose a run: --input JSON runs the graph's handlers on this machine, --recording FILE replays a "
            "run that `record` saved"
        )
    if options.recording and options.event:
        raise HostError("--event answers a run that --input starts; a recorded run already has its events")
    files = [Path(name).resolve() for name in options.recording]  # the app changes the folder
    given = read_body(options.input, "--input")
    if options.input is not None and not isinstance(given, dict):
        raise HostError("--input must be a JSON object, like `input` in the body that starts a run")
    events = _events(options.event)
    registry = _registry(options)
    if options.graph not in registry.by_name:
        names = ", ".join(registry.by_name) or "none"
        raise HostError(f"there is no graph {options.graph!r} in this app; it has {names}")
    return replayed(registry, options.graph, files) if files else run_here(registry, options.graph, given, events)


def _events(given: Sequence[str]) -> list[tuple[str, Any]]:
    from .served_app import read_body

    events = []
    for text in given:
        name, equals, payload = text.partition("=")
        if not name:
            raise HostError(f"--event {text!r}: write NAME=JSON, or NAME for one without a payload")
        events.append((name, read_body(payload, f"--event {name}") if equals else None))
    return events


def _registry(options: argparse.Namespace) -> Registry:
    from ..host.app.loader import load_runtime
    from ..host.app.settings import apply_local_settings
    from .workspace import app_folder, use_libraries

    folder = app_folder(Path.cwd(), options.app).resolve()
    use_libraries(folder)
    apply_local_settings(folder)
    runtime = load_runtime(folder)
    runtime.check()
    return runtime.registry
