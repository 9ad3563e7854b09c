"""What a state would lose between two nodes is refused, with its place; what is read as it is written is kept."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Annotated, Any

import pytest
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    SerializeAsAny,
    model_serializer,
)
from visits import visited

from azure_functions_durable_graph.errors import PayloadError
from azure_functions_durable_graph.graph.states import dump, dump_checked


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
