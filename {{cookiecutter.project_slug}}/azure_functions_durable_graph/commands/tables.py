"""Tables for people and for pipes: with colour and folded to the width of a terminal, or plain and one line a row."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from .served_app import printable

COLOURS = {
    "completed": "green",
    "failed": "red",
    "cancelled": "dim",
    "waiting": "yellow",
    "suspended": "yellow",
    "sleeping": "blue",
    "parked": "magenta",
    "running": "cyan",
    "pending": "cyan",
}
"""Colours of a run's status."""

PIPED = 10_000
"""Characters of a line in a pipe: no row is cut or folded there."""


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows under their headings; a word that is a run's status has its colour."""
    console = Console(file=sys.stdout, width=None if sys.stdout.isatty() else PIPED)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in columns:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(_cell(value) for value in row))
    if sys.stdout.isatty():
        console.print(table)
        return
    with console.capture() as captured:  # a pipe gets no blanks at the ends of lines
        console.print(table)
    print("\n".join(line.rstrip() for line in captured.get().splitlines()), flush=True)


def _cell(value: object) -> Text:
    text = printable("" if value is None else str(value))
    return Text(text, style=COLOURS.get(text, ""))
