"""POST graphs/{graph}/runs, over a real socket, through the SDK's real client."""

from typing import Any

import pytest
from contract import problem, start
from pydantic import BaseModel, ConfigDict, Field, model_validator

from azure_functions_durable_graph import ManifestBuilder
from azure_functions_durable_graph.errors import InputError, PayloadError
from azure_functions_durable_graph.http.runs import start_run
from azure_functions_durable_graph.testing import GraphHost, Problem
from azure_functions_durable_graph.work.starting import new_run


def test_a_start_answers_202_with_the_place_to_look(api: Any) -> None:
    response = api.post("/graphs/line/runs", json={"input": {"goal": 3}, "metadata": {"by": "test"}})

    assert response.status_code == 202
    body = response.json()
    assert body["id"].startswith("line.")
    assert response.headers["location"] == body["status_url"] == f"{api.base_url}runs/{body['id']}"
    assert int(response.headers["retry-after"]) >= 1
    run = api.get(f"/runs/{body['id']}", params={"wait": 10}).json()
    assert run["status"] == "completed"
    assert run["output"] == {"value": 3, "goal": 3, "said": []}
    assert run["metadata"] == {"by": "test"}
    assert run["input"] == {"goal": 3}


def test_no_answer_carries_a_management_url_or_a_key(api: Any) -> None:
    response = api.post("/graphs/line/runs", json={})
    run = api.get(f"/runs/{response.json()['id']}", params={"wait": 10})

    for answer in (response, run):
        assert "code=" not in answer.text
        assert "runtime/webhooks" not in answer.text


@pytest.mark.parametrize(
    ("body", "status", "code", "text"),
    [
        (b"{nope", 400, "not-json", "not JSON"),
        (b"\xff", 400, "not-json", "UTF-8"),
        (b'{"input": NaN}', 400, "not-json", "NaN"),
        (b"[" * 4000, 400, "not-json", "JSON"),
        (b"\xef\xbf", 400, "not-json", "UTF-8"),
        ('{"input": {"name": "x"}}'.encode("utf-16"), 400, "not-json", "UTF-8"),
        ('{"input": {"name": "x"}}'.encode("utf-16-le"), 400, "not-json", "not JSON"),
        (b"[]", 422, "invalid", "body"),
        (b"7", 422, "invalid", "body"),
        (b'{"input": []}', 422, "invalid", "body.input"),
        (b'{"input": {}}', 422, "invalid", "input.ticket_id: Field required"),
        (b'{"input": {"ticket_id": ""}}', 422, "invalid", "input.ticket_id"),
        (b'{"ticket_id": "T"}', 422, "invalid", "body.ticket_id"),
        (b'{"input": {"ticket_id": "T", "priority": "huge"}}', 422, "invalid", "input.priority"),
        (b'{"input": {"ticket_id": "T"}, "instance_id": "a/b"}', 422, "invalid", "1 to 100 characters"),
        (b'{"input": {"ticket_id": "T"}, "instance_id": ".."}', 422, "invalid", "1 to 100 characters"),
        (b'{"input": {"ticket_id": "T"}, "instance_id": ""}', 422, "invalid", "1 to 100 characters"),
        (b'{"input": {"ticket_id": "T"}, "on_conflict": "maybe"}', 422, "invalid", "body.on_conflict"),
        (b'{"input": {"ticket_id": "T"}, "metadata": {"x": {"__class__": 1}}}', 422, "invalid", "reserved"),
        (b'{"input": {"ticket_id": "' + b"x" * 6000 + b'"}}', 413, "body-too-large", "the limit is 5000"),
    ],
)
def test_a_bad_start_is_refused_and_starts_nothing(api: Any, body: Any, status: Any, code: Any, text: Any) -> None:
    response = api.post("/graphs/approvals/runs", content=body, headers={"Content-Type": "application/json"})

    assert text in problem(response, status, code)["detail"]


def test_pydantics_details_come_with_a_422_but_not_the_values(api: Any) -> None:
    response = api.post("/graphs/approvals/runs", json={"input": {"ticket_id": "T", "priority": "s3cret"}})

    (error,) = problem(response, 422, "invalid")["errors"]
    assert error["loc"] == ["input", "priority"]
    assert error["type"] == "literal_error"
    assert "s3cret" not in response.text


def test_an_unknown_graph_is_404_with_a_hint(api: Any) -> None:
    body = problem(api.post("/graphs/aprovals/runs", json={}), 404, "graph-not-found")

    assert "did you mean 'approvals'?" in body["detail"]


def test_an_id_in_use_is_a_conflict_alive_or_finished(api: Any) -> None:
    start(api, instance_id="twice")
    again = {"input": {"ticket_id": "T"}, "instance_id": "twice"}

    problem(api.post("/graphs/approvals/runs", json=again), 409, "run-exists")
    api.post("/runs/twice/cancel", json={})
    problem(api.post("/graphs/approvals/runs", json=again), 409, "run-exists")


