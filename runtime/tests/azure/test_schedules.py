"""`runtime.schedule` registers a timer trigger that starts a run, once per tick."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta, timezone
from typing import Any

import azure.functions as func
import httpx
import pytest
from reviews import parent
from served import served
from shapes import line

from azure_functions_durable_graph import DurableGraphApp
from azure_functions_durable_graph.azure import schedules
from azure_functions_durable_graph.azure.schedules import scheduled_tick
from azure_functions_durable_graph.errors import HostError, RegistrationError
from azure_functions_durable_graph.host.app.loader import index_app

DAILY = "0 30 6 * * *"
TICK = datetime(2026, 11, 25, 6, 30, tzinfo=timezone.utc)


class Client:
    """The part of the durable client that a tick uses; remembers what was started."""

    def __init__(self) -> None:
        self.started: dict[str, Any] = {}

    async def get_status(self, instance_id: str, **_: Any) -> Any:
        return self.started.get(instance_id)

    async def start_new(self, name: str, instance_id: str, client_input: Any) -> None:
        self.started[instance_id] = client_input


class Clock(datetime):
    """`datetime` with a `now` that a test sets."""

    moment = TICK

    @classmethod
    def now(cls, tz: Any = None) -> Any:
        return cls.moment


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> type[Clock]:
    monkeypatch.setattr(schedules, "datetime", Clock)
    monkeypatch.setattr(Clock, "moment", TICK)
    return Clock


def app(*graphs: Any) -> DurableGraphApp:
    runtime = DurableGraphApp()
    for graph in graphs or (line("a"),):
        runtime.register_registration(graph)
    return runtime


def scheduled(cron: str, **settings: Any) -> tuple[Any, Any]:
    """The function of a schedule, and its trigger."""
    runtime = app()
    runtime.schedule("line", cron, **settings)
    return function_of(runtime, f"schedule_{settings.get('name', 'line')}")


def function_of(runtime: DurableGraphApp, name: str) -> tuple[Any, Any]:
    """The function below the SDK's wrapper, which makes the client, and its trigger."""
    (found,) = [f for f in runtime.function_app.get_functions() if f.get_function_name() == name]
    return found.get_user_function().client_function, found.get_trigger()


def status(next_tick: str, past_due: bool = False) -> func.TimerRequest:
    """What Azure gives: `Next` is the tick that is served, for it is renewed after the invocation."""
    from azure.functions.timer import TimerRequest

    return TimerRequest(past_due=past_due, schedule_status={"Last": "0001-01-01T00:00:00", "Next": next_tick})


def tick(function: Any, client: Client, timer: Any = None) -> None:
    asyncio.run(function(timer=timer, client=client))


def test_a_tick_starts_a_run_with_an_id_of_its_own() -> None:
    function, trigger = scheduled(DAILY, input={"goal": 3})
    client = Client()

    tick(function, client)

    ((run_id, run),) = client.started.items()
    assert trigger.schedule == DAILY
    assert run_id == "line.20261125T063000Z"
    assert (run["state"]["goal"], run["metadata"]) == (3, {"schedule": "line"})


# One tick is one run


@pytest.mark.parametrize("timer", [None, status("2026-11-25T06:30:00+00:00")])
def test_a_timer_that_fires_early_and_then_again_starts_one_run(clock: type[Clock], timer: Any) -> None:
    function, _ = scheduled(DAILY)
    client = Client()

    for milliseconds in (-15, 3, 900):
        clock.moment = TICK + timedelta(milliseconds=milliseconds)
        tick(function, client, timer)

    assert list(client.started) == ["line.20261125T063000Z"]


def test_a_schedule_in_an_app_setting_has_one_run_a_tick_too(clock: type[Clock]) -> None:
    function, _ = scheduled("%EVERY%")
    client = Client()

    for milliseconds in (-15, 3, 2900):
        clock.moment = TICK + timedelta(milliseconds=milliseconds)
        tick(function, client, status("2026-11-25T07:30:00.0000000+01:00"))

    assert list(client.started) == ["line.20261125T063000Z"]


def test_a_tick_that_was_missed_keeps_its_moment(clock: type[Clock]) -> None:
    clock.moment = TICK + timedelta(days=2, hours=5)

    assert scheduled_tick(status("2026-11-25T06:30:00Z", past_due=True), DAILY, clock.moment) == TICK


@pytest.mark.parametrize(
    ("expression", "seconds", "tick"),
    [
        (DAILY, 59, "06:30:00"),
        (DAILY, 3600, "07:30:00"),  # not near any tick: called by hand
        ("* * * * * *", 0.6, "06:30:00"),  # late by more than half of the gap
        ("* * * * * *", 0.99, "06:30:01"),  # early by milliseconds
        ("*/5 * * * * *", 4.1, "06:30:05"),
        ("*/5 * * * * *", 3.9, "06:30:00"),
        ("0 */5 * * * *", 299.5, "06:35:00"),
        ("0 */5 * * * *", 301, "06:35:00"),
    ],
)
def test_without_a_status_it_is_the_nearest_tick(expression: str, seconds: float, tick: str) -> None:
    now = TICK + timedelta(seconds=seconds)

    assert f"{scheduled_tick(None, expression, now):%H:%M:%S}" == tick


