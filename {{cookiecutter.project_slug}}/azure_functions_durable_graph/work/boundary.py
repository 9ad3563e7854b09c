"""The boundary around user code: whatever it returns or raises becomes a plain value before it leaves its thread.

A StopIteration cannot cross a future, a SystemExit ends an event loop, a CancelledError looks like the host's own. So
the outcome is created inside the user's thread or task: the returned value, or a Failure, which contains only text.
"""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Union

from pydantic import ValidationError

from ..graph.reducers import ReducerFailed
from ..run.messages import ErrorRecord
from .user_frames import user_frames

MESSAGE_LIMIT = 2000
"""Characters of an error's text that leave the activity. A very long text in a failure can block a hub."""

MOST_ERRORS = 20
"""Members of an exception group, and of the groups in it, that its record lists."""

MOST_LEVELS = 3
"""Groups within groups that a record shows: each level multiplies, and a group may even hold itself."""

STACK_LIMIT = 30
"""Frames in the log."""

_PACKAGE = str(Path(__file__).resolve().parents[1])


@dataclass(frozen=True)
class Returned:
    """User code returned a value."""

    value: Any


@dataclass(frozen=True)
class Failure:
    """User code, or the processing of its result, raised an error. `stack` is for the log: it contains no values."""

    record: ErrorRecord
    stack: str


Outcome = Union[Returned, Failure]


class NodeFailed(Exception):  # noqa: N818 - an outcome on its way to the caller, within our own code
    """Carries a Failure up to the activity, which returns it."""

    def __init__(self, failure: Failure) -> None:
        self.failure = failure
        super().__init__(failure.record["type"])


def capture(where: str, code: Callable[..., Any], arguments: tuple[Any, ...], named: Mapping[str, Any]) -> Outcome:
    """Call sync code. Never raises."""
    try:
        return Returned(code(*arguments, **named))
    except BaseException as error:
        return failure(error, where)


async def capture_async(
    where: str, code: Callable[..., Any], arguments: tuple[Any, ...], named: Mapping[str, Any]
) -> Outcome:
    """Call code and await its result. Run this as a separate task, so that a cancellation inside stays inside."""
    try:
        value = code(*arguments, **named)
        return Returned(await value if inspect.isawaitable(value) else value)
    except BaseException as error:
        return failure(error, where)


def failure(error: BaseException, where: str, *, permanent: bool = False) -> Failure:
    """An error as plain text. `permanent` marks a failure that another attempt cannot fix."""
    if type(error) is ReducerFailed:
        return failure(error.error, f"reducer of field {error.field!r}")
    record = error_record(error, where)
    if frames := _user_frames(error):
        record["frames"] = frames
    if permanent:
        record["permanent"] = True
    return Failure(record, _stack(error))


def _user_frames(error: BaseException) -> list[str]:
    try:
        return user_frames(error)
    except BaseException:  # a traceback that cannot be read must not hide the error
        return []


def error_record(error: BaseException, where: str) -> ErrorRecord:
    """An exception as plain JSON, with the names of its classes; texts are cut at MESSAGE_LIMIT."""
    return _record(error, where, iter(range(MOST_ERRORS)), MOST_LEVELS)


def _record(error: BaseException, where: str, left: Iterator[int], levels: int) -> ErrorRecord:
    kind = type(error)
    record: ErrorRecord = {
        "type": _name_of(kind),
        "bases": [_name_of(base) for base in _mro_of(kind)[1:] if base not in (BaseException, object)],
        "message": _message(error),
        "where": where,
    }
    members = _members(error) if levels else []
    if found := [dict(_record(item, where, left, levels - 1)) for item, _ in zip(members, left, strict=False)]:
        record["errors"] = found
    return record


_name_of = type.__dict__["__name__"].__get__
_mro_of = type.__dict__["__mro__"].__get__
"""Read from `type` itself: a metaclass of the user's may answer for these attributes, and may raise."""


def _members(error: BaseException) -> list[BaseException]:
    """The members of an ExceptionGroup of Python 3.11 and newer, or of its backport."""
    try:
        members = getattr(error, "exceptions", None)
        found = list(members) if isinstance(members, (list, tuple)) else []
    except BaseException:  # a property of the user's
        return []
    return found if all(issubclass(type(item), BaseException) for item in found) else []


def _message(error: BaseException) -> str:
    """The error's text and notes. They are user code, too: they may raise, be very long, or contain lone surrogates."""
    try:
        text = _details(error) if type(error) is ValidationError else str(error)
    except BaseException as raised:
        text = f"(its text cannot be read: __str__ raised {_name_of(type(raised))})"
    text = (
        "\n".join([str.__str__(text), *_notes(error)])[: MESSAGE_LIMIT + 1].encode("utf-8", "replace").decode("utf-8")
    )
    return text if len(text) <= MESSAGE_LIMIT else text[: MESSAGE_LIMIT - 1] + "…"


def _notes(error: BaseException) -> list[str]:
    """What `add_note` has added to the error, by Python 3.11 and newer, as a traceback would show it."""
    try:
        notes = getattr(error, "__notes__", None)
        return [str.__str__(note) for note in notes if isinstance(note, str)] if isinstance(notes, list) else []
    except BaseException:  # a property of the user's
        return []


def _details(error: ValidationError) -> str:
    """Pydantic's details, without its links and without the values, which may be secret."""
    lines = [f"{error.title} is not valid:"]
    for detail in error.errors(include_url=False, include_input=False, include_context=False):
        lines.append(f"{'.'.join(map(str, detail['loc'])) or '(whole)'}: {detail['msg']}")
    return "\n".join(lines)


def _stack(error: BaseException) -> str:
    """The frames from the user's first one on, and those of the error's cause."""
    try:
        return "\n".join(_sections(error))
    except BaseException as raised:  # a traceback that cannot be read must not hide the error
        return f"(no traceback: {_name_of(type(raised))})"


def _sections(error: BaseException) -> Iterator[str]:
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None and cause is not error:
        yield f"{_frames(cause.__traceback__)}{_name_of(type(cause))}, which led to:"
    yield _frames(error.__traceback__).rstrip()


def _frames(trace: TracebackType | None) -> str:
    frames = traceback.extract_tb(trace, limit=-STACK_LIMIT)
    users = [number for number, frame in enumerate(frames) if not frame.filename.startswith(_PACKAGE)]
    return "".join(traceback.format_list(frames[users[0] :] if users else []))
