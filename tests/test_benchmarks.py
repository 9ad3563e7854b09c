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
