"""Messages that start runs: one message is one run, however often it is delivered.

Loaded with the first trigger that an app declares.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from ..errors import ApiError, Fault, MessageError, PayloadError, RegistrationError
from ..graph.names import did_you_mean
from ..graph.plain_json import digest, parse
from ..work.registry import Registry

if TYPE_CHECKING:
    from ..calls.graph_calls import GraphCalls

Prepare = Callable[[Any], Any]
"""Makes the input of a run from a message's JSON: a dict, or the graph's state model."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class MessageTrigger:
    """A declared trigger. `kind` and `source` say where the messages come from: "queue" and its name."""

    kind: str
    source: str
    graph: str
    name: str | None
    prepare: Prepare | None

    def __post_init__(self) -> None:
        """Raises RegistrationError for what is wrong regardless of the app's graphs."""
        for what, value in (("the source", self.source), ("graph", self.graph), ("name", self.name or "x")):
            if not isinstance(value, str) or not value:
                raise RegistrationError(f"{self.kind} trigger: {what} is {value!r}; pass a name")
        if self.prepare is not None and not callable(self.prepare):
            raise RegistrationError(
                f"{self}: input is a {type(self.prepare).__name__}; pass a function that takes the message"
            )
        if re.fullmatch(r"[A-Za-z]\w{0,126}", self.function, re.ASCII) is None:
            raise RegistrationError(f"{self}: {self.function!r} is not a valid function name; pass name=…")

    def __str__(self) -> str:
        return f"{self.kind} {self.source!r}"

    @property
    def function(self) -> str:
        """The name of the function: that of the source, in the characters that a function's name can have."""
        return self.name or re.sub(r"\W+", "_", self.source, flags=re.ASCII).strip("_")

    def faults(self, registry: Registry) -> Iterator[Fault]:
        """What is wrong with it given the graphs of the app."""
        if self.graph not in registry.by_name:
            hint = did_you_mean(self.graph, registry.by_name)
            yield Fault(str(self), f"starts the unknown graph {self.graph!r}", hint[0].upper() + hint[1:])

    def key(self, message_id: str) -> str:
        """The idempotency key of a message: a message that is delivered again finds the run that it has started."""
        return digest([self.kind, self.source, message_id])


async def start_from_message(trigger: MessageTrigger, calls: GraphCalls, message_id: Any, body: bytes | Any) -> None:
    """Start the run of a message, or find it. `body` is the message's bytes, or its JSON.

    Raises MessageError for a message that can start no run: after a few deliveries Azure then puts it aside (the queue
    NAME-poison, the dead-letter queue), and the log says why. Anything else that is raised may pass: Azure delivers the
    message again.
    """
    try:
        content = parse(body) if isinstance(body, bytes) else body
        given = _input(trigger, content)
        tags = {"message_id": str(message_id), "source": str(trigger)}
        started = await calls.start(trigger.graph, given, key=trigger.key(str(message_id)), metadata=tags)
    except ApiError as error:
        raise _poison(trigger, message_id, error.detail) from None
    except PayloadError as error:
        raise _poison(trigger, message_id, str(error)) from None
    logger.info("%s: the message %s is the run %s", trigger, message_id, started.id)


def _input(trigger: MessageTrigger, content: Any) -> BaseModel | Mapping[str, Any]:
    """The input of the run. Raises PayloadError."""
    if trigger.prepare is not None:
        try:
            content = trigger.prepare(content)
        except Exception as error:
            raise PayloadError(f"input=… raised {type(error).__name__}: {error}") from error
    if not isinstance(content, (BaseModel, Mapping)):
        raise PayloadError(f"the input of a run must be an object, not a {type(content).__name__}")
    return content


def _poison(trigger: MessageTrigger, message_id: Any, why: str) -> MessageError:
    return MessageError(f"{trigger}: the message {message_id} does not start a run of {trigger.graph!r}: {why}")
