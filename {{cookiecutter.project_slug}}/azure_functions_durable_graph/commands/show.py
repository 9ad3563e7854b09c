"""The command `show`: one run with its steps, or as it goes on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..errors import HostError
from .served_app import Say, as_json, as_line, flat_json, local_time, printable, tag_text

if TYPE_CHECKING:
    from ..http.responses import Run, Step
    from ..remote.clients import GraphClient

COLUMNS = ("step", "node", "kind", "took", "changed", "then")

LONGEST = 300
"""Characters of what a step has changed, as it is shown."""


def show(client: GraphClient, run_id: str, say: Say, *, json: bool) -> None:
    """Print a run: how it stands, what it asks, and its steps."""
    run = client.get(run_id)
    if json:
        say(as_json(run))
        return
    from .tables import print_table

    history = client.history(run_id)
    for line in about(run):
        say(printable(line))
    say("")
    print_table(COLUMNS, [_row(step) for step in history.steps])
    if history.steps_not_shown:
        say(f"(the first {history.steps_not_shown} steps are no longer known)")


def watch(client: GraphClient, run_id: str, say: Say, *, json: bool) -> None:
    """Print each step as it happens, until the run has finished. Raises HostError if it has not completed."""
    if not json:
        for line in about(client.get(run_id)):
            say(printable(line))
        say("")
    for step in client.follow(run_id):
        say(as_line(step) if json else printable(_line(step)))
    run = client.get(run_id)
    if run.status != "completed":
        ended = "failed" if run.status == "failed" else f"was {run.status}"
        raise HostError(f"the run {run.id} {ended}{_reason(run)}")
    if not json:
        say(f"{run.id} completed")


def about(run: Run) -> list[str]:
    """How a run stands, one fact a line."""
    facts: dict[str, object] = {
        "run": run.id,
        "graph": f"{run.graph} {run.version} ({run.graph_hash[:12]})",
        "status": f"{run.status}{_reason(run)}",
        "node": f"{run.node} (step {run.step})",
        "started": local_time(run.started_at),
        "updated": local_time(run.updated_at),
        "tags": tag_text(run.tags),
        "origin": flat_json(run.origin),
        "done": None if run.finished else _done(run.fan_out or {}),
        "parked": run.parked,
        "sleeps until": local_time(run.sleeps_until),
        "output": flat_json(run.output),
    }
    lines = [f"{name:<13} {value}" for name, value in facts.items() if value]
    for report in run.progress:
        place = f" {report.branch or ''}{'' if report.item is None else f'item {report.item}'}".rstrip()
        lines.append(f"{'progress':<13} {report.node}{place}: {_progress(report.value)}")
    for wait in run.waits:
        until = f", until {local_time(wait.deadline)}" if wait.deadline else ""
        lines.append(f"{'waits for':<13} {wait.event} (wait {wait.id}{until}) {flat_json(wait.prompt)}".rstrip())
    return lines


def _done(told: Mapping[str, object]) -> str:
    """How far a parallel or a map is: `4,312 of 10,000, 3 failed`."""
    numbers = {key: f"{value:,}" for key, value in told.items() if isinstance(value, int)}
    if not {"done", "of"} <= set(numbers):
        return ""
    return f"{numbers['done']} of {numbers['of']}" + (f", {numbers['failed']} failed" if "failed" in numbers else "")


def _progress(value: object) -> str:
    return f"{value:.0%}" if isinstance(value, float) else flat_json(value)


def _reason(run: Run) -> str:
    if isinstance(run.error, dict):
        return f": {run.error.get('type')}: {run.error.get('message')}"
    return f": {run.reason}" if run.status == "cancelled" and run.reason else ""


def _row(step: Step) -> tuple[object, ...]:
    return step.step, step.node, step.kind, _took(step), _changed(step), _then(step)


def _line(step: Step) -> str:
    return f"{step.step:>4}  {step.node}  {_took(step)}  {_changed(step)} -> {_then(step)}".replace("    ->", " ->")


def _took(step: Step) -> str:
    if step.started_at is None or step.finished_at is None:
        return ""
    took = f"{(step.finished_at - step.started_at).total_seconds():.2f} s"
    return took if not step.attempts else f"{took}, {step.attempts} attempts"


def _changed(step: Step) -> str:
    text = flat_json(step.patch)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def _then(step: Step) -> str:
    if isinstance(step.error, dict):
        return f"{step.error.get('type')}: {step.error.get('message', '')}".rstrip(": ")
    following = ", ".join(step.to or ())
    if not step.waits_for:
        return following or ("" if step.branch else "end")
    wait, events = step.wait or {}, ", ".join(step.waits_for)
    outcome = wait.get("outcome", "open")
    if outcome == "open":
        return f"waits for {events}"
    return f"{wait.get('answered_by') or outcome} -> {following}" if following else str(outcome)
