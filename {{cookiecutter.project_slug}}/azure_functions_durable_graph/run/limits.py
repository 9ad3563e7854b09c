"""How long a generation of a run may become, and how much of its past the run carries along."""

from __future__ import annotations

from datetime import timedelta

HISTORY_BUDGET = 10
"""Durable turns after which a run continues as new: the cost of replays grows with the square of the history."""

PART_BUDGET = 5
"""The same for a part of a map, which nobody looks at: the fewer, the less an item costs."""

TRAIL_LIMIT = 25
"""Steps that a run carries with it, so that its path can still be shown."""

ANSWER_LIMIT = 1000
"""Answers that a run remembers: as many as it can accept within the default max_steps."""

LONGEST_TIMER = timedelta(days=3)
"""SDK 1.7 splits timers of more than six days, and a split timer cannot be cancelled: longer waits use segments."""

DISCARDED_LIMIT = 25
"""Discarded events that a run carries with it, so that its history can still show them."""

PARK_FIRST, PARK_LONGEST = 15.0, 600.0
"""Seconds that a parked run waits before it checks again; the pause doubles up to the longest."""
