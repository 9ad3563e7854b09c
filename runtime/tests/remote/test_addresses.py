"""An app's URL has one spelling, with or without the route prefix."""

from __future__ import annotations

import pytest

from azure_functions_durable_graph.errors import ApiUnreachable
from azure_functions_durable_graph.remote.address import app_address, host_address


@pytest.mark.parametrize(
    ("given", "routes", "host"),
    [
        ("http://127.0.0.1:7071", "http://127.0.0.1:7071/api", "http://127.0.0.1:7071"),
        ("http://127.0.0.1:7071/", "http://127.0.0.1:7071/api", "http://127.0.0.1:7071"),
        ("http://127.0.0.1:7071/api/", "http://127.0.0.1:7071/api", "http://127.0.0.1:7071"),
        (
            "https://app.azurewebsites.net/api?code=x#y",
            "https://app.azurewebsites.net/api",
            "https://app.azurewebsites.net",
        ),
        ("https://gateway.example/orders/api", "https://gateway.example/orders/api", "https://gateway.example/orders"),
        (" http://[::1]:7071 ", "http://[::1]:7071/api", "http://[::1]:7071"),
    ],
)
def test_both_spellings_are_one_address(given: str, routes: str, host: str) -> None:
    assert (app_address(given), host_address(given)) == (routes, host)


def test_the_route_prefix_is_that_of_the_app() -> None:
    assert app_address("http://localhost:7071", "v2/flows") == "http://localhost:7071/v2/flows"
    assert app_address("http://localhost:7071", "") == "http://localhost:7071"
    assert host_address("http://localhost:7071/v2/flows", "v2/flows") == "http://localhost:7071"
    assert host_address("http://localhost:7071", "") == "http://localhost:7071"


@pytest.mark.parametrize("text", ["", "localhost:7071", "ftp://x", "http://", "http://[", "http://x:port", "/api"])
def test_what_is_not_a_url_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(ApiUnreachable, match="is not a URL: it must begin with http:// or https://"):
        app_address(text)
