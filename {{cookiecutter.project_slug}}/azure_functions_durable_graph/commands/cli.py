"""The command line: `python -m azure_functions_durable_graph …`.

Exit codes: 0 success, 1 an error that one sentence explains, 2 wrong usage; `lock` has more, see `commands/lock.py`.
"""

from __future__ import annotations

import argparse
import io
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from ..errors import (
    ApiError,
    ApiUnreachable,
    HistoryError,
    HostError,
    LockError,
    PayloadError,
    RegistrationError,
    VendorError,
)
from . import cost, parts
from .api_commands import add_api_commands
from .served_app import add_url, routes_url, webhooks_url
from .top_help import CommandLine
from .vendored import version_of

REQUIREMENTS = frozenset({"azure", "pydantic", "aiohttp", "tomli"})
"""The top-level modules that sessions install, and that may be missing when a command runs."""

DEVELOPMENT = frozenset({"httpx", "rich"})
"""Those of requirements-dev.txt, which no command needs that is run without it."""

PACKAGE = Path(__file__).parent.parent

EXPECTED = (
    ApiError,
    ApiUnreachable,
    HistoryError,
    HostError,
    LockError,
    PayloadError,
    RegistrationError,
    VendorError,
)
"""Errors whose text is a sentence for the terminal."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    _tolerate_encodings()
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=options.log, format="%(asctime)s %(levelname)-7s %(message)s", stream=sys.stderr)
    try:
        return int(options.run(options))
    except EXPECTED as error:
        print(f"error: {error}", file=sys.stderr)
    except ModuleNotFoundError as error:
        module = str(error.name).partition(".")[0]
        if module not in REQUIREMENTS | DEVELOPMENT:
            raise
        file = "requirements.txt" if module in REQUIREMENTS else "requirements-dev.txt"
        print(
            f"error: {error.name} is not installed; run this command as a nox session (`nox -l` lists them), "
            f"or install {file} first",
            file=sys.stderr,
        )
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # whoever reads the output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1


def _tolerate_encodings() -> None:
    """Print '?' for a character that the console or the pipe cannot encode; a command must not fail on its output."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _parser() -> argparse.ArgumentParser:
    parser = CommandLine(
        prog="python -m azure_functions_durable_graph",
        description="Serve, inspect and maintain apps with durable graphs.",
    )
    parser.add_argument("--version", action="version", version=str(version_of(PACKAGE)))
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=argparse.ArgumentParser)
    serve = commands.add_parser(
        "serve",
        help="run one or several apps on this machine, without Azure",
        description="Load function_app.py unchanged and run it through the real azure-functions-durable SDK: HTTP "
        "routes, orchestrations, activities, entities, events and timers. No Core Tools, no Docker, no storage "
        "emulator. Runs are kept in a file and continue where they left off when the host is started again.",
    )
    serve.add_argument(
        "folders", nargs="*", default=["."], help="folder of function_app.py, or of a project (default: .)"
    )
    serve.add_argument(
        "--port",
        type=int,
        default=7071,
        help="port on 127.0.0.1, 0 for a free one (default: 7071); several apps get this port and those after it",
    )
    serve.add_argument("--store", default=".durable/runs.db", metavar="FILE", help="SQLite file (default: %(default)s)")
    serve.add_argument("--memory", action="store_true", help="keep runs in memory: they end with the process")
    serve.add_argument("--skip-time", action="store_true", help="do not wait for durable timers (implies --memory)")
    serve.add_argument("--reload", action="store_true", help="restart when a file changes; runs continue")
    serve.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="also answer requests with this Host or Origin; may be repeated (default: loopback names only)",
    )
    serve.set_defaults(run=_serve, log=logging.INFO)
    _add_lock(commands)
    _add_record(commands)
    cost.add_command(commands)
    _add_project_commands(commands)
    parts.add_commands(commands)
    add_api_commands(commands)
    return parser


