"""Run in a virtual environment with azure-functions-runtime, the worker library of Python 3.13 and newer.

    python ask_worker_library.py PROJECT    index a project and call some of its functions; prints JSON
    python ask_worker_library.py --odd      say of each function of odd_functions.ROWS whether the library loads it

The host's part, protobuf messages over gRPC, is played by `Message`; the Durable extension's by a small HTTP server.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from azure_functions_runtime import functions, handle_event, loader, start_threadpool_executor
from azure_functions_runtime.bindings.meta import load_binding_registry

NOW = "2030-01-01T00:00:00.000000Z"


class Message:
    """Any protobuf message: its fields, and which of a group is set."""

    Success, Failure = "success", "failure"
    undefined, out, inout = None, 1, 2

    def __init__(self, **fields: Any) -> None:
        vars(self).update(fields)

    def WhichOneof(self, group: str) -> str | None:  # noqa: N802 - protobuf's name
        """The one field beside the name."""
        return next((field for field in vars(self) if field != "name"), None)


class Protos:
    """The module of generated protobuf classes."""

    def __getattr__(self, name: str) -> Any:
        return Message


def http(method: str, url: str, body: bytes = b"", **params: str) -> Message:
    """A request as the Functions host sends it."""
    empty: dict[str, str] = {}
    content = Message(bytes=body)
    return Message(http=Message(method=method, url=url, headers=empty, params=params, query=empty, body=content))


async def call(name: str, **given: Message) -> Any:
    """Call a function; gives the worker's answer. Fails where the function does."""
    request = Message(
        invocation_id=f"invocation of {name}",
        function_id=str(uuid5(NAMESPACE_OID, name)),
        input_data=[Message(name=parameter, data=value) for parameter, value in given.items()],
        trigger_metadata={},
        trace_context=Message(trace_parent="", trace_state="", attributes={}),
        retry_context=Message(retry_count=0, max_retry_count=0, exception=None),
    )
    answer = await handle_event.invocation_request(SimpleNamespace(request=Message(invocation_request=request)))
    if answer.result.status != Message.Success:
        raise RuntimeError(f"{name}: {answer.result.exception.message}\n{answer.result.exception.stack_trace}")
    return answer.return_value


class Extension(BaseHTTPRequestHandler):
    """The management API as far as a run needs it: no run exists, and every start and every signal is taken."""

    started: list[tuple[str, bytes]] = []  # noqa: RUF012 - one server, one list
    signalled: list[str] = []  # noqa: RUF012

    def do_GET(self) -> None:
        self._answer(404, b"")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path.startswith("/entities/"):
            self.signalled.append(self.path)
        else:
            self.started.append((self.path, body))
        self._answer(202, json.dumps({"id": self.path.partition("?")[0].rpartition("/")[2]}).encode())

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - the library's name
        pass


def client_binding(port: int) -> Message:
    """What the extension gives for a durable client parameter."""
    base = f"http://127.0.0.1:{port}/"
    names = ["statusQueryGet", "sendEventPost", "terminatePost", "rewindPost", "restartPost", "suspendPost"]
    names += ["resumePost", "purgeHistoryDelete"]
    urls = {"id": "INSTANCEID"} | {f"{name}Uri": f"{base}instances/INSTANCEID" for name in names}
    creation = {"createNewInstancePostUri": f"{base}orchestrators/{{functionName}}"}
    given = {"taskHubName": "Hub", "rpcBaseUrl": base, "creationUrls": creation, "managementUrls": urls}
    return Message(string=json.dumps(given))


async def episode(run_input: Any, *events: dict[str, Any]) -> Any:
    """One episode of the orchestrator, with what has happened since its start."""
    common = {"EventId": -1, "IsPlayed": False, "Timestamp": NOW}
    history = [{**common, "EventType": 12}, {**common, "EventType": 0, "Version": None, "Input": run_input}]
    history += [{**common, "EventType": 12}] if events else []
    context = {
        "history": [*history, *({**common, **event} for event in events)],
        "input": run_input,
        "instanceId": "run",
        "isReplaying": False,
        "parentInstanceId": None,
        "upperSchemaVersion": 1,
        "upperSchemaVersionNew": 2,
    }
    return json.loads((await call("durable_graph_run", context=Message(string=json.dumps(context)))).json)


async def ask(project: Path) -> dict[str, Any]:
    """Health, a start, an episode, an activity, and the episode that ends the run."""
    os.chdir(project)
    sys.path.insert(0, str(project))
    indexed = handle_event.index_functions(str(project / "function_app.py"), str(project))
    server = HTTPServer(("127.0.0.1", 0), Extension)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    client = client_binding(server.server_port)
    root = "http://localhost/api"
    health = (await call("durable_graph_get_health", req=http("GET", f"{root}/health"), client=client)).http
    body = json.dumps({"input": {"text": "hi"}}).encode()
    request = http("POST", f"{root}/graphs/probe/runs", body, graph="probe")
    start = (await call("durable_graph_start_run", req=request, client=client)).http
    run_input = json.loads(Extension.started[0][1])
    asked = await episode(run_input)
    (action,) = asked["actions"][0]
    names = [metadata.name for metadata in indexed]
    given = {"client": client} if "durable_graph_progress" in names else {}
    result = (await call("durable_graph_node", call=Message(string=action["input"]), **given)).json
    scheduled = {"EventType": 4, "EventId": 0, "Name": action["functionName"]}
    ended = await episode(run_input, scheduled, {"EventType": 5, "TaskScheduledId": 0, "Result": result})
    return {
        "functions": names,
        "signalled": Extension.signalled,
        "health": [health.status_code, json.loads(health.body.bytes)],
        "start": [start.status_code, len(Extension.started)],
        "asked": [action["functionName"], asked["isDone"]],
        "patch": json.loads(result)["patch"],
        "ended": [ended["isDone"], ended["output"]],
    }


def odd() -> dict[str, bool]:
    """Each row of the table, and whether the library loads it."""
    import azure.durable_functions as df
    from odd_functions import ROWS

    found = {}
    for name, add, _ in ROWS:
        app = df.DFApp()
        add(app)
        try:
            loader.process_indexed_function(Protos(), functions.Registry(), app.get_functions(), ".")
            found[name] = True
        except Exception:
            found[name] = False
    return found


if __name__ == "__main__":
    handle_event.protos = Protos()
    load_binding_registry()
    start_threadpool_executor()
    answer = odd() if sys.argv[1] == "--odd" else asyncio.run(ask(Path(sys.argv[1])))
    sys.stdout.write(json.dumps(answer))
