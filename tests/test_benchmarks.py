"""The benchmarks run, and the costs that do not depend on the machine are what their page says."""

from __future__ import annotations

import json
import re
import sys
from typing import Any

from projects import ROOT
from systems import needs_proc


@needs_proc
def test_the_benchmarks_run_and_count_what_their_page_says(run: Any) -> None:
    printed = run(sys.executable, "benchmarks/run.py", "--quick", cwd=ROOT).stdout

    found = re.search(r"activities: (\{.*?\n\})", printed, re.DOTALL)
    assert found is not None
    page = (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")
    for name, count in json.loads(found[1]).items():
        assert f"| {name} | {count} |" in page
    assert '"activities_per_node": 1.0' in printed


def test_the_page_shows_the_numbers_of_the_last_run() -> None:
    results = json.loads((ROOT / "benchmarks" / "results.json").read_text(encoding="utf-8"))
    page = (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")

    for name, cost in {**results["per_node"], **results["large"]}.items():
        assert f"| {name} | {cost['cpu_ratio']:.2f} | {cost['json_kb_per_node']:,.0f} KB |" in page
    for size, cost in results["activity"].items():
        assert f"| {size} | {cost['us']:.0f} µs | {cost['ratio']:.1f} |" in page
    for budget, cost in results["budgets"].items():
        assert f"| {budget} | {cost['cpu_ratio']:.2f} | {cost['json_kb_per_node']:.1f} KB |" in page
    for measure, line in (("cpu", "by CPU"), ("wall", "by the clock")):
        found = [results["throughput"][measure][f"to_{side}"] for side in ("durabletask", "langgraph")]
        shown = [f"{median:.2f} ({lowest:.2f} to {highest:.2f})" for median, lowest, highest in found]
        assert f"| {line} | {' | '.join(shown)} |" in page
    assert f"| {results['latency']['p50_ms']:.1f} ms | {results['latency']['p90_ms']:.1f} ms |" in page
    durability = results["durability"]
    by_cpu = f"{durability['cpu']['ratio']:.2f} times as many nodes for each second of CPU"
    assert f"{by_cpu}, {durability['wall']['ratio']:.2f} times by the clock" in page
    for name in ("waiting", "large_inputs"):
        cost = results[name]
        times = [f"{cost[f'{what}_cpu_ms']:.0f} ms ({cost[f'{what}_ms']:.0f} ms)" for what in ("count", "list")]
        restart = f"{cost['restart_cpu_s']:.1f} s ({cost['restart_s']:.1f} s)"
        assert f"| {' | '.join([*times, restart])} | {cost['idle_cpu_s']:.2f} s |" in page
    assert f"| {'.'.join(results['python'].split('.')[:2])} | {results['start']['ratio']:.2f} |" in page
