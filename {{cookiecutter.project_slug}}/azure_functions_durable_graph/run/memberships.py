"""What a run says in its input of the parallel or the map of which it is a branch, a part or an item, as typed dicts.

As for all messages: keys may be added, never renamed or given a new meaning.
"""

from __future__ import annotations

import sys
from typing import Any, TypedDict, Union

if sys.version_info >= (3, 11):
    from typing import NotRequired
else:
    from typing_extensions import NotRequired


class Branch(TypedDict):
    """Which branch a run is: of the parallel `node` of the run `run`. It ends when it comes to `join`, or at an end."""

    run: str
    node: str
    name: str
    join: NotRequired[str]


class Share(TypedDict):
    """A part of the map `node` of the run `run`: items with their indices, at most `limit` of them at once.

    `until` is the deadline of the whole map. One that stops what is left has its `stop_when`, and is told by the run
    `above`, which has begun this one, and tells it.
    """

    run: str
    node: str
    items: list[list[Any]]
    limit: int
    until: NotRequired[str]
    stop_when: NotRequired[Union[str, int]]
    above: NotRequired[str]


class Item(TypedDict):
    """Which item of which map a run of another graph is for."""

    run: str
    node: str
    index: int