def _add_lock(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    lock = commands.add_parser(
        "lock",
        help="compare the graphs with graphs.lock.json, and update it",
        description="Report what has changed in each graph since the lock was written and what that means for runs in "
        "flight, then update the lock. A change that runs in flight would not survive is rejected until the graph has "
        "a new version.",
        epilog="exit codes: 0 up to date or written, 1 something cannot be read, 3 the lock is out of date, 4 a change "
        "needs a new version, 5 live runs need a version that is dropped",
    )
    lock.add_argument("folder", nargs="?", default=".", help="folder of function_app.py (default: .)")
    lock.add_argument("--check", action="store_true", help="write nothing; fail if the lock is out of date")
    lock.add_argument("--json", action="store_true", help="print the changes as JSON")
    lock.add_argument(
        "--base",
        metavar="FILE_OR_REVISION",
        help="what is deployed: a lock file, a git revision, or none (default: the deploy-branch in pyproject.toml, or "
        "origin/main)",
    )
    lock.add_argument("--summary", metavar="FILE", help="append a Markdown report (default: GITHUB_STEP_SUMMARY)")
    lock.add_argument("--against-runs", metavar="URL", help="ask the app at URL which versions live runs need")
    lock.add_argument("--key", help="function key for --against-runs (default: FUNCTIONS_KEY)")
    lock.set_defaults(run=_lock, log=logging.CRITICAL)  # the command reports problems with the lock itself


def _add_record(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    record = commands.add_parser(
        "record",
        help="save the history of a run as a fixture for tests",
        description="Get a run from the Durable management API and write its history to a file. A test can replay it "
        "against today's code; it then names the first difference.",
    )
    record.add_argument("run_id", metavar="RUN_ID")
    add_url(record)
    record.add_argument("--key", help="system key of the Durable extension, for an app in Azure")
    record.add_argument("--app", metavar="APP", help="the app that the run belongs to, if the project has several")
    record.add_argument("--output", metavar="FOLDER", help="default: tests/histories of the app")
    record.set_defaults(run=_record, log=logging.WARNING)


def _add_project_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    graph = commands.add_parser("new-graph", help="add a graph and its test to the project")
    graph.add_argument("name", metavar="NAME", help="name of the graph, e.g. invoice_approval")
    graph.add_argument("--app", metavar="APP", help="the app that it belongs to, if the project has several")
    graph.set_defaults(run=_new_graph, log=logging.WARNING)
    verify = commands.add_parser("verify", help="check that the vendored runtime has not been modified")
    verify.add_argument("--template", metavar="URL", help="compare the record with that of the template's repository")
    verify.add_argument("--revision", metavar="REVISION", help="its tag or branch (default: the tag of the version)")
    verify.add_argument("--base", metavar="REVISION", help="only if the record has changed since this git revision")
    verify.set_defaults(run=_verify, log=logging.WARNING)
    update = commands.add_parser("update-runtime", help="replace the vendored runtime with that of a template revision")
    update.add_argument("revision", nargs="?", metavar="REVISION", help="tag or branch (default: the template's head)")
    update.add_argument("--template", metavar="URL", help="the template's repository (default: that in pyproject.toml)")
    update.set_defaults(run=_update_runtime, log=logging.WARNING)


def _new_graph(options: argparse.Namespace) -> int:
    from .new_graph import new_graph
    from .workspace import app_folder

    for path in new_graph(app_folder(Path.cwd(), options.app), options.name):
        print(path.relative_to(Path.cwd()))
    return 0


def _verify(options: argparse.Namespace) -> int:
    from .verify import verify, verify_record

    if options.template:
        print(verify_record(Path.cwd(), options.template, options.revision, options.base))
    elif options.revision or options.base:
        raise VendorError("--revision and --base need --template: the repository to compare with")
    else:
        print(verify(Path.cwd()))
    return 0


def _update_runtime(options: argparse.Namespace) -> int:
    from .project import project_settings
    from .update_runtime import update

    template = options.template or project_settings(Path.cwd()).get("template")
    if not isinstance(template, str) or not template:
        text = 'set template = "URL" under [tool.durable-graph] in pyproject.toml, or pass --template'
        raise VendorError(f"the template's repository is not known: {text}")
    print(update(Path.cwd(), template, options.revision))
    return 0


def _record(options: argparse.Namespace) -> int:
    from .record import record
    from .workspace import app_folder

    output = Path(options.output) if options.output else app_folder(Path(), options.app) / "tests" / "histories"
    print(record(options.run_id, webhooks_url(options.url), options.key, output))
    return 0


def _lock(options: argparse.Namespace) -> int:
    from .lock import LockOptions, run_lock
    from .workspace import use_libraries

    folder = Path(options.folder).resolve()
    use_libraries(folder)
    asked = LockOptions(
        folder=folder,
        check=options.check,
        as_json=options.json,
        base=options.base,
        summary=options.summary,
        against_runs=options.against_runs and routes_url(options.against_runs),
        key=options.key or os.environ.get("FUNCTIONS_KEY"),
    )
    return run_lock(asked, lambda text: print(text, flush=True))


def _serve(options: argparse.Namespace) -> int:
    from .serve import serve  # imports the Azure packages, which other commands do not need
    from .serve_several import folders_to_serve, serve_several
    from .workspace import use_libraries

    if not 0 <= options.port <= 65535:
        raise HostError(f"--port must be between 0 and 65535, not {options.port}")
    folders = folders_to_serve(options.folders)
    in_memory = options.memory or options.skip_time  # a clock that runs ahead leaves timestamps in the future
    if options.reload and in_memory:
        raise HostError("--reload needs a store: with --memory or --skip-time every change would lose all runs")
    if len(folders) > 1:
        return serve_several(folders, options.port, _serve_words(options), _say)
    (folder,) = folders
    libraries = use_libraries(folder)
    if options.reload:
        from .reload import stamps_of_all, supervise, watch

        seen = watch(folder, lambda app: stamps_of_all([app, *libraries]))
        words = [word for word in _serve_words(options) if word != "--reload"]
        supervise([str(folder), f"--port={options.port}", *words], folder, seen, _say)
        return 0
    store = None if in_memory else Path(options.store)
    serve(folder, options.port, store, _say, skip_time=options.skip_time, allowed=options.allow_host)
    return 0


def _serve_words(options: argparse.Namespace) -> list[str]:
    """The options of `serve` for a child, without the folder and the port."""
    switches = [f"--{name.replace('_', '-')}" for name in ("memory", "skip_time", "reload") if getattr(options, name)]
    return [f"--store={options.store}", *switches, *(f"--allow-host={name}" for name in options.allow_host)]


def _say(text: str) -> None:
    print(text, flush=True)
