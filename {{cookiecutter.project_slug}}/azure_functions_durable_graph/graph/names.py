"""Every durable name and every rule for names and ids, with its reason. Invalid names are rejected, not sanitized.

A durable name is a contract with runs in flight: renaming one strands them.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal

Status = Literal["pending", "running", "waiting", "sleeping", "parked", "suspended", "completed", "failed", "cancelled"]
"""How a run stands, as its users see it."""

ORCHESTRATOR = "durable_graph_run"
"""The only orchestration. An instance of any other name in the same hub is not a run of ours."""

ACTIVITY = "durable_graph_node"
"""The only activity: runs one node of one graph."""

PROGRESS = "durable_graph_progress"
"""The only kind of entity, of apps with `progress=True`: what running nodes have reported."""

STOP = "durable_graph_stop"
"""The activity that ends runs which another run has started and needs no more."""

COMPLETE = "__complete__"
"""What a route handler returns to end the run."""

ITEM = "__item__"
"""Where a map that runs a graph names its input: the item. `__item__.text` is a field of it."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,59}")
NAME_RULE = "a letter, then letters, digits, '_' or '-', at most 60 characters"

_RUN_ID = re.compile(r"(?!\.{1,2}\Z)[A-Za-z0-9._:-]{1,100}")
RUN_ID_PATTERN = "^[A-Za-z0-9._:-]{1,100}$"
"""The same for JSON Schema, but for '.' and '..'."""

RUN_ID_RULE = "1 to 100 characters from A-Z a-z 0-9 . _ : - (but not '.' or '..')"


def is_name(text: str) -> bool:
    """Whether `text` may name a graph, a node or an event: it appears in URLs, ids and event addresses."""
    return _NAME.fullmatch(text) is not None


def item_path(source: str) -> list[str] | None:
    """The path into the item that `__item__.address.city` means: empty for the item itself, None for another name."""
    first, *path = source.split(".")
    return path if first == ITEM else None


def plain_name(name: Any) -> Any:
    """A name as a plain string: a member of a `str` enum becomes its value, as in JSON. Other types are unchanged."""
    return str.__str__(name) if isinstance(name, str) else name


def is_run_id(text: str) -> bool:
    """Whether `text` may be a run's id.

    Azure Storage rejects slashes, '#', '?' and control characters; the Durable Task Scheduler rejects ids above 100
    characters; URL clients remove '.' and '..'. All of these are rejected here, before anything starts.
    """
    return _RUN_ID.fullmatch(text) is not None


def new_run_id(graph_name: str, unique: str) -> str:
    """An id that begins with the graph's name, so that the runs of a graph can be listed by prefix."""
    return f"{graph_name}.{unique}"


def child_prefix(graph_name: str, owner: str) -> str:
    """How the ids of all runs of a graph begin which the run `owner`, its branches or its parts have started.

    So they can be found when the history that names them is gone.
    """
    return f"{graph_name}.{uuid.uuid5(uuid.NAMESPACE_URL, owner).hex[:16]}"


def wait_address(event_name: str, step: int) -> str:
    """The durable event name of one wait.

    The step makes it unique within the run. SDK 1.7 keeps only the last of several early events and lets it
    answer every later wait of that name; a name that is never awaited twice is not affected by that defect.
    """
    return f"{event_name}.{step}"


def is_internal(address: str) -> bool:
    """Whether an event is one between runs, of which users know nothing."""
    return address.startswith(f"{STOP}.")


def split_address(address: str) -> tuple[str, int | None]:
    """The event's name and the step of a wait's address; the step is None if it is not one."""
    name, dot, step = address.rpartition(".")
    return (name, int(step)) if dot and step.isascii() and step.isdigit() and len(step) < 10 else (address, None)


def tick_id(schedule: str, tick: datetime) -> str:
    """The id of the run that a schedule starts for a tick: the same for a tick that fires twice."""
    return f"{schedule}.{tick:%Y%m%dT%H%M%S}Z"


def did_you_mean(wrong: str, known: Iterable[str]) -> str:
    """The end of a sentence, with the closest match or all known names: `did you mean 'ship'?`."""
    from difflib import get_close_matches  # needed only when something is wrong

    names = sorted(known)
    near = get_close_matches(str(wrong), names, n=1)
    if near:
        return f"did you mean {near[0]!r}?"
    return "known: " + (", ".join(repr(name) for name in names) or "none")
