"""The commands that begin, answer, steer, repeat and delete runs of a served app."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..errors import HostError
from .served_app import Say, as_json

if TYPE_CHECKING:
    from ..remote.clients import GraphClient


def start(
    client: GraphClient,
    graph: str,
    given: Any,
    say: Say,
    *,
    tags: Mapping[str, str],
    key: str | None,
    run_id: str | None,
    json: bool,
) -> str:
    """Start a run, and print its id; with `json` what the app has answered. Returns the id."""
    if not isinstance(given, (dict, type(None))):
        raise HostError('the input is a JSON object: the fields of the state, as in \'{"order_id": "A-1"}\'')
    started = client.start(graph, given, key=key, instance_id=run_id, tags=tags or None)
    say(as_json(started) if json else started.id)
    return started.id


def send(
    client: GraphClient,
    run_id: str,
    event: str,
    payload: Any,
    say: Say,
    *,
    key: str | None,
    wait_id: str | None,
    json: bool,
) -> None:
    """Answer a run, and print what has become of the answer."""
    answer = client.send(run_id, event, payload, key=key, wait_id=wait_id)
    if json:
        say(as_json(answer))
    elif answer.outcome == "applied":
        following = f", and the run continues at {answer.resume_node}" if answer.resume_node else ""
        say(f"{answer.event} was applied at step {answer.step}{following}")
    else:
        say(f"{answer.event} is {answer.outcome}: whether {answer.id} takes it is not known yet")


def cancel(client: GraphClient, run_id: str, reason: str | None, say: Say) -> None:
    """Cancel a run and its subgraphs."""
    client.cancel(run_id, reason)
    say(f"{run_id} is being cancelled")


def suspend(client: GraphClient, run_id: str, reason: str | None, say: Say) -> None:
    """Suspend a run: no node begins until it is resumed."""
    client.suspend(run_id, reason)
    say(f"{run_id} is being suspended")


def resume(client: GraphClient, run_id: str, reason: str | None, say: Say) -> None:
    """Resume a suspended run."""
    client.resume(run_id, reason)
    say(f"{run_id} is being resumed")


def delete(client: GraphClient, run_id: str, say: Say) -> None:
    """Delete a finished run with its history."""
    client.delete(run_id)
    say(f"{run_id} was deleted")


def retry(client: GraphClient, run_id: str, key: str | None, say: Say) -> None:
    """Go on with a failed run as a new run, and print its id."""
    say(client.retry(run_id, key=key).id)


def restart(client: GraphClient, run_id: str, node: str | None, state: Any, key: str | None, say: Say) -> None:
    """Start a run again as a new run, and print its id."""
    if not isinstance(state, (dict, type(None))):
        raise HostError("the state is a JSON object")
    say(client.restart(run_id, node=node, state=state, key=key).id)
