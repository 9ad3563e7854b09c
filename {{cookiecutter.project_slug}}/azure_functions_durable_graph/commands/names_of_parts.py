"""What apps and libraries may be called, and the names that collide: of apps, libraries, modules and task hubs."""

from __future__ import annotations

import json
import keyword
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from ..errors import HostError
from ..host.app.settings import read_settings
from .file_names import is_device
from .vendored import PACKAGE
from .workspace import SCRIPT, App, Library, Project

APP_RULE = "3 to 40 characters: a-z first, then a-z, 0-9 and '-', and no '-' at the end"
LIBRARY_RULE = "1 to 40 characters: a-z first, then a-z, 0-9 and single '_' between them, and not a Python keyword"

RESERVED = frozenset({"apps", "libs", "tests", "graphs", "infra", "dist", "docs", "all", "src", "dev"})
"""Names of folders, groups of dependencies and words that mean something else here."""

SETTINGS_FILES = ("local.settings.json", "local.settings.example.json")


def check_app_name(name: str) -> None:
    """Raise HostError unless an app can have this name, which it also has in Azure."""
    if not re.fullmatch(r"[a-z][a-z0-9-]{1,38}[a-z0-9]", name) or "--" in name:
        raise HostError(f"{name!r} cannot be the name of an app, here and in Azure: use {APP_RULE}")
    if name in RESERVED or is_device(name):
        raise HostError(f"{name!r} cannot be the name of an app: {_reason(name)}")


def check_library_name(name: str) -> None:
    """Raise HostError unless a library can have this name, under which it is imported."""
    if not re.fullmatch(r"[a-z](?:_?[a-z0-9]){0,39}", name) or keyword.iskeyword(name):
        raise HostError(f"{name!r} cannot be the name of a library and of its package: use {LIBRARY_RULE}")
    if name in RESERVED or is_device(name):
        raise HostError(f"{name!r} cannot be the name of a library: {_reason(name)}")
    if taken := _taken(name):
        raise HostError(f"{name!r} cannot be the name of a library: `import {name}` is {taken}")


def _reason(name: str) -> str:
    return "Windows reserves it for a device" if is_device(name) else "it has another meaning in a project"


def _taken(name: str) -> str:
    """What a name already imports, or an empty string."""
    if name in sys.stdlib_module_names:
        return "a module of Python itself"
    if name in {PACKAGE, Path(SCRIPT).stem, "noxfile", "conftest", "demo"}:
        return "a module of this project"
    for folder in sys.path:
        for found in (Path(folder, name), Path(folder, f"{name}.py")):
            if found.is_dir() and "site-packages" in found.parts:
                return f"an installed package ({found})"
            if found.is_file():
                return f"a module on the path ({found})"
    return ""


def collisions(project: Project) -> Iterator[str]:
    """A sentence for each name that two parts of a project share."""
    apps = {app.name.replace("-", "_"): app.name for app in project.apps}
    for library in project.libraries:
        if library.name in apps:
            yield f"the app {apps[library.name]!r} and the library {library.name!r} share a name; rename one of them"
        if not (library.package / "__init__.py").is_file():
            yield f"libs/{library.name} has no src/{library.name}/__init__.py, which `import {library.name}` needs"
        yield from _shadowed(project, library)
    yield from _shared_hubs(project)


def _shadowed(project: Project, library: Library) -> Iterator[str]:
    for app in project.apps:
        own = (app.folder / library.name, app.folder / f"{library.name}.py")
        if not project.is_flat and (own[0].is_dir() or own[1].is_file()):
            yield (
                f"the library {library.name!r} is hidden in the app {app.name!r} by a module of the same name; "
                "rename one of them"
            )


def _shared_hubs(project: Project) -> Iterator[str]:
    """Two apps on one task hub would take each other's messages."""
    seen: dict[str, App] = {}
    for app in project.apps:
        for hub in {azure_hub(app.name), local_hub(app)}:
            other = seen.setdefault(hub.lower(), app)
            if other is not app:
                yield f"the apps {other.name!r} and {app.name!r} share the task hub {hub!r}; each needs one of its own"


def azure_hub(name: str) -> str:
    """How the task hub of an app begins in Azure (infra/app.bicep); a hash of the environment follows."""
    return name.replace("-", "")


def local_hub(app: App) -> str:
    """The task hub of an app on a developer's machine."""
    for file in SETTINGS_FILES:
        try:
            values = json.loads((app.folder / file).read_text(encoding="utf-8-sig")).get("Values", {})
        except FileNotFoundError:
            continue
        except (OSError, ValueError, AttributeError) as error:
            raise HostError(f"{app.folder / file} cannot be read: {error}") from None
        return read_settings(app.folder, {key: str(value) for key, value in values.items()}).hub_name
    return f"{azure_hub(app.name)}local"
