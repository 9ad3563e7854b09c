"""A lock that was damaged is one sentence for the command, and a line in the log for the app: the app always loads."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from mutations import mutations
from reviews import parent, review
from shapes import line

from azure_functions_durable_graph import DurableGraphApp
from azure_functions_durable_graph.change.code_digests import code_digests
from azure_functions_durable_graph.change.lock import Lock, LockedVersion, compare, next_lock
from azure_functions_durable_graph.change.report import as_json, as_markdown, as_text
from azure_functions_durable_graph.errors import LockError

REGISTERED = [
    LockedVersion(graph.manifest, code_digests(graph), ("0" * 64,))
    for graph in (parent(), review(), line("a"), line("a", "b", version="2"))
]
GOOD = next_lock(Lock(), REGISTERED)


@pytest.mark.parametrize("seed", range(4))
def test_a_damaged_lock_is_one_sentence_or_the_same_lock(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "graphs.lock.json"
    for data in mutations(GOOD.to_text(), 132, seed):
        path.write_bytes(data)
        try:
            lock = Lock.read(path)
        except LockError as error:
            text = str(error)
            assert text.startswith("graphs.lock.json"), text
            assert "\n" not in text, text
            text.encode("utf-8")
        else:
            assert lock is not None
            found = compare(lock, next_lock(lock, REGISTERED))
            as_text(found), as_markdown(found), as_json(found)


@pytest.mark.parametrize("seed", range(4))
def test_a_damaged_lock_never_keeps_an_app_from_loading(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "graphs.lock.json"
    for data in mutations(GOOD.to_text(), 132, seed):
        path.write_bytes(data)
        runtime = DurableGraphApp()
        runtime.register_registration(line("a"))

        runtime.register_lock(path)


def test_neither_does_a_folder_in_its_place(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        DurableGraphApp().register_lock(tmp_path)

    assert "are not taken over" in caplog.text
    with pytest.raises(LockError, match=r"^graphs\.lock\.json: it cannot be read"):
        Lock.read(tmp_path)


def test_a_byte_order_mark_is_no_damage(tmp_path: Path) -> None:
    path = tmp_path / "graphs.lock.json"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.to_text().encode())

    assert Lock.read(path) == GOOD


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"format": 1,', '"format": 1', "line 3, column 3: not JSON"),
        ('"format": 1,', '"format": 1, "format": 1,', "an object has the key 'format' twice"),
        ('"format": 1,', '"format": NaN,', "NaN is not a JSON value"),
        ('"format": 1,', '"format": 1e999,', "it contains a number that JSON cannot represent"),
        ('"format": 1,', '"format": 1, "\\ud800": 1,', "it contains a lone surrogate"),
        ("{", "<<<<<<< HEAD\n{", "it contains a merge conflict"),
        ('"line": {', '"lines": {', "graph 'lines', version '1' was edited by hand"),
    ],
)
def test_the_sentence_says_what_and_where(old: str, new: str, message: str) -> None:
    text = GOOD.to_text()
    assert old in text

    with pytest.raises(LockError, match=message):
        Lock.from_text(text.replace(old, new, 1))
