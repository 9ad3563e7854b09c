"""The table of routes: its rows fit together, and the OpenAPI document that is made of it tells what the API does."""

from __future__ import annotations

import importlib
import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel

from azure_functions_durable_graph.history.record import STATUSES
from azure_functions_durable_graph.http import responses
from azure_functions_durable_graph.http.routes import ROUTES, Route
from azure_functions_durable_graph.http.values import _PROBLEMS

ACCEPTED: dict[str, tuple[list[str], list[str]]] = {
    "wait": (["0", "0.5", "60"], ["-1", "60.5"]),
    "limit": (["1", "200"], ["0", "201"]),
}
"""Key of a query -> values that its schema allows and the API takes, and values that neither does."""


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: str(route.name))
def test_a_route_is_answered_by_the_function_of_its_name(route: Route) -> None:
    module, _, function = route.handler.partition(":")

    assert function == route.name
    assert callable(getattr(importlib.import_module(f"azure_functions_durable_graph.http.{module}"), function))


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: str(route.name))
def test_a_route_answers_with_success_or_with_a_problem_that_exists(route: Route) -> None:
    assert {status for status in route.answers if status >= 400} <= {status for status, _ in _PROBLEMS.values()}
    assert {status for status in route.answers if status < 400} <= {200, 202, 204}
    assert any(status < 400 for status in route.answers)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: str(route.name))
def test_only_a_route_that_names_something_can_miss_it_and_only_a_body_can_be_bad(route: Route) -> None:
    assert ("{" in route.path or "graph" in route.query) == (404 in route.answers)
    takes_body = route.body is not None or route.name == "post_event"
    assert takes_body == (400 in route.answers) == (413 in route.answers)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: str(route.name))
def test_what_a_route_shows_is_a_model_of_a_status_that_it_answers(route: Route) -> None:
    assert set(route.shows) <= {status for status in route.answers if status < 400}
    assert all(issubclass(getattr(responses, name), BaseModel) for name in route.shows.values())


def test_no_two_routes_have_one_name_or_one_address() -> None:
    assert len({route.name for route in ROUTES}) == len(ROUTES)
    assert len({(route.method, route.path) for route in ROUTES}) == len(ROUTES)


# --- the document -------------------------------------------------------------------------------------------------


