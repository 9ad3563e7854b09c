"""Any web page can make a browser send requests to 127.0.0.1: those that come from one are refused."""

from typing import Any

import azure.durable_functions as df
import azure.functions as func
import httpx
import pytest
from served import served

from azure_functions_durable_graph.host.web.callers import refusal
from azure_functions_durable_graph.host.web.management import PATH

OURS = ["127.0.0.1", "127.0.0.1:7071", "127.9.9.9", "localhost:7071", "LOCALHOST", "localhost.", "app.localhost:1"]
OURS.append("[::1]:7071")
OTHERS = ["evil.example", "evil.example:7071", "127.0.0.1.evil.example", "localhost.evil.example", "192.168.0.7:7071"]
OTHERS += ["0.0.0.0", "", "[::2]", "[", "@", "user@evil.example", "2130706433", "notlocalhost"]


@pytest.mark.parametrize("host", OURS)
def test_loopback_names_are_answered(host: str) -> None:
    assert refusal([host], []) is None
    assert refusal([host], [f"http://{host}"]) is None


@pytest.mark.parametrize("host", OTHERS)
def test_any_other_host_is_refused(host: str) -> None:
    assert refusal([host], []) is not None


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "file://", "http://localhost.evil.example", ""])
def test_any_other_origin_is_refused(origin: str) -> None:
    assert refusal(["127.0.0.1"], [origin]) is not None


def test_a_program_that_sends_neither_is_answered() -> None:
    assert refusal([], []) is None


def test_a_name_that_is_allowed_is_answered_with_any_port_and_as_an_origin() -> None:
    allowed = {"forwarded.example"}

    assert refusal(["Forwarded.Example:443"], ["https://forwarded.example"], allowed) is None
    assert refusal(["sub.forwarded.example"], [], allowed) is not None


def test_every_header_counts_not_the_first() -> None:
    assert refusal(["127.0.0.1", "evil.example"], []) is not None


def test_the_sentence_says_what_to_do() -> None:
    assert refusal(["evil.example:80"], []) == (
        "this host only answers requests whose Host is localhost or a loopback address, not 'evil.example'; "
        "to allow it, start `serve` with --allow-host NAME"
    )


@pytest.fixture(scope="module")
def url() -> Any:
    app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)

    @app.orchestration_trigger(context_name="context")
    def main(context: Any) -> Any:
        yield

    @app.route(route="mine")
    def mine(req: func.HttpRequest) -> str:
        return "private"

    with served(app) as (url, _):
        yield url


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "api/mine"),
        ("POST", f"{PATH}/orchestrators/main"),
        ("GET", f"{PATH}/instances"),
        ("OPTIONS", "api/mine"),
        ("GET", "api/mine%0aand%0d%00more"),
    ],
)
@pytest.mark.parametrize("header", ["Host", "Origin"])
def test_a_page_can_neither_start_nor_read_anything(url: str, method: str, path: str, header: str) -> None:
    answer = httpx.request(method, f"{url}/{path}", headers={header: "http://evil.example"[7 * (header == "Host") :]})

    assert answer.status_code == 403
    assert "--allow-host" in answer.json()["Message"]


def test_nothing_was_started_by_those(url: str) -> None:
    assert httpx.get(f"{url}/{PATH}/instances").json() == []
    assert httpx.get(f"{url}/api/mine", headers={"Origin": url}).text == "private"
