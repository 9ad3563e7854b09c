"""What leaves an app arrives as it was: a model as an input or a payload, and the schema of one."""

from __future__ import annotations

import math

import pytest
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    computed_field,
)

from azure_functions_durable_graph.errors import PayloadError
from azure_functions_durable_graph.graph.states import dump_to_send, load, schema_for_people


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
