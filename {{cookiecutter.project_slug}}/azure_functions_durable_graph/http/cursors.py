"""Where a page of runs begins: in a page of the engine, after a run of it. Clients hold it as text without meaning."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass

from ..history.record import RunHead
from .values import Problem

LONGEST = 4000
"""Characters of a cursor; the engine's own tokens have a few hundred."""


@dataclass(frozen=True)
class Place:
    """A page of the engine, by its token ("" for the first) and size, and the run after which to go on in it."""

    token: str
    after: str
    size: int

    def text(self) -> str:
        """The cursor as a client gets it."""
        return base64.urlsafe_b64encode(json.dumps([self.token, self.after, self.size]).encode("ascii")).decode("ascii")

    def rest_of(self, records: Sequence[RunHead]) -> Sequence[RunHead]:
        """What of the page is still to come. All of it where the run is not in it any more: better twice than never."""
        ids = [record.id for record in records]
        return records[ids.index(self.after) + 1 :] if self.after in ids else records


def read_cursor(text: str, most: int) -> Place | None:
    """The place of a cursor, None for none. Problem 422 for a text that no page has given."""
    if not text:
        return None
    try:
        token, after, size = json.loads(base64.b64decode(text[:LONGEST].encode("ascii"), b"-_", validate=True))
    except (ValueError, TypeError, RecursionError):
        token = after = size = None
    texts = isinstance(token, str) and isinstance(after, str) and len(text) <= LONGEST
    if not (texts and token.isascii() and token.isprintable() and type(size) is int and 1 <= size <= most):
        raise Problem("invalid", "the cursor was not issued by this API; omit it to get the first page")
    return Place(token, after, size)
