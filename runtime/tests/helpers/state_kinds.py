"""Kinds of values that states may hold, with an example of each, and kinds that states may not hold."""

import dataclasses
import enum
import ipaddress
import math
import pathlib
from collections import deque
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, Generic, Literal, NamedTuple, TypeVar, Union
from uuid import UUID

from pydantic import (
    AliasChoices,
    Base64Bytes,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    HttpUrl,
    Json,
    PlainSerializer,
    PrivateAttr,
    RootModel,
    SecretStr,
    computed_field,
)
from pydantic.alias_generators import to_camel
from typing_extensions import TypedDict


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
    "url": (HttpUrl, HttpUrl("https://example.com/b")),
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


class Range(enum.Enum):
    SHORT = (0, 10)
    LONG = (10, 100)


class Kind(enum.Enum):
    CAT = "cat"


class Unlimited(BaseModel):
    most: float = math.inf


@dataclasses.dataclass
class Scaled:
    size: int
    scale: dataclasses.InitVar[int] = 1


REFUSED: dict[str, tuple[Any, str]] = {
    "bytes": (
        bytes,
        r"field 'v' may contain values such as b'\xff\x00', which cannot be written as JSON. Set",
    ),
    "bytes within": (list[tuple[int, bytes]], "cannot be written as JSON"),
    "bytes in a recursive model": (BytesTree, "field 'raw' may contain values such as"),
    "plain enum keys": (
        dict[Grade, int],
        "such as {<Grade.A: 1>: 1}, which cannot be read back from JSON. Use",
    ),
    "tuple keys": (dict[tuple[int, int], str], "such as {(1, 1): 'a'}, which cannot be read back from JSON"),
    "None as a key": (dict[str | None, int], "such as {None: 1}, which come back from JSON as {'None': 1}"),
    "keys of two types": (dict[Union[int, str], int], "which come back from JSON as"),
    "text beside a datetime": (Union[datetime, str], "which come back from JSON as datetime.datetime(2024"),
    "text before a datetime": (Union[str, datetime], "which come back from JSON as"),
    "text beside a decimal": (Union[Decimal, str], "which come back from JSON as"),
    "text beside an enum": (Union[str, Color], "which come back from JSON as 'r'. Make its members differ"),
    "text beside a URL": (
        Union[HttpUrl, str],
        "HttpUrl('https://example.com/a'), which come back from JSON as",
    ),
    "an enum of tuples": (
        Range,
        "such as <Range.SHORT: (0, 10)>, which cannot be read back from JSON. Give its members strings or numbers",
    ),
    "a literal of a plain enum": (
        Literal[Kind.CAT],
        "such as <Kind.CAT: 'cat'>, which cannot be read back from JSON. Derive the enum from str or int as well",
    ),
    "an infinite default within": (Unlimited, "field 'most' of Unlimited is inf by default, which JSON does not have"),
    "an argument of a dataclass that is no field": (Scaled, "Scaled has the InitVar 'scale', which would be lost"),
    "any model": (BaseModel, "field 'v' is annotated with BaseModel, which has no fields"),
    "an iterable": (Iterable[int], "field 'v' may contain an iterable that can be read only once"),
    "a class": (type[int], "field 'v' may contain a class, which has no JSON form. Use a type with plain values."),
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
    "an excluded field within": (list[Excluded], "field 'v' of Excluded is excluded from serialization"),
    "a secret": (Secret, "contains a SecretStr or SecretBytes, which is masked"),
}
