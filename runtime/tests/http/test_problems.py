"""Every problem that the API answers: its status and its title, as clients compare them. No problem without a row."""

import json

import pytest

from azure_functions_durable_graph.http.routes import ROUTES
from azure_functions_durable_graph.http.values import _PROBLEMS, Problem

PROBLEMS = {
    "not-json": (400, "The body is not JSON"),
    "graph-not-found": (404, "No such graph"),
    "run-not-found": (404, "No such run"),
    "event-not-found": (404, "No such event"),
    "run-live": (409, "The run has not finished"),
    "run-part": (409, "The run is a part of another run"),
    "run-not-failed": (409, "The run has not failed"),
    "step-not-known": (409, "The run's state at this node is not known"),
    "run-exists": (409, "The run id is in use"),
    "event-not-awaited": (409, "The run is not asking for this event"),
    "event-ambiguous": (409, "Several runs are asking for this event"),
    "event-answered": (409, "The run has taken another answer"),
    "event-expired": (409, "The deadline of the wait has passed"),
    "run-finished": (410, "The run has finished"),
    "body-too-large": (413, "The body is too large"),
    "invalid": (422, "The request is not valid"),
    "key-reused": (422, "The idempotency key was used for another request"),
    "graph-faulty": (500, "The graph does not fit the app's other graphs"),
    "internal": (500, "Something went wrong on the server"),
    "deletion-unfinished": (503, "Not everything has been deleted yet"),
}


@pytest.mark.parametrize("code", _PROBLEMS)
def test_a_problem_is_problem_json_with_a_type_that_programs_compare(code: str) -> None:
    status, title = PROBLEMS[code]

    response = Problem(code, "what happened", errors=[1]).response()

    assert (response.status, response.content_type) == (status, "application/problem+json")
    assert json.loads(response.encoded()) == {
        "type": f"urn:durable-graph:{code}",
        "title": title,
        "status": status,
        "detail": "what happened",
        "errors": [1],
    }


def test_no_problem_has_gone() -> None:
    assert set(_PROBLEMS) == set(PROBLEMS)


@pytest.mark.parametrize("code", PROBLEMS)
def test_some_route_documents_the_status_of_each_problem(code: str) -> None:
    documented = {status for route in ROUTES for status in route.answers}

    assert PROBLEMS[code][0] in documented | {500}
