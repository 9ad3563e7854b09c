"""Repeat a run as a new run that names its origin. Nothing that is recorded is rewritten."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..graph.names import did_you_mean, new_run_id
from ..graph.plain_json import digest
from ..graph.registration import GraphRegistration
from ..history.forks import at_failure, at_node, go_on_from
from ..history.record import RunRecord
from ..run.inputs import with_input
from ..run.messages import Origin, RunInput
from .api import Api, IdTaken, find_run, graph_of, read_run, validated
from .bodies import RestartRequest
from .runs import KEY_DIGITS, refuse_faulty, run_input, started, view
from .values import Problem, Request, Response, read_json, read_key

EDITED_DIGITS = 16
"""Hex digits by which an edited state is known again."""


async def restart_run(api: Api, request: Request) -> Response:
    """202: a new run of the same graph is started: with the same input, or from a node that the run has passed."""
    body = validated(RestartRequest, read_json(request, api.max_body_bytes, empty={}))
    record = _whole(await find_run(api, request, history=body.node is not None))
    if body.node is None:
        graph = _graph(api, record, newest=True)
        run = run_input(
            graph, record.run["input"], record.run["metadata"], api.now(), most_bytes=api.registry.most_bytes
        )
        return await _start(api, request, record, run, {"run": record.id, "verb": "restart"})
    graph = _graph(api, record)
    _check_node(graph, body.node)
    stood = at_node(record, body.node)
    origin: Origin = {"run": record.id, "verb": "restart", "node": body.node}
    if stood is not None:
        origin["step"] = stood["step"]
    if body.state is not None:
        origin["edited"] = digest(body.state)[:EDITED_DIGITS]
        run = {**_from_state(api, graph, record, body.state), "node": body.node}
    elif stood is not None:
        run = go_on_from(stood, _from_state(api, graph, record, stood["state"]))
    else:
        text = f"the history of run {record.id!r} does not show how it reached {body.node!r}; send the state, too"
        raise Problem("step-not-known", text)
    return await _start(api, request, record, run, origin)


async def retry_run(api: Api, request: Request) -> Response:
    """202: a new run goes on where the failed one has failed, with all attempts of the node's policy."""
    record = _whole(await find_run(api, request, history=True))
    if record.status != "failed":
        raise Problem("run-not-failed", f"the run {record.id!r} is {record.status}")
    stood = at_failure(record)
    graph = _graph(api, record)
    _check_node(graph, stood["node"])
    run = go_on_from(stood, _from_state(api, graph, record, stood["state"]))
    origin: Origin = {"run": record.id, "verb": "retry", "node": stood["node"], "step": stood["step"]}
    return await _start(api, request, record, run, origin)


async def _start(api: Api, request: Request, record: RunRecord, run: RunInput, origin: Origin) -> Response:
    """202, or 200 for a request that is repeated under its key. Problem 422: the key was used for something else."""
    run["origin"] = origin
    if "tags" in record.run:
        run["tags"] = record.run["tags"]
    key = read_key(request)
    made = api.unique() if key is None else digest([record.id, key])[:KEY_DIGITS]
    run_id = new_run_id(run["plan"]["graph"], made)
    try:
        await api.runs.start(run_id, run, fresh=key is None)
    except IdTaken:
        found = await read_run(api, run_id, history=True)
        if found is None or not _same_request(found.run.get("origin", {}), origin):
            raise Problem("key-reused", "this Idempotency-Key was used to repeat the run in another way") from None
        return Response(200, view(api, found), {"Location": f"{request.root}/runs/{run_id}"})
    return started(request, run_id, run)


def _same_request(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two origins come of the same request. The step follows from it; in a live run it moves on."""
    return all(one.get(key) == other.get(key) for key in ("run", "verb", "node", "edited"))


def _graph(api: Api, record: RunRecord, *, newest: bool = False) -> GraphRegistration:
    """The version to which the run is pinned, if it is deployed; otherwise, or on demand, the one for new runs."""
    default = api.registry.default(record.run["plan"]["graph"])
    graph = default if newest else graph_of(api, record) or default
    if graph is None:
        raise Problem("graph-not-found", f"no graph {record.run['plan']['graph']!r} is deployed")
    refuse_faulty(api, graph)
    return graph


def _from_state(api: Api, graph: GraphRegistration, record: RunRecord, state: dict[str, Any]) -> RunInput:
    most_bytes = api.registry.most_bytes
    run = run_input(graph, state, record.run["metadata"], api.now(), "state", most_bytes=most_bytes)
    return with_input(run, record.run["input"])


def _whole(record: RunRecord) -> RunRecord:
    """Refuse a part of another run: by itself it has no beginning. Problem: 422."""
    if record.is_part:
        raise Problem("invalid", f"the run {record.id!r} is a part of run {record.said['part_of']!r}: repeat that one")
    return record


def _check_node(graph: GraphRegistration, node: str) -> None:
    """Refuse a node at which no run can begin. Problem: 422."""
    nodes = graph.manifest.nodes
    branches = graph.manifest.inside
    if node not in nodes or node in branches:
        hint = did_you_mean(node, set(nodes) - branches)
        stranger = f"is not a node of graph {graph.graph_name!r}"
        text = "is a branch of another node, or part of one" if node in branches else stranger
        raise Problem("invalid", f"{node!r} {text}; {hint}")
