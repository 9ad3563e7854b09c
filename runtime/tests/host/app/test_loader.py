"""The local host loads what Azure loads, and rejects everything else with an error message."""

import os
import re
from pathlib import Path
from typing import Any, List  # noqa: UP035 - as the worker reads it

import azure.durable_functions as df
import azure.functions as func
import pytest
from apps import command_line

from azure_functions_durable_graph import DurableGraphApp
from azure_functions_durable_graph.errors import HostError
from azure_functions_durable_graph.host.app.loader import index_app, load_app


@pytest.fixture
def app() -> Any:
    return df.DFApp()


def test_our_own_app_passes_the_checks_of_the_worker() -> None:
    loaded = index_app(DurableGraphApp().function_app)

    assert [function.name for function in loaded.of_kind("orchestrationTrigger")] == ["durable_graph_run"]
    assert [function.name for function in loaded.of_kind("activityTrigger")] == [
        "durable_graph_node",
        "durable_graph_stop",
    ]
    assert loaded.not_served == ()


def test_triggers_that_are_not_served_are_listed(app: Any) -> None:
    @app.cosmos_db_trigger_v3(arg_name="rows", database_name="d", collection_name="c", connection_string_setting="C")
    def on_rows(rows: func.DocumentList) -> None:
        pass

    @app.service_bus_queue_trigger(arg_name="messages", queue_name="q", connection="C", cardinality="many")
    def on_messages(messages: List[func.ServiceBusMessage]) -> None:  # noqa: UP006
        pass

    assert index_app(app).not_served == (
        ("on_rows", "cosmosDBTrigger"),
        ("on_messages", "serviceBusTrigger for many messages at once"),
    )


def test_a_function_with_an_input_that_only_azure_can_bring_is_listed(app: Any) -> None:
    @app.route(route="read")
    @app.blob_input(arg_name="blob", path="a/b", connection="C")
    def read(req: func.HttpRequest, blob: func.InputStream) -> str:
        return "never"

    assert index_app(app).not_served == (("read", "httpTrigger with the input blob"),)


def test_the_durable_name_of_a_trigger_counts(app: Any) -> None:
    @app.activity_trigger(input_name="given", activity="other")
    def named(given: object) -> Any:
        return given

    (function,) = index_app(app).functions
    assert (function.name, function.durable_name) == ("named", "other")


def refused(app: Any, text: Any) -> None:
    with pytest.raises(HostError, match=text):
        index_app(app)


def test_an_orchestrator_with_another_context_name_is_refused(app: Any) -> None:
    @app.orchestration_trigger(context_name="ctx")
    def main(ctx: Any) -> Any:
        yield

    refused(app, "main: the orchestrator's context_name must be 'context'")


def test_a_generic_annotation_is_refused(app: Any) -> None:
    @app.activity_trigger(input_name="given")
    def act(given: dict[str, int]) -> Any:
        return given

    refused(app, "act: 'given' is annotated .*only plain classes and typing aliases")


def test_a_parameter_without_a_binding_is_refused(app: Any) -> None:
    @app.activity_trigger(input_name="given")
    def act(given: object, more: object) -> Any:
        return given

    refused(app, "act: the parameter 'more' has no binding")


def test_a_binding_without_a_parameter_is_refused(app: Any) -> None:
    @app.activity_trigger(input_name="given")
    def act() -> Any:
        return 1

    refused(app, "act: the binding 'given' has no parameter")


def test_an_http_function_must_take_a_request_and_return_a_response(app: Any) -> None:
    @app.route(route="a")
    def wrong(req: bytearray) -> dict:  # type: ignore[type-arg]
        return {}

    refused(app, "'req' must be an HttpRequest.*; wrong: an HTTP function must return HttpResponse or str")


def test_two_functions_of_one_name_are_refused(app: Any) -> None:
    for _ in range(2):

        @app.route(route="a")
        def same(req: func.HttpRequest) -> str:
            return ""

    refused(app, "cannot be listed: .*same")


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (None, "has no function_app.py"),
        ("x = 1", "must have exactly one function app at its top level, not 0"),
        (
            "import azure.durable_functions as df\na = df.DFApp()\nb = a",
            "exactly one function app at its top level, not 2",
        ),
        (
            "import nothing_of_this_name",
            r"cannot be imported: ModuleNotFoundError: .* \(function_app.py, line 1: import nothing_of_this_name\)$",
        ),
        ("def f(:", r"cannot be imported: SyntaxError: .* \(function_app.py, line 1: def f\(:\)$"),
        ("import sys\nsys.exit(0)", r"cannot be imported: SystemExit: 0 \(function_app.py, line 2: sys.exit\(0\)\)$"),
    ],
    ids=["no file", "no app", "two names", "import error", "syntax error", "exit"],
)
def test_a_folder_that_does_not_load_gets_one_sentence(tmp_path: Path, source: Any, text: Any) -> None:
    """In a process of its own: loading changes the working directory and sys.path."""
    if source is not None:
        (tmp_path / "function_app.py").write_text(source)

    answer = command_line("serve", tmp_path)

    assert answer.returncode == 1
    assert "Traceback" not in answer.stderr
    (line,) = [line for line in answer.stderr.splitlines() if line.startswith("error: ")]
    assert re.search(text, line)


def test_an_empty_folder_raises_before_anything_changes(tmp_path: Path) -> None:
    before = os.getcwd()

    with pytest.raises(HostError):
        load_app(tmp_path)

    assert os.getcwd() == before
