"""What Azure installs for one app: the part of requirements.txt that it needs.

`nox -s requirements` exports requirements.txt from uv.lock for all apps together. Each package in it says who needs it
(`# via`), so an app's part follows from the file alone: what it asks for itself, and whatever these packages need.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..errors import HostError
from .project import text_of, toml
from .workspace import SETTINGS, App, Library, Project

FILE = "requirements.txt"


@dataclass(frozen=True)
class Entry:
    """A package of requirements.txt: its lines without comments, and the packages that need it."""

    name: str
    lines: tuple[str, ...]
    needed_by: frozenset[str]


def requirements_of(project: Project, app: App, libraries: Iterable[Library]) -> str:
    """The text of an app's requirements.txt: pinned, with hashes, as in the project's.

    Raises HostError if the project's file lacks something that the app, or a library of it, asks for.
    """
    entries = read_entries(text_of(project.root / FILE))
    wanted = asked_for(project, app, libraries)
    names = {entry.name for entry in entries}
    if missing := sorted(set(wanted) - names):
        raise HostError(
            f"{FILE} lacks {', '.join(missing)}, which {wanted[missing[0]]} asks for; run `nox -s requirements`"
        )
    needed = set(wanted)
    while more := {e.name for e in entries if e.name not in needed and e.needed_by & needed}:
        needed |= more
    lines = [line for entry in entries if entry.name in needed for line in entry.lines]
    return "\n".join([f"# The part of {FILE} that {app.name} needs.", *lines]) + "\n"


def asked_for(project: Project, app: App, libraries: Iterable[Library]) -> Mapping[str, str]:
    """The names of the packages that an app needs directly, each with the place where that is said."""
    settings = toml(project.root / SETTINGS)
    groups = settings.get("dependency-groups", {})
    places = {
        SETTINGS: settings.get("project", {}).get("dependencies", []),
        f"the group {app.name} of {SETTINGS}": groups.get(app.name, []),
        **{
            f"{library.folder.relative_to(project.root).as_posix()}/{SETTINGS}": toml(library.folder / SETTINGS)
            .get("project", {})
            .get("dependencies", [])
            for library in libraries
        },
    }
    own = {library.name for library in project.libraries}
    names = {canonical(str(text)): place for place, texts in places.items() for text in texts}
    return {name: place for name, place in names.items() if name.replace("-", "_") not in own}


def canonical(requirement: str) -> str:
    """The name of a requirement as indexes spell it: `Azure_Functions[x]>=1` is azure-functions."""
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    return re.sub(r"[-_.]+", "-", found[0] if found else requirement).lower()


def read_entries(text: str) -> list[Entry]:
    """The packages of a requirements.txt that uv has exported; a name may come twice, with other markers."""
    entries = []
    for block in re.split(r"\n(?=[A-Za-z0-9])", f"\n{text}")[1:]:
        lines = block.rstrip().splitlines()
        comments = " ".join(line.strip().lstrip("#") for line in lines if line.lstrip().startswith("#"))
        code = tuple(line for line in lines if line.strip() and not line.lstrip().startswith("#"))
        needed_by = frozenset(canonical(word) for word in comments.replace("via", " ", 1).split())
        entries.append(Entry(canonical(lines[0]), code, needed_by))
    return entries
