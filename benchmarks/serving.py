"""The local host's start and its memory."""

from __future__ import annotations

import asyncio
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from throughput import APP, RUNTIME, over_http, process


def first_request(rounds: int) -> dict[str, float]:
    """Seconds from the start of a process to the first answer, against the mere import of the app."""
    with tempfile.TemporaryDirectory() as name:
        Path(name, "function_app.py").write_text(APP)
        pairs = [(_import(Path(name)), _served(Path(name))) for _ in range(rounds + 1)][1:]
    return {
        "import_s": round(statistics.median(bare for bare, _ in pairs), 3),
        "first_answer_s": round(statistics.median(served for _, served in pairs), 3),
        "ratio": round(statistics.median(served / bare for bare, served in pairs), 2),
    }


def _import(folder: Path) -> float:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(RUNTIME)])}
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import function_app"], env=environment, check=True)
    return time.perf_counter() - began


def _served(folder: Path) -> float:
    began = time.perf_counter()
    with process("-m", "azure_functions_durable_graph", "serve", "--port", "0", "--memory", str(folder)) as (_, line):
        found = re.search(r"http://\S+", line)
        assert found is not None
        with urllib.request.urlopen(f"{found.group()}/health") as response:
            assert response.status == 200
        return time.perf_counter() - began


def memory(runs: int) -> dict[str, float]:
    """Resident MB of the host after a tenth of the runs, and after all of them. Linux only."""
    batch = min(200, runs // 10)
    sizes = {}
    with tempfile.TemporaryDirectory() as name:
        Path(name, "function_app.py").write_text(APP)
        with process("-m", "azure_functions_durable_graph", "serve", "--port", "0", name) as (child, line):
            found = re.search(r"http://\S+", line)
            assert found is not None
            for done in range(batch, runs + 1, batch):
                asyncio.run(over_http(found.group(), batch))
                sizes[done] = _resident(child.pid)
    early = min(size for size in sizes if size >= runs // 10)
    return {
        f"mb_after_{early}_runs": round(sizes[early], 1),
        f"mb_after_{runs}_runs": round(sizes[max(sizes)], 1),
        "ratio": round(sizes[max(sizes)] / sizes[early], 2),
    }


def _resident(pid: int) -> float:
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1]) / 1024
