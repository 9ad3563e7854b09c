"""The graphs of one app, by name and hash: versions of a graph stand side by side."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Mapping
from types import ModuleType

from ..errors import RegistrationError
from ..graph.registration import GraphRegistration


class Registry:
    """Graphs by (name, hash). The last one registered under a name is the default for new runs."""

    def __init__(self) -> None:
        self._versions: dict[str, dict[str, GraphRegistration]] = {}
        self._defaults: dict[str, GraphRegistration] = {}
        self._successors: dict[tuple[str, str], str] = {}

    def add(self, registration: GraphRegistration) -> None:
        """Register a graph. The same graph again changes nothing but the default."""
        if not isinstance(registration, GraphRegistration):
            raise RegistrationError(
                f"a GraphRegistration was expected, not {type(registration).__name__}: "
                "pass what ManifestBuilder.build() returned"
            )
        versions = self._versions.setdefault(registration.graph_name, {})
        versions[registration.graph_hash] = registration
        self._defaults[registration.graph_name] = registration

    def default(self, name: str) -> GraphRegistration | None:
        """The graph that a new run of `name` gets."""
        return self._defaults.get(name)

    def find(self, name: str, graph_hash: str) -> GraphRegistration | None:
        """The graph to which a run is pinned, or the one that takes its runs over, if this deployment has it."""
        versions = self._versions.get(name, {})
        return versions.get(graph_hash) or versions.get(self._successors.get((name, graph_hash), ""))

    def take_over(self, name: str, old_hash: str, new_hash: str) -> bool:
        """Let runs pinned to `old_hash` go on with `new_hash`. False where that graph is not registered."""
        if new_hash not in self._versions.get(name, {}):
            return False
        self._successors[name, old_hash] = new_hash
        return True

    def defaults(self) -> list[GraphRegistration]:
        """The default of each name, by name."""
        return [self._defaults[name] for name in sorted(self._defaults)]

    @property
    def by_name(self) -> Mapping[str, GraphRegistration]:
        """The default of each name: the graph that a subgraph of that name runs."""
        return self._defaults

    def all(self) -> list[GraphRegistration]:
        """Every version of every graph, by name and in the order of their registration."""
        return [graph for name in sorted(self._versions) for graph in self._versions[name].values()]

    def versions(self, name: str) -> list[GraphRegistration]:
        """All versions of a graph, in the order of their registration."""
        return list(self._versions.get(name, {}).values())


def registrations_in(package: ModuleType) -> list[GraphRegistration]:
    """Every GraphRegistration at the top of a package's modules; of one graph's versions the newest comes last.

    Versions are compared as people read them: "9" before "10", "1.9" before "1.10".

    Imports the modules (not those of sub-packages). Raises RegistrationError for something that is no package;
    an import error passes through as it is.
    """
    if not isinstance(package, ModuleType) or not hasattr(package, "__path__"):
        raise RegistrationError(
            f"register_package takes a package, not {getattr(package, '__name__', package)!r}: "
            "import the folder that holds the graphs and pass it"
        )
    modules = [package]
    for info in sorted(pkgutil.iter_modules(package.__path__), key=lambda info: info.name):
        modules.append(importlib.import_module(f"{package.__name__}.{info.name}"))
    found: dict[int, GraphRegistration] = {}
    for module in modules:
        for value in vars(module).values():
            if isinstance(value, GraphRegistration):
                found.setdefault(id(value), value)
    return sorted(found.values(), key=lambda graph: natural(graph.manifest.version))


def natural(version: str) -> list[tuple[bool, int, str]]:
    """A key that sorts versions as people read them: numbers by their value, before words."""
    parts = re.findall(r"\d+|[^\d.]+", version)
    return [(not part.isdigit(), int(part) if part.isdigit() else 0, part) for part in parts]
