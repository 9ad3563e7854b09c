"""Long work says on a terminal how far it is, and leaves nothing behind; where nobody watches it says nothing."""

from __future__ import annotations

import contextlib
import io
from types import SimpleNamespace
from typing import Any

import pytest

from azure_functions_durable_graph.commands.long_work import WIDTH, shown
from azure_functions_durable_graph.commands.runs import Wanted, collect


class Stream(io.StringIO):
    """A stream that is a terminal, or not."""

    def __init__(self, terminal: bool) -> None:
        super().__init__()
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal

    @property
    def lines(self) -> list[str]:
        """What stood on the line, one after the other."""
        return [text.rstrip() for text in self.getvalue().split("\r")[1:]]


@pytest.fixture(params=[True, False], ids=["terminal", "pipe"])
def stream(request: pytest.FixtureRequest) -> Stream:
    return Stream(request.param)


def test_a_line_is_replaced_and_then_removed(stream: Stream) -> None:
    with contextlib.redirect_stderr(stream), shown("reading") as tell:
        tell("x" * 200)

    assert stream.lines == (["reading", "x" * WIDTH, "", ""] if stream.terminal else [])


def test_the_line_is_removed_when_the_work_fails(stream: Stream) -> None:
    with contextlib.redirect_stderr(stream), pytest.raises(ValueError, match="no"), shown("reading"):
        raise ValueError("no")

    assert stream.lines == (["reading", "", ""] if stream.terminal else [])


class Pages:
    """A client whose list has three pages of two runs."""

    def list(self, *, cursor: str | None, **wanted: Any) -> Any:
        number = int(cursor or 0)
        runs = [SimpleNamespace(id=f"{number}.{place}") for place in range(2)]
        return SimpleNamespace(runs=runs, cursor=str(number + 1) if number < 2 else None)


def test_a_long_list_says_how_many_runs_it_has_read(stream: Stream) -> None:
    client: Any = Pages()

    with contextlib.redirect_stderr(stream):
        found, more = collect(client, Wanted(limit=100))

    assert (len(found), more) == (6, False)
    counts = [f"reading runs … {count}" for count in (2, 4, 6)]
    assert stream.lines == (["reading runs …", *counts, "", ""] if stream.terminal else [])
