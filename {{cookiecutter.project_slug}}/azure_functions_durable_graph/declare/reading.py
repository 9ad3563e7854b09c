"""Reads the settings of a declaration. What cannot be read becomes a fault, and is replaced by a harmless value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from ..errors import Fault
from ..graph.durations import duration_problem
from ..graph.names import plain_name
from ..graph.wording import brief_repr


class Reader:
    """Reads the settings of one node or event; `where` names it in each fault."""

    def __init__(self, where: str, faults: list[Fault]) -> None:
        self._where = where
        self._faults = faults

    def fault(self, problem: str, fix: str) -> None:
        """Add a fault."""
        self._faults.append(Fault(self._where, problem, fix))

    def text(self, what: str, value: Any) -> str | None:
        """An optional name; a member of a `str` enum counts as its value."""
        if value is None or isinstance(value, str):
            found: str | None = plain_name(value)
            return found
        self.fault(f"{what} is {brief_repr(value)}", "Pass a name, as a string")
        return None

    def names(self, what: str, value: Any) -> tuple[str, ...]:
        """A list of names, in the given order."""
        if isinstance(value, str):
            self.fault(f"{what} is the string {value!r}", f"Pass a list, such as {what}=[{value!r}]")
            return (plain_name(value),)
        if not isinstance(value, Iterable) or isinstance(value, Mapping):
            self.fault(f"{what} is {brief_repr(value)}", f"Pass a list of names, such as {what}=['a', 'b']")
            return ()
        found = tuple(value)
        for name in found:
            if not isinstance(name, str):
                self.fault(f"{what} contains {brief_repr(name)}", "Use names only, as strings")
        return tuple(plain_name(name) for name in found if isinstance(name, str))

    def table(self, what: str, value: Any) -> dict[str, str]:
        """A dict from names to names; empty for None."""
        if value is None:
            return {}
        if isinstance(value, Mapping) and all(isinstance(part, str) for pair in value.items() for part in pair):
            return {plain_name(key): plain_name(target) for key, target in value.items()}
        self.fault(
            f"{what} is {brief_repr(value)}", f"Pass a dict from field to field, such as {what}={{'text': 'draft'}}"
        )
        return {}

    def count(self, what: str, value: Any) -> int | None:
        """An optional number of at least 1."""
        if value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 1):
            found: int | None = value
            return found
        self.fault(f"{what} is {brief_repr(value)}", "Use a whole number of at least 1")
        return None

    def stop_when(self, value: Any) -> str | int | None:
        """When a parallel or a map stops what is left: a number of successes, or "first_failure"."""
        if value in ("first_success", "first_failure"):
            return 1 if value == "first_success" else "first_failure"
        if value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 1):
            return value
        fix = 'Use "first_success", "first_failure" or a number of successes'
        self.fault(f"stop_when is {brief_repr(value)}", fix)
        return None

    def seconds(self, what: str, span: timedelta | None) -> float | None:
        """A positive timedelta as seconds."""
        problem = duration_problem(span)
        if problem is not None or span is None:
            said, _, fix = str(problem).partition("; ")
            self.fault(f"{what} {said}", fix[:1].upper() + fix[1:])
            return None
        return span.total_seconds()

    def retry(self, policy: Any) -> dict[str, Any] | None:
        """A RetryPolicy in its JSON form."""
        if policy is None:
            return None
        from ..graph.policies import RetryPolicy  # needed only if there is a policy

        if isinstance(policy, RetryPolicy):
            return policy.to_dict()
        attempts = policy if isinstance(policy, int) and policy > 1 else 3
        self.fault(f"retry is {brief_repr(policy)}", f"Pass a policy, such as RetryPolicy(max_attempts={attempts})")
        return None

    def on_error(self, table: Any) -> dict[str, str] | None:
        """A node for any error, or a table from errors to nodes, under the errors' names."""
        if table is None:
            return None
        from ..graph.policies import ANY, error_name  # needed only if there is a policy

        if isinstance(table, str):
            return {ANY: plain_name(table)}
        if not isinstance(table, Mapping) or not table:
            fix = 'Pass the name of a node, or a table such as {"ValueError": "repair"}'
            self.fault(f"on_error is {brief_repr(table)}", fix)
            return None
        found = {}
        for error, target in table.items():
            try:
                found[error_name(error)] = plain_name(target)
            except ValueError:
                fix = "Use exception classes, their names, or '*' for any error"
                self.fault(f"on_error has the key {brief_repr(error)}", fix)
                continue
            if not isinstance(target, str):
                self.fault(f"on_error leads to {brief_repr(target)}", "Pass the name of a node, as a string")
                del found[error_name(error)]
        return found or None
