"""Runs from start to completion: the local host over HTTP with its store on disk, and durabletask in memory.

Both run the same five nodes, each in a process of its own, and this process is the client of both. durabletask is the
gRPC SDK of the Durable Task Scheduler with the in-memory backend that its package has for tests: the nearest thing that
runs Python orchestrations on one machine.
"""

from __future__ import annotations

import asyncio
import logging
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import aiohttp
from processes import free_port, running, serving

AT_ONCE = 64
"""Calls that the gRPC client has open at a time; aiohttp's has all of them."""

APP = """
from pydantic import BaseModel
from azure_functions_durable_graph import DurableGraphApp, ManifestBuilder

class State(BaseModel):
    value: int = 0

def step(state: State) -> dict:
    return {"value": state.value + 1}

def five(name, durability):
    builder = ManifestBuilder(name, State, durability=durability).set_entrypoint("a")
    for node, following in zip("abcd", "bcde"):
        builder.add_node(node, step, next_node=following)
    return builder.add_node("e", step, terminal=True).build()

runtime = DurableGraphApp()
runtime.register_registration(five("five", "node"))
runtime.register_registration(five("five_at_once", "wait"))
app = runtime.function_app
"""

DURABLETASK = """
import sys
import threading
from durabletask.testing import create_test_backend
from durabletask.worker import TaskHubGrpcWorker

def step(context, state):
    return {"value": state["value"] + 1}

nodes = [type(step)(step.__code__, globals(), name) for name in "abcde"]

def five(context, state):
    for node in nodes:
        state = yield context.call_activity(node, input=state)
    return state

port = int(sys.argv[1])
backend = create_test_backend(port=port)
worker = TaskHubGrpcWorker(host_address=f"localhost:{port}")
for node in nodes:
    worker.add_activity(node)
worker.add_orchestrator(five)
worker.start()
print("ready", flush=True)
threading.Event().wait()
"""


async def over_http(url: str, runs: int, graph: str = "five") -> float:
    """Seconds that this many runs take, from the first start to the last end."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def start() -> str:
            async with session.post(f"{url}/graphs/{graph}/runs", json={"input": {}}) as response:
                return str((await response.json())["id"])

        async def get(path: str) -> dict[str, Any]:
            async with session.get(f"{url}/{path}") as response:
                return dict(await response.json())

        began = time.perf_counter()
        ids = await asyncio.gather(*(start() for _ in range(runs)))
        while any([(await get(f"runs?status={status}&limit=1"))["runs"] for status in ("pending", "running")]):
            await asyncio.sleep(0.03)
        took = time.perf_counter() - began
        for run_id in ids:
            assert (run := await get(f"runs/{run_id}"))["output"] == {"value": 5}, run
        return took


def over_grpc(port: int, runs: int) -> float:
    """Seconds that this many orchestrations take, from the first start to the last end; started at once, too.

    One is awaited after the other: each call that waits holds a thread of the backend.
    """
    from durabletask.client import TaskHubGrpcClient

    logging.getLogger("durabletask-client").setLevel(logging.ERROR)
    client = TaskHubGrpcClient(host_address=f"localhost:{port}")

    def start(_: int) -> str:
        return str(client.schedule_new_orchestration("five", input={"value": 0}))

    def finish(instance_id: str) -> None:
        state = client.wait_for_orchestration_completion(instance_id, timeout=120)
        assert state is not None
        assert state.serialized_output == '{"value": 5}', state

    with ThreadPoolExecutor(AT_ONCE) as pool:
        began = time.perf_counter()
        for instance_id in list(pool.map(start, range(runs))):
            finish(instance_id)
        return time.perf_counter() - began


def compare(runs: int, rounds: int) -> dict[str, Any]:
    """Nodes per second, and per second of CPU of the serving process, in alternating rounds. Linux only."""
    found: dict[str, list[tuple[float, float]]] = {"wall": [], "cpu": []}
    port = free_port()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "function_app.py").write_text(APP)
        (folder / "in_memory.py").write_text(DURABLETASK)
        with serving(folder, memory=False) as (host, url), running(folder / "in_memory.py", str(port)) as (backend, _):
            for number in range(rounds + 1):
                ours, our_cpu = _timed(host.pid, lambda: asyncio.run(over_http(url, runs)))
                theirs, their_cpu = _timed(backend.pid, lambda: over_grpc(port, runs))
                if number:  # the first round warms both
                    found["wall"].append((ours, theirs))
                    found["cpu"].append((our_cpu, their_cpu))
    return {name: _rates(5 * runs, pairs) for name, pairs in found.items()}


def durabilities(runs: int, rounds: int) -> dict[str, Any]:
    """How many times as many nodes durability "wait" runs as "node" does, on one host, in alternating rounds."""
    found: dict[str, list[float]] = {"wall": [], "cpu": []}
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "function_app.py").write_text(APP)
        with serving(Path(name), memory=False) as (host, url):
            for number in range(rounds + 1):
                kept, kept_cpu = _timed(host.pid, lambda: asyncio.run(over_http(url, runs)))
                at_once, at_once_cpu = _timed(host.pid, lambda: asyncio.run(over_http(url, runs, "five_at_once")))
                if number:  # the first round warms both
                    found["wall"].append(kept / at_once)
                    found["cpu"].append(kept_cpu / at_once_cpu)
    return {
        measure: {"ratio": round(statistics.median(ratios), 2), "lowest": round(min(ratios), 2)}
        for measure, ratios in found.items()
    }


def _timed(pid: int, work: Callable[[], float]) -> tuple[float, float]:
    """The seconds that `work` says it took, and those of CPU that a process has spent meanwhile."""
    before = _cpu(pid)
    return work(), _cpu(pid) - before


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _rates(nodes: int, pairs: list[tuple[float, float]]) -> dict[str, Any]:
    ratios = sorted(theirs / ours for ours, theirs in pairs)
    return {
        "nodes_per_s": round(statistics.median(nodes / ours for ours, _ in pairs)),
        "durabletask_nodes_per_s": round(statistics.median(nodes / theirs for _, theirs in pairs)),
        "ratio": round(statistics.median(ratios), 2),
        "lowest": round(ratios[0], 2),
        "highest": round(ratios[-1], 2),
    }
