"""Exceptions and results whose own attributes raise, and groups of exceptions without end: each is still a value."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel

from azure_functions_durable_graph import ManifestBuilder
from azure_functions_durable_graph.testing import GraphRun, run_graph
from azure_functions_durable_graph.work.boundary import MESSAGE_LIMIT, MOST_ERRORS, MOST_LEVELS, error_record


class State(BaseModel):
    """A state."""

    value: int = 0


class NamelessKind(type):
    """A metaclass that answers for its classes' attributes."""

    @property
    def __name__(cls) -> str:  # type: ignore[override]
        raise RuntimeError("no name")

    @property
    def __mro__(cls) -> Any:
        raise SystemExit("no bases")


class Nameless(Exception, metaclass=NamelessKind):  # noqa: N818
    """Its class has no readable name."""


class Closed(Exception):  # noqa: N818
    """Every attribute raises."""

    def __getattribute__(self, name: str) -> Any:
        raise KeyboardInterrupt(name)


class Faceless(Exception):  # noqa: N818
    """Its class cannot be asked for."""

    @property
    def __class__(self) -> Any:
        raise ValueError("no class")

    @__class__.setter
    def __class__(self, value: Any) -> None: ...


class Groupless(Exception):  # noqa: N818
    """Looks like a group, and is none."""

    @property
    def exceptions(self) -> Any:
        raise SystemExit(1)


def run_of(make: Callable[[], BaseException]) -> GraphRun:
    """A run whose handler raises what `make` gives; made there, as pytest could not print it either."""

    def handler(state: State) -> None:
        raise make()

    return run_graph(ManifestBuilder("g", State).set_entrypoint("a").add_node("a", handler, terminal=True).build(), {})


MAKERS: dict[str, Callable[[], BaseException]] = {
    "Nameless": lambda: Nameless("x"),
    "Closed": Closed,
    "Faceless": Faceless,
    "Groupless": Groupless,
}


@pytest.mark.parametrize("name", MAKERS)
def test_an_exception_keeps_its_type_whatever_its_attributes_raise(name: str) -> None:
    run = run_of(MAKERS[name])

    assert run.error is not None
    assert (run.error["type"], run.error["bases"], run.error["where"]) == (name, ["Exception"], "handler")


def test_a_result_whose_attributes_raise_is_the_wrong_type_like_any_other() -> None:
    class Closed:
        def __getattr__(self, name: str) -> Any:
            if name == "__pydantic_decorators__":  # pydantic 2.11 asks every object in `isinstance`
                raise AttributeError(name)
            raise SystemExit(name)

    builder = ManifestBuilder("g", State).set_entrypoint("a").add_node("a", lambda state: Closed(), terminal=True)
    run = run_graph(builder.build(), {})

    assert run.error is not None
    assert run.error["type"] == "TypeError"
    assert run.error["message"].startswith("node 'a' returned Closed")


class Group(Exception):  # noqa: N818
    """As ExceptionGroup of Python 3.11 and its backport: several exceptions in one."""

    def __init__(self, members: list[BaseException]) -> None:
        self.exceptions = members
        super().__init__("group")


def tree(levels: int, width: int) -> BaseException:
    return Group([tree(levels - 1, width) for _ in range(width)]) if levels else ValueError("m" * 5000)


def depth(record: Any) -> int:
    return 1 + max(map(depth, record.get("errors", [])), default=0)


@pytest.mark.parametrize(("levels", "width"), [(300, 1), (4, 12), (1, 500)], ids=["deep", "both", "wide"])
def test_a_group_of_groups_is_shown_up_to_a_number_of_members_and_levels(levels: int, width: int) -> None:
    record = error_record(tree(levels, width), "handler")

    assert record["type"] == "Group"
    assert depth(record) <= 1 + MOST_LEVELS
    assert len(json.dumps(record)) < (1 + MOST_ERRORS) * (MESSAGE_LIMIT + 200)


def test_a_group_that_holds_itself_is_shown_like_any_other() -> None:
    group = Group([])
    group.exceptions.append(group)

    run = run_of(lambda: group)

    assert run.error is not None
    assert (run.error["type"], depth(run.error)) == ("Group", 1 + MOST_LEVELS)
