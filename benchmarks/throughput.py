"""Runs from start to completion: the local host with its store on disk, durabletask in memory, LangGraph on SQLite.

All run the same five nodes, each in a process of its own. This process is the client of all: it starts every run at
once, and then waits for one after the other. durabletask is the gRPC SDK of the Durable Task Scheduler with the
in-memory backend that its package has for tests: the nearest thing that runs Python orchestrations on one machine.
LangGraph has no server in its package: aiohttp passes on the two requests.
"""

from __future__ import annotations

import asyncio
import logging
import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
from processes import free_port, running, serving

CONNECTIONS = 16
"""Of the HTTP client. gRPC has all its calls in one; a connection for each run would cost more than its requests."""

APP = """
from pydantic import BaseModel
from azure_functions_durable_graph import DurableGraphApp, ManifestBuilder

class State(BaseModel):
    value: int = 0

def step(state: State) -> dict:
    return {"value": state.value + 1}

def line(name, nodes, durability):
    builder = ManifestBuilder(name, State, durability=durability).set_entrypoint("a")
    for node, following in zip(nodes, nodes[1:]):
        builder.add_node(node, step, next_node=following)
    return builder.add_node(nodes[-1], step, terminal=True).build()

runtime = DurableGraphApp()
runtime.register_registration(line("three", "abc", "node"))
runtime.register_registration(line("five", "abcde", "node"))
runtime.register_registration(line("five_at_once", "abcde", "wait"))
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


LANGGRAPH = """
import asyncio, sqlite3, sys, uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TypedDict
from aiohttp import web
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import START, StateGraph

class State(TypedDict):
    value: int

def step(state):
    return {"value": state["value"] + 1}

connection = sqlite3.connect("langgraph.db", check_same_thread=False)
saver = SqliteSaver(connection)
saver.setup()  # WAL, as in our store
connection.execute("PRAGMA synchronous=NORMAL")  # as in our store
builder = StateGraph(State)
for node, previous in zip("abcde", (START, *"abcd")):
    builder.add_node(node, step)
    builder.add_edge(previous, node)
graph = builder.compile(checkpointer=saver)
pool, runs = ThreadPoolExecutor(8), {}

def invoke(run_id):
    return graph.invoke({"value": 0}, {"configurable": {"thread_id": run_id}}, durability="sync")

async def start(request):
    run_id = uuid.uuid4().hex
    runs[run_id] = asyncio.get_running_loop().run_in_executor(pool, invoke, run_id)
    return web.json_response({"id": run_id}, status=202)

async def get(request):
    run_id = request.match_info["id"]
    return web.json_response({"id": run_id, "output": await runs[run_id]})

app = web.Application()
app.add_routes([web.post("/graphs/five/runs", start), web.get("/runs/{id}", get)])
print("ready", flush=True)
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None, access_log=None)
"""
"""`durability="sync"` keeps the result of a node before the next begins, as ours does. Of its ways to run many graphs
at once, eight threads are the fastest here."""


async def over_http(url: str, runs: int, graph: str = "five") -> float:
    """Seconds that this many runs take, from the first start to the last end."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CONNECTIONS)) as session:

        async def start() -> str:
            async with session.post(f"{url}/graphs/{graph}/runs", json={"input": {}}) as response:
                return str((await response.json())["id"])

        async def finish(run_id: str) -> None:
            async with session.get(f"{url}/runs/{run_id}?wait=60") as response:
                run = await response.json()
            assert run["output"] == {"value": 5}, run

        return await _timed_runs(start, finish, runs)


async def over_grpc(port: int, runs: int) -> float:
    """The same of durabletask."""
    from durabletask.client import AsyncTaskHubGrpcClient

    logging.getLogger("durabletask-async_client").setLevel(logging.ERROR)
    async with AsyncTaskHubGrpcClient(host_address=f"localhost:{port}") as client:

        async def start() -> str:
            return str(await client.schedule_new_orchestration("five", input={"value": 0}))

        async def finish(run_id: str) -> None:
            state = await client.wait_for_orchestration_completion(run_id, timeout=60)
            assert state is not None
            assert state.serialized_output == '{"value": 5}', state

        return await _timed_runs(start, finish, runs)


async def _timed_runs(
    start: Callable[[], Awaitable[str]], finish: Callable[[str], Awaitable[None]], runs: int
) -> float:
    """All are started at once, and awaited one after the other: who waits holds a thread of durabletask's backend."""
    began = time.perf_counter()
    for run_id in await asyncio.gather(*(start() for _ in range(runs))):
        await finish(run_id)
    return time.perf_counter() - began


def compare(runs: int, rounds: int) -> dict[str, Any]:
    """Nodes per second, and per second of CPU of the serving process, in alternating rounds. Linux only."""
    found: dict[str, list[tuple[float, float]]] = {"host": [], "durabletask": [], "langgraph": []}
    ports = {name: free_port() for name in ("durabletask", "langgraph")}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, source in (("function_app", APP), ("in_memory", DURABLETASK), ("on_sqlite", LANGGRAPH)):
            (folder / f"{file}.py").write_text(source)
        with (
            serving(folder, memory=False) as (host, url),
            running(folder / "in_memory.py", str(ports["durabletask"])) as (backend, _),
            running(folder / "on_sqlite.py", str(ports["langgraph"]), cwd=folder) as (graphs, _),
        ):
            sides: dict[str, tuple[int, Callable[[], float]]] = {
                "host": (host.pid, lambda: asyncio.run(over_http(url, runs))),
                "durabletask": (backend.pid, lambda: asyncio.run(over_grpc(ports["durabletask"], runs))),
                "langgraph": (
                    graphs.pid,
                    lambda: asyncio.run(over_http(f"http://127.0.0.1:{ports['langgraph']}", runs)),
                ),
            }
            for number in range(rounds + 1):
                for side, (pid, work) in sides.items():
                    timed = _timed(pid, work)
                    if number:  # the first round warms all
                        found[side].append(timed)
    return {
        measure: _rates(5 * runs, {side: [pair[index] for pair in pairs] for side, pairs in found.items()})
        for index, measure in enumerate(("wall", "cpu"))
    }


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
    before = cpu_of(pid)
    return work(), cpu_of(pid) - before


def cpu_of(pid: int) -> float:
    """Seconds of CPU that a process has taken."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _rates(nodes: int, seconds: dict[str, list[float]]) -> dict[str, Any]:
    """Nodes per second of each side, and how many times as many the host does: median, lowest and highest round."""
    found: dict[str, Any] = {
        f"{side}_nodes_per_s": round(statistics.median(nodes / took for took in times))
        for side, times in seconds.items()
    }
    for side in seconds.keys() - {"host"}:
        ratios = sorted(theirs / ours for ours, theirs in zip(seconds["host"], seconds[side], strict=True))
        found[f"to_{side}"] = [round(statistics.median(ratios), 2), round(ratios[0], 2), round(ratios[-1], 2)]
    return found
