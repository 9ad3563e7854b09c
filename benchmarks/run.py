"""All benchmarks: print ratios that were measured in one run, and write them as JSON.

nox -s bench                      all of them
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
import orchestrator  # noqa: E402
import serving  # noqa: E402
import startup  # noqa: E402
import throughput  # noqa: E402


def per_node(quick: bool) -> dict[str, Any]:
    """CPU and JSON per node in the orchestrator, against a hand-written one at 25 steps."""
    sizes = (50, 100) if quick else (25, 100, 1000, 10_000)
    for warm in (orchestrator.hand_written, orchestrator.graph_loop):
        warm(10)
    gc.collect()
    by_hand = {str(n): orchestrator.hand_written(n).shown() for n in ((25,) if quick else (25, 100, 400))}
    graph = {str(n): orchestrator.graph_loop(n).shown() for n in sizes}
    at = str(sizes[-2])
    return {
        "hand_written": by_hand,
        "graph": graph,
        "cpu_ratio": round(graph[at]["cpu_ms_per_node"] / by_hand["25"]["cpu_ms_per_node"], 2),
        "cpu_ratio_is": f"graph at {at} nodes / hand-written at 25",
    }


def start(quick: bool) -> dict[str, Any]:
    """User CPU of importing an app with one graph, against a bare durable app with the same model."""
    with tempfile.TemporaryDirectory() as folder:
        return startup.compare(Path(folder), 3 if quick else 25)


BENCHMARKS: dict[str, Callable[[bool], dict[str, Any]]] = {
    "activities": lambda quick: activities.of_each_shape(),
    "per_node": per_node,
    "start": start,
    "throughput": lambda quick: throughput.compare(*((10, 1) if quick else (200, 5))),
    "first_request": lambda quick: serving.first_request(1 if quick else 9),
    "memory": lambda quick: serving.memory(40 if quick else 10_000),
}


def main() -> None:
    """Run them, print them, and write benchmarks/results.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small sizes, nothing is written")
    quick = parser.parse_args().quick
    logging.disable(logging.WARNING)
    results: dict[str, Any] = {"python": platform.python_version(), "machine": platform.machine()}
    for name, run in BENCHMARKS.items():
        results[name] = run(quick)
        print(f"{name}: {json.dumps(results[name], indent=2)}")
    if not quick:
        (HERE / "results.json").write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
