"""The part of the command line that knows about several apps: `apps`, `new-app`, `new-lib`, `package`."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from pathlib import Path


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands to the parser."""
    apps = commands.add_parser(
        "apps",
        help="list the apps and libraries of the project, or those that a change touches",
        description="List the apps and libraries, and which libraries each app imports. With --since, only the apps "
        "that differ from a git revision: in their own files, in a library that they import, or in what all share. "
        "Names that collide are an error.",
    )
    apps.add_argument("--since", metavar="REVISION", help="only those that have changed since this git revision")
    apps.add_argument("--json", action="store_true", help='print {"apps": [NAME, …], "libs": [NAME, …]}')
    apps.set_defaults(run=_apps, log=logging.WARNING)
    app = commands.add_parser("new-app", help="add an app to the project; the first time, the app at its root moves")
    app.add_argument("name", metavar="NAME", help="name of the app, also in Azure, e.g. billing")
    app.set_defaults(run=_new_app, log=logging.WARNING)
    library = commands.add_parser("new-lib", help="add a library that every app of the project can import")
    library.add_argument("name", metavar="NAME", help="name of the package, e.g. pricing")
    library.set_defaults(run=_new_lib, log=logging.WARNING)
    package = commands.add_parser("package", help="stage in dist/APP what Azure needs of each app, and nothing else")
    package.add_argument("apps", nargs="*", metavar="APP", help="names of apps (default: all)")
    package.set_defaults(run=_package, log=logging.WARNING)


def _apps(options: argparse.Namespace) -> int:
    from .touched import check_names, describe, touched
    from .workspace import read_project

    project = read_project(Path.cwd())
    check_names(project)
    if options.since is None and not options.json:
        print(describe(project))
        return 0
    found = touched(project, options.since, lambda text: print(text, file=sys.stderr))
    print(json.dumps(found) if options.json else "\n".join([*found["apps"], *found["libs"]]))
    return 0


def _new_app(options: argparse.Namespace) -> int:
    from .new_app import new_app

    for line in new_app(Path.cwd(), options.name):
        print(line)
    return 0


def _new_lib(options: argparse.Namespace) -> int:
    from .new_lib import new_lib

    for path in new_lib(Path.cwd(), options.name):
        print(path.relative_to(Path.cwd()).as_posix())
    return 0


def _package(options: argparse.Namespace) -> int:
    from .package import package

    for line in package(Path.cwd(), options.apps):
        print(line)
    return 0
