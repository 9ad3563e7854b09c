"""An app in a test obeys host.json and the thread count as `serve` does."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import azure.durable_functions as df
import azure.functions as func
import httpx
import pytest

from azure_functions_durable_graph.hosting import AppHost


def app_with(code: Any, route: str = "answer") -> Any:
    app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)

    def answer(req: func.HttpRequest) -> str:
        return str(code())

    app.route(route=route)(answer)
    return app


def settings(folder: Path, **content: Any) -> Path:
    (folder / "host.json").write_text(json.dumps(content))
    return folder


def test_the_route_prefix_is_that_of_host_json(tmp_path: Path) -> None:
    folder = settings(tmp_path, extensions={"http": {"routePrefix": "v2"}})

    with AppHost(app_with(lambda: "here"), folder) as host:
        assert httpx.get(f"{host.url}/v2/answer").text == "here"
        assert httpx.get(f"{host.url}/api/answer").status_code == 404


def test_a_function_that_exceeds_the_function_timeout_fails(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    release = threading.Event()
    folder = settings(tmp_path, functionTimeout="00:00:00.05")

    with AppHost(app_with(release.wait), folder) as host:
        assert httpx.get(f"{host.url}/api/answer").status_code == 500
        release.set()

    assert "FunctionTimeout: Timeout value of 0:00:00.050000 was exceeded by function: Functions.answer" in caplog.text


def test_functions_have_as_many_threads_as_the_thread_count_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHON_THREADPOOL_THREAD_COUNT", "2")
    together = threading.Barrier(3)
    names: set[str] = set()

    def meet() -> None:
        names.add(threading.current_thread().name)
        together.wait(60)  # two functions and the test: with one thread they would never meet

    with AppHost(app_with(meet), tmp_path) as host, ThreadPoolExecutor() as callers:
        asked = [callers.submit(httpx.get, f"{host.url}/api/answer") for _ in range(4)]
        for _ in range(2):
            together.wait(60)
        assert [one.result().status_code for one in asked] == [200] * 4

    assert names == {"function_0", "function_1"}


def test_a_host_json_that_cannot_be_read_is_an_error_at_once(tmp_path: Path) -> None:
    (tmp_path / "host.json").write_text("{")

    with pytest.raises(Exception, match=r"host\.json cannot be read"):
        AppHost(app_with(str), tmp_path)
