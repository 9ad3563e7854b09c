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


def user_cpu(source: str, folder: Path, *, collect: bool = True) -> float:
    """Seconds of user CPU that a process has spent when the app is imported, files warm.

    `collect=False` switches the garbage collector off: whether a full pass happens during an import depends on a few
    hundred objects, and costs as much as everything that is compared here.
    """
    (folder / "function_app.py").write_text(source)
    off = "" if collect else "import gc; gc.disable(); "
    code = f"{off}import function_app, resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_utime)"
    return float(python(code, folder))


def python(code: str, folder: Path) -> str:
    """Run code in a process that imports the app in `folder` and the runtime; returns what it prints.

    Compiled files are kept in `folder`, so that after the first process none compiles anything.
    """
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = str(folder / "compiled")
    environment["PYTHONPATH"] = os.pathsep.join([str(folder), str(RUNTIME)])
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


def compare(folder: Path, rounds: int) -> dict[str, float]:
    """Medians over alternating rounds, so that other load on the machine affects both equally."""
    for source in (BARE, GRAPH):
        user_cpu(source, folder)
    found: dict[str, float] = {}
    for collect in (True, False):
        pairs = [
            (user_cpu(BARE, folder, collect=collect), user_cpu(GRAPH, folder, collect=collect)) for _ in range(rounds)
        ]
        name = "" if collect else "_without_gc"
        found[f"bare_s{name}"] = round(statistics.median(bare for bare, _ in pairs), 3)
        found[f"graph_s{name}"] = round(statistics.median(graph for _, graph in pairs), 3)
        found[f"ratio{name}"] = round(statistics.median(graph / bare for bare, graph in pairs), 3)
    return found
