"""The graphs of one app, by name and hash: several versions of a graph are registered side by side."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..errors import RegistrationError
from ..graph.registration import GraphRegistration
from ..graph.sizes import MOST_BYTES


class Registry:
    """Graphs by (name, hash). The last one registered under a name is the default for new runs.

    `most_bytes` is how much of their runs may cross the durable boundary at once.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self.most_bytes = most_bytes
        self._versions: dict[str, dict[str, GraphRegistration]] = {}
        self._defaults: dict[str, GraphRegistration] = {}
        self._successors: dict[tuple[str, str], str] = {}

    def add(self, registration: GraphRegistration) -> None:
        """Register a graph. Registering the same graph again only makes it the default.

        Raises RegistrationError for another graph of the same name and version, and for a copy of its code: one of the
        two would silently get the other's runs.
        """
        if not isinstance(registration, GraphRegistration):
            raise RegistrationError(
                f"expected a GraphRegistration, not {type(registration).__name__}: "
                "pass what ManifestBuilder.build() returned"
            )
        versions = self._versions.setdefault(registration.graph_name, {})
        for other in versions.values():
            _reject_duplicate(other, registration)
        versions[registration.graph_hash] = registration
        self._defaults[registration.graph_name] = registration

    def default(self, name: str) -> GraphRegistration | None:
        """The graph that new runs of `name` use."""
        return self._defaults.get(name)

    def find(self, name: str, graph_hash: str) -> GraphRegistration | None:
        """The graph to which a run is pinned, or the one that takes over its runs, if this deployment has it."""
        versions = self._versions.get(name, {})
        return versions.get(graph_hash) or versions.get(self._successors.get((name, graph_hash), ""))

    def take_over(self, name: str, old_hash: str, new_hash: str) -> bool:
        """Let runs pinned to `old_hash` continue with `new_hash`. False if that graph is not registered."""
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


def _reject_duplicate(known: GraphRegistration, added: GraphRegistration) -> None:
    same_code = added.graph_hash == known.graph_hash and added.origin == known.origin
    if added is not known and added.manifest.version == known.manifest.version and not same_code:
        raise RegistrationError(
            f"graph {added.graph_name!r}, version {added.manifest.version!r} is registered twice, from "
            f"{known.origin or 'one module'} and from {added.origin or 'another'}: "
            "rename one of the two graphs, or give it a version of its own"
        )


def natural(version: str) -> list[tuple[bool, int, str]]:
    """A sort key for versions, as people read them: numbers by their value, before words."""
    parts = re.findall(r"\d+|[^\d.]+", version)
    return [(not part.isdigit(), int(part) if part.isdigit() else 0, part) for part in parts]
