"""What crosses the durable boundary, as typed dicts: plain JSON, documented key by key.

Runs in flight hold these dicts in their histories: keys may be added, never renamed or given a new meaning.
"""

from __future__ import annotations

import sys
from typing import Any, TypedDict

from ..graph.plan import Plan
from .memberships import Branch, Item, Share

if sys.version_info >= (3, 11):
    from typing import NotRequired
else:
    from typing_extensions import NotRequired

RUN_FORMAT = 1
"""Version of RunInput's shape."""


class TrailEntry(TypedDict):
    """One finished step, as it is carried over a continue-as-new. `to` is missing where the run completed.

    `events` are those that the run waited for after the step; `items` counts those of a map.
    """

    step: int
    node: str
    at: str
    to: NotRequired[list[str]]
    events: NotRequired[list[str]]
    error: NotRequired[str]
    items: NotRequired[int]
    note: NotRequired[str]


class EventEnvelope(TypedDict):
    """What is raised under a wait's address: the payload, and the id by which its sender recognizes it."""

    id: str
    payload: Any


class EventInput(TypedDict):
    """An event that was accepted, to be applied first in the activity of the node that resumes."""

    name: str
    payload: Any


class FanOut(TypedDict):
    """A parallel or map that is under way: what has come back by branch or index, and attempts so far."""

    done: dict[str, dict[str, Any]]
    attempts: dict[str, int]
    until: NotRequired[str]


class Origin(TypedDict):
    """Which run was restarted or retried as this one, and, unless it was from the start, from which node and step.

    `edited` is the digest of the state, where that is not the recorded one.
    """

    run: str
    verb: str
    node: NotRequired[str]
    step: NotRequired[int]
    edited: NotRequired[str]


class Written(TypedDict):
    """What a branch has written: fields that were replaced, updates to be reduced, and whether rules need a merge."""

    fields: list[str]
    updates: list[dict[str, Any]]
    merge: bool


class DiscardedEvent(TypedDict):
    """An event that reached the run and was not applied. Without a step it was not addressed to a wait."""

    event: str
    at: str
    step: NotRequired[int]
    event_id: NotRequired[str]


class TraceContext(TypedDict):
    """Who called: the headers of a W3C trace context, checked, with a version 00."""

    traceparent: str
    tracestate: NotRequired[str]


class RunInput(TypedDict):
    """The orchestration's input: at the start of a run, and again at each continue-as-new.

    `input` is what was given, without the fields that `same` names: their values are those of `state` (see `inputs`).
    The other optional keys are what a run has in hand between two activities: an accepted `event`, the `attempt` that
    comes next (from 1), the `error` that led to the current node, `writes` to be reduced, a `fan_out` under way, the
    `pause` of a parked run. `child` marks a run that another run has started: it reports failure as a value; `depth`
    counts the runs above it, and is missing where a client started the run. `taken` lists the answers that the run
    has taken, oldest first: `[step of the wait, id of the event]`; `discarded` are the last events of earlier
    generations that it has not taken. `tags` are for lists, `origin` is the run that this one repeats, `trace` is the
    trace context of its start. `branch` marks a run that is a branch of another, and comes with what it has `written`;
    `share` marks one that is a part of a map, and comes to the `results` of its items; `told` is how often it has told
    the run above of its successes, and how many. `item` marks the run of a graph for one item. `owner` is the run that
    people see, which has started this one by itself or through its branches and parts: it is deleted with its own.
    `max_payload_bytes` is what the app allowed when the run was started.
    """

    format: int
    plan: Plan
    input: dict[str, Any]
    same: NotRequired[list[str]]
    metadata: dict[str, Any]
    started_at: str
    state: dict[str, Any]
    node: str
    step: int
    trail: list[TrailEntry]
    event: NotRequired[EventInput]
    attempt: NotRequired[int]
    error: NotRequired[dict[str, Any]]
    writes: NotRequired[list[dict[str, Any]]]
    fan_out: NotRequired[FanOut]
    pause: NotRequired[float]
    child: NotRequired[bool]
    taken: NotRequired[list[list[Any]]]
    discarded: NotRequired[list[DiscardedEvent]]
    depth: NotRequired[int]
    tags: NotRequired[dict[str, str]]
    origin: NotRequired[Origin]
    branch: NotRequired[Branch]
    written: NotRequired[Written]
    share: NotRequired[Share]
    item: NotRequired[Item]
    results: NotRequired[list[dict[str, Any]]]
    told: NotRequired[list[int]]
    owner: NotRequired[str]
    trace: NotRequired[TraceContext]
    max_payload_bytes: NotRequired[int]


