"""Functions as people write them beside their graphs, and whether the Python worker loads them.

The runtime's tests ask the local host's loader, the template's tests ask the worker library of Microsoft.
"""

from __future__ import annotations

import functools
import sys
import typing
from collections.abc import Callable
from typing import Any

import azure.durable_functions as df
import azure.functions as func

Row = tuple[str, Callable[[Any], object], bool]
ROWS: list[Row] = []
"""Name, what it adds to an app, and whether the worker loads that app."""


def activity(name: str, annotation: Any, loads: bool) -> None:
    """An activity whose parameter has this annotation."""

    def add(app: Any) -> None:
        def act(given: Any) -> Any:
            return given

        act.__annotations__ = {"given": annotation}
        app.activity_trigger(input_name="given")(act)

    ROWS.append((f"activity {name}", add, loads))


def output(name: str, annotation: Any, loads: bool) -> None:
    """An HTTP function with a queue output whose parameter has this annotation, None for none."""

    def add(app: Any) -> None:
        def send(req: func.HttpRequest, message: Any) -> Any:
            message.set("text")
            return "ok"

        send.__annotations__ = {"req": func.HttpRequest, "return": str}
        if annotation is not None:
            send.__annotations__["message"] = annotation
        app.route(route="send")(app.queue_output(arg_name="message", queue_name="q", connection="C")(send))

    ROWS.append((f"output {name}", add, loads))


def request(name: str, annotations: dict[str, Any], loads: bool) -> None:
    """An HTTP function with these annotations."""

    def add(app: Any) -> None:
        def answer(req: Any, context: Any) -> Any:
            return "ok"

        answer.__annotations__ = annotations
        app.route(route="answer")(answer)

    ROWS.append((f"http {name}", add, loads))


def other(loads: bool) -> Callable[[Callable[[Any], object]], Callable[[Any], object]]:
    """Any other function; its builder's name is the row's."""

    def keep(add: Callable[[Any], object]) -> Callable[[Any], object]:
        ROWS.append((add.__name__.replace("_", " "), add, loads))
        return add

    return keep


T = typing.TypeVar("T")


class Generic(typing.Generic[T]):
    """A generic class of the app's own."""


activity("a class", dict, True)
activity("text", str, True)
activity("bytes", bytes, True)
activity("None", None, True)
activity("a generic class", Generic, True)
activity("an alias of a generic class", Generic[int], True)
activity("typing.Dict", typing.Dict[str, Any], True)  # noqa: UP006 - what is tested
activity("typing.List", typing.List[str], True)  # noqa: UP006
activity("bare typing.List", typing.List, True)  # noqa: UP006
activity("typing.Tuple", typing.Tuple[str, int], False)  # noqa: UP006
activity("typing.Type", typing.Type[str], True)  # noqa: UP006
activity("Mapping", typing.Mapping[str, int], True)
activity("Literal", typing.Literal["a"], True)
activity("Annotated class", typing.Annotated[dict, "note"], True)
activity("Annotated alias", typing.Annotated[dict[str, int], "note"], False)
activity("dict[...]", dict[str, Any], False)
activity("list[...]", list[str], False)
activity("Optional", typing.Optional[str], False)  # noqa: UP045
activity("str | None", str | None, False)
activity("Union", typing.Union[str, int], False)
activity("Callable", typing.Callable[[], int], False)
activity("a type variable", T, False)
activity("NewType", typing.NewType("Name", str), False)
activity("Any", Any, sys.version_info >= (3, 11))  # a class since then
activity("a name as text", "dict", True)
activity("an alias as text", "dict[str, int]", False)
activity("an unknown name", "NotThere", False)
activity("func.Out on an input", func.Out[str], False)

output("without an annotation", None, True)
output("Out[str]", func.Out[str], True)
output("Out[bytes]", func.Out[bytes], True)
output("Out[QueueMessage]", func.Out[func.QueueMessage], True)
output("Out[typing.List[str]]", func.Out[typing.List[str]], True)  # noqa: UP006
output("Out[typing.List[QueueMessage]]", func.Out[typing.List[func.QueueMessage]], False)  # noqa: UP006
output("Out[int]", func.Out[int], False)
output("Out[dict]", func.Out[dict], False)  # type: ignore[type-arg]
output("bare Out", func.Out, False)
output("str", str, False)
output("Optional[Out]", typing.Optional[func.Out[str]], False)  # noqa: UP045

_REQUEST = {"req": func.HttpRequest}
request("without annotations", {}, True)
request("HttpResponse", {**_REQUEST, "return": func.HttpResponse}, True)
request("str", {**_REQUEST, "return": str}, True)
request("a request annotated as text", {"req": str}, True)
request("a request annotated as a dict", {"req": dict}, False)
request("a request annotated Any", {"req": typing.Any}, False)
request("returns a dict", {**_REQUEST, "return": dict}, False)
request("returns None", {**_REQUEST, "return": None}, False)
request("returns bytes", {**_REQUEST, "return": bytes}, False)
request("returns Optional", {**_REQUEST, "return": typing.Optional[str]}, False)  # noqa: UP045
request("returns an alias", {**_REQUEST, "return": typing.Dict[str, str]}, False)  # noqa: UP006
request("func.Context", {**_REQUEST, "context": func.Context}, True)
request("df's context", {**_REQUEST, "context": df.DurableOrchestrationContext}, False)
request("context as an object", {**_REQUEST, "context": object}, False)


