"""States, results and answers that are too large, and graphs that make them."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from azure_functions_durable_graph import ItemResult, ManifestBuilder
from azure_functions_durable_graph.graph.sizes import MOST_BYTES

HALF = "x" * (MOST_BYTES // 2)


CURE = "keep large data in a blob or a file, and its name in the state"


class Work(BaseModel):
    items: list[int] = [1, 2, 3]
    one: str = ""
    two: str = ""
    done: list[str] = []


class Collecting(BaseModel):
    items: list[int] = []
    done: list[ItemResult[str]] = []


def builder(entrypoint: str, **options: Any) -> ManifestBuilder:
    return ManifestBuilder("g", Work, **options).set_entrypoint(entrypoint)


def nothing(state: Work) -> None:
    return None
