"""Replays are sped up without a difference: timestamps are read as dateutil reads them, odd SDKs are left alone."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from types import ModuleType
from typing import Any

import pytest
from dateutil.parser import parse  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st

from azure_functions_durable_graph import DurableGraphApp
from azure_functions_durable_graph.azure.faster_replays import _time_reader, speed_up_replays
from azure_functions_durable_graph.graph.names import ORCHESTRATOR
from azure_functions_durable_graph.host.engine import history_events as hist

EVENTS, EXECUTOR = (
    f"azure.durable_functions.models.{name}" for name in ("history.HistoryEvent", "TaskOrchestrationExecutor")
)

seconds = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)).map(lambda moment: moment.isoformat()[:19])
fractions = st.from_regex(r"\A(\.[0-9]{1,9})?\Z")
zones = st.sampled_from(["Z", "", "+00:00", "+02:00", "-05:30", "z", " Z", "+14:00"])


@given(seconds, fractions, zones)
def test_a_timestamp_of_dotnet_is_read_as_dateutil_reads_it(second: str, fraction: str, zone: str) -> None:
    text = f"{second}{fraction}{zone}"

    assert told(_time_reader(parse), text) == told(parse, text)


@pytest.mark.parametrize(
    "text",
    [
        "2024-02-30T00:00:00Z",
        "2023-02-29T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "2024-01-02T24:00:00Z",
        "2024-01-02T03:60:00Z",
        "2024-01-02T03:04:60Z",
        "2024-01-02T03:04:05.Z",
        "2024-01-02T03:04:05,5Z",
        "2024-01-02T03:04:05Z\n",
        "٢٠٢٤-01-02T03:04:05Z",
        "2024-W01-2T03:04:05Z",
        "20240102T030405Z",
        "2 January 2024",
        "",
        "soon",
        b"2024-01-02T03:04:05Z",
        None,
        7,
    ],
)
def test_any_other_value_is_read_or_refused_by_dateutil(text: Any) -> None:
    assert told(_time_reader(parse), text) == told(parse, text)


def told(reader: Callable[..., datetime], text: Any) -> Any:
    """All that code can learn of a moment without looking at the class of its zone; or the refusal."""
    try:
        moment = reader(text)
    except Exception as error:
        return type(error), str(error)
    return moment.replace(tzinfo=None), moment.utcoffset(), moment.dst() or None, moment.tzname(), moment.isoformat()


def test_timestamps_of_histories_never_reach_dateutil() -> None:
    def refuse(text: str) -> datetime:
        raise AssertionError(text)

    read = _time_reader(refuse)

    assert read("2024-01-02T03:04:05.1234567Z") == datetime(2024, 1, 2, 3, 4, 5, 123456, timezone.utc)
    assert read("2024-01-02T03:04:05Z") - read("2024-01-02T03:04:04.5Z") == timedelta(seconds=0.5)


def test_a_call_with_options_is_a_call_of_dateutil() -> None:
    assert _time_reader(parse)("2024-01-02T03:04:05Z", ignoretz=True) == datetime(2024, 1, 2, 3, 4, 5)


@pytest.fixture
def as_installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The SDK as a fresh process imports it."""
    for name in (EVENTS, EXECUTOR):
        module = importlib.import_module(name)
        for attribute in ("dt_parse", "namedtuple"):
            if hasattr(module, attribute):
                original = getattr(module, attribute)
                monkeypatch.setattr(module, attribute, getattr(original, "__wrapped__", original))
    speed_up_replays.cache_clear()
    yield
    speed_up_replays.cache_clear()


@pytest.mark.usefixtures("as_installed")
def test_the_first_run_in_a_process_speeds_up_those_that_follow() -> None:
    """In Azure, where no local host has done it."""
    app = DurableGraphApp().function_app
    functions = {function.get_function_name(): function.get_user_function() for function in app.get_functions()}
    began = hist.event(hist.ORCHESTRATOR_STARTED, datetime.now(timezone.utc))
    started = hist.execution_started(datetime.now(timezone.utc), ORCHESTRATOR, "r", "x", "null", None)
    context = {"history": [began, started], "instanceId": "r", "isReplaying": False, "parentInstanceId": None}

    with pytest.raises(Exception, match="OutOfProcData"):  # it has no input
        functions[ORCHESTRATOR](context=json.dumps(context))

    module = importlib.import_module(EVENTS)
    assert module.dt_parse.__wrapped__ is parse
    assert module.dt_parse("2024-01-02T03:04:05Z").tzinfo is timezone.utc


@pytest.mark.usefixtures("as_installed")
def test_named_tuples_are_made_once() -> None:
    speed_up_replays()
    made = importlib.import_module(EXECUTOR).namedtuple

    assert made("Pair", ("a", "b")) is made("Pair", ("a", "b"))
    assert made("Pair", ["a", "b"])(1, 2) == (1, 2), "a list cannot be remembered"


@pytest.mark.usefixtures("as_installed")
def test_an_sdk_without_these_functions_or_with_others_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    other, without = ModuleType("other"), ModuleType("without")
    other.dt_parse = read_otherwise  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, EVENTS, other)
    monkeypatch.setitem(sys.modules, EXECUTOR, without)

    speed_up_replays()

    assert other.dt_parse is read_otherwise
    assert not hasattr(without, "namedtuple")


@pytest.mark.usefixtures("as_installed")
def test_an_sdk_without_these_modules_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (EVENTS, EXECUTOR):
        monkeypatch.setitem(sys.modules, name, None)

    speed_up_replays()


def read_otherwise(text: str) -> datetime:
    """What another SDK may use."""
    return datetime.fromisoformat(text)
