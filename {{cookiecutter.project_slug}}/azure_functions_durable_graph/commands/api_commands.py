"""The arguments of the commands that ask a served app, over its HTTP API."""

from __future__ import annotations

import argparse
import functools
import logging
import typing
from collections.abc import Callable
from datetime import datetime, timezone

from ..graph.names import Status
from .served_app import add_address, connect, read_body, read_tags, read_time

if typing.TYPE_CHECKING:
    from ..remote.clients import GraphClient

    Commands: typing.TypeAlias = argparse._SubParsersAction[argparse.ArgumentParser]
    Run: typing.TypeAlias = Callable[[GraphClient, argparse.Namespace], None]

INPUT = "as JSON, @FILE, or - for standard input"


def add_api_commands(commands: Commands) -> None:
    """Add every command of this kind."""
    for add in (_add_runs, _add_show, _add_start, _add_send, _add_steering, _add_repeating, _add_graphs, _add_diagram):
        add(commands)


def _command(commands: Commands, name: str, run: Run, text: str) -> typing.Any:
    parser = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
    parser.set_defaults(run=functools.partial(_with_client, run), log=logging.CRITICAL)
    return parser


def _with_client(run: Run, options: argparse.Namespace) -> int:
    with connect(options) as client:
        run(client, options)
    return 0


def _add_runs(commands: Commands) -> None:
    parser = _command(commands, "runs", _runs, "list the runs of a served app")
    parser.add_argument("--graph", metavar="GRAPH", help="only runs of this graph")
    parser.add_argument("--status", choices=typing.get_args(Status), metavar="STATUS", help="waiting, failed, …")
    parser.add_argument("--tag", action="append", metavar="KEY=VALUE", help="only runs with this tag; may be repeated")
    parser.add_argument("--since", metavar="TIME", help="started at or after: 2026-01-31T08:00:00Z, or 90m, 2h, 7d ago")
    parser.add_argument("--until", metavar="TIME", help="started before this time")
    parser.add_argument("--limit", type=_count, default=50, metavar="N", help="at most N runs (default: %(default)s)")
    parser.add_argument("--ids", action="store_true", help="print only the ids, one per line")
    _add_json(parser, "one run per line")
    add_address(parser)


def _add_show(commands: Commands) -> None:
    parser = _command(commands, "show", _show, "show one run: its status, what it waits for, its steps")
    parser.add_argument("run_id", metavar="RUN")
    parser.add_argument(
        "--watch", action="store_true", help="print each step as it happens; exit code 1 unless the run completes"
    )
    _add_json(parser, "with --watch one step per line")
    add_address(parser)


def _add_start(commands: Commands) -> None:
    parser = _command(commands, "start", _start, "start a run, and print its id")
    parser.add_argument("graph", metavar="GRAPH")
    parser.add_argument("--input", metavar="JSON", help=f"the fields of the state, {INPUT}")
    parser.add_argument("--tag", action="append", metavar="KEY=VALUE", help="tag the run; may be repeated")
    parser.add_argument("--id", metavar="RUN", help="the run's id (default: a new one)")
    parser.add_argument("--idempotency-key", metavar="KEY", help="a repeat with this key finds the first run")
    parser.add_argument("--watch", action="store_true", help="then print each step as it happens, like show --watch")
    _add_json(parser)
    add_address(parser)


def _add_send(commands: Commands) -> None:
    parser = _command(commands, "send", _send, "answer a run that waits for an event")
    parser.add_argument("run_id", metavar="RUN")
    parser.add_argument("event", metavar="EVENT")
    parser.add_argument("payload", nargs="?", metavar="PAYLOAD", help=f"{INPUT} (default: {{}})")
    parser.add_argument("--idempotency-key", metavar="KEY", help="a repeat with this key is the same answer")
    parser.add_argument("--wait-id", metavar="ID", help="which wait, where several ask for the event (see show)")
    _add_json(parser)
    add_address(parser)


def _add_steering(commands: Commands) -> None:
    for name, run, text in (
        ("cancel", _cancel, "cancel a run and its subgraphs"),
        ("suspend", _suspend, "suspend a run: no node begins until it is resumed"),
        ("resume", _resume, "resume a suspended run"),
    ):
        parser = _command(commands, name, run, text)
        parser.add_argument("run_id", metavar="RUN")
        parser.add_argument("--reason", metavar="TEXT", help="the reason to show in the run's status or history")
        add_address(parser)
    parser = _command(commands, "delete", _delete, "delete a finished run and all runs that it started")
    parser.add_argument("run_id", metavar="RUN")
    add_address(parser)


