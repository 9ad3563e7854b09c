"""The arguments of the commands that ask a served app, over its HTTP API."""

from __future__ import annotations

import argparse
import logging
import typing
from collections.abc import Callable
from datetime import datetime, timezone

from ..history.record import Status
from .served_app import add_address, connect, read_body, read_tags, read_time

if typing.TYPE_CHECKING:
    Commands: typing.TypeAlias = argparse._SubParsersAction[argparse.ArgumentParser]

INPUT = "as JSON, @FILE, or - for what is piped in"


def add_api_commands(commands: Commands) -> None:
    """Add every command of this kind."""
    for add in (_add_runs, _add_show, _add_start, _add_send, _add_cancel, _add_graphs, _add_diagram):
        add(commands)


def _command(commands: Commands, name: str, run: Callable[[argparse.Namespace], int], text: str) -> typing.Any:
    parser = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
    parser.set_defaults(run=run, log=logging.CRITICAL)
    return parser


def _add_runs(commands: Commands) -> None:
    parser = _command(commands, "runs", _runs, "list the runs of a served app")
    parser.add_argument("--graph", metavar="GRAPH", help="only those of this graph")
    parser.add_argument("--status", choices=typing.get_args(Status), metavar="STATUS", help="waiting, failed, …")
    parser.add_argument("--tag", action="append", metavar="KEY=VALUE", help="only those with this tag; may be repeated")
    parser.add_argument("--since", metavar="TIME", help="started at or after: 2026-01-31T08:00:00Z, or 90m, 2h, 7d ago")
    parser.add_argument("--until", metavar="TIME", help="started before")
    parser.add_argument("--limit", type=_count, default=50, metavar="N", help="at most so many (default: %(default)s)")
    _add_json(parser, "one run a line")
    add_address(parser)


def _add_show(commands: Commands) -> None:
    parser = _command(commands, "show", _show, "show one run: how it stands, what it waits for, its steps")
    parser.add_argument("run_id", metavar="RUN")
    parser.add_argument(
        "--watch", action="store_true", help="print each step as it happens; exit code 1 unless the run completes"
    )
    _add_json(parser, "with --watch one step a line")
    add_address(parser)


def _add_start(commands: Commands) -> None:
    parser = _command(commands, "start", _start, "start a run, and print its id")
    parser.add_argument("graph", metavar="GRAPH")
    parser.add_argument("--input", metavar="JSON", help=f"the fields of the state, {INPUT}")
    parser.add_argument("--tag", action="append", metavar="KEY=VALUE", help="a tag of the run; may be repeated")
    parser.add_argument("--id", metavar="RUN", help="the run's id (default: a new one)")
    parser.add_argument("--idempotency-key", metavar="KEY", help="the same key again finds the first run")
    parser.add_argument("--watch", action="store_true", help="then print each step as it happens, like show --watch")
    _add_json(parser)
    add_address(parser)


def _add_send(commands: Commands) -> None:
    parser = _command(commands, "send", _send, "answer a run that waits for an event")
    parser.add_argument("run_id", metavar="RUN")
    parser.add_argument("event", metavar="EVENT")
    parser.add_argument("payload", nargs="?", metavar="PAYLOAD", help=f"{INPUT} (default: {{}})")
    parser.add_argument("--idempotency-key", metavar="KEY", help="the same key again is the same answer")
    parser.add_argument("--wait-id", metavar="ID", help="which wait, where several ask for the event (see show)")
    _add_json(parser)
    add_address(parser)


def _add_cancel(commands: Commands) -> None:
    parser = _command(commands, "cancel", _cancel, "cancel a run and its subgraphs")
    parser.add_argument("run_id", metavar="RUN")
    parser.add_argument("--reason", metavar="TEXT", help="what the run's status will say")
    add_address(parser)


def _add_graphs(commands: Commands) -> None:
    parser = _command(commands, "graphs", _graphs, "list the graphs of a served app")
    _add_json(parser, "one graph a line")
    add_address(parser)


def _add_diagram(commands: Commands) -> None:
    parser = _command(commands, "diagram", _diagram, "draw a graph of a served app")
    parser.add_argument("graph", metavar="GRAPH")
    parser.add_argument("--format", choices=("mermaid", "svg"), default="mermaid", help="default: %(default)s")
    parser.add_argument("--output", metavar="FILE", help="write a file instead of printing")
    add_address(parser)


def _add_json(parser: argparse.ArgumentParser, text: str = "") -> None:
    parser.add_argument("--json", action="store_true", help=f"print JSON{', ' if text else ''}{text}")


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def _say(text: str) -> None:
    print(text, flush=True)


def _runs(options: argparse.Namespace) -> int:
    from .runs import Wanted, list_runs

    now = datetime.now(timezone.utc)
    since, until = (read_time(getattr(options, name), f"--{name}", now) for name in ("since", "until"))
    wanted = Wanted(options.limit, options.graph, options.status, since, until, read_tags(options.tag))
    with connect(options) as client:
        list_runs(client, wanted, _say, json=options.json)
    return 0


def _show(options: argparse.Namespace) -> int:
    from .show import show, watch

    with connect(options) as client:
        (watch if options.watch else show)(client, options.run_id, _say, json=options.json)
    return 0


def _start(options: argparse.Namespace) -> int:
    from .show import watch
    from .steering import start

    given, tags = read_body(options.input, "--input"), read_tags(options.tag)
    with connect(options) as client:
        run_id = start(
            client,
            options.graph,
            given,
            _say,
            tags=tags,
            key=options.idempotency_key,
            run_id=options.id,
            json=options.json,
        )
        if options.watch:
            watch(client, run_id, _say, json=options.json)
    return 0


def _send(options: argparse.Namespace) -> int:
    from .steering import send

    payload = read_body(options.payload, "PAYLOAD")
    with connect(options) as client:
        send(
            client,
            options.run_id,
            options.event,
            payload,
            _say,
            key=options.idempotency_key,
            wait_id=options.wait_id,
            json=options.json,
        )
    return 0


def _cancel(options: argparse.Namespace) -> int:
    from .steering import cancel

    with connect(options) as client:
        cancel(client, options.run_id, options.reason, _say)
    return 0


def _graphs(options: argparse.Namespace) -> int:
    from .graphs import list_graphs

    with connect(options) as client:
        list_graphs(client, _say, json=options.json)
    return 0


def _diagram(options: argparse.Namespace) -> int:
    from .graphs import diagram

    with connect(options) as client:
        diagram(client, options.graph, options.format, options.output, _say)
    return 0
