"""Between any two nodes a state is converted to JSON and back, without any loss."""

import math
from collections import deque
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any
from uuid import UUID

import pytest
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    SecretStr,
    SerializeAsAny,
    computed_field,
    model_serializer,
)
from visits import visited

from azure_functions_durable_graph.errors import PayloadError
from azure_functions_durable_graph.graph.states import dump, dump_checked, dump_to_send, load, schema_for_people


class Colour(Enum):
    """An enum."""

    RED = "red"


class Inner(BaseModel):
    """A nested model."""

    tags: set[str] = set()
    at: datetime | None = None


class Everything(BaseModel):
    """One field of each type that states have in practice."""

    name: str = ""
    when: datetime | None = None
    day: date | None = None
    span: timedelta | None = None
    key: UUID | None = None
    price: Decimal | None = None
    raw: bytes = b""
    colour: Colour | None = None
    pair: tuple[int, str] | None = None
    inner: Inner = Inner()
    many: dict[str, Inner] = {}
    count: int = 0


class Strict(BaseModel):
    """A model that does not convert values."""

    model_config = ConfigDict(strict=True)
    when: datetime
    tags: set[str] = set()


class Aliased(BaseModel):
    """A model with aliases and a computed field."""

    order_id: str = Field(alias="orderId")
    count: int = 1

    @computed_field  # type: ignore[prop-decorator]
    @property
    def double(self) -> int:
        return self.count * 2


FULL = Everything(
    name="ü",
    when=datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=timezone.utc),
    day=date(2026, 1, 2),
    span=timedelta(days=3, seconds=1),
    key=UUID(int=7),
    price=Decimal("12.30"),
    raw=b"abc",
    colour=Colour.RED,
    pair=(1, "a"),
    inner=Inner(tags={"x", "y"}),
    many={"one": Inner(at=datetime(2026, 1, 1, tzinfo=timezone.utc))},
    count=2**60,
)


@pytest.mark.parametrize(
    "state",
    [FULL, Everything(), Strict(when=datetime(2026, 1, 1, tzinfo=timezone.utc), tags={"a"})],
    ids=["full", "empty", "strict"],
)
def test_a_state_survives_its_json_form(state: Any) -> None:
    assert load(type(state), dump(state)) == state


def test_a_state_with_aliases_and_computed_fields_survives_and_is_read_by_either_name() -> None:
    state = load(Aliased, {"orderId": "A"})

    assert load(Aliased, dump(state)) == state
    assert load(Aliased, {"order_id": "A"}) == state
    assert dump(state) == {"order_id": "A", "count": 1}


class Sets(BaseModel):
    """A model in which no order is promised."""

    plain: set[str] = set()
    nested: dict[str, list[frozenset[int]]] = {}
    anything: Any = None


def test_unordered_values_have_one_order_in_every_process() -> None:
    words = [f"word{number}" for number in range(50)]

    state = Sets(plain=set(words), nested={"a": [frozenset({3, 1, 2})]}, anything={"s": {2, 1}})

    assert dump(state) == {"plain": sorted(words), "nested": {"a": [[1, 2, 3]]}, "anything": {"s": [1, 2]}}


class Shape(BaseModel):
    """A base class."""

    name: str = ""


class Circle(Shape):
    """Has a field that its base class lacks."""

    radius: int = 1


class Drawing(BaseModel):
    """A field of a base class, and one that takes anything."""

    shape: Shape = Shape()
    shapes: dict[str, list[Shape]] = {}
    anything: Any = None


@pytest.mark.parametrize(
    ("state", "text"),
    [
        (Drawing(shape=Circle()), "state.shape: is a Circle, whose 'radius' would be lost"),
        (Drawing(shapes={"a": [Shape(), Circle()]}), r"state.shapes.a\[1\]: is a Circle"),
        (Drawing(anything=float("nan")), "state.anything: nan is not a JSON value"),
        (Drawing(anything={"x": [float("inf")]}), r"state.anything.x\[0\]: inf is not a JSON value"),
        (
            Drawing(shape=Shape().model_copy(update={"nmae": "a"})),
            "state.shape: 'nmae' is not a field of Shape; did you",
        ),
        (Drawing(anything={1: "a", "1": "b"}), "state.anything: two of its keys become the same string in JSON"),
    ],
)
def test_what_its_json_form_would_lose_in_silence_is_refused_with_its_place(state: Any, text: str) -> None:
    with pytest.raises(PayloadError, match=text):
        dump_checked(state, set(type(state).model_fields))


