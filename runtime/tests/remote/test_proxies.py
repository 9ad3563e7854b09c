"""The environment may name a proxy: it is used for apps elsewhere, and not for the app on this machine."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from contract import approvals
from processes import free_port
from served import served

from azure_functions_durable_graph import DurableGraphApp
from azure_functions_durable_graph.client import ApiUnreachable, AsyncGraphClient, GraphClient
from azure_functions_durable_graph.commands.asking import ask
from azure_functions_durable_graph.errors import HostError
from azure_functions_durable_graph.remote.address import is_here


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    runtime = DurableGraphApp()
    runtime.register_registration(approvals())
    with served(runtime.function_app) as (found, _):
        yield found


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> str:
    """A proxy that cannot be reached."""
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    address = f"http://127.0.0.1:{free_port()}"
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, address)
        monkeypatch.setenv(name.upper(), address)
    return address


@pytest.mark.usefixtures("proxy")
def test_the_app_on_this_machine_is_asked_without_a_proxy(url: str) -> None:
    async def health() -> str:
        async with AsyncGraphClient(url) as client:
            return (await client.health()).status

    with GraphClient(url) as client:
        assert client.health().status == "ok"
    assert asyncio.run(health()) == "ok"
    assert ask(f"{url}/api/health")[0] == 200


@pytest.mark.usefixtures("proxy")
def test_an_app_elsewhere_is_asked_by_way_of_the_proxy() -> None:
    with GraphClient("http://app.example") as client, pytest.raises(ApiUnreachable, match="refused"):
        client.health()
    with pytest.raises(HostError, match="refused"):
        ask("http://app.example/api/health")


@pytest.mark.parametrize("name", ["ALL_PROXY", "SSL_CERT_FILE"])
def test_a_proxy_or_certificates_that_cannot_be_used_are_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    monkeypatch.setenv(name, f"gopher://{tmp_path.name}" if name == "ALL_PROXY" else str(tmp_path / "missing"))

    for client in (GraphClient, AsyncGraphClient):
        with pytest.raises(ApiUnreachable, match="the environment's proxy or certificates cannot be used"):
            client("https://app.example")


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("http://127.0.0.1:7071/api", True),
        ("http://127.8.8.8", True),
        ("http://LOCALHOST:7071", True),
        ("http://[::1]:7071", True),
        ("http://0.0.0.0:7071", False),
        ("http://10.0.0.1", False),
        ("http://localhost.example", False),
        ("https://app.azurewebsites.net", False),
    ],
)
def test_this_machine_is_known_by_its_loopback_names(url: str, here: bool) -> None:
    assert is_here(url) is here
