"""The routes that describe graphs and the API."""

import json
from dataclasses import replace
from typing import Any

import pytest
from contract import Ticket, approvals, problem
from openapi_spec_validator import validate
from shapes import conversation, increment, line

from azure_functions_durable_graph import DurableGraphApp, ManifestBuilder
from azure_functions_durable_graph.http.describing import _place, get_manifest
from azure_functions_durable_graph.http.openapi import document
from azure_functions_durable_graph.http.routes import ROUTES
from azure_functions_durable_graph.testing import GraphHost, Problem


def test_the_graphs_are_listed_with_their_hashes(api: Any) -> None:
    graphs = api.get("/graphs").json()["graphs"]

    assert [graph["graph"] for graph in graphs] == ["approvals", "broken", "conversation", "line"]
    assert graphs[0]["events"] == ["approval"]
    assert graphs[3]["graph_hash"] == line("a", "b", "c").graph_hash


def test_a_graph_shows_its_manifest_and_versions(api: Any) -> None:
    graph = api.get("/graphs/line").json()

    assert graph["manifest"] == json.loads(json.dumps(line("a", "b", "c").manifest.to_dict()))
    (version,) = graph["versions"]
    assert (version["version"], version["default"], version["deployed"]) == ("1", True, True)
    problem(api.get("/graphs/nothing"), 404, "graph-not-found")


def test_the_manifest_of_the_version_that_runs_of_a_hash_use_is_shown() -> None:
    old, new = line("a", "b"), line("a", "b", "c", version="2")
    with GraphHost(old, new) as host:
        newest = host.call(get_manifest, {"graph": "line"})
        other = host.call(get_manifest, {"graph": "line"}, query={"hash": old.graph_hash})
        with pytest.raises(Problem) as refused:
            host.call(get_manifest, {"graph": "line"}, query={"hash": "0" * 64})

    assert (newest["graph_hash"], other["graph_hash"]) == (new.graph_hash, old.graph_hash)
    assert other["manifest"] == json.loads(json.dumps(old.manifest.to_dict()))
    assert refused.value.code == "graph-not-found"


AT_THE_TOP = line("a")


def test_a_manifest_says_how_its_graph_is_imported() -> None:
    known, hidden = replace(AT_THE_TOP, origin=f"{__name__} (here)"), line("b")
    globals()["AT_THE_TOP"] = known
    with GraphHost(known) as host:
        assert host.call(get_manifest, {"graph": "line"})["code"] is None  # a host in a test runs a copy
    assert _place(known) == {"module": __name__, "name": "AT_THE_TOP"}
    assert _place(hidden) is None


def test_a_graph_is_drawn_as_mermaid(api: Any) -> None:
    response = api.get("/graphs/line/diagram")

    assert response.text.startswith("flowchart TD\n")
    assert response.headers["content-type"].startswith("text/plain")
    problem(api.get("/graphs/nothing/diagram"), 404, "graph-not-found")


def test_the_openapi_document_is_valid_and_knows_every_graph_and_event(api: Any) -> None:
    document = api.get("/openapi.json").json()

    validate(document)
    assert document["servers"] == [{"url": str(api.base_url).rstrip("/")}]
    body = document["components"]["schemas"]["approvals.start"]
    assert body["properties"]["input"]["properties"]["priority"]["enum"] == ["low", "high"]
    assert "/runs/{id}/events/approval" in document["paths"]
    assert document["components"]["schemas"]["approvals.approval"]["required"] == ["approved"]
    assert document["paths"]["/health"]["get"]["security"] == []


def test_the_health_route_tells_that_the_app_is_up(api: Any) -> None:
    assert api.get("/health").json() == {"status": "ok", "graphs": 4}


def test_an_unknown_route_or_verb_is_404(api: Any) -> None:
    assert api.get("/nothing").status_code == 404
    assert api.delete("/graphs").status_code == 404


def test_every_route_but_health_and_the_studios_files_asks_for_a_key_by_default() -> None:
    levels = {
        function.get_function_name(): str(function.get_bindings_dict()["bindings"])
        for function in DurableGraphApp().function_app.get_functions()
        if function.is_http_function()
    }

    assert len(levels) == len(ROUTES) + 1
    open_ones = {name for name, level in levels.items() if "FUNCTION" not in level.upper()}
    assert open_ones == {"durable_graph_get_health", "durable_graph_studio"}


def test_two_graphs_with_an_event_of_one_name_share_its_path() -> None:

    other = ManifestBuilder("other", Ticket).set_entrypoint("a").add_node("a", increment, terminal=True)
    other.add_event_handler("approval", lambda state, payload: None)

    paths = document([approvals(), other.build()], ROUTES, "/api")["paths"]

    schema = paths["/runs/{id}/events/approval"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert len(schema["anyOf"]) == 2


def test_a_body_is_required_where_a_start_or_an_event_has_required_fields() -> None:
    paths = document([approvals(), conversation()], ROUTES, "/api")["paths"]

    def required(path: str) -> bool:
        return bool(paths[path]["post"]["requestBody"]["required"])

    assert required("/graphs/approvals/runs")
    assert required("/runs/{id}/events/approval")
    assert not required("/graphs/conversation/runs")
    assert not required("/runs/{id}/events/answer")
    assert not required("/runs/{id}/restart")


def test_the_keys_of_a_request_are_in_the_document() -> None:
    paths = document([approvals()], ROUTES, "/api")["paths"]
    event = {(one["in"], one["name"]) for one in paths["/runs/{id}/events/approval"]["post"]["parameters"]}

    assert {("query", "wait"), ("query", "wait_id"), ("header", "Idempotency-Key"), ("path", "id")} == event
    assert ("header", "Idempotency-Key") in {
        (p["in"], p["name"]) for p in paths["/runs/{id}/retry"]["post"]["parameters"]
    }
