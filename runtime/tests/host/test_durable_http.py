"""Durable HTTP: the host makes the request for the orchestrator, and any response is a result."""

import http.server
import threading
from collections.abc import Iterator
from typing import Any

import azure.durable_functions as df
import pytest
from hub import Hub


class Echo(http.server.BaseHTTPRequestHandler):
    """A server that returns the request."""

    def do_POST(self) -> None:
        """Echo method, content type, a header and the body."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        text = f"{self.command} {self.headers['Content-Type']} {self.headers['x-a']} {body}".encode()
        self.send_response(404 if self.path == "/missing" else 202 if self.path == "/later" else 200)
        self.send_header("x-b", "c")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST  # noqa: N815

    def log_message(self, *arguments: Any) -> None:
        """Do not log."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_an_answer_is_a_result_whatever_its_status(url: Any) -> None:
    def main(context: Any) -> Any:
        found = []
        for path in ("/", "/missing", "/later"):
            answer = yield context.call_http("GET", url + path, headers={"x-a": "1"})
            found.append([answer["statusCode"], answer["content"], answer["headers"]["x-b"]])
        return found

    hub = Hub(main)
    hub.run("main")

    assert hub.output() == [[status, "GET None 1 ", "c"] for status in (200, 404, 202)]


def test_content_is_sent_as_the_sdk_has_written_it(url: Any) -> None:
    def main(context: Any) -> Any:
        json_text = yield context.call_http("POST", url, {"a": 1}, {"content-type": "application/json"})
        raw = yield context.call_http("POST", url, "plain", is_raw_str=True)
        return [json_text["content"], raw["content"]]

    hub = Hub(main)
    hub.run("main")

    assert hub.output() == ['POST application/json None {"a": 1}', "POST text/plain; charset=utf-8 None plain"]


def test_a_request_without_an_answer_fails_in_the_orchestrator() -> None:
    def main(context: Any) -> Any:
        try:
            yield context.call_http("GET", "http://127.0.0.1:1/")
        except Exception as error:
            return str(error)

    hub = Hub(main)
    hub.run("main")

    assert "GET http://127.0.0.1:1/: ClientConnectorError" in hub.output()


def test_a_managed_identity_is_refused_with_a_sentence(url: Any) -> None:
    def main(context: Any) -> Any:
        token = df.ManagedIdentityTokenSource("https://management.core.windows.net/")
        yield context.call_http("GET", url, token_source=token)

    hub = Hub(main)
    hub.run("main")

    assert "needs a managed identity, which the local host does not have" in hub.output()


def test_the_call_stands_in_the_history_under_the_extensions_name(url: Any) -> None:
    def main(context: Any) -> Any:
        yield context.call_http("GET", url)

    hub = Hub(main)
    hub.run("main")

    assert [event["Name"] for event in hub.events() if event["EventType"] == 4] == ["BuiltIn::HttpActivity"]
    assert hub.host.activities_run == 0
