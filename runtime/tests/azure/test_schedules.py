"""`runtime.schedule` registers a timer trigger that starts a run, once per tick."""

import asyncio
import re
from typing import Any

import httpx
import pytest
from served import served
from shapes import line

from azure_functions_durable_graph import DurableGraphApp
from azure_functions_durable_graph.errors import HostError, RegistrationError


class Client:
    """The part of the durable client that a tick uses; remembers what was started."""

    def __init__(self) -> None:
        self.started: dict[str, Any] = {}

    async def get_status(self, instance_id: str, **_: Any) -> Any:
        return self.started.get(instance_id)

    async def start_new(self, name: str, instance_id: str, client_input: Any) -> None:
        self.started[instance_id] = client_input


def scheduled(cron: str, **settings: Any) -> tuple[DurableGraphApp, Any, Any]:
    """The app, the function of its schedule, and that function's trigger."""
    runtime = DurableGraphApp()
    runtime.register_registration(line("a"))
    runtime.schedule("line", cron, **settings)
    found = {f.get_function_name(): f for f in runtime.function_app.get_functions()}
    function = found[f"schedule_{settings.get('name', 'line')}"]
    return runtime, _code(function), function.get_trigger()


def _code(function: Any) -> Any:
    """The function below the SDK's wrapper, which makes the client."""
    return function.get_user_function().client_function


def tick(function: Any, client: Client) -> None:
    asyncio.run(function(timer=None, client=client))


def test_a_tick_starts_a_run_with_an_id_of_its_own() -> None:
    _, function, trigger = scheduled("0 30 6 * * *", input={"goal": 3})
    client = Client()

    tick(function, client)

    ((run_id, run),) = client.started.items()
    assert trigger.schedule == "0 30 6 * * *"
    assert re.fullmatch(r"line\.\d{8}T\d{4}Z", run_id)
    assert (run["state"]["goal"], run["metadata"]) == (3, {"schedule": "line"})


def test_a_tick_that_fires_twice_starts_one_run() -> None:
    _, function, _ = scheduled("0 0 1 1 *", name="yearly")
    client = Client()
    for _ in range(2):
        tick(function, client)

    assert len({run_id[:13] for run_id in client.started}) == 1


def test_a_schedule_of_a_graph_that_is_not_there_says_so() -> None:
    runtime = DurableGraphApp()
    runtime.schedule("nothing", "0 * * * * *")
    (function,) = [f for f in runtime.function_app.get_functions() if f.get_function_name() == "schedule_nothing"]

    with pytest.raises(RegistrationError, match="unknown graph 'nothing'"):
        tick(_code(function), Client())


def test_the_local_host_starts_scheduled_runs() -> None:
    runtime = DurableGraphApp()
    runtime.register_registration(line("a"))
    runtime.schedule("line", "* * * * * *", input={"goal": 7})

    with served(runtime.function_app) as (url, _), httpx.Client(base_url=f"{url}/api") as client:
        answers = (client.get("/runs?status=completed").json()["runs"] for _ in range(20_000))
        runs = next(filter(None, answers))
        run = client.get(f"/runs/{runs[0]['id']}").json()

    assert (run["metadata"], run["state"]["goal"]) == ({"schedule": "line"}, 7)


def test_a_schedule_may_be_an_app_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    def app() -> Any:
        runtime = DurableGraphApp()
        runtime.schedule("line", "%EVERY%")
        return runtime.function_app

    with pytest.raises(HostError, match=r"the timer trigger of schedule_line, %EVERY%: .* has 0 fields"):
        served(app()).__enter__()
    monkeypatch.setenv("EVERY", "0 0 2 * * *")
    with served(app()) as (url, _):
        assert httpx.get(f"{url}/api/runs").json()["runs"] == []
