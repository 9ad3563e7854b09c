"""What a counted run costs: units of both backends, executions, GB-seconds and, with the user's prices, money."""

from __future__ import annotations

import itertools
import statistics
import textwrap
from dataclasses import dataclass
from typing import Any

from .cost_runs import CountedRun
from .cost_units import BLOB_READ, BLOB_WRITE, MILLION, TEN_THOUSAND, UNITS, Plan

PER = {"transactions": TEN_THOUSAND, "actions": MILLION, "executions": MILLION, "gb_seconds": 1}
"""How many units a price is for, by what it is the price of."""

BACKENDS = {"Azure Storage": "transactions", "Durable Task Scheduler": "actions"}
"""By what each backend bills."""

WIDTH = 100

NOT_COUNTED = (
    "not counted: polling of queues and leases while nothing happens, reading runs over the API, requests and triggers "
    "that start or answer runs, reports of progress, always-ready instances, logs, stored data, deleting old runs"
)
UPPER = (
    "an upper bound: each message is a call of the orchestrator, each execution has an instance to itself; under load, "
    "messages share calls and executions share instances"
)


@dataclass(frozen=True)
class Assumptions:
    """What the user has said: the plan, MB of memory, seconds of each activity (None: as measured), and prices."""

    plan: Plan
    memory: int
    seconds: float | None
    prices: dict[str, float]


def cost_of(graph: str, run: CountedRun, assumed: Assumptions) -> dict[str, Any]:
    """Everything that is known about what the run costs, as JSON values."""
    counts = run.tally.counts()
    blobs = run.tally.blobs
    rows = {kind: _row(kind, counts[kind]) for kind in UNITS if counts[kind]}
    large = (blobs["message"] + blobs["row"]) * BLOB_WRITE + (blobs["message"] + blobs["read"]) * BLOB_READ
    calls = sum(row["messages"] for row in rows.values()) - counts["activity"] - counts["cancelled timer"]
    units: dict[str, float] = {
        "messages": sum(row["messages"] for row in rows.values()),
        "transactions": sum(row["transactions"] for row in rows.values()) + large,
        "actions": sum(row["actions"] for row in rows.values()),
        "executions": calls + counts["activity"],
        "gb_seconds": round(_gb_seconds(run, calls, counts["activity"], assumed), 6),
    }
    return {
        "graph": graph,
        "version": run.version,
        "path": run.path,
        "ending": run.ending,
        "rows": rows,
        "large_payloads": {"messages": blobs["message"], "rows": blobs["row"], "transactions": large},
        **units,
        "orchestrator_calls": calls,
        "plan": assumed.plan.name,
        "memory_mb": assumed.memory,
        "seconds_per_activity": assumed.seconds,
        "money": _money(units, assumed.prices),
        "notes": run.notes,
    }


def _row(kind: str, count: int) -> dict[str, int]:
    unit = UNITS[kind]
    return {
        "count": count,
        "messages": count * unit.messages,
        "transactions": count * unit.transactions,
        "actions": count * unit.actions,
    }


def _gb_seconds(run: CountedRun, calls: int, activities: int, assumed: Assumptions) -> float:
    usual = statistics.median(run.tally.calls or [0.0])
    given = [assumed.seconds] * activities if assumed.seconds is not None else run.activities
    seconds = calls * assumed.plan.billed(usual) + sum(map(assumed.plan.billed, given))
    return seconds * assumed.memory / 1024


def _money(units: dict[str, float], prices: dict[str, float]) -> dict[str, float]:
    """What each priced unit costs, and each backend with the executions, where it is priced."""
    parts = {name: units[name] * price / PER[name] for name, price in prices.items()}
    work = sum(parts.get(name, 0.0) for name in ("executions", "gb_seconds"))
    totals = {backend: parts[unit] + work for backend, unit in BACKENDS.items() if unit in parts}
    return {**parts, **totals}


def as_text(cost: dict[str, Any]) -> str:
    """The report for people."""
    large = cost["large_payloads"]
    head = ("", "count", "messages", "transactions (Azure Storage)", "actions (Scheduler)")
    lines = [(kind, *map(_number, row.values())) for kind, row in cost["rows"].items()]
    if large["transactions"]:
        count = large["messages"] + large["rows"]
        lines.append(("large payload", _number(count), "", _number(large["transactions"]), ""))
    lines.append(("total", "", *(_number(cost[name]) for name in ("messages", "transactions", "actions"))))
    text = [
        f"{cost['graph']} {cost['version']}: {_way(cost['path'])} ({cost['ending']})",
        "",
        *_table([head, *lines]),
        "",
        f"executions: {_number(cost['executions'])} ({_number(cost['orchestrator_calls'])} of the orchestrator)",
        f"GB-seconds: {cost['gb_seconds']:,.3f} ({_how(cost)})",
    ]
    if cost["money"]:
        text += ["", *_table([("money", "a run", "a million runs"), *_money_rows(cost["money"])])]
    return "\n".join([*text, "", *(textwrap.fill(one, WIDTH) for one in (*cost["notes"], UPPER, NOT_COUNTED))])


def _way(path: list[str]) -> str:
    """The nodes of a path; one that was visited several times in a row stands once."""
    visits = [(node, len(list(group))) for node, group in itertools.groupby(path)]
    return " -> ".join(node if times == 1 else f"{node} ({times} times)" for node, times in visits)


def _how(cost: dict[str, Any]) -> str:
    seconds = cost["seconds_per_activity"]
    activity = "activities as measured" if seconds is None else f"{seconds:g} s for each activity"
    return f"{cost['plan']}, {cost['memory_mb']} MB, {activity}"


def _money_rows(money: dict[str, float]) -> list[tuple[str, ...]]:
    names = {name: name if name in BACKENDS else name.replace("gb_", "GB-") for name in money}
    return [(names[name], f"{value:.9f}", f"{value * MILLION:,.2f}") for name, value in money.items()]


def _table(rows: list[tuple[str, ...]]) -> list[str]:
    """Rows with a name on the left and numbers on the right, each as wide as it has to be."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]


def _number(value: float) -> str:
    return f"{value:,.0f}"
