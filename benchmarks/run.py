"""All benchmarks: print ratios that were measured in one run, and write them as JSON.

nox -s bench                      all of them
nox -s bench -- per_node start    some of them
nox -s bench -- --quick           small sizes, to check that they work
"""

from __future__ import annotations

import argparse
import gc
import json
import logging
import platform
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
RUNTIME = HERE.parent / "runtime"
sys.path[:0] = [str(HERE), str(RUNTIME), str(RUNTIME / "tests" / "helpers")]

import activities  # noqa: E402
import maps  # noqa: E402
import node_activity  # noqa: E402
import orchestrator  # noqa: E402
import serving  # noqa: E402
import startup  # noqa: E402
import throughput  # noqa: E402


def per_node(quick: bool) -> dict[str, Any]:
    """CPU and JSON per node in the orchestrator, against hand-written ones."""
    gc.collect()
    return orchestrator.compare(*((1, 30) if quick else (7, 1_000)))


def large(quick: bool) -> dict[str, Any]:
    """The same with large states."""
    gc.collect()
    return orchestrator.compare_large(*((1, 10) if quick else (3, 25)))


def budgets(quick: bool) -> dict[str, Any]:
    """The same by history budget."""
    gc.collect()
    return orchestrator.compare_budgets(*((1, 30) if quick else (7, 120)))


def start(quick: bool) -> dict[str, Any]:
    """User CPU of importing an app with one graph, against a bare durable app with the same model."""
    with tempfile.TemporaryDirectory() as folder:
        return startup.compare(Path(folder), 3 if quick else 25)


BENCHMARKS: dict[str, Callable[[bool], dict[str, Any]]] = {
    "activities": lambda quick: activities.of_each_shape(),
    "activity": lambda quick: node_activity.compare(*((1, 10_000) if quick else (7, 4_000_000))),
    "per_node": per_node,
    "large": large,
    "budgets": budgets,
    "start": start,
    "maps": lambda quick: maps.by_number(*(((20, 60), 1) if quick else ((100, 1_000, 10_000), 3))),
    "throughput": lambda quick: throughput.compare(*((10, 1) if quick else (200, 5))),
    "durability": lambda quick: throughput.durabilities(*((20, 1) if quick else (200, 5))),
    "first_request": lambda quick: serving.first_request(1 if quick else 9),
    "latency": lambda quick: serving.latency(10 if quick else 200),
    "waiting": lambda quick: serving.waiting(20 if quick else 5_000),
    "large_inputs": lambda quick: serving.waiting(5 if quick else 100, 100_000),
    "memory": lambda quick: serving.memory(40 if quick else 10_000),
}


def main() -> None:
    """Run them, print them, and write benchmarks/results.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small sizes, nothing is written")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which to run: {', '.join(BENCHMARKS)}")
    given = parser.parse_args()
    if unknown := set(given.names) - set(BENCHMARKS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    quick = given.quick
    logging.disable(logging.WARNING)
    results: dict[str, Any] = {"python": platform.python_version(), "machine": platform.machine()}
    kept = HERE / "results.json"
    if given.names and kept.exists():
        results = {**json.loads(kept.read_text()), **results}
    for name in given.names or BENCHMARKS:
        results[name] = BENCHMARKS[name](quick)
        print(f"{name}: {json.dumps(results[name], indent=2)}")
    if not quick:
        kept.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
