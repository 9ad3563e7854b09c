"""A handler that fails a number of times, and a graph around it."""

from typing import Any

from shapes import Counter, increment

from azure_functions_durable_graph import GraphRegistration, ManifestBuilder


class Declined(RuntimeError):  # noqa: N818 - users name their errors as they like
    """The card was declined."""


class Failing:
    """A handler that fails a number of times, then counts."""

    def __init__(self, times: int, error: type[Exception] = Declined) -> None:
        self.times, self.error, self.calls = times, error, 0

    def __call__(self, state: Any) -> dict[str, Any]:
        self.calls += 1
        if self.calls <= self.times:
            raise self.error(f"attempt {self.calls}")
        return {"value": state.value + 1}


def graph(handler: Any, **policies: Any) -> GraphRegistration:
    """One node with policies, and the nodes to which an error can lead."""
    builder = ManifestBuilder("g", Counter).set_entrypoint("work")
    builder.add_node("work", handler, terminal=True, **policies)
    for name in ("refund", "alert"):
        if name in str(policies.get("on_error")):
            builder.add_node(name, increment, terminal=True)
    return builder.build()