def _add_repeating(commands: Commands) -> None:
    retry = _command(commands, "retry", _retry, "continue a failed run as a new run, from the node that failed")
    restart = _command(commands, "restart", _restart, "start a run again as a new run, and print its id")
    for parser in (retry, restart):
        parser.add_argument("run_id", metavar="RUN")
        parser.add_argument("--idempotency-key", metavar="KEY", help="a repeat with this key finds the first new run")
    restart.add_argument("--node", metavar="NODE", help="begin at this node, which the run has visited")
    restart.add_argument("--state", metavar="JSON", help=f"with this state instead of the one it had there, {INPUT}")
    for parser in (retry, restart):
        add_address(parser)


def _add_graphs(commands: Commands) -> None:
    parser = _command(commands, "graphs", _graphs, "list the graphs of a served app")
    _add_json(parser, "one graph per line")
    add_address(parser)


def _add_diagram(commands: Commands) -> None:
    parser = _command(commands, "diagram", _diagram, "draw a graph of a served app")
    parser.add_argument("graph", metavar="GRAPH")
    parser.add_argument("--output", metavar="FILE", help="write to this file instead of standard output")
    add_address(parser)


def _add_json(parser: argparse.ArgumentParser, text: str = "") -> None:
    parser.add_argument("--json", action="store_true", help=f"print JSON{', ' if text else ''}{text}")


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def _say(text: str) -> None:
    print(text, flush=True)


def _runs(client: GraphClient, options: argparse.Namespace) -> None:
    from .runs import Wanted, list_runs

    now = datetime.now(timezone.utc)
    since, until = (read_time(getattr(options, name), f"--{name}", now) for name in ("since", "until"))
    wanted = Wanted(options.limit, options.graph, options.status, since, until, read_tags(options.tag))
    list_runs(client, wanted, _say, json=options.json, ids=options.ids)


def _show(client: GraphClient, options: argparse.Namespace) -> None:
    from .show import show, watch

    (watch if options.watch else show)(client, options.run_id, _say, json=options.json)


def _start(client: GraphClient, options: argparse.Namespace) -> None:
    from .show import watch
    from .steering import start

    run_id = start(
        client,
        options.graph,
        read_body(options.input, "--input"),
        _say,
        tags=read_tags(options.tag),
        key=options.idempotency_key,
        run_id=options.id,
        json=options.json,
    )
    if options.watch:
        watch(client, run_id, _say, json=options.json)


def _send(client: GraphClient, options: argparse.Namespace) -> None:
    from .steering import send

    payload, key = read_body(options.payload, "PAYLOAD"), options.idempotency_key
    send(client, options.run_id, options.event, payload, _say, key=key, wait_id=options.wait_id, json=options.json)


def _cancel(client: GraphClient, options: argparse.Namespace) -> None:
    from .steering import cancel

    cancel(client, options.run_id, options.reason, _say)


def _suspend(client: GraphClient, options: argparse.Namespace) -> None:
    from .steering import suspend

    suspend(client, options.run_id, options.reason, _say)


def _resume(client: GraphClient, options: argparse.Namespace) -> None:
    from .steering import resume

    resume(client, options.run_id, options.reason, _say)


def _delete(client: GraphClient, options: argparse.Namespace) -> None:
    from .steering import delete

    delete(client, options.run_id, _say)


def _retry(client: GraphClient, options: argparse.Namespace) -> None:
    from .steering import retry

    retry(client, options.run_id, options.idempotency_key, _say)


def _restart(client: GraphClient, options: argparse.Namespace) -> None:
    from .steering import restart

    state = read_body(options.state, "--state")
    restart(client, options.run_id, options.node, state, options.idempotency_key, _say)


def _graphs(client: GraphClient, options: argparse.Namespace) -> None:
    from .graphs import list_graphs

    list_graphs(client, _say, json=options.json)


def _diagram(client: GraphClient, options: argparse.Namespace) -> None:
    from .graphs import diagram

    diagram(client, options.graph, options.output, _say)
