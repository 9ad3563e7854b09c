"""The command `new-app`: adds an app in `apps/`. The first time, the app at the root moves there, too."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..change.lock import FILE_NAME, Lock
from ..errors import HostError
from ..graph.documents import why
from .app_files import CONFTEST, FUNCTION_APP, GRAPHS, HISTORIES, TEST_APP, TEST_HISTORIES
from .moving import move_to_apps
from .names_of_parts import azure_hub, check_app_name
from .project import text_of
from .workspace import APPS, SCRIPT, App, Project, read_project

PARAMETERS, AZURE, COMPOSE = Path("infra", "main.parameters.json"), Path("azure.yaml"), Path("compose.yaml")
EXAMPLE, LOCAL = "local.settings.example.json", "local.settings.json"
HUBS = "DTS_TASK_HUB_NAMES: "


def new_app(root: Path, name: str) -> list[str]:
    """Write `apps/NAME`, and enter it in the files that list all apps. A sentence for each thing that was done.

    Raises HostError for a name that cannot be used or is taken, and if the first app cannot be moved; nothing has
    changed then.
    """
    check_app_name(name)
    project = read_project(root)
    _check_free(project, name)
    files = app_files(project.apps[0], name)
    lists = dict(_lists(project, name))
    done = move_to_apps(project) if project.is_flat else []
    try:
        for file, text in files.items():
            target = root / APPS / name / file
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
        for path, text in lists.items():
            (root / path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise HostError(f"{error.filename} cannot be written: {why(error)}; restore the project from git") from None
    return [*done, f"created {APPS}/{name}, an app with no graphs yet", *(f"added it to {path}" for path in lists)]


def _check_free(project: Project, name: str) -> None:
    taken = {app.name: f"{APPS}/{app.name}" for app in project.apps}
    taken |= {library.name: f"the library libs/{library.name}" for library in project.libraries}
    hubs = {azure_hub(app.name): app.name for app in project.apps}
    if name.replace("-", "_") in taken:
        name = name.replace("-", "_")
    if name in taken:
        where = "the app at the root" if project.is_flat else taken[name]
        raise HostError(f"{name!r} is the name of {where}; choose another")
    if project.is_flat and (project.root / APPS).exists():
        raise HostError(f"{APPS}/ already exists, and is not a folder of apps; rename it, because the apps go there")
    if (project.root / APPS / name).exists():
        raise HostError(f"{APPS}/{name} already exists, without a {SCRIPT}; choose another name, or remove it")
    if azure_hub(name) in hubs:
        raise HostError(
            f"the task hub of {name!r} would have the same name as that of {hubs[azure_hub(name)]!r}; choose another"
        )


def app_files(first: App, name: str) -> dict[str, str]:
    """The files of a new app by their paths: settings like those of the first app, with a task hub of its own."""
    script = text_of(first.folder / SCRIPT)
    level = re.search(r"\bAuthLevel\.(\w+)", script)
    settings = _hub_replaced(first.folder / EXAMPLE, f"{azure_hub(name)}local")
    return {
        SCRIPT: FUNCTION_APP.format(level=level[1] if level else "FUNCTION"),
        "host.json": text_of(first.folder / "host.json"),
        **({EXAMPLE: settings, LOCAL: settings} if settings else {}),
        "graphs/__init__.py": GRAPHS,
        FILE_NAME: Lock().to_text(),
        "tests/conftest.py": CONFTEST,
        "tests/test_app.py": TEST_APP,
        "tests/test_histories.py": TEST_HISTORIES,
        "tests/histories/README.md": HISTORIES,
    }


def _hub_replaced(path: Path, hub: str) -> str:
    """A file of local settings with another task hub; empty if there is no such file."""
    if not path.is_file():
        return ""
    settings: dict[str, Any] = _json(path)
    values = settings.setdefault("Values", {})
    values["TASKHUB_NAME"] = hub
    for key, value in values.items():
        values[key] = re.sub(r"\bTaskHub=\w+", f"TaskHub={hub}", str(value))
    return json.dumps(settings, indent=2, ensure_ascii=False) + "\n"


def _lists(project: Project, name: str) -> Iterator[tuple[Path, str]]:
    """The files that list all apps, with the new one in them. One that is not there, or has no list, is left out."""
    parameters = project.root / PARAMETERS
    if parameters.is_file():
        text = _json(parameters)
        apps = text.get("parameters", {}).get("apps", {}).get("value")
        if isinstance(apps, list):
            text["parameters"]["apps"]["value"] = [*apps, name]
            yield PARAMETERS, _compact(json.dumps(text, indent=2, ensure_ascii=False)) + "\n"
    azure = project.root / AZURE
    if azure.is_file():
        service = f"  {name}:\n    project: dist/{name}\n    language: python\n    host: function\n"
        before = text_of(azure).rstrip("\n") + "\n"
        if re.search(r"(?m)^services:\n(?:(?: +.*|#.*)?\n)*\Z", before):
            yield AZURE, before + service
    compose = project.root / COMPOSE
    if compose.is_file() and HUBS in (hubs := text_of(compose)):
        yield COMPOSE, re.sub(rf"({HUBS}.*)", rf"\g<1>,{azure_hub(name)}local", hubs)


def _compact(text: str) -> str:
    """JSON with each parameter on a line of its own, as the template writes them."""
    return re.sub(r'\{\n\s+"value": (\[[^\]]*\]|[^\n]*)\n\s+\}', lambda match: _one_line(match[1]), text)


def _one_line(value: str) -> str:
    return f'{{ "value": {json.dumps(json.loads(value), ensure_ascii=False)} }}'


def _json(path: Path) -> Any:
    try:
        return json.loads(text_of(path))
    except ValueError as error:
        raise HostError(f"{path} is not JSON: {error}") from None
