"""Which libraries an app needs: found in the imports of its files, and of the libraries that it imports."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

from ..errors import HostError
from .workspace import APPS, LIBRARIES, App, Library, Project, python_files

_IMPORTING = frozenset({"import_module", "__import__"})


def libraries_of(project: Project, part: App | Library) -> list[Library]:
    """The libraries that an app or a library imports, in its tests, too."""
    return libraries_in(project, python_files(part.folder))


def libraries_in(project: Project, files: Iterable[Path]) -> list[Library]:
    """The libraries that these files import, directly or through other libraries.

    Raises HostError for a file that Python cannot read, and for an import of another app.
    """
    known = {library.name: library for library in project.libraries}
    found: dict[str, Library] = {}
    waiting = list(files)
    while waiting:
        path = waiting.pop()
        for name in imported_modules(path):
            if name in _MISTAKES and not project.is_flat:
                raise HostError(_MISTAKES[name].format(path=path.relative_to(project.root).as_posix()))
            if name in known and name not in found:
                found[name] = known[name]
                waiting += python_files(known[name].package)
    return [found[name] for name in sorted(found)]


_MISTAKES = {
    APPS: "{path} imports another app, which is not deployed with it; "
    "move the code that both need to a library (`nox -s new-lib -- NAME`)",
    LIBRARIES: "{path} imports `libs.…`; import a library by its own name",
}


def imported_modules(path: Path) -> set[str]:
    """The top-level names of all modules that a file imports by name, wherever in the file."""
    try:
        tree = ast.parse(path.read_bytes(), str(path))
    except (SyntaxError, ValueError) as error:
        raise HostError(f"{path}: its imports cannot be read: {error}") from None
    except OSError as error:
        raise HostError(f"{path} cannot be read: {error.strerror}") from None
    return {name.partition(".")[0] for node in ast.walk(tree) for name in _names(node)}


def _names(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and not node.level:
        yield str(node.module)
    elif isinstance(node, ast.Call) and node.args:
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", None)
        first = node.args[0]
        if called in _IMPORTING and isinstance(first, ast.Constant) and isinstance(first.value, str):
            yield first.value
