"""`serve` as people use it: a process that says what it serves, and stops when told to."""

import os
import signal
import socket
import subprocess
import sys
import time
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from processes import WAITING, running, serving
from systems import needs_sigterm

from azure_functions_durable_graph.commands.cli import main

PACKAGE = "azure_functions_durable_graph"

APP = """
import azure.functions as func
from pydantic import BaseModel
from azure_functions_durable_graph import DurableGraphApp, ManifestBuilder

class State(BaseModel):
    name: str
    text: str = ""

def greet(state):
    return {"text": f"Hello, {state.name}"}

builder = ManifestBuilder("greeting", State).set_entrypoint("greet")
runtime = DurableGraphApp()
runtime.register_registration(builder.add_node("greet", greet, terminal=True).build())
app = runtime.function_app

@app.timer_trigger(schedule="0 0 * * * *", arg_name="timer")
def hourly(timer: func.TimerRequest) -> None:
    pass

@app.queue_trigger(arg_name="message", queue_name="q", connection="C")
def on_message(message: func.QueueMessage) -> None:
    pass

@app.route(route="echo/{word}", methods=["POST"])
def echo(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    answer = f"{req.route_params['word']} {req.params.get('q')} {req.get_body().decode()} {context.function_name}"
    return func.HttpResponse(answer, status_code=201, headers={"x-a": "b", "Set-Cookie": "c=d; Path=/"})

@app.route(route="crash")
def crash(req: func.HttpRequest) -> str:
    raise ValueError("secret")

@app.route(route="slow")
def slow(req: func.HttpRequest) -> str:
    import threading
    threading.Event().wait(3600)
    return "never"

@app.route(route="text")
def text(req: func.HttpRequest) -> str:
    return "plain"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: Any) -> Any:
    path = tmp_path_factory.mktemp("app")
    (path / "function_app.py").write_text(APP)
    (path / "host.json").write_text('{"extensions": {"http": {"routePrefix": "v1"}}}')
    return path


@needs_sigterm
def test_an_unchanged_function_app_is_served_and_stops_on_sigterm(folder: Any) -> None:
    with serving(folder) as (process, url):
        assert url.endswith("/v1")
        started = httpx.post(f"{url}/graphs/greeting/runs", json={"input": {"name": "Ono"}})
        run = httpx.get(started.headers["location"], params={"wait": 10}).json()
        assert run["output"] == {"name": "Ono", "text": "Hello, Ono"}

        process.send_signal(signal.SIGTERM)
        rest = process.stdout.read()
        assert process.wait(10) == 0
        assert "POST   /v1/graphs/{graph}/runs" in rest
        assert "graph  greeting 1" in rest
        assert "timer  hourly (0 0 * * * *)" in rest
        assert "by hand: POST /admin/functions/on_message (queueTrigger)" in rest
        assert rest.rstrip().endswith("stopped")


def test_the_first_line_is_the_studios_address_or_without_it_the_apps(folder: Any, tmp_path: Any) -> None:
    with running("-m", PACKAGE, "serve", "--port", "0", "--memory", folder) as (process, line):
        assert line.split()[0] == "Studio"
        assert httpx.get(line.split()[1]).headers["content-type"] == "text/html; charset=utf-8"
        assert process.stdout is not None
        assert process.stdout.readline().startswith(f"Serving {line.split()[1].removesuffix('/studio')} (")
    (tmp_path / "function_app.py").write_text(APP.replace("DurableGraphApp()", "DurableGraphApp(studio=False)"))
    with running("-m", PACKAGE, "serve", "--port", "0", "--memory", tmp_path) as (_, line):
        assert line.startswith("Serving http://127.0.0.1:")


def test_functions_of_the_users_own_are_served_as_the_worker_would(folder: Any) -> None:
    with serving(folder) as (_, url):
        answer = httpx.post(f"{url}/echo/hi%20there?q=1&empty=", content=b"body")
        assert (answer.status_code, answer.text) == (201, "hi there 1 body echo")
        assert answer.headers["x-a"] == "b"
        assert answer.headers["set-cookie"] == "c=d; Path=/"
        crashed = httpx.get(f"{url}/crash")
        assert (crashed.status_code, crashed.content) == (500, b"")
        assert httpx.get(f"{url}/text").text == "plain"
        assert httpx.get(url.replace("/v1", "/api") + "/text").status_code == 404


def test_a_port_in_use_gets_one_sentence(folder: Any, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-m", "azure_functions_durable_graph", "serve", "--port", port, str(folder)]
        answer = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=60,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            check=False,
        )

    assert answer.returncode == 1
    assert f"error: port {port} cannot be used" in answer.stderr
    assert "choose another with --port" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_port_that_is_none_gets_one_sentence(folder: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--port", "70000", str(folder)]) == 1
    assert "--port must be between 0 and 65535" in capsys.readouterr().err


def test_help_tells_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["--help"], ["serve", "--help"]):
        with pytest.raises(SystemExit) as stop:
            main(arguments)
        assert stop.value.code == 0
    assert "--port" in capsys.readouterr().out


def test_a_wrong_command_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["fly"])
    assert stop.value.code == 2


def test_a_host_that_skips_time_waits_for_no_timer(tmp_path: Any) -> None:
    (tmp_path / "function_app.py").write_text(WAITING)
    with serving(tmp_path, "--skip-time") as (_, url):
        started = httpx.post(f"{url}/graphs/patient/runs", json={"input": {}})
        place = started.headers["location"]
        deadline = time.monotonic() + 60
        while (run := httpx.get(place).json())["status"] != "completed":
            assert time.monotonic() < deadline, run

    assert run["output"] == {"said": "WORD"}
    created, ended = (datetime.fromisoformat(run[key]) for key in ("started_at", "updated_at"))
    assert ended - created > timedelta(days=29)


@needs_sigterm
def test_a_function_that_does_not_end_does_not_keep_the_process(folder: Any) -> None:
    with serving(folder) as (process, url):
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(f"{url}/slow", timeout=0.2)

        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


@needs_sigterm
def test_a_host_stops_also_when_nobody_reads_what_it_says_any_more(folder: Any) -> None:
    with serving(folder) as (process, url):
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(f"{url}/slow", timeout=0.2)
        process.stdout.close()

        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
