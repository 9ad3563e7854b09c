"""What a caller gets wrong is his: malformed requests to the management API are 4xx, never 500."""

import gzip
import itertools
import json
from typing import Any
from urllib.parse import quote

import azure.durable_functions as df
import azure.functions as func
import httpx
import pytest
from served import served

from azure_functions_durable_graph.host.web.management import PATH
from azure_functions_durable_graph.host.web.management_values import CONTINUATION

DIGITS = "9" * 5000
ODD = [DIGITS, "-1", "1e3", "", "\x00", "\x1f\x7f", "é", "💥", "%ED%A0%80", "%FF", "a b", "'; --", "٣", "9" * 20]
NESTED = b"[" * 100_000


@pytest.fixture(scope="module")
def url() -> Any:
    app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)

    @app.orchestration_trigger(context_name="context")
    def main(context: Any) -> Any:
        return (yield context.wait_for_external_event("word"))

    @app.entity_trigger(context_name="context")
    def counter(context: Any) -> None:
        context.set_result(1)

    @app.route(route="echo/{n:int?}")
    def echo(req: func.HttpRequest) -> func.HttpResponse:
        return func.HttpResponse(req.get_body())

    with served(app) as (address, _), httpx.Client(base_url=address) as client:
        yield client


@pytest.fixture
def base(url: httpx.Client) -> Any:
    """A client of the management API, in which the instance `i` waits."""
    with httpx.Client(base_url=url.base_url.join(f"/{PATH}/")) as client:
        assert client.post("orchestrators/main/i").status_code in (202, 409)
        yield client


QUERIES = ["top", "createdTimeFrom", "createdTimeTo", "runtimeStatus", "instanceIdPrefix", "showInput", "taskHub"]


@pytest.mark.parametrize(("name", "value"), list(itertools.product(QUERIES, ODD)))
def test_no_query_of_the_list_is_an_error_of_the_host(base: httpx.Client, name: str, value: str) -> None:
    text = value if value.startswith("%") else quote(value)

    assert base.get(f"instances?{name}={text}").status_code < 500
    assert base.delete(f"instances?{name}={text}").status_code < 500
    assert base.get(f"entities/?{name}={text}").status_code < 500


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "orchestrators/{}"),
        ("POST", "orchestrators/main/{}"),
        ("GET", "instances/{}"),
        ("POST", "instances/i/raiseEvent/{}"),
        ("POST", "instances/{}/terminate"),
        ("POST", "instances/i/{}"),
        ("DELETE", "instances/{}"),
        ("GET", "entities/{}/k"),
        ("POST", "entities/counter/{}?op=add"),
        ("GET", "entities/counter/{}"),
    ],
)
def test_no_name_in_a_path_is_an_error_of_the_host(base: httpx.Client, method: str, path: str) -> None:
    for value in ODD:
        text = value if value.startswith("%") else quote(value)
        assert base.request(method, f"/{path.format(text)}").status_code < 500, value


@pytest.mark.parametrize("token", ["x", "-1", DIGITS, "1.5", "9" * 10])
def test_a_continuation_that_no_page_has_given_is_400(base: httpx.Client, token: str) -> None:
    answer = base.get("instances", headers={CONTINUATION: token})

    assert answer.status_code == 400
    assert CONTINUATION in answer.json()["Message"]


def test_a_number_with_too_many_digits_is_400_and_says_which(base: httpx.Client) -> None:
    answer = base.get(f"instances?top={DIGITS}")

    assert (answer.status_code, answer.json()["Message"]) == (
        400,
        "top must be at most 999999999, not a number of 5000 digits",
    )


@pytest.mark.parametrize("name", ["timeout", "pollingInterval"])
def test_a_start_that_would_wait_for_ever_is_400_and_starts_nothing(base: httpx.Client, name: str) -> None:
    before = len(base.get("instances").json())

    assert base.post(f"orchestrators/main?{name}={DIGITS}").status_code == 400
    assert len(base.get("instances").json()) == before


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", NESTED, DIGITS.encode(), b'"\\ud800"', b"NaN", b"\x00"])
@pytest.mark.parametrize("path", ["orchestrators/main", "instances/i/raiseEvent/other", "entities/counter/k?op=add"])
def test_no_body_is_an_error_of_the_host(base: httpx.Client, path: str, body: bytes) -> None:
    assert base.post(f"{path}", content=body).status_code < 500


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "nonsense"])
def test_a_body_whose_encoding_is_broken_is_400(base: httpx.Client, encoding: str) -> None:
    answer = base.post("orchestrators/main", content=b"no zip", headers={"Content-Encoding": encoding})

    assert answer.status_code == 400


def test_a_function_gets_the_body_as_it_was_sent_as_in_azure(url: httpx.Client) -> None:
    packed = gzip.compress(json.dumps({"a": 1}).encode())

    answer = url.post("api/echo", content=packed, headers={"Content-Encoding": "gzip"})

    assert answer.content == packed


def test_a_route_parameter_that_is_no_number_does_not_match(url: httpx.Client) -> None:
    assert url.get(f"api/echo/{DIGITS}").status_code == 404
    assert url.get(f"api/echo/{quote('٣')}").status_code == 404
    assert url.get("api/echo/3").status_code == 200
