"""The local host's start and its memory."""

from __future__ import annotations

import asyncio
import re
import statistics
import tempfile
import time
import urllib.request
from pathlib import Path

import startup
from processes import serving
from throughput import APP, over_http


def first_request(rounds: int) -> dict[str, float]:
    """Seconds from the start of a process to the first answer, against importing the app alone."""
    with tempfile.TemporaryDirectory() as name:
        Path(name, "function_app.py").write_text(APP)
        pairs = [(_import(Path(name)), _served(Path(name))) for _ in range(rounds + 1)][1:]
    return {
        "import_s": round(statistics.median(bare for bare, _ in pairs), 3),
        "first_answer_s": round(statistics.median(served for _, served in pairs), 3),
        "ratio": round(statistics.median(served / bare for bare, served in pairs), 2),
    }


def _import(folder: Path) -> float:
    began = time.perf_counter()
    startup.python("import function_app", folder)
    return time.perf_counter() - began


def _served(folder: Path) -> float:
    began = time.perf_counter()
    with serving(folder, "--memory") as (_, url):
        with urllib.request.urlopen(f"{url}/health") as response:
            assert response.status == 200
        return time.perf_counter() - began


def memory(runs: int) -> dict[str, float]:
    """Resident MB of the host after a tenth of the runs, and after all of them. Linux only."""
    batch = min(200, runs // 10)
    sizes = {}
    with tempfile.TemporaryDirectory() as name:
        Path(name, "function_app.py").write_text(APP)
        with serving(Path(name)) as (child, url):
            for done in range(batch, runs + 1, batch):
                asyncio.run(over_http(url, batch))
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
