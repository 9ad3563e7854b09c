"""A path that a user names and that cannot be used is one sentence, and exit code 1."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from apps import command_line, write_app
from mutations import mutations
from shapes import conversation

from azure_functions_durable_graph.commands.record import record
from azure_functions_durable_graph.errors import HistoryError, HostError
from azure_functions_durable_graph.testing import GraphHost


class Answers(BaseHTTPRequestHandler):
    """Answers every request with one body."""

    body = b""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: Any) -> None:
        return None


@pytest.fixture
def url() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Answers)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def answer() -> str:
    """What the management API says of a run."""
    run = GraphHost(conversation()).start("conversation", {}).send("answer", {"text": "stop"})
    query = {"showHistory": "true", "showHistoryOutput": "true"}
    return json.dumps(run.host._management.handle("GET", f"instances/{run.id}", query, b"").body, indent=1)


def refused(folder: Path, *words: str | Path) -> str:
    told = command_line(*words, cwd=folder)
    assert told.returncode == 1, told.stdout
    assert "Traceback" not in told.stderr, told.stderr
    (line,) = [line for line in told.stderr.splitlines() if line.startswith("error: ")]
    return line


@pytest.mark.parametrize("name", ["file/runs.db", "folder"])
def test_a_store_that_cannot_be_made(tmp_path: Path, name: str) -> None:
    write_app(tmp_path)
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()

    assert "the store" in refused(tmp_path, "serve", "--port", "0", "--store", name)


def test_a_new_graph_where_there_is_a_folder_of_its_name(tmp_path: Path) -> None:
    for folder in ("graphs/other.py", "tests"):
        (tmp_path / folder).mkdir(parents=True)

    assert refused(tmp_path, "new-graph", "other") == "error: graphs/other.py already exists"


def test_a_recording_into_a_file_instead_of_a_folder(tmp_path: Path, url: str, answer: str) -> None:
    Answers.body = answer.encode()
    output = tmp_path / "file"
    output.write_text("")

    with pytest.raises(HostError, match="cannot be written: "):
        record("r", url, None, output)


@pytest.mark.parametrize("seed", range(2))
def test_a_damaged_answer_is_one_sentence_or_a_recording(tmp_path: Path, url: str, answer: str, seed: int) -> None:
    for data in mutations(answer, 66, seed):
        Answers.body = data
        try:
            record("r", url, None, tmp_path)
        except (HostError, HistoryError) as error:
            text = str(error)
        else:
            text = ""
        assert "\n" not in text
        text.encode("utf-8")


def test_the_key_is_not_shown_where_the_app_cannot_be_asked() -> None:
    with pytest.raises(HostError) as caught:
        record("r", "http://127.0.0.1:9", "s3cret", Path("nowhere"))

    assert "s3cret" not in str(caught.value)
