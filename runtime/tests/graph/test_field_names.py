"""Under which names a model takes its fields."""

from typing import Annotated, Any

import pytest
from pydantic import AliasChoices, AliasPath, BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from azure_functions_durable_graph.graph.fields import input_names, reads_raw_input, unknown_fields
from azure_functions_durable_graph.graph.states import load


class Plain(BaseModel):
    name: str = ""


class Aliased(BaseModel):
    name: str = Field("", alias="Name")


class ReadOnly(BaseModel):
    name: str = Field("", serialization_alias="shown_name")


class TwoAliases(BaseModel):
    name: str = Field("", alias="shown", validation_alias="given")


class Choices(BaseModel):
    name: Annotated[str, Field(validation_alias=AliasChoices("title", AliasPath("labels", 0)))] = ""


class Path(BaseModel):
    name: str = Field("", validation_alias=AliasPath("address", "name"))


class Camel(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=False)

    first_name: str = ""


GIVEN: list[tuple[type[BaseModel], dict[str, Any]]] = [
    (Plain, {"name": "x"}),
    (Aliased, {"Name": "x"}),
    (Aliased, {"name": "x"}),
    (ReadOnly, {"name": "x"}),
    (TwoAliases, {"given": "x"}),
    (Choices, {"title": "x"}),
    (Choices, {"labels": ["x"]}),
    (Choices, {"name": "x"}),
    (Path, {"address": {"name": "x"}}),
    (Camel, {"firstName": "x"}),
    (Camel, {"first_name": "x"}),
]


@pytest.mark.parametrize(("model", "given"), GIVEN, ids=lambda value: getattr(value, "__name__", None))
def test_a_key_that_reaches_a_field_is_known(model: type[BaseModel], given: dict[str, Any]) -> None:
    assert next(iter(load(model, given).model_dump().values())) == "x"
    assert unknown_fields(model, given) == []


@pytest.mark.parametrize(
    ("model", "key"),
    [(Plain, "nam"), (Aliased, "NAME"), (ReadOnly, "shown_name"), (TwoAliases, "shown"), (Choices, "label")],
)
def test_a_key_that_reaches_no_field_is_unknown(model: type[BaseModel], key: str) -> None:
    assert load(model, {key: "x"}) == model()
    assert unknown_fields(model, [key, "name"]) == [key]


def test_a_model_that_allows_extra_keys_knows_every_key() -> None:
    class Open(Plain):
        model_config = ConfigDict(extra="allow")

    assert unknown_fields(Open, ["nam"]) == []
    assert input_names(Open) == {"name"}


def test_a_model_that_looks_at_its_raw_input_says_so() -> None:
    class Split(Plain):
        @model_validator(mode="before")
        @classmethod
        def _split(cls, data: Any) -> Any:
            return {"name": data["full"].split()[0]} if "full" in data else data

    class Checked(Plain):
        @model_validator(mode="after")
        def _check(self) -> "Checked":
            return self

    class Built(Plain):
        def __init__(self, **data: Any) -> None:
            super().__init__(name=data.pop("title", ""), **data)

    assert [reads_raw_input(model) for model in (Plain, Split, Checked, Built)] == [False, True, False, True]