@pytest.fixture
def document(api: Any) -> dict[str, Any]:
    found: dict[str, Any] = api.get("/openapi.json").json()
    return found


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Each operation by its id."""
    return {found["operationId"]: found for path in document["paths"].values() for found in path.values()}


def resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """What a reference leads to."""
    assert set(schema) == {"$ref"}
    found: Any = document
    for part in schema["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return dict(found)


def body_of(document: dict[str, Any], operation: str) -> dict[str, Any]:
    return resolved(document, operations(document)[operation]["requestBody"]["content"]["application/json"]["schema"])


def test_every_route_is_in_the_document_once_or_once_for_each_graph_and_event(document: dict[str, Any]) -> None:
    graphs, events = ("approvals", "broken", "conversation", "line"), ("approval", "answer")
    expected = {route.name for route in ROUTES if route.name not in ("start_run", "post_event")}

    assert set(operations(document)) == {
        *expected,
        *(f"start_{graph}" for graph in graphs),
        *(f"post_{event}" for event in events),
    }


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: str(route.name))
def test_an_operation_tells_its_answers_and_what_they_hold(document: dict[str, Any], route: Route) -> None:
    names = {"start_run": "start_line", "post_event": "post_answer"}
    operation = operations(document)[names.get(route.name, route.name)]

    assert operation["summary"] == route.summary
    told = {int(status): found for status, found in operation["responses"].items()}
    assert (told.pop(401, None) is None) == route.anonymous  # the Functions host answers it, without a body
    assert {status: found["description"] for status, found in told.items()} == route.answers
    for status, found in told.items():
        assert ("content" in found) == (status != 204)
        for kind, content in found.get("content", {}).items():
            assert (kind == "application/problem+json") == (status >= 400)
            if status >= 400:
                assert resolved(document, content["schema"])["required"] == ["type", "title", "status", "detail"]
            elif status in route.shows:
                assert resolved(document, content["schema"])["title"] == route.shows[status]
    assert ("security" in operation) == route.anonymous
    assert ("requestBody" in operation) == (route.body is not None or route.name == "post_event")


BOUNDS: dict[str, tuple[str, dict[str, Any]]] = {
    "wait": ("number", {"minimum": 0, "maximum": 60}),
    "limit": ("integer", {"minimum": 1, "maximum": 200}),
    "since": ("string", {"format": "date-time"}),
    "until": ("string", {"format": "date-time"}),
    "hash": ("string", {}),
    "wait_id": ("string", {}),
}
"""What a parameter may be; that the server holds to it is tried elsewhere, by what the document says."""


def test_parameters_of_the_query_say_what_they_may_be(document: dict[str, Any]) -> None:
    found = {
        one["name"]: one["schema"]
        for operation in operations(document).values()
        for one in operation.get("parameters", ())
        if one["in"] == "query"
    }

    assert {name: found[name] for name in BOUNDS} == {
        name: {"type": kind, **more} for name, (kind, more) in BOUNDS.items()
    }
    assert found["status"] == {"enum": list(STATUSES)}


def test_a_problem_says_which_of_its_members_are_text(document: dict[str, Any]) -> None:
    problem = document["components"]["schemas"]["Problem"]["properties"]

    assert {name: one["type"] for name, one in problem.items()} == {
        **dict.fromkeys(("type", "title", "detail"), "string"),
        "status": "integer",
        "errors": "array",
    }


@pytest.mark.parametrize(
    ("tags", "valid"),
    [
        ({"team": "a"}, True),
        ({"team": "a" * 60}, True),
        ({"team": ""}, False),
        ({"team": "a" * 61}, False),
        ({"7": "a"}, False),
        ({f"k{number}": "a" for number in range(11)}, False),
    ],
)
def test_the_document_and_the_server_agree_on_tags(
    api: Any, document: dict[str, Any], tags: dict[str, str], valid: bool
) -> None:
    schema = body_of(document, "start_line")["properties"]["tags"]

    assert Draft202012Validator(schema).is_valid(tags) is valid
    answer = api.post("/graphs/line/runs", json={"tags": tags})
    assert answer.status_code == (202 if valid else 422), answer.text


def test_parameters_of_the_path_are_those_that_are_left_to_fill_in(document: dict[str, Any]) -> None:
    for path, methods in document["paths"].items():
        for operation in methods.values():
            found = [one for one in operation.get("parameters", ()) if one["in"] == "path"]
            assert [one["name"] for one in found] == re.findall(r"{(\w+)}", path)
            assert all(one["required"] and one["schema"]["type"] == "string" for one in found)
            for one in [one for one in found if one["name"] == "id"]:
                assert re.search(one["schema"]["pattern"], "a.B-_:9")
                assert not re.search(one["schema"]["pattern"], "a/b")


def test_a_problem_has_the_members_that_problems_have(api: Any, document: dict[str, Any]) -> None:
    schema = document["components"]["schemas"]["Problem"]
    body = api.post("/graphs/approvals/runs", json={}).json()

    assert set(body) == set(schema["properties"])
    kinds = {"string": str, "integer": int, "array": list}
    assert all(isinstance(body[name], kinds[entry["type"]]) for name, entry in schema["properties"].items())


@pytest.mark.parametrize("key", ACCEPTED)
def test_the_document_bounds_a_query_as_the_api_does(api: Any, document: dict[str, Any], key: str) -> None:
    path = {"wait": "/runs/nobody", "limit": "/runs"}[key]
    operation = operations(document)[{"wait": "get_run", "limit": "list_runs"}[key]]
    (schema,) = [one["schema"] for one in operation["parameters"] if one["name"] == key]
    for values, taken in zip(ACCEPTED[key], (True, False), strict=True):
        for value in values:
            allowed = (
                value in schema["enum"] if "enum" in schema else schema["minimum"] <= float(value) <= schema["maximum"]
            )
            assert allowed is taken
            assert (api.get(path, params={key: value}).status_code != 422) is taken
    assert schema.get("type") == {"wait": "number", "limit": "integer", "format": None}[key]


def test_other_keys_of_a_query_are_text(document: dict[str, Any]) -> None:
    schemas = {one["name"]: one["schema"] for one in operations(document)["list_runs"]["parameters"]}

    assert list(schemas) == ["graph", "status", "since", "until", "tag.KEY", "limit", "cursor"]
    assert schemas["graph"] == schemas["cursor"] == {"type": "string"}
    assert schemas["status"] == {"enum": list(STATUSES)}


def test_the_body_of_a_start_is_that_of_the_graph(document: dict[str, Any]) -> None:
    body = body_of(document, "start_approvals")

    assert set(body["properties"]) == {"input", "instance_id", "metadata", "on_conflict", "tags"}
    assert set(body["properties"]["input"]["properties"]) == {"ticket_id", "priority", "approved"}
    assert body["additionalProperties"] is False
    assert body["properties"]["input"]["additionalProperties"] is False
    assert re.search(body["properties"]["instance_id"]["pattern"], "order:A-1")
    assert set(body["properties"]["tags"]) >= {"propertyNames", "additionalProperties", "maxProperties"}
    assert body_of(document, "post_approval")["properties"] == {"approved": {"title": "Approved", "type": "boolean"}}
    assert body_of(document, "post_answer") == {}, "an event without a payload model takes any value"
    assert set(body_of(document, "cancel_run")["properties"]) == {"reason"}


def test_nested_models_are_found_where_the_document_points() -> None:
    from azure_functions_durable_graph import ManifestBuilder
    from azure_functions_durable_graph.http.openapi import document as made

    class Line(BaseModel):
        amount: int

    class Order(BaseModel):
        lines: list[Line] = []

    builder = ManifestBuilder("orders", Order).set_entrypoint("a").add_node("a", lambda state: None, terminal=True)
    builder.add_event_handler("more", lambda state, payload: None, payload_model=Order)
    found = made([builder.build()], ROUTES, "/api")

    for operation in ("start_orders", "post_more"):
        body = body_of(found, operation)
        order = body["properties"]["input"] if operation == "start_orders" else body
        assert resolved(found, order["properties"]["lines"]["items"])["properties"]["amount"]["type"] == "integer"


def test_a_key_may_be_sent_as_a_header(document: dict[str, Any]) -> None:
    assert document["security"] == [{"functionKey": []}]
    assert document["components"]["securitySchemes"]["functionKey"] == {
        "type": "apiKey",
        "in": "header",
        "name": "x-functions-key",
    }
