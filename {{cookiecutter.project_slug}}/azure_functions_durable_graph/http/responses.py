"""The bodies of responses, as models: the OpenAPI document shows them, and the client reads them.

A newer app may send more than a model has: every model keeps keys that it does not know.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from ..graph.names import Status
from ..graph.states import load
from ..history.arrivals import moment
from ..history.record import FINISHED

State = TypeVar("State", bound=BaseModel)

Time = Annotated[
    datetime | None, BeforeValidator(lambda given: given if isinstance(given, datetime) else moment(given))
]
"""A moment in UTC; None where it is not known."""


class _Shown(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True)


class Started(_Shown):
    """A run that a request has started or, where it was repeated, found."""

    id: str
    graph: str
    version: str
    graph_hash: str
    status: Status
    status_url: str | None = None


class Wait(_Shown):
    """An event that a run asks for. `id` picks this wait where there are several.

    `run` is the subgraph, the branch or the item's run that asks.
    """

    id: str
    event: str
    resume_node: str
    deadline: Time = None
    run: str | None = None
    prompt: Any = None
    payload_schema: dict[str, Any] | None = None


class RunRow(_Shown):
    """What a list shows of a run; `error` is the first line of the error with which it failed."""

    id: str
    graph: str
    version: str
    graph_hash: str
    status: Status
    node: str
    step: int
    tags: dict[str, Any] = Field(default_factory=dict)
    started_at: Time = None
    updated_at: Time = None
    error: Any = None

    @property
    def finished(self) -> bool:
        """Whether the run is over: completed, failed or cancelled."""
        return self.status in FINISHED.values()


class RunPage(_Shown):
    """One page of runs. `cursor` gets the next one; None at the end."""

    runs: list[RunRow]
    cursor: str | None = None


class Progress(_Shown):
    """How far a running node says it is: a fraction, or JSON of its own. `item` and `branch` say whose report it is."""

    node: str
    step: int
    value: Any
    at: Time = None
    branch: str | None = None
    item: int | None = None


class Run(RunRow):
    """One run. `error` has its `type`, `message` and `node`; `output` is set once the run has completed.

    `children` are the runs that it waits for. `fan_out` says how many branches or items are `done`, `of` how many, and
    how many of the done have `failed`; `part_of` is the run of which this one is a branch, or a part of a map.
    """

    waits: list[Wait] = Field(default_factory=list)
    input: dict[str, Any] = Field(default_factory=dict)
    metadata: dict[str, Any] = Field(default_factory=dict)
    state: Any = None
    output: Any = None
    origin: dict[str, Any] | None = None
    note: str | None = None
    parked: str | None = None
    sleeps_until: Time = None
    retry: dict[str, Any] | None = None
    reason: Any = None
    part_of: str | None = None
    children: list[dict[str, Any]] = Field(default_factory=list)
    fan_out: dict[str, Any] | None = None
    progress: list[Progress] = Field(default_factory=list)
    incomplete: str | None = None

    def state_as(self, model: type[State]) -> State:
        """The newest state, as the graph's state model. Raises pydantic's ValidationError."""
        return load(model, self.state)


class Step(_Shown):
    """One step of a run: what it wrote (`patch`), when, and what followed (`to`, `wait`) or went wrong (`error`).

    A step of a map has the number of its `items`, and each attempt at one that failed (`item_failures`: `item`, `at`,
    `error`); if a map is dealt out to several runs, these are in those runs. The `writes` of a branch go to fields
    with a reducer. A branch of several steps is a run of its own, the `child`, and may have been `stopped`.
    """

    step: int
    node: str
    kind: str
    started_at: Time = None
    finished_at: Time = None
    patch: dict[str, Any] | None = None
    writes: dict[str, Any] | list[dict[str, Any]] | None = None
    items: int | None = None
    to: list[str] | None = None
    error: Any = None
    attempts: int | None = None
    failures: list[dict[str, Any]] | None = None
    item_failures: list[dict[str, Any]] | None = None
    event: str | None = None
    waits_for: list[str] | None = None
    wait: dict[str, Any] | None = None
    child: str | None = None
    branch: bool = False
    stopped: bool = False

    @property
    def has_led_on(self) -> bool:
        """Whether it is known to be over: a branch that wrote something, or a step that something followed."""
        ended = self.child is None or (self.finished_at is not None and not self.stopped)
        return (self.branch and self.error is None and ended) or self.to is not None or self.waits_for is not None


class SeenEvent(_Shown):
    """An event that has reached a run, and whether it was applied or discarded."""

    event: str
    outcome: Literal["applied", "discarded"]
    at: Time = None
    step: int | None = None
    event_id: str | None = None
    payload: Any = None


class History(_Shown):
    """The steps of a run. The first `steps_not_shown` steps are no longer known.

    `state` is the one before the first step that has a patch.
    """

    id: str
    status: Status
    steps_not_shown: int
    state: Any = None
    steps: list[Step]
    events: list[SeenEvent]
    incomplete: str | None = None


class Answer(_Shown):
    """What has become of an event: applied (exactly once), pending, or discarded with a `reason`."""

    id: str
    event: str
    event_id: str
    step: int
    outcome: Literal["applied", "pending", "discarded"]
    resume_node: str | None = None
    reason: str | None = None


class Steered(_Shown):
    """A run that is being cancelled, suspended or resumed."""

    id: str
    reason: str


class GraphRow(_Shown):
    """A graph of the app."""

    graph: str
    version: str
    graph_hash: str
    nodes: list[str]
    events: list[str]


class GraphList(_Shown):
    """Every graph of the app, by name."""

    graphs: list[GraphRow]


class GraphVersion(_Shown):
    """A version of a graph, and how many live runs need it. `served_by` is the hash of the graph that runs them."""

    version: str
    graph_hash: str
    live_runs: int
    deployed: bool
    served_by: str | None
    default: bool


class Graph(_Shown):
    """One graph: its versions and its manifest."""

    graph: str
    version: str
    graph_hash: str
    versions: list[GraphVersion]
    live_runs_complete: bool
    manifest: dict[str, Any]


class Manifest(_Shown):
    """The manifest of one version, the waits that its code shows, and how it is imported.

    `state_schema` is the state's JSON Schema with titles, descriptions and examples, `drawing` the graph as `boxes` and
    `arrows`, as the studio and Mermaid show it; `code` has the `module` and the `name` of the graph.
    """

    graph: str
    version: str
    graph_hash: str
    manifest: dict[str, Any]
    state_schema: dict[str, Any] = Field(default_factory=dict)
    waits: list[dict[str, Any]] = Field(default_factory=list)
    drawing: dict[str, list[dict[str, Any]]] = Field(default_factory=dict)
    code: dict[str, str] | None = None


class Health(_Shown):
    """The app is up."""

    status: Literal["ok"]
    graphs: int
