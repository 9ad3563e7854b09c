"""host.json and local.settings.json are read as the Functions host reads them."""

import json
from pathlib import Path
from typing import Any

import pytest

from azure_functions_durable_graph.errors import HostError
from azure_functions_durable_graph.host.app.settings import Settings, apply_local_settings, read_settings


def write(folder: Any, name: Any, data: Any) -> None:
    (folder / name).write_text(data if isinstance(data, str) else json.dumps(data))


def test_without_host_json_the_defaults_hold(tmp_path: Path) -> None:
    assert read_settings(tmp_path, {}) == Settings("api", "TestHubName", 10, 10)


def test_host_json_sets_prefix_hub_and_limits(tmp_path: Path) -> None:
    durable = {"hubName": "Mine", "maxConcurrentActivityFunctions": 3, "maxConcurrentOrchestratorFunctions": 2}
    write(tmp_path, "host.json", {"extensions": {"http": {"routePrefix": "/v1/"}, "durableTask": durable}})

    assert read_settings(tmp_path, {}) == Settings("v1", "Mine", 3, 2)


def test_an_app_setting_stands_in_percent_signs(tmp_path: Path) -> None:
    write(tmp_path, "host.json", {"extensions": {"durableTask": {"hubName": "%TASKHUB_NAME%"}}})

    assert read_settings(tmp_path, {"TASKHUB_NAME": "Orders"}).hub_name == "Orders"
    assert read_settings(tmp_path, {}).hub_name == "TestHubName"


def test_the_environment_overrides_the_prefix(tmp_path: Path) -> None:
    environment = {"AzureFunctionsJobHost__extensions__http__routePrefix": ""}

    assert read_settings(tmp_path, environment).route_prefix == ""


def test_local_settings_become_environment_variables_that_are_not_set_yet(tmp_path: Path) -> None:
    write(tmp_path, "local.settings.json", {"Values": {"NEW": "1", "OLD": "2"}})
    environment = {"OLD": "kept"}

    assert apply_local_settings(tmp_path, environment) == ["NEW"]
    assert environment == {"NEW": "1", "OLD": "kept"}


@pytest.mark.parametrize("content", ["{", "[]"])
def test_a_file_that_cannot_be_read_gets_a_sentence(tmp_path: Path, content: Any) -> None:
    write(tmp_path, "host.json", content)

    with pytest.raises(HostError, match=r"host\.json"):
        read_settings(tmp_path, {})


@pytest.mark.parametrize(
    ("text", "seconds"), [("00:10:00", 600.0), ("1.02:00:00", 93600.0), ("00:00:00.5", 0.5), ("-1", None)]
)
def test_a_function_timeout_is_a_time_span_or_none(tmp_path: Path, text: Any, seconds: Any) -> None:
    write(tmp_path, "host.json", {"functionTimeout": text})

    assert read_settings(tmp_path, {}).timeout == seconds


def test_what_is_no_time_span_or_no_number_is_refused_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="PYTHON_THREADPOOL_THREAD_COUNT is 'many'; it must be a number from 1 to 32"):
        read_settings(tmp_path, {"PYTHON_THREADPOOL_THREAD_COUNT": "many"})
    write(tmp_path, "host.json", {"functionTimeout": "10 minutes"})
    with pytest.raises(HostError, match=r"host\.json: functionTimeout '10 minutes' must be a time span"):
        read_settings(tmp_path, {})
