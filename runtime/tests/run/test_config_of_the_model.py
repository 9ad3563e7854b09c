"""What a model's config says of its fields holds for what comes from the items of a map and from branches, too."""

import operator
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer, WithJsonSchema

from azure_functions_durable_graph import ManifestBuilder
from azure_functions_durable_graph.testing import GraphRun, run_graph


class Base64(BaseModel):
    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    items: list[int] = []
    files: list[bytes] = []
    parts: Annotated[list[bytes], operator.add] = []


class Strict(BaseModel):
    model_config = ConfigDict(strict=True)

    items: list[int] = []
    results: list[int] = []


class Stripped(BaseModel):
    model_config = ConfigDict(str_strip_whitespace=True)

    items: list[int] = []
    results: list[str] = []


class Money:
    def __init__(self, cents: int) -> None:
        self.cents = cents

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Money) and other.cents == self.cents

    __hash__ = None  # type: ignore[assignment]


MONEY = Annotated[
    Money,
    BeforeValidator(lambda value: value if isinstance(value, Money) else Money(value)),
    PlainSerializer(lambda money: money.cents, return_type=int),
    WithJsonSchema({"type": "integer"}),
]


class Purse(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)

    items: list[int] = []
    coins: list[MONEY] = []
    spent: Annotated[list[MONEY], operator.add] = []


def mapped(model: type[BaseModel], into: str, handler: Any) -> GraphRun:
    builder: Any = ManifestBuilder("g", model).set_entrypoint("each")
    builder.add_map("each", handler, over="items", into=into)
    return run_graph(builder.build(), {"items": [1, 2]})


def branched(model: type[BaseModel], field: str, left: Any, right: Any) -> GraphRun:
    builder: Any = ManifestBuilder("g", model).set_entrypoint("both").add_parallel("both", branches=["x", "y"])
    builder.add_node("x", lambda state: {field: left}).add_node("y", lambda state: {field: right})
    return run_graph(builder.build(), {})


def test_bytes_of_items_and_branches_are_written_in_base64() -> None:
    assert mapped(Base64, "files", lambda state, item: bytes([255, item])).state.files == [b"\xff\x01", b"\xff\x02"]
    assert branched(Base64, "parts", [b"\xff"], (b"\xfe",)).state.parts == [b"\xff", b"\xfe"]


def test_a_strict_model_takes_no_result_of_another_type() -> None:
    run = mapped(Strict, "results", lambda state, item: str(item))

    assert run.status == "failed"
    assert "Input should be a valid integer" in (run.error or {})["message"]


def test_texts_are_stripped_where_the_model_strips_them() -> None:
    assert mapped(Stripped, "results", lambda state, item: f" {item} ").view["state"]["results"] == ["1", "2"]


def test_a_class_that_the_config_allows_is_written_as_its_field_writes_it() -> None:
    assert mapped(Purse, "coins", lambda state, item: Money(item)).state.coins == [Money(1), Money(2)]
    assert branched(Purse, "spent", [Money(1)], [Money(2)]).state.spent == [Money(1), Money(2)]


def test_an_update_that_can_be_read_once_is_read_once() -> None:
    assert branched(Base64, "parts", iter([b"a", b"b"]), (part for part in [b"c"])).state.parts == [b"a", b"b", b"c"]