@pytest.mark.parametrize("next_tick", ["0001-01-01T00:00:00", "2026-11-20T06:30:00Z", "2026-11-26T06:30:00Z", "soon"])
def test_a_status_that_is_not_of_this_tick_is_not_believed(next_tick: str) -> None:
    assert scheduled_tick(status(next_tick), DAILY, TICK + timedelta(milliseconds=5)) == TICK


def test_every_tick_of_a_fast_schedule_is_a_run_of_its_own() -> None:
    moments = [TICK + timedelta(seconds=second, milliseconds=40) for second in range(90)]

    assert len({scheduled_tick(None, "* * * * * *", moment) for moment in moments}) == 90


# What can never work is refused


@pytest.mark.parametrize(
    ("cron", "settings", "text"),
    [
        ("nope", {}, "schedule 'line': the schedule 'nope' needs six fields, not 1"),
        ("0 0 25 * * *", {}, "'25' is not a valid hour"),
        ("0 0 0 31 2 *", {}, "never fires"),
        (DAILY, {"name": "nightly report"}, "'nightly report' is not a valid name for a schedule"),
        (DAILY, {"name": "x" * 61}, "is not a valid name for a schedule"),
        (DAILY, {"input": [1]}, "schedule 'line': input is a list; pass a dict"),
        (None, {}, "the cron expression is a NoneType; pass a string"),
    ],
)
def test_a_declaration_that_is_not_valid_is_refused_at_once(cron: Any, settings: dict[str, Any], text: str) -> None:
    with pytest.raises(RegistrationError, match=text):
        app().schedule("line", cron, **settings)


@pytest.mark.parametrize(("first", "second"), [("line", "line"), ("a-b", "a_b"), ("Night", "night")])
def test_two_schedules_with_one_function_name_are_refused(first: str, second: str) -> None:
    runtime = app()
    runtime.schedule("line", DAILY, name=first)

    with pytest.raises(RegistrationError, match=f"schedule '{second}' is declared twice"):
        runtime.schedule("line", DAILY, name=second)


def test_a_registration_in_place_of_its_name_is_refused() -> None:
    with pytest.raises(RegistrationError, match="schedule 'nightly': the graph is a GraphRegistration; pass its name"):
        app().schedule(line("a"), DAILY, name="nightly")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("graph", "given", "text"),
    [
        ("lin", {}, "schedule 'lin': starts the unknown graph 'lin'. Did you mean 'line'\\?"),
        ("line", {"goal": "many"}, r"schedule 'line': .*input\.goal: Input should be a valid integer"),
        ("line", {"goal": {1, 2}}, r"schedule 'line': "),
    ],
)
def test_what_does_not_fit_the_graphs_is_refused_once_they_are_complete(
    graph: str, given: dict[str, Any], text: str
) -> None:
    runtime = DurableGraphApp()
    runtime.schedule(graph, DAILY, input=given)
    runtime.register_registration(line("a"))

    with pytest.raises(RegistrationError, match=text):
        index_app(runtime.function_app)


def test_a_graph_may_be_registered_after_its_schedule() -> None:
    runtime = DurableGraphApp()
    runtime.schedule("line", DAILY)
    runtime.register_registration(line("a"))

    assert "schedule_line" in {function.name for function in index_app(runtime.function_app).functions}


def test_in_azure_the_app_loads_and_only_the_ticks_fail(caplog: pytest.LogCaptureFixture) -> None:
    runtime = app(parent())
    runtime.schedule("nothing", DAILY)
    runtime.schedule("article", DAILY)
    with caplog.at_level(logging.ERROR):
        functions = {f.get_function_name(): f for f in runtime.function_app.get_functions()}

    assert "schedule 'nothing': starts the unknown graph 'nothing'" in caplog.text
    for name, text in (
        ("nothing", "starts the unknown graph 'nothing'"),
        ("article", "runs the unknown graph 'review'"),
    ):
        code: Any = functions[f"schedule_{name}"].get_user_function()
        with pytest.raises(RegistrationError, match=text):
            tick(code.client_function, Client())


# On the local host


def test_the_local_host_starts_scheduled_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    runtime = app()
    runtime.schedule("line", "* * * * * *", input={"goal": 7})

    with served(runtime.function_app) as (url, _), httpx.Client(base_url=f"{url}/api") as client:
        answers = (client.get("/runs?status=completed").json()["runs"] for _ in range(20_000))
        runs = next(filter(None, answers))
        run = client.get(f"/runs/{runs[0]['id']}").json()

    assert (run["metadata"], run["state"]["goal"]) == ({"schedule": "line"}, 7)


def test_a_schedule_may_be_an_app_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    def with_setting() -> Any:
        runtime = app()
        runtime.schedule("line", "%EVERY%")
        return runtime.function_app

    with pytest.raises(HostError, match=r"the timer trigger of schedule_line, %EVERY%: .* needs six fields, not 0"):
        served(with_setting()).__enter__()
    monkeypatch.setenv("EVERY", "0 0 2 * * *")
    with served(with_setting()) as (url, _):
        assert httpx.get(f"{url}/api/runs").json()["runs"] == []
