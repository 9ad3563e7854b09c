"""The commands that ask a served app, run in this process against an app with a few graphs."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from typing import Any

from contract import Ticket, approvals, broken
from served import served
from shapes import line

from azure_functions_durable_graph import DurableGraphApp
from azure_functions_durable_graph.client import GraphClient
from azure_functions_durable_graph.commands.cli import main

Told = tuple[int, str, str]
"""An exit code, what was printed, and the error."""


class Screen(io.StringIO):
    """Takes what is printed; a terminal or a pipe."""

    def __init__(self, terminal: bool) -> None:
        super().__init__()
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


class Commands:
    """Runs commands against one app, and has a client of it."""

    def __init__(self, url: str, client: GraphClient) -> None:
        self.url = url
        self.client = client

    def __call__(self, *words: str, terminal: bool = False) -> Told:
        out, err = Screen(terminal), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main([*words, "--url", self.url])
        return code, out.getvalue(), err.getvalue()

    def waiting(self, **options: Any) -> str:
        """The id of a run that asks for an approval."""
        return self.client.wait(self.client.start("approvals", Ticket(ticket_id="T"), **options), until="idle").id


@contextlib.contextmanager
def commands_of_an_app() -> Iterator[Commands]:
    """An app that asks, one that fails, and one of three nodes."""
    runtime = DurableGraphApp()
    for graph in (approvals(), broken(), line("a", "b", "c")):
        runtime.register_registration(graph)
    with served(runtime.function_app) as (url, _), GraphClient(url) as client:
        yield Commands(url, client)


def done(answer: Told) -> str:
    """What a command printed that succeeded."""
    code, out, err = answer
    assert (code, err) == (0, ""), err
    return out.rstrip("\n")


def refused(answer: Told) -> str:
    """The sentence with which a command failed."""
    code, _, err = answer
    assert (code, err[:7]) == (1, "error: ")
    return err
