"""The graphs in the modules of a package, and warnings about modules in which none was found."""

from __future__ import annotations

import importlib
import importlib.util
import os
import pkgutil
from collections.abc import Iterator
from types import ModuleType
from typing import NamedTuple

from ..errors import RegistrationError
from ..graph.registration import GraphRegistration
from .registry import natural


class Found(NamedTuple):
    """The registrations of a package, and by module name a warning for each module without one."""

    graphs: list[GraphRegistration]
    warnings: dict[str, str]


def registrations_in(package: ModuleType) -> list[GraphRegistration]:
    """Every GraphRegistration at the top level of a package's modules; of a graph's versions the newest comes last.

    Versions are compared as people read them: "9" before "10", "1.9" before "1.10".

    Imports the modules, and the `__init__` of sub-packages. Raises RegistrationError for something that is not a
    package; import errors are not caught.
    """
    return search(package).graphs


def search(package: ModuleType) -> Found:
    """The same, with a warning for each module without a registration, unless its name begins with "_"."""
    if not isinstance(package, ModuleType) or not hasattr(package, "__path__"):
        raise RegistrationError(
            f"register_package takes a package, not {getattr(package, '__name__', package)!r}: "
            "import the folder that contains the graphs and pass it"
        )
    found, warnings = dict(_registrations(package)), dict(_unimportable(package))
    for info in sorted(pkgutil.iter_modules(package.__path__), key=lambda info: info.name):
        if info.name == "__main__":
            continue
        module = _imported(f"{package.__name__}.{info.name}")
        own = dict(_registrations(module))
        found |= own
        if not own and not info.name.startswith("_"):
            warnings[module.__name__] = _warning(module, info.ispkg)
    return Found(sorted(found.values(), key=lambda graph: natural(graph.manifest.version)), warnings)


def _imported(name: str) -> ModuleType:
    """The module. Of a file in UTF-16, or with other null bytes, Python does not say which it is: it is said here."""
    try:
        return importlib.import_module(name)
    except (SyntaxError, ValueError) as error:  # a ValueError until Python 3.11.4
        if "cannot contain null bytes" not in str(error):
            raise
        spec = importlib.util.find_spec(name)
        file = None if spec is None else spec.origin
        raise SyntaxError(f"{error}; save the file as UTF-8", (file, 1, None, None)) from None


def _registrations(module: ModuleType) -> Iterator[tuple[int, GraphRegistration]]:
    for value in list(vars(module).values()):
        if isinstance(value, GraphRegistration):
            yield id(value), value


def _warning(module: ModuleType, is_package: bool) -> str:
    name = module.__name__
    if is_package:
        return f"{name} is a package within a package, and its modules are not searched: call register_package({name})"
    if any(type(value).__name__ == "ManifestBuilder" for value in vars(module).values()):
        return f"{name} has a ManifestBuilder but no registration: assign what its build() returns, at the top level"
    return f"{name} has no GraphRegistration: build one at its top level, or begin the module's name with '_'"


def _unimportable(package: ModuleType) -> Iterator[tuple[str, str]]:
    """Files and folders of the package that Python does not treat as modules."""
    for folder in package.__path__:
        for entry in sorted(os.scandir(folder), key=lambda entry: entry.name) if os.path.isdir(folder) else ():
            name = f"{package.__name__}/{entry.name}"
            usable = entry.name.isidentifier() and not entry.name.startswith("_")
            if usable and entry.is_dir() and _lacks_init(entry.path):
                yield f"{package.__name__}.{entry.name}", f"{name}/ has no __init__.py: its modules are not searched"
            elif entry.name.endswith(".py") and "." in entry.name[:-3]:
                yield name, f"{name} cannot be imported: a module's name must not contain dots"


def _lacks_init(folder: str) -> bool:
    names = os.listdir(folder)
    return "__init__.py" not in names and any(name.endswith(".py") for name in names)
