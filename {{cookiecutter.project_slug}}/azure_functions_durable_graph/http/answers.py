"""Answers to the questions of runs: how one is known again, and what has become of it.

An answer is known by its mark: sixteen hex digits of the idempotency key that its client has sent (or that was made for
it), and eight of what it says. So a repeated request is recognized, and so is a key that is used for something else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from ..graph.names import is_name, split_address, wait_address
from ..graph.plain_json import digest
from ..history.record import RunRecord
from ..history.walk import follow
from ..run.limits import ANSWER_LIMIT
from ..run.messages import OpenWait
from .api import Api

KEY_DIGITS, CONTENT_DIGITS = 16, 8

_MARK = re.compile(rf"[0-9a-f]{{{KEY_DIGITS + CONTENT_DIGITS}}}")


def make_mark(key: str, event: str, payload: Any) -> str:
    """The id of an answer in its envelope and in the run's list."""
    return digest(key)[:KEY_DIGITS] + digest([event, payload])[:CONTENT_DIGITS]


def same_key(mark: str, other: str) -> bool:
    """Whether two answers were sent under one key, whatever they say."""
    return mark[:KEY_DIGITS] == other[:KEY_DIGITS]


@dataclass(frozen=True)
class Answer:
    """One answer to one wait of a run: `manager_approval.7.3fa9…` in a Location."""

    event: str
    step: int
    mark: str

    def __str__(self) -> str:
        return f"{self.address}.{self.mark}"

    @property
    def address(self) -> str:
        """The durable event name of the wait."""
        return wait_address(self.event, self.step)


def answer_to(wait: OpenWait, mark: str) -> Answer | None:
    """An answer to an open wait; None for a wait whose address is not one of ours."""
    event, step = split_address(wait["address"])
    return None if step is None else Answer(event, step, mark)


def read_answer(text: str) -> Answer | None:
    """The answer that a Location names; None for a text that no Location has."""
    address, _, mark = text.rpartition(".")
    event, step = split_address(address)
    if step is None or not is_name(event) or _MARK.fullmatch(mark) is None:
        return None
    answer = Answer(event, step, mark)
    return answer if str(answer) == text else None


class Fate(Enum):
    """What has become of an answer, by what its run says."""

    APPLIED = "applied"
    PENDING = "pending"
    ANSWERED = "answered"
    EXPIRED = "expired"
    ENDED = "ended"
    NOT_ASKED = "not asked"
    FORGOTTEN = "forgotten"


def fate_of(answer: Answer, record: RunRecord) -> Fate:
    """What has become of an answer. An address is awaited once: what was not taken then is never applied."""
    takers = [mark for step, mark in record.taken if step == answer.step]
    if answer.mark in takers:
        return Fate.APPLIED
    if takers:
        return Fate.ANSWERED
    if len(record.taken) >= ANSWER_LIMIT and answer.step < record.taken[0][0]:
        return Fate.FORGOTTEN
    if answer.step >= record.step:
        return Fate.NOT_ASKED
    if record.finished:
        return Fate.ENDED
    return Fate.PENDING if any(wait["address"] == answer.address for wait in record.own_waits) else Fate.EXPIRED


async def at_its_end(api: Api, record: RunRecord) -> RunRecord:
    """A finished run with all that it has taken: its history says what its last status may leave out."""
    found = await api.runs.get(record.id, history=True)
    if found is None:
        return record
    return replace(found, run=follow(found.id, found.run, found.history).traversal.run)


async def known_fate(api: Api, answer: Answer, record: RunRecord) -> Fate:
    """The fate of an answer; for a finished run by its history, unless its status says enough."""
    fate = fate_of(answer, record)
    if record.finished and fate is not Fate.APPLIED:
        return fate_of(answer, await at_its_end(api, record))
    return fate
