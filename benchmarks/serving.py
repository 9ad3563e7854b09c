"""The local host: its start, its memory, how soon a single run is done, and many runs that wait."""

from __future__ import annotations

import asyncio
import json
import re
import statistics
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

import aiohttp
import startup
from processes import WAITING as PATIENT
from processes import serving
from throughput import APP, cpu_of, over_http


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
    with serving(folder) as (_, url):
        with urllib.request.urlopen(f"{url}/health") as response:
            assert response.status == 200
        return time.perf_counter() - began


def memory(runs: int) -> dict[str, float]:
    """Resident MB of the host after a tenth of the runs, and after all of them. Linux only."""
    batch = min(200, runs // 10)
    sizes = {}
    with tempfile.TemporaryDirectory() as name:
        Path(name, "function_app.py").write_text(APP)
        with serving(Path(name), memory=False) as (child, url):
            for done in range(batch, runs + 1, batch):
                asyncio.run(over_http(url, batch))
                sizes[done] = _resident(child.pid)
    early = min(size for size in sizes if size >= runs // 10)
    return {
        f"mb_after_{early}_runs": round(sizes[early], 1),
        f"mb_after_{runs}_runs": round(sizes[max(sizes)], 1),
        "ratio": round(sizes[max(sizes)] / sizes[early], 2),
    }


def latency(runs: int) -> dict[str, float]:
    """Milliseconds from the request that starts a run of three nodes to the answer that has its output; one client."""
    with tempfile.TemporaryDirectory() as name:
        Path(name, "function_app.py").write_text(APP)
        with serving(Path(name), memory=False) as (_, url):
            took = asyncio.run(_one_after_the_other(url, runs + 10))[10:]
    return {
        "p50_ms": round(1000 * statistics.median(took), 1),
        "p90_ms": round(1000 * statistics.quantiles(took, n=10)[-1], 1),
    }


async def _one_after_the_other(url: str, runs: int) -> list[float]:
    took = []
    async with aiohttp.ClientSession() as session:
        for _ in range(runs):
            began = time.perf_counter()
            async with session.post(f"{url}/graphs/three/runs", json={"input": {}}) as response:
                run_id = (await response.json())["id"]
            async with session.get(f"{url}/runs/{run_id}?wait=60") as response:
                run = await response.json()
            took.append(time.perf_counter() - began)
            assert run["output"] == {"value": 3}, run
    return took


def waiting(runs: int, characters: int = 10) -> dict[str, float]:
    """Many runs that wait for a timer: what it takes to list and count them, to start again, and to do nothing.

    Times are CPU seconds of the host, as the machine may be busy, and those by the clock. Linux only.
    """
    with tempfile.TemporaryDirectory() as name:
        Path(name, "function_app.py").write_text(PATIENT)
        with serving(Path(name), memory=False) as (host, url):
            asyncio.run(_start_waiting(url, runs, "x" * characters))
            answer, count_s, count_cpu_s = _fetched(host.pid, f"{url}/graphs/patient")
            assert [version["live_runs"] for version in answer["versions"]] == [min(runs, 5000)]
            listed, list_s, list_cpu_s = _fetched(host.pid, f"{url}/runs?status=sleeping&limit=1")
            del listed
            began = cpu_of(host.pid)
            time.sleep(3)
            idle = cpu_of(host.pid) - began
            host.terminate()
            host.wait()
        began = time.perf_counter()
        with serving(Path(name), memory=False) as (host, url):
            with urllib.request.urlopen(f"{url}/health") as response:
                assert response.status == 200
            restart, restart_cpu = time.perf_counter() - began, cpu_of(host.pid)
    found = {
        "count_ms": 1000 * count_s,
        "count_cpu_ms": 1000 * count_cpu_s,
        "list_cpu_ms": 1000 * list_cpu_s,
        "list_ms": 1000 * list_s,
        "restart_s": restart,
        "restart_cpu_s": restart_cpu,
        "idle_cpu_s": idle,
    }
    return {key: round(value, 2) for key, value in found.items()}


async def _start_waiting(url: str, runs: int, text: str) -> None:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=50)) as session:

        async def start() -> None:
            async with session.post(f"{url}/graphs/patient/runs", json={"input": {"said": text}}) as response:
                run_id = (await response.json())["id"]
            async with session.get(f"{url}/runs/{run_id}?wait=60") as response:
                assert (await response.json())["status"] == "sleeping"

        await asyncio.gather(*(start() for _ in range(runs)))


def _fetched(pid: int, url: str, times: int = 5) -> tuple[Any, float, float]:
    """A response, and the seconds that one takes: the median by the clock, and the average of CPU of the process."""
    took, began = [], cpu_of(pid)
    for _ in range(times):
        sent = time.perf_counter()
        with urllib.request.urlopen(url) as response:
            answer = json.load(response)
        took.append(time.perf_counter() - sent)
    return answer, statistics.median(took), (cpu_of(pid) - began) / times


def _resident(pid: int) -> float:
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1]) / 1024
