"""What Azure bills, in units: how many of them a run takes. Prices are the user's.

`docs/operations.md` shows these tables with their sources, and `docs/azure_facts.md` says when each was looked up.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ..errors import HostError

_QUEUE = 3
"""A message is put into a queue, got from it, and deleted."""

_CALL = 3
"""For each call of an orchestrator its history is read and written, and its row of the instances is updated."""


@dataclass(frozen=True)
class Unit:
    """What one of a kind takes: messages, transactions of Azure Storage, and actions of the Durable Task Scheduler."""

    messages: int
    transactions: int
    actions: int


UNITS: Mapping[str, Unit] = {
    "start": Unit(1, 3 + _QUEUE + _CALL, 1),  # whether the id is in use, its row, and a look at that row again
    "activity": Unit(2, 2 * _QUEUE + _CALL, 2),
    "child": Unit(2, 2 * (_QUEUE + _CALL), 2),
    "event": Unit(1, _QUEUE + _CALL, 1),
    "timer": Unit(1, _QUEUE + _CALL, 1),
    "cancelled timer": Unit(
        1, _QUEUE + 2, 1
    ),  # it comes nevertheless, and finds a history and a row without need of it
    "generation": Unit(0, 0, 1),  # DurableTask.Core runs it at once, in the same work item
}
"""By what a tally counts."""

BLOB_WRITE, BLOB_READ = 5, 1
"""Requests for one blob: DurableTask.AzureStorage creates it, and puts two blocks with a list each."""

TEN_THOUSAND, MILLION = 10_000, 1_000_000


@dataclass(frozen=True)
class Plan:
    """How a plan rounds: at least `shortest` seconds, in steps of `step`; `memory` gives the MB that are billed."""

    name: str
    shortest: float
    step: float
    memory: Callable[[int], int]

    def billed(self, seconds: float) -> float:
        """The seconds that are billed for one execution which has an instance to itself."""
        return max(self.shortest, math.ceil(round(seconds / self.step, 6)) * self.step)


def _flex(given: int) -> int:
    if given not in (512, 2048, 4096):
        raise HostError(f"--memory {given}: an instance of Flex Consumption has 512, 2048 or 4096 MB")
    return given


def _consumption(given: int) -> int:
    if not 1 <= given <= 1536:
        raise HostError(f"--memory {given}: on the Consumption plan an app uses 1 to 1536 MB")
    return math.ceil(given / 128) * 128


PLANS = {"flex": Plan("flex", 1.0, 0.1, _flex), "consumption": Plan("consumption", 0.1, 0.001, _consumption)}
