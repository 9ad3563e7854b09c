"""Every error this package raises on purpose, one class per moment.

GraphError
├── GraphBuildError      a graph cannot be compiled; lists every fault and how to fix it
├── RegistrationError    an app was given something that is not a graph
├── DecisionError        a route handler answered with something that is no decision
├── PayloadError         a value cannot cross the durable boundary as plain JSON
├── ManifestError        a manifest cannot be read; says at which path
├── LockError            graphs.lock.json cannot be read, or not be made
├── HistoryError         a recorded run cannot be read, or goes another way with today's code
├── VendorError          the vendored runtime is not as it was delivered, or cannot be replaced
├── GraphRunFailed       a run ends in failure (raised inside the orchestrator)
└── HostError            the local host cannot go on; one sentence for the terminal


"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class GraphError(Exception):
    """Root of all errors that this package raises on purpose."""


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with a graph: where it is, what it is, and what to do about it."""

    where: str
    problem: str
    cure: str

    def __str__(self) -> str:
        return f"{self.where}: {self.problem}. {self.cure}{'' if self.cure.endswith(('.', '?', '!')) else '.'}"


class GraphBuildError(GraphError, ValueError):
    """A graph has faults. `faults` holds all of them; the text lists them."""

    def __init__(self, graph_name: str, faults: Sequence[Fault]) -> None:
        self.graph_name = graph_name
        self.faults = tuple(faults)
        lines = [f"graph {graph_name!r} has {len(self.faults)} fault{'' if len(self.faults) == 1 else 's'}:"]
        lines += [f"  {number}. {fault}" for number, fault in enumerate(self.faults, start=1)]
        super().__init__("\n".join(lines))


class RegistrationError(GraphError):
    """An app or package holds something that cannot be registered as a graph."""


class DecisionError(GraphError, TypeError):
    """A route handler's answer is no decision, or names a node or an event that is not there."""


class PayloadError(GraphError, ValueError):
    """A value is not plain JSON, or has keys that the SDK's codec would resolve to classes."""


class ManifestError(GraphError, ValueError):
    """A manifest cannot be read. The text begins with the path of the bad value."""


class LockError(GraphError, ValueError):
    """graphs.lock.json cannot be read or made. One sentence that begins with the file or the graph."""


class HistoryError(GraphError, ValueError):
    """A recorded run cannot be read, or goes another way with today's code: the text names the first difference."""


class VendorError(GraphError):
    """The vendored runtime is not as it was delivered, or a later one cannot take its place."""


class GraphRunFailed(GraphError):  # noqa: N818 - users read this name in their logs
    """Raised by the orchestrator to end a run as Failed. The structured error is in the custom status."""


class HostError(GraphError):
    """The local host cannot start or go on. The text is one sentence that a person can act on."""
