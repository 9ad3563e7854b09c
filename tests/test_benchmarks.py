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
    for budget, cost in results["budgets"].items():
        assert f"| {budget} | {cost['cpu_ratio']:.2f} | {cost['json_kb_per_node']:.1f} KB |" in page
    cpu = results["throughput"]["cpu"]
    assert f"{cpu['ratio']:.2f} times (rounds: {cpu['lowest']:.2f} to {cpu['highest']:.2f})" in page
    assert f"| {'.'.join(results['python'].split('.')[:2])} | {results['start']['ratio']:.2f} |" in page
