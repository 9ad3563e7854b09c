"""What a state may be: each value comes back as it was between two nodes, or `build()` refuses its type."""

from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Annotated, Any, Union

import pytest
from pydantic import BaseModel, BeforeValidator, PlainSerializer, create_model, field_serializer
from state_kinds import COMES_BACK, REFUSED, Animal, BytesTree, Deaf, Excluded, Private, Secret

from azure_functions_durable_graph import GraphBuildError, ManifestBuilder
from azure_functions_durable_graph.testing import run_graph


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


async def later(current: list[int], update: list[int]) -> list[int]:
    return current + update


class Later:
    async def __call__(self, current: list[int], update: list[int]) -> list[int]:
        return current + update


@pytest.mark.parametrize("reducer", [later, partial(later), Later()], ids=["function", "partial", "object"])
def test_a_reducer_that_has_to_be_awaited_is_refused(reducer: Any) -> None:
    with pytest.raises(GraphBuildError) as caught:
        two_nodes(Annotated[list[int], reducer], [1], [])

    (fault,) = caught.value.faults
    assert str(fault) == (
        "state model: the reducer of field 'v' is an async function. Use a plain function of two arguments, and await "
        "in the node that returns the update."
    )


def test_the_class_of_all_models_is_no_state() -> None:
    with pytest.raises(
        GraphBuildError, match=r"state model: BaseModel has no fields\. Derive a class with fields from it"
    ):
        ManifestBuilder("g", BaseModel).set_entrypoint("a").add_node("a", lambda state: None, terminal=True).build()


class Written(BaseModel):
    """Serializers as pydantic's guide writes them: methods of the model."""

    zone: str
    at: datetime = datetime(2026, 1, 1)
    tags: set[str] = set()
    by_zone: str = ""

    @field_serializer("at", when_used="json")
    def write_time(self, value: datetime) -> str:
        return value.isoformat()

    @field_serializer("tags", mode="wrap")
    def write_tags(self, value: set[str], write: Any) -> Any:
        return write(value)

    @field_serializer("by_zone")
    def write_by_zone(self, value: str) -> str:
        return value.removeprefix(self.zone)


def test_a_serializer_may_be_a_method_and_need_other_fields() -> None:
    seen: list[Any] = []

    run = run_graph(two_nodes(Written, Written(zone="a", at=datetime(2026, 2, 3), tags={"x"}), seen), {})

    assert run.status == "completed", run.error
    assert seen == [Written(zone="a", at=datetime(2026, 2, 3), tags={"x"})]


class Days(BaseModel):
    """A method that writes what the field does not read."""

    at: datetime = datetime(2026, 1, 1)

    @field_serializer("at")
    def write_time(self, value: datetime) -> str:
        return value.strftime("%d.%m.%Y")


def test_a_method_that_writes_what_nothing_reads_is_refused() -> None:
    with pytest.raises(
        GraphBuildError, match=r"field 'at' may contain values such as .* cannot be read back from JSON"
    ):
        two_nodes(Days, None, [])