@other(True)
def a_timer_with_text(app: Any) -> None:
    @app.timer_trigger(schedule="0 0 * * * *", arg_name="timer")
    def tick(timer: str) -> None: ...


@other(False)
def a_timer_with_a_request(app: Any) -> None:
    @app.timer_trigger(schedule="0 0 * * * *", arg_name="timer")
    def tick(timer: func.HttpRequest) -> None: ...


@other(True)
def a_queue_message_as_text(app: Any) -> None:
    @app.queue_trigger(arg_name="message", queue_name="q", connection="C")
    def on_message(message: str) -> None: ...


@other(False)
def a_queue_message_as_a_dict(app: Any) -> None:
    @app.queue_trigger(arg_name="message", queue_name="q", connection="C")
    def on_message(message: dict[str, Any]) -> None: ...


@other(True)
def a_blob_input(app: Any) -> None:
    @app.route(route="read")
    @app.blob_input(arg_name="blob", path="a/b", connection="C")
    def read(req: func.HttpRequest, blob: func.InputStream) -> str:
        return "ok"


@other(True)
def a_return_into_a_queue(app: Any) -> None:
    @app.queue_trigger(arg_name="message", queue_name="q", connection="C")
    @app.queue_output(arg_name="$return", queue_name="r", connection="C")
    def forward(message: func.QueueMessage) -> str:
        return "ok"


@other(False)
def a_list_returned_into_a_queue(app: Any) -> None:
    @app.queue_trigger(arg_name="message", queue_name="q", connection="C")
    @app.queue_output(arg_name="$return", queue_name="r", connection="C")
    def forward(message: func.QueueMessage) -> list[str]:
        return ["ok"]


@other(False)
def a_parameter_without_a_binding(app: Any) -> None:
    @app.activity_trigger(input_name="given")
    def act(given: dict, more: dict) -> str:  # type: ignore[type-arg]
        return "ok"


@other(False)
def a_default_does_not_help_a_parameter(app: Any) -> None:
    @app.activity_trigger(input_name="given")
    def act(given: dict, more: int = 1) -> str:  # type: ignore[type-arg]
        return "ok"


@other(False)
def a_binding_without_a_parameter(app: Any) -> None:
    @app.activity_trigger(input_name="given")
    def act() -> str:
        return "ok"


@other(False)
def keywords_for_the_rest(app: Any) -> None:
    @app.activity_trigger(input_name="given")
    def act(given: dict, **rest: Any) -> str:  # type: ignore[type-arg]
        return "ok"


@other(False)
def an_orchestrator_with_another_context_name(app: Any) -> None:
    @app.orchestration_trigger(context_name="ctx")
    def main(ctx: Any) -> Any:
        yield


@other(True)
def an_orchestrator_and_an_entity(app: Any) -> None:
    @app.orchestration_trigger(context_name="context")
    def main(context: df.DurableOrchestrationContext) -> Any:
        yield

    @app.entity_trigger(context_name="context")
    def counter(context: df.DurableEntityContext) -> None: ...


@other(True)
def a_durable_client(app: Any) -> None:
    @app.route(route="start")
    @app.durable_client_input(client_name="client")
    async def start(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
        return func.HttpResponse("ok")


@other(True)
def a_wrapped_function(app: Any) -> None:
    def loud(code: Any) -> Any:
        @functools.wraps(code)
        def wrapper(*arguments: Any, **named: Any) -> Any:
            return code(*arguments, **named)

        return wrapper

    @app.activity_trigger(input_name="given")
    @loud
    def act(given: dict) -> str:  # type: ignore[type-arg]
        return "ok"


@other(True)
def a_retry_policy(app: Any) -> None:
    @app.timer_trigger(schedule="0 0 * * * *", arg_name="timer")
    @app.retry(strategy="fixed_delay", max_retry_count="3", delay_interval="00:00:05")
    def tick(timer: func.TimerRequest) -> None: ...


@other(False)
def a_retry_policy_in_words(app: Any) -> None:
    @app.timer_trigger(schedule="0 0 * * * *", arg_name="timer")
    @app.retry(strategy="fixed_delay", max_retry_count="three", delay_interval="00:00:05")
    def tick(timer: func.TimerRequest) -> None: ...


@other(False)
def a_retry_policy_without_its_interval(app: Any) -> None:
    @app.timer_trigger(schedule="0 0 * * * *", arg_name="timer")
    @app.retry(strategy="fixed_delay", max_retry_count="3")
    def tick(timer: func.TimerRequest) -> None: ...


@other(True)
def an_exponential_retry_policy(app: Any) -> None:
    @app.timer_trigger(schedule="0 0 * * * *", arg_name="timer")
    @app.retry(strategy="exponential_backoff", max_retry_count="3", minimum_interval="00:00:05")
    def tick(timer: func.TimerRequest) -> None: ...


@other(True)
def a_generic_trigger(app: Any) -> None:
    @app.generic_trigger(arg_name="item", type="somethingTrigger")
    def on_item(item: str) -> None: ...


@other(False)
def a_generic_trigger_as_a_dict(app: Any) -> None:
    @app.generic_trigger(arg_name="item", type="somethingTrigger")
    def on_item(item: dict) -> None: ...  # type: ignore[type-arg]
