"""Runs from start to completion: the local host over HTTP with its store on disk, and durabletask in memory.

Both run the same five nodes, each in a process of its own, and this process is the client of both. durabletask is the
gRPC SDK of the Durable Task Scheduler with the in-memory backend that its package has for tests: the nearest thing that
runs Python orchestrations on one machine.
"""

from __future__ import annotations

import asyncio
import logging
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import aiohttp
from processes import running, serving

APP = """
from pydantic import BaseModel
from azure_functions_durable_graph import DurableGraphApp, ManifestBuilder

class State(BaseModel):
    value: int = 0

def step(state: State) -> dict:
    return {"value": state.value + 1}

builder = ManifestBuilder("five", State).set_entrypoint("a")
for name, following in zip("abcd", "bcde"):
    builder.add_node(name, step, next_node=following)
runtime = DurableGraphApp()
runtime.register_registration(builder.add_node("e", step, terminal=True).build())
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


async def over_http(url: str, runs: int) -> float:
    """Seconds that this many runs take, from the first start to the last end."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def start() -> str:
            async with session.post(f"{url}/graphs/five/runs", json={"input": {}}) as response:
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
    """Seconds that this many orchestrations take, from the first start to the last end."""
    from durabletask.client import TaskHubGrpcClient

    logging.getLogger("durabletask-client").setLevel(logging.ERROR)
    client = TaskHubGrpcClient(host_address=f"localhost:{port}")
    began = time.perf_counter()
    ids = [client.schedule_new_orchestration("five", input={"value": 0}) for _ in range(runs)]
    for instance_id in ids:
        state = client.wait_for_orchestration_completion(instance_id, timeout=60)
        assert state is not None
        assert state.serialized_output == '{"value": 5}', state
    return time.perf_counter() - began


def compare(runs: int, rounds: int) -> dict[str, float]:
    """Nodes per second of both, in alternating rounds, and the median of their ratios."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "function_app.py").write_text(APP)
        (folder / "in_memory.py").write_text(DURABLETASK)
        with serving(folder) as (_, url), running(folder / "in_memory.py", "50171"):
            pairs = []
            for number in range(rounds + 1):
                pair = 5 * runs / asyncio.run(over_http(url, runs)), 5 * runs / over_grpc(50171, runs)
                if number:  # the first round warms both
                    pairs.append(pair)
    return {
        "nodes_per_s": round(statistics.median(ours for ours, _ in pairs)),
        "durabletask_nodes_per_s": round(statistics.median(theirs for _, theirs in pairs)),
        "ratio": round(statistics.median(ours / theirs for ours, theirs in pairs), 2),
    }
