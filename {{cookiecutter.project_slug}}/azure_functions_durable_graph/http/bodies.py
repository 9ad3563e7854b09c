"""The bodies of requests, as models."""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic.config import JsonDict

from ..graph.names import RUN_ID_PATTERN, RUN_ID_RULE, is_run_id

MOST_TAGS, LONGEST_TAG = 10, 60
"""Tags of a run, and characters of a tag's value: they stand in the custom status, of which Azure allows 16 KB."""

_TAG = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,29}")
_TAGS: JsonDict = {
    "propertyNames": {"pattern": f"^{_TAG.pattern}$"},
    "additionalProperties": {"type": "string", "minLength": 1, "maxLength": LONGEST_TAG},
}
TAG_RULE = "a letter, then letters, digits, '_', '.' or '-', at most 30 characters"


class StartRequest(BaseModel):
    """Body of POST graphs/{graph}/runs."""

    model_config = ConfigDict(extra="forbid")

    input: dict[str, Any] = Field(default_factory=dict)
    instance_id: str | None = Field(default=None, json_schema_extra={"pattern": RUN_ID_PATTERN})
    metadata: dict[str, Any] = Field(default_factory=dict)
    on_conflict: Literal["fail", "return"] = "fail"
    tags: dict[str, str] = Field(default_factory=dict, max_length=MOST_TAGS, json_schema_extra=_TAGS)

    @field_validator("instance_id")
    @classmethod
    def _valid_id(cls, value: str | None) -> str | None:
        if value is not None and not is_run_id(value):
            raise ValueError(f"a run id is {RUN_ID_RULE}")
        return value

    @field_validator("tags")
    @classmethod
    def _valid_tags(cls, value: dict[str, str]) -> dict[str, str]:
        for key, text in value.items():
            if _TAG.fullmatch(key) is None:
                raise ValueError(f"the key of a tag must be {TAG_RULE}")
            if not 1 <= len(text) <= LONGEST_TAG or not text.isprintable():
                raise ValueError(f"the value of a tag must be 1 to {LONGEST_TAG} printable characters")
        return value


class CancelRequest(BaseModel):
    """Body of POST runs/{id}/cancel."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(default="cancelled over HTTP", max_length=1000)


class SuspendRequest(BaseModel):
    """Body of POST runs/{id}/suspend."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(default="suspended over HTTP", max_length=1000)


class ResumeRequest(BaseModel):
    """Body of POST runs/{id}/resume."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(default="resumed over HTTP", max_length=1000)


class RestartRequest(BaseModel):
    """Body of POST runs/{id}/restart: nothing to start as before, or the node from which to go on, and its state."""

    model_config = ConfigDict(extra="forbid")

    node: str | None = None
    state: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _state_of_a_node(self) -> RestartRequest:
        if self.state is not None and self.node is None:
            raise ValueError("a state requires a node: send node, too")
        return self
