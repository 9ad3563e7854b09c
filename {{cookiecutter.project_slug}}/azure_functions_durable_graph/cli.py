"""The command line: `python -m azure_functions_durable_graph …`.

Exit codes: 0 done, 1 refused with one sentence, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from .errors import HostError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)-7s %(message)s", stream=sys.stderr)
    try:
        return int(options.run(options))
    except HostError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m azure_functions_durable_graph", description="Durable graphs.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    serve = commands.add_parser(
        "serve",
        help="run function_app.py on this machine, without Azure",
        description="Load function_app.py as it is and run it through the real azure-functions-durable SDK: HTTP "
        "routes, orchestrations, activities, events and timers. No Core Tools, no Docker, no storage emulator. "
        "Runs are kept in memory and end with the process.",
    )
    serve.add_argument("folder", nargs="?", default=".", help="where function_app.py is (default: here)")
    serve.add_argument("--port", type=int, default=7071, help="port on 127.0.0.1, 0 for a free one (default: 7071)")
    serve.set_defaults(run=_serve)
    return parser


def _serve(options: argparse.Namespace) -> int:
    from .dev.serve import serve  # the Azure packages are loaded only where they are needed

    serve(Path(options.folder).resolve(), options.port, lambda text: print(text, flush=True))
    return 0