def test_a_repeated_start_with_on_conflict_return_finds_the_run(api: Any) -> None:
    body = {"input": {"ticket_id": "T"}, "instance_id": "again", "on_conflict": "return"}

    first = api.post("/graphs/approvals/runs", json=body)
    second = api.post("/graphs/approvals/runs", json=body)

    assert (first.status_code, second.status_code) == (202, 200)
    assert second.json()["id"] == "again"
    problem(api.post("/graphs/line/runs", json={**body, "input": {}}), 409, "run-exists")


def test_a_run_that_a_repeated_start_finds_is_shown_as_it_stands(api: Any) -> None:
    body = {"instance_id": "talk", "on_conflict": "return"}
    api.post("/graphs/conversation/runs", json=body)
    api.post("/runs/talk/events/answer", json={"text": "hello"})
    waiting = api.get("/runs/talk", params={"wait": 10}).json()

    found = api.post("/graphs/conversation/runs", json=body)

    assert found.headers["location"] == f"{api.base_url}runs/talk"
    assert found.json() == waiting
    assert (waiting["status"], waiting["state"]["said"]) == ("waiting", ["hello"])


def test_a_start_without_a_body_uses_the_defaults_of_the_state(api: Any) -> None:
    assert api.post("/graphs/line/runs").status_code == 202


# --- what a start does not know -----------------------------------------------------------------------------------


class Customer(BaseModel):
    """A state with an optional field, so that a typo would be lost in silence."""

    name: str = ""
    mail: str = Field("", alias="eMail")


class OpenState(Customer):
    """A state that takes what it likes."""

    model_config = ConfigDict(extra="allow")


class FullName(Customer):
    """A state that reads its raw input itself."""

    @model_validator(mode="before")
    @classmethod
    def _from_full(cls, data: Any) -> Any:
        return {"name": data["full"]} if "full" in data else data


def customers(model: type[BaseModel]) -> GraphHost:
    builder = ManifestBuilder("customers", model).set_entrypoint("a")
    return GraphHost(builder.add_node("a", lambda state: None, terminal=True).build())


def refused(host: GraphHost, body: Any) -> Problem:
    with pytest.raises(Problem) as caught:
        host.call(start_run, {"graph": "customers"}, body)
    assert (caught.value.status, caught.value.code) == (422, "invalid")
    return caught.value


def test_an_unknown_key_of_the_input_is_refused_with_the_name_that_was_meant() -> None:
    found = refused(customers(Customer), {"input": {"nam": "x"}})

    assert found.detail == "input.nam: unknown key; did you mean 'name'?"
    assert found.members["errors"] == [
        {"loc": ["input", "nam"], "msg": "unknown key; did you mean 'name'?", "type": "unknown_key"}
    ]


def test_several_unknown_keys_are_told_at_once_and_aliases_are_known() -> None:
    found = refused(customers(Customer), {"input": {"zzz": 1, "eMial": "x", "eMail": "y"}})

    assert [error["loc"][1] for error in found.members["errors"]] == ["zzz", "eMial"]
    assert "input.eMial: unknown key; did you mean 'eMail'?" in found.detail


@pytest.mark.parametrize(
    ("model", "given", "name"), [(OpenState, {"nam": "x", "name": "y"}, "y"), (FullName, {"full": "x"}, "x")]
)
def test_a_model_that_takes_other_keys_gets_them(model: Any, given: Any, name: str) -> None:
    assert customers(model).start("customers", given).state.name == name


def test_fields_beside_input_are_told_where_they_belong() -> None:
    found = refused(customers(Customer), {"name": "x", "instanceid": "y"})

    assert 'body.name: unknown key; it is a field of the state: put it under "input", as in ' in found.detail
    assert '{"input": {"name": …}}' in found.detail
    assert "body.instanceid: unknown key; did you mean 'instance_id'?" in found.detail


@pytest.mark.parametrize("place", ["input", "metadata"])
@pytest.mark.parametrize(
    ("text", "detail"),
    [
        (r'{"x": "\ud800"}', "lone surrogate"),
        (r'{"\udfff": 1}', "lone surrogate"),
        ('{"x": 1e999}', "inf is not a JSON value"),
        ('{"x": ' + "[" * 101 + "]" * 101 + "}", "nested more than 100 levels deep"),
    ],
    ids=["surrogate", "key", "infinity", "depth"],
)
def test_what_no_state_could_hold_is_refused_wherever_it_stands(api: Any, place: str, text: str, detail: str) -> None:
    response = api.post("/graphs/conversation/runs", content=f'{{"{place}": {text}}}')

    assert detail in problem(response, 422, "invalid")["detail"]


def test_a_schedules_input_and_a_childs_are_checked_too() -> None:
    graph = customers(Customer)._runtime.registry.defaults()[0]

    with pytest.raises(InputError, match="unknown field 'nam', did you mean 'name'"):
        new_run(graph, {"nam": "x"}, {}, "")
    with pytest.raises(PayloadError, match=r"input\.name: nan is not a JSON value"):
        new_run(graph, {"name": float("nan")}, {}, "")
