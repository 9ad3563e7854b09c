"""What a state may be: each value comes back as it was between two nodes, or `build()` refuses its type."""

import dataclasses
import enum
import ipaddress
import pathlib
from collections import deque
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, Generic, Literal, NamedTuple, TypeVar, Union
from uuid import UUID

import pytest
from pydantic import (
    AliasChoices,
    Base64Bytes,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Json,
    PlainSerializer,
    PrivateAttr,
    RootModel,
    SecretStr,
    computed_field,
    create_model,
)
from pydantic.alias_generators import to_camel
from typing_extensions import TypedDict

from azure_functions_durable_graph import GraphBuildError, ManifestBuilder
from azure_functions_durable_graph.testing import run_graph


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Grade(enum.Enum):
    A = 1
    B = 2


class Color(str, enum.Enum):
    RED = "r"


class Animal(BaseModel):
    name: str = "a"


class Dog(Animal):
    barks: int = 5


class Cat(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)
    pet_type: Literal["cat"] = "cat"
    n_lives: int = 9


class Fish(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)
    pet_type: Literal["fish"] = "fish"


class Left(BaseModel):
    value: int


class Right(BaseModel):
    value: int


class Tree(BaseModel):
    value: int = 0
    children: list["Tree"] = []


class BytesTree(BaseModel):
    raw: bytes = b""
    children: list["BytesTree"] = []


T = TypeVar("T")


class Box(BaseModel, Generic[T]):
    item: T


class Ids(RootModel[list[UUID]]):
    pass


class Point(NamedTuple):
    x: int = 0
    y: int = 0


@dataclasses.dataclass
class Place:
    at: datetime
    tags: set[str] = dataclasses.field(default_factory=set)


class Movie(TypedDict):
    seen: date


class Renamed(BaseModel):
    order_id: str = Field(default="", validation_alias=AliasChoices("orderId", "id"), serialization_alias="oid")

    @computed_field  # type: ignore[prop-decorator]
    @property
    def double(self) -> str:
        return self.order_id * 2


class Encoded(BaseModel):
    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")
    raw: bytes = b""
    many: dict[str, list[bytes]] = {}


class Fractions(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)
    ratio: Annotated[
        Fraction,
        BeforeValidator(Fraction, json_schema_input_type=str),
        PlainSerializer(str, return_type=str),
    ] = Fraction(1, 2)


NOW = datetime(2024, 2, 29, 12, 30, 1, 7, tzinfo=timezone.utc)

COMES_BACK: dict[str, tuple[Any, Any]] = {
    "str": (str, "ü\n"),
    "a big int": (int, 10**400),
    "float": (float, 0.1),
    "bool": (bool, True),
    "naive datetime": (datetime, datetime(2024, 1, 1)),
    "datetime": (datetime, NOW),
    "date": (date, date(2024, 2, 29)),
    "time": (time, time(12, 30)),
    "timedelta": (timedelta, timedelta(days=-1, microseconds=1)),
    "decimal": (Decimal, Decimal("1.10")),
    "uuid": (UUID, UUID(int=7)),
    "path": (pathlib.Path, pathlib.Path("a/b")),
    "ip": (ipaddress.IPv4Address, ipaddress.IPv4Address("10.0.0.1")),
    "int enum": (Level, Level.HIGH),
    "enum": (Grade, Grade.B),
    "str enum": (Color, Color.RED),
    "literal": (Literal["a", 1, None], 1),
    "set": (set[int], {1, 9, 17}),
    "frozenset": (frozenset[str], frozenset({"a", "b"})),
    "deque": (deque[int], deque([1, 2])),
    "tuple": (tuple[int, str], (1, "a")),
    "tuple of any length": (tuple[date, ...], (date(2024, 1, 1),)),
    "named tuple": (Point, Point(1, 2)),
    "typed dict": (Movie, {"seen": date(2024, 1, 1)}),
    "dataclass": (Place, Place(NOW, {"a"})),
    "int keys": (dict[int, str], {1: "a"}),
    "date keys": (dict[date, int], {date(2024, 2, 29): 1}),
    "uuid keys": (dict[UUID, int], {UUID(int=1): 1}),
    "int enum keys": (dict[Level, int], {Level.HIGH: 1}),
    "str enum keys": (dict[Color, int], {Color.RED: 1}),
    "literal keys": (dict[Literal["a", "b"], int], {"a": 1}),
    "base64": (Base64Bytes, b"YWJj"),
    "encoded bytes": (Encoded, Encoded(raw=b"\xff\x00", many={"a": [b"\xfe"]})),
    "a serializer and its validator": (Fractions, Fractions(ratio=Fraction(2, 3))),
    "JSON text": (Json[list[int]], "[1, 2]"),
    "model": (Dog, Dog(name="rex")),
    "recursive model": (Tree, Tree(children=[Tree(value=2)])),
    "root model": (Ids, Ids([UUID(int=3)])),
    "generic model": (Box[datetime], Box[datetime](item=NOW)),
    "aliases and computed fields": (Renamed, Renamed.model_validate({"orderId": "A"})),
    "base and derived": (Union[Animal, Dog], Dog(barks=7)),
    "tagged by a field": (Annotated[Union[Cat, Fish], Field(discriminator="pet_type")], Cat(n_lives=3)),
    "told apart by a literal": (Union[Cat, Fish], Fish()),
    "number or text": (Union[int, str], "1"),
    "number or number": (Union[int, float], 1.0),
    "text or list or dict": (Union[str, list[str], dict[str, Any]], ["a"]),
    "optional": (int | None, None),
    "anything that is JSON": (Any, {"a": [1, None, "b", 0.5, True]}),
    "dict of anything": (dict, {"a": 1}),
}