def test_a_value_without_a_json_form_is_named_by_its_field() -> None:
    with pytest.raises(PayloadError, match=r"state\.anything: object has no JSON form"):
        dump(Drawing(anything=object()))


class Sent(BaseModel):
    """Writes another name than it reads, and something that it does not read."""

    model_config = ConfigDict(extra="forbid", serialize_by_alias=True)
    amount: int = Field(0, serialization_alias="Amount")

    @computed_field  # type: ignore[prop-decorator]
    @property
    def double(self) -> int:
        return self.amount * 2


class Hidden(BaseModel):
    """A field that is not written."""

    note: str = Field("", exclude=True)


class Login(BaseModel):
    """A field that is written as stars."""

    password: SecretStr


def test_a_model_that_is_sent_arrives_as_it_was() -> None:
    assert load(Sent, dump_to_send(Sent(amount=3))) == Sent(amount=3)


@pytest.mark.parametrize(
    ("model", "text"),
    [
        (Hidden(note="a"), "Hidden.note is excluded from serialization, so it would be lost; send a dict"),
        (
            Login(password=SecretStr("a")),
            "Login has a SecretStr or SecretBytes, which would be sent masked; send a dict",
        ),
    ],
)
def test_a_model_that_would_arrive_as_another_is_not_sent(model: BaseModel, text: str) -> None:
    with pytest.raises(PayloadError, match=text):
        dump_to_send(model)


class Limits(BaseModel):
    """Infinite limits and defaults."""

    most: float = Field(math.inf, gt=-math.inf, examples=[1.0, math.inf])


def test_a_schema_is_json_where_limits_are_infinite() -> None:
    assert schema_for_people(Limits)["properties"] == {"most": {"title": "Most", "type": "number", "examples": [1.0]}}


class Polymorphic(BaseModel):
    """Its subclasses are written as what they are."""

    model_config = ConfigDict(polymorphic_serialization=True)
    name: str = ""


class Named(Polymorphic):
    """Has a field that its base class lacks."""

    title: str = ""


@dataclass
class Area:
    """Computes a field from the others."""

    side: int
    size: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self.size = self.side**2


class Half(BaseModel):
    """Writes one of its two fields."""

    first: int = 0
    second: int = 0

    @model_serializer
    def write(self) -> dict[str, int]:
        return {"first": self.first}


class Anything(BaseModel):
    """Fields whose values are written as what they are, and a dataclass that computes a field."""

    shape: SerializeAsAny[Shape] = Shape()
    shapes: list[SerializeAsAny[Shape]] = []
    person: Polymorphic = Polymorphic()
    area: Area = Area(1)
    half: Half = Half()
    price: Annotated[float, PlainSerializer(lambda value: round(value, 2))] = 0.0


def wrong_area() -> Area:
    area = Area(2)
    area.size = 5
    return area


@pytest.mark.parametrize(
    ("update", "text"),
    [
        ({"shape": Circle()}, r"state.shape: 'radius' would be lost, since a base class is read there; declare the"),
        ({"shapes": [Shape(), Circle()]}, r"state.shapes\[1\]: 'radius' would be lost"),
        ({"person": Named(title="Dr.")}, r"state.person: .*'title' would be lost"),
        ({"half": Half(first=1, second=2)}, "state.half.second: 2 would be read as 0, since a serializer writes less"),
        ({"price": 1.234}, "state.price: 1.234 would be read as 1.23, since a serializer writes less than the value"),
        ({"area": wrong_area()}, r"state.area.size: 5 would be read as 4; its class sets it anew"),
    ],
)
def test_what_is_written_and_would_not_be_read_is_refused_with_its_place(update: Any, text: str) -> None:
    with pytest.raises(PayloadError, match=text):
        visited(Anything, {}, update)


def test_what_is_read_as_it_is_written_is_kept() -> None:
    state = visited(
        Anything, {}, {"shape": Shape(name="a"), "person": Polymorphic(name="b"), "area": Area(3), "price": 1.5}
    )

    assert state.patch()[0] == {
        "shape": {"name": "a"},
        "person": {"name": "b"},
        "area": {"side": 3, "size": 9},
        "price": 1.5,
    }


class Newest(BaseModel):
    """Its default keeps the last three."""

    items: deque[int] = Field(default_factory=lambda: deque(maxlen=3))


def test_a_run_does_not_begin_with_a_deque_whose_limit_would_be_lost() -> None:
    with pytest.raises(PayloadError, match=r"state.items: is a deque with maxlen=3, .* as in \[\*items, new\]\[-3:\]"):
        dump(Newest())
