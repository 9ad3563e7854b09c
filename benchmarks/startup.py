"""What importing an app costs: user CPU of a fresh process, against a bare durable app with the same state model."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from pathlib import Path

BARE = """
import azure.durable_functions as df
import azure.functions as func
from pydantic import BaseModel

class State(BaseModel):
    order_id: str
    total: float = 0.0
    shipped: bool = False

app = df.DFApp(http_auth_level=func.AuthLevel.FUNCTION)

@app.route(route="start", methods=["POST"])
@app.durable_client_input(client_name="client")
async def start(req: func.HttpRequest, client) -> func.HttpResponse:
    return func.HttpResponse(await client.start_new("main", None, req.get_json()))

@app.orchestration_trigger(context_name="context")
def main(context):
    state = yield context.call_activity("price", context.get_input())
    return (yield context.call_activity("ship", state))

@app.activity_trigger(input_name="state")
def price(state: dict) -> dict:
    return {**state, "total": 9.5}

@app.activity_trigger(input_name="state")
def ship(state: dict) -> dict:
    return {**state, "shipped": True}
"""

GRAPH = """
import azure.functions as func
from pydantic import BaseModel
from azure_functions_durable_graph import DurableGraphApp, ManifestBuilder

class State(BaseModel):
    order_id: str
    total: float = 0.0
    shipped: bool = False

def price(state: State) -> dict:
    return {"total": 9.5}

def ship(state: State) -> dict:
    return {"shipped": True}

builder = ManifestBuilder("order", State).set_entrypoint("price")
builder.add_node("price", price, next_node="ship").add_node("ship", ship, terminal=True)
runtime = DurableGraphApp(auth_level=func.AuthLevel.FUNCTION)
runtime.register_registration(builder.build())
app = runtime.function_app
"""

RUNTIME = Path(__file__).parent.parent / "runtime"


def user_cpu(source: str, folder: Path) -> float:
    """Seconds of user CPU that a process has spent when the app is imported, files warm."""
    (folder / "function_app.py").write_text(source)
    code = "import function_app, resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_utime)"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(RUNTIME)])}
    answer = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    return float(answer.stdout)


def compare(folder: Path, rounds: int) -> dict[str, float]:
    """Medians over alternating rounds, so that what the machine does besides hits both alike."""
    for source in (BARE, GRAPH):
        user_cpu(source, folder)
    pairs = [(user_cpu(BARE, folder), user_cpu(GRAPH, folder)) for _ in range(rounds)]
    bare, graph = (statistics.median(column) for column in zip(*pairs, strict=True))
    return {
        "bare_s": round(bare, 3),
        "graph_s": round(graph, 3),
        "ratio": round(statistics.median(graph / bare for bare, graph in pairs), 3),
    }
