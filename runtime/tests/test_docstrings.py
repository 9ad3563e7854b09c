"""The examples in the docstrings of the doors are run: every indented block of what users import."""

import ast
import contextlib
import importlib
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from textwrap import dedent
from typing import Any

import azure.durable_functions as df
import azure.functions as func
import httpx
import pytest
from pydantic import BaseModel

import azure_functions_durable_graph as package
from azure_functions_durable_graph import DurableGraphApp, ManifestBuilder, NodeContext, RetryPolicy, RouteDecision
from azure_functions_durable_graph.client import GraphClient
from azure_functions_durable_graph.hosting import AppHost
from azure_functions_durable_graph.testing import GraphHost, run_graph

DOORS = ("", ".client", ".testing", ".hosting", ".fixtures")
STATEMENT = re.compile(r"^(?:with .*:|from \S+ import .*|import \S+|assert .*)$", re.MULTILINE)


@dataclass(frozen=True)
class Example:
    """A block of code in a docstring."""

    place: str
    text: str


def documented() -> Iterator[tuple[str, str]]:
    """The doors, the names that they export, and the public members of those: a place and its docstring."""
    for door in DOORS:
        module = importlib.import_module(f"{package.__name__}{door}")
        objects = {module.__name__: module}
        for name in getattr(module, "__all__", ()):
            value = getattr(module, name)
            objects[f"{module.__name__}.{name}"] = value
            if inspect.isclass(value):
                members = {key: member for key, member in vars(value).items() if not key.startswith("_")}
                objects |= {f"{module.__name__}.{name}.{key}": member for key, member in members.items()}
        for place, value in objects.items():
            yield place, inspect.cleandoc(getattr(value, "__doc__", None) or "")


def examples() -> Iterator[Example]:
    """Every indented block, but those of a list's continued lines."""
    for place, text in documented():
        for block in re.findall(r"(?:^|\n\n)((?: {4}[^\n]*(?:\n|$)|\n(?= {4}))+)", text):
            yield Example(place, dedent(block))


EXAMPLES = list(examples())


class OrderState(BaseModel):
    """The state of the examples."""

    order_id: str
    validated: bool = False
    shipped: bool = False


def validate_order(state: OrderState) -> dict[str, Any]:
    return {"validated": True}


def ship_order(state: OrderState) -> dict[str, Any]:
    return {"shipped": True}


def world() -> dict[str, Any]:
    """What the examples may take for granted: an order's graph, its app, and the names that users import."""
    builder = ManifestBuilder("order_flow", OrderState).set_entrypoint("validate")
    builder.add_node("validate", validate_order, next_node="ship").add_node("ship", ship_order, terminal=True)
    registration = builder.build()
    runtime = DurableGraphApp()
    runtime.register_registration(registration)
    own = (AppHost, DurableGraphApp, GraphClient, GraphHost, ManifestBuilder, NodeContext, RetryPolicy, RouteDecision)
    return {
        "__name__": "example",
        "registration": registration,
        "runtime": runtime,
        "app": runtime.function_app,
        **{"httpx": httpx, "func": func, "df": df},
        **{value.__name__: value for value in (*own, BaseModel, OrderState, validate_order, ship_order, run_graph)},
        "timedelta": timedelta,
    }


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.place)
def test_the_example_runs(example: Example) -> None:
    code, names = compile(example.text, example.place, "exec", dont_inherit=True), world()
    with AppHost(names["app"]) if "url" in code.co_names else contextlib.nullcontext() as served:
        exec(code, {**names, "url": served.url if served else None})


def test_every_door_has_an_example() -> None:
    assert {f"{package.__name__}{door}" for door in DOORS} <= {example.place for example in EXAMPLES}


def test_no_example_has_lost_its_indentation() -> None:
    assert [(place, line) for place, text in documented() for line in STATEMENT.findall(text)] == []


def test_examples_assert_what_they_show() -> None:
    """An example that only calls something would not notice another result."""
    for place in (f"{package.__name__}{door}" for door in DOORS if door != ".fixtures"):
        code = "\n".join(example.text for example in EXAMPLES if example.place == place)
        assert any(isinstance(node, ast.Assert) for node in ast.walk(ast.parse(code))), place
