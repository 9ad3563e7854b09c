"""Every error that this package raises on purpose.

GraphError
├── GraphBuildError      a graph cannot be compiled; lists every problem with how to fix it
├── RegistrationError    an app was given something that is not a graph
├── CronError            a schedule is not an NCRONTAB expression, or never fires
├── DecisionError        a route handler returned something that is not a decision
├── InputError           a run was started with a key that the graph's state does not have
├── PayloadError         a value cannot cross the durable boundary as plain JSON
│   └── PayloadTooLarge  it is larger than the app allows
├── ManifestError        a manifest cannot be read; names the path of the bad value
├── LockError            graphs.lock.json cannot be read or created
├── HistoryError         a recorded run cannot be read, or diverges from today's code
├── VendorError          the vendored runtime has been modified, or cannot be replaced
├── GraphRunFailed       a run failed (raised inside the orchestrator)
├── ApiError             the API has answered a client's call with a problem
├── ApiUnreachable       a client got no answer from the API
├── MessageError         a message of a queue or topic does not start a run; says why
└── HostError            the local host cannot start or continue; one sentence for the terminal
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


class GraphError(Exception):
    """The base class of all errors that this package raises on purpose."""


@dataclass(frozen=True)
class Fault:
    """A problem in the declaration of a graph: where it is, what it is, and how to fix it."""

    where: str
    problem: str
    fix: str

    def __str__(self) -> str:
        return f"{self.where}: {self.problem}. {self.fix}{'' if self.fix.endswith(('.', '?', '!')) else '.'}"


class GraphBuildError(GraphError, ValueError):
    """A graph has faults. `faults` contains all of them; the text lists them."""

    def __init__(self, graph_name: str, faults: Sequence[Fault]) -> None:
        self.graph_name = graph_name
        self.faults = tuple(faults)
        lines = [f"graph {graph_name!r} has {len(self.faults)} fault{'' if len(self.faults) == 1 else 's'}:"]
        lines += [f"  {number}. {fault}" for number, fault in enumerate(self.faults, start=1)]
        super().__init__("\n".join(lines))


class RegistrationError(GraphError):
    """An app or package contains something that cannot be registered as a graph."""


class CronError(GraphError, ValueError):
    """A schedule is not an NCRONTAB expression, or never fires. The text names the field."""


class DecisionError(GraphError, TypeError):
    """A route handler returned something that is not a decision, or names an unknown node or event."""


class InputError(GraphError, ValueError):
    """The input of a run has keys that the graph's state does not have. `unknown` maps each to a hint."""

    def __init__(self, graph_name: str, unknown: Mapping[str, str]) -> None:
        self.unknown = dict(unknown)
        named = "; ".join(f"unknown field {key!r}, {hint}" for key, hint in self.unknown.items())
        super().__init__(f"the input does not match the state of graph {graph_name!r}: {named}")


class PayloadError(GraphError, ValueError):
    """A value is not plain JSON, or has keys that the SDK's codec would resolve to classes."""


class PayloadTooLarge(PayloadError):  # noqa: N818 - users name it in on_error
    """A value is larger than what may cross the durable boundary at once. The text gives its size, and what to do."""


class ManifestError(GraphError, ValueError):
    """A manifest cannot be read. The text begins with the path of the bad value."""


class LockError(GraphError, ValueError):
    """graphs.lock.json cannot be read or created. One sentence that begins with the file or the graph."""


class HistoryError(GraphError, ValueError):
    """A recorded run cannot be read, or diverges from today's code: the text names the first difference."""


class VendorError(GraphError):
    """The vendored runtime has been modified, or cannot be replaced by another version."""


class GraphRunFailed(GraphError):  # noqa: N818 - users read this name in their logs
    """Raised by the orchestrator to end a run as Failed. The structured error is in the custom status."""


class ApiError(GraphError):
    """The API has answered a call with a problem: `status` as in HTTP, `code` such as "run-not-found", `detail`.

    `members` has the other members of the problem, such as `errors` for an input that is not valid.
    """

    def __init__(self, status: int, code: str, detail: str, members: Mapping[str, Any] | None = None) -> None:
        self.status, self.code, self.detail = status, code, detail
        self.members = dict(members or {})
        super().__init__(f"{status} {code}: {detail}")


class ApiUnreachable(GraphError):  # noqa: N818 - it says what happened
    """A client got no answer from the API. The text names the address."""


class MessageError(GraphError, ValueError):
    """A message does not start a run. The text names the message and says why."""


class HostError(GraphError):
    """The local host cannot start or continue. The text is one sentence that a person can act on."""
