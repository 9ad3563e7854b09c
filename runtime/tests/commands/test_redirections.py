"""A redirection is told and not followed: another host would get the key."""

from __future__ import annotations

import contextlib
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from apps import lock, write_app

from azure_functions_durable_graph.commands.cli import main


class Elsewhere(http.server.BaseHTTPRequestHandler):
    """Redirects from 127.0.0.1 to localhost, and notes what arrives there."""

    arrived: list[str]

    def do_GET(self) -> None:
        name, _, port = self.headers["Host"].partition(":")
        self.send_response(302 if name == "127.0.0.1" else 200)
        if name == "127.0.0.1":
            self.send_header("Location", f"http://localhost:{port}{self.path}")
        else:
            self.arrived.append(f"{self.path} {self.headers}")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def address() -> Iterator[str]:
    """An address that redirects to another one, which nothing must reach."""
    arrived: list[str] = []
    handler = type("Handler", (Elsewhere,), {"arrived": arrived})
    with http.server.HTTPServer(("127.0.0.1", 0), handler) as server, _serving(server):
        yield f"http://127.0.0.1:{server.server_port}"
    assert arrived == []


@contextlib.contextmanager
def _serving(server: http.server.HTTPServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("words", [["graphs"], ["show", "r1"], ["record", "r1"]])
def test_a_command_says_where_it_is_redirected_to(address: str, capsys: Any, words: list[str]) -> None:
    assert main([*words, "--url", address, "--key", "secret"]) == 1

    said = capsys.readouterr().err
    assert f"redirects to {address.replace('127.0.0.1', 'localhost')}/" in said
    assert "secret" not in said


def test_so_does_the_check_against_live_runs(address: str, tmp_path: Path) -> None:
    lock(write_app(tmp_path))

    code, text = lock(tmp_path, "--check", "--against-runs", address, "--key", "secret")

    assert code == 1
    assert f"redirects to {address.replace('127.0.0.1', 'localhost')}/" in text
    assert "secret" not in text