class NodeCall(TypedDict):
    """Input of the node activity.

    `branch` names the branch of a parallel, `item` the index in a map; `writes` are updates to be merged first, by
    the rules of a dict that a handler returns; `apply_only` asks for that alone. `patch` has fields of branches, which
    were validated there: they are kept, and what depends on them is computed, before `writes` are merged.
    `branched` asks for the `updates` that went into fields with a reducer; `join` is where a branch ends.
    """

    run_id: str
    graph: str
    hash: str
    node: str
    step: int
    state: dict[str, Any]
    attempt: NotRequired[int]
    metadata: NotRequired[dict[str, Any]]
    event: NotRequired[EventInput]
    error: NotRequired[dict[str, Any]]
    patch: NotRequired[dict[str, Any]]
    writes: NotRequired[list[dict[str, Any]]]
    branch: NotRequired[str]
    item: NotRequired[int]
    apply_only: NotRequired[bool]
    branched: NotRequired[bool]
    join: NotRequired[str]
    started_at: NotRequired[str]
    trace: NotRequired[TraceContext]


class ErrorRecord(TypedDict):
    """A failure as a value. `bases` are the names of the exception's base classes, nearest first.

    `errors` lists the failures of branches, items, a child or a group, each a record. `frames` are lines of the user's
    code that led to it, innermost last. `permanent` marks a failure that
    no further attempt can heal; it is retried only where the policy names it.
    """

    type: str
    bases: list[str]
    message: str
    where: str
    errors: NotRequired[list[dict[str, Any]]]
    frames: NotRequired[list[str]]
    permanent: NotRequired[bool]


class NodeResult(TypedDict):
    """Output of the node activity. It names its node and step, so that a history can be read by itself.

    Exactly one of three forms: `patch` (with `unset` and `decision` where they apply), `error`, or `missing`
    (this deployment has no graph of that hash; `missing_graph` names the subgraph, where it is that one). `plan` comes
    with the first two where a compatible newer manifest has served the call: the run goes on with that plan. A branch
    adds `writes` (updates of fields with a reducer), an item its `value`, a subgraph the `child` to be started. With
    `merge` the orchestrator has what came back merged by an activity before the run goes on. Within a branch, `updates`
    are what the patch has reduced into fields, in order, `replaced` names such fields that a whole state
    replaced, and `derived` those that validation has computed. `then` has the results of the nodes that ran after this
    one in the same activity, in order; only the last of them may have an `error`.
    """

    node: str
    step: int
    patch: NotRequired[dict[str, Any]]
    unset: NotRequired[list[str]]
    decision: NotRequired[dict[str, Any]]
    event: NotRequired[str]
    error: NotRequired[ErrorRecord]
    then: NotRequired[list[NodeResult]]
    missing: NotRequired[bool]
    missing_graph: NotRequired[str]
    plan: NotRequired[Plan]
    attempt: NotRequired[int]
    branch: NotRequired[str]
    item: NotRequired[int]
    value: NotRequired[Any]
    writes: NotRequired[dict[str, Any]]
    updates: NotRequired[list[dict[str, Any]]]
    replaced: NotRequired[list[str]]
    derived: NotRequired[list[str]]
    child: NotRequired[RunInput]
    results: NotRequired[list[dict[str, Any]]]
    stopped: NotRequired[bool]
    merge: NotRequired[bool]
    apply_only: NotRequired[bool]


class OpenWait(TypedDict):
    """An event that a run asks for. `address` is the durable event name of this one wait."""

    event: str
    address: str
    resume_node: str
    deadline: NotRequired[str]


class OpenChild(TypedDict):
    """A run that this run has started and waits for."""

    id: str
    node: str


class RunStatus(TypedDict):
    """The custom status: small, set again on every replay.

    `part_of` is the run of which this one is a branch or a part. `prompt` is the question that goes with all of
    `waits`. `taken` holds the latest answers, as in RunInput: at least those of this generation while a wait is open.
    """

    graph: str
    version: str
    hash: str
    node: str
    step: int
    started_at: NotRequired[str]
    tags: NotRequired[dict[str, str]]
    part_of: NotRequired[str]
    waits: NotRequired[list[OpenWait]]
    prompt: NotRequired[Any]
    taken: NotRequired[list[list[Any]]]
    children: NotRequired[list[OpenChild]]
    sleeps_until: NotRequired[str]
    retry: NotRequired[dict[str, Any]]
    parked: NotRequired[str]
    note: NotRequired[str]
    error: NotRequired[dict[str, Any]]