Handled = tuple[type[BaseModel], Any]


def two_nodes(kind: Any, value: Any, seen: list[Any]) -> Any:
    """A graph whose first node writes a value, and whose second one sees what came of it."""
    model: Any = create_model("State", v=(kind | None, None))
    builder: Any = ManifestBuilder("g", model).set_entrypoint("a")
    builder.add_node("a", lambda state: {"v": value}, next_node="b")
    return builder.add_node("b", lambda state: seen.append(state.v), terminal=True).build()


@pytest.mark.parametrize("name", COMES_BACK)
def test_it_comes_back_as_it_was(name: str) -> None:
    kind, value = COMES_BACK[name]
    seen: list[Any] = []

    run = run_graph(two_nodes(kind, value, seen), {})

    assert run.status == "completed", run.error
    expected = [1, 2] if name == "JSON text" else b"abc" if name == "base64" else value
    assert (seen[0], type(seen[0])) == (expected, type(expected))
    assert str(seen[0]) == str(expected) or not isinstance(expected, Decimal)


class Private(BaseModel):
    v: int = 0
    _note: str = PrivateAttr("none")


class Excluded(BaseModel):
    v: int = Field(default=0, exclude=True)


class Secret(BaseModel):
    v: SecretStr = SecretStr("")


class Deaf(BaseModel):
    """Written as text that nothing reads."""

    v: Annotated[int, PlainSerializer(lambda value: f"number {value}")] = 0


REFUSED: dict[str, tuple[Any, str]] = {
    "bytes": (
        bytes,
        r"field 'v' may hold values such as b'\xff\x00', which cannot be written as JSON. Set",
    ),
    "bytes within": (list[tuple[int, bytes]], "cannot be written as JSON"),
    "bytes in a recursive model": (BytesTree, "field 'raw' may hold values such as"),
    "plain enum keys": (
        dict[Grade, int],
        "such as {<Grade.A: 1>: 1}, which cannot be read back from JSON. Use",
    ),
    "tuple keys": (dict[tuple[int, int], str], "such as {(1, 1): 'a'}, which cannot be read back from JSON"),
    "None as a key": (dict[str | None, int], "such as {None: 1}, which come back from JSON as {'None': 1}"),
    "keys of two types": (dict[Union[int, str], int], "which come back from JSON as"),
    "text beside a datetime": (Union[datetime, str], "which come back from JSON as datetime.datetime(2024"),
    "text before a datetime": (Union[str, datetime], "which come back from JSON as datetime.datetime(2024"),
    "text beside a decimal": (Union[Decimal, str], "which come back from JSON as"),
    "text beside an enum": (Union[str, Color], "which come back from JSON as 'r'. Let its members differ"),
    "list or set": (Union[list[int], set[int]], "which come back from JSON as [1]"),
    "models that look alike": (
        Union[Left, Right],
        "as Right(value=1), which come back from JSON as Left(value=1)",
    ),
    "a serializer that nothing reads": (Deaf, "which cannot be read back from JSON. Let its serializer write"),
    "a private attribute": (
        Private,
        "Private has the private attribute '_note', which would be lost",
    ),
    "an excluded field within": (list[Excluded], "field 'v' of Excluded is excluded when it is saved"),
    "a secret": (Secret, "holds a SecretStr or SecretBytes, which is masked"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused(name: str) -> None:
    kind, text = REFUSED[name]

    with pytest.raises(GraphBuildError) as caught:
        two_nodes(kind, None, [])

    (fault,) = caught.value.faults
    assert text in str(fault)
    assert fault.where == "state model"


def test_a_payload_is_only_read_and_may_be_more() -> None:
    builder = ManifestBuilder("g", Animal).set_entrypoint("a").add_node("a", lambda state: None, terminal=True)

    for number, model in enumerate([Private, Excluded, Secret, Deaf, BytesTree]):
        builder.add_event_handler(f"event{number}", lambda state, payload: None, payload_model=model)

    assert len(builder.build().events) == 5


def test_validators_around_a_type_are_tried_together_with_it() -> None:
    def refuse(value: Any) -> Any:
        raise RuntimeError("no")

    def parse(value: Any) -> Any:
        return datetime.fromisoformat(value[5:]) if isinstance(value, str) and value.startswith("date:") else value

    refused = Annotated[Union[datetime, str], BeforeValidator(refuse)]
    told_apart = Annotated[
        Union[datetime, str],
        BeforeValidator(parse),
        PlainSerializer(lambda value: f"date:{value.isoformat()}" if isinstance(value, datetime) else value),
    ]

    assert two_nodes(refused, None, [])
    assert two_nodes(told_apart, None, [])
