"""A project grows: a second app, which moves the first, and libraries. What cannot be added changes nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from projects_on_disk import contents, write, write_project

from azure_functions_durable_graph.change.lock import Lock
from azure_functions_durable_graph.commands.names_of_parts import collisions
from azure_functions_durable_graph.commands.new_app import new_app
from azure_functions_durable_graph.commands.new_graph import new_graph
from azure_functions_durable_graph.commands.new_lib import new_lib
from azure_functions_durable_graph.commands.workspace import app_folder, read_project
from azure_functions_durable_graph.errors import HostError


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write_project(tmp_path)


@pytest.fixture
def several(project: Path) -> Path:
    new_app(project, "billing")
    return project


def test_the_second_app_moves_the_first_with_its_tests_and_settings(project: Path) -> None:
    write(project, {"clients/__init__.py": "", "local.settings.json": "{}", ".durable/runs.db": "", ".venv/a.py": ""})
    before = contents(project)

    said = new_app(project, "billing")

    moved = {
        "clients", ".durable", "demo.py", "function_app.py", "graphs", "graphs.lock.json", "host.json",
        "local.settings.example.json", "local.settings.json", "tests",
    }  # fmt: skip
    assert {path.name for path in (project / "apps" / "orders").iterdir()} == moved
    after = contents(project)
    for name, text in before.items():
        if name not in {"azure.yaml", "infra/main.parameters.json"}:
            assert after[f"apps/orders/{name}" if name.split("/")[0] in moved else name] == text
    assert said[0].startswith("the app at the root has moved to apps/orders: .durable, clients, demo.py")


def test_a_new_app_has_the_settings_of_the_first_and_a_task_hub_of_its_own(several: Path) -> None:
    app = several / "apps" / "billing"

    assert "AuthLevel.ADMIN" in (app / "function_app.py").read_text()
    assert (app / "host.json").read_text() == (several / "apps" / "orders" / "host.json").read_text()
    for name in ("local.settings.json", "local.settings.example.json"):
        assert json.loads((app / name).read_text())["Values"]["TASKHUB_NAME"] == "billinglocal"
    assert Lock.read(app / "graphs.lock.json") == Lock()
    assert list(collisions(read_project(several))) == []


def test_the_hub_of_a_scheduler_is_in_its_connection_string_and_in_its_emulator_too(tmp_path: Path) -> None:
    values = {
        "TASKHUB_NAME": "default",
        "SCHEDULER": "Endpoint=http://localhost:8080;TaskHub=default;Authentication=None",
    }
    write_project(tmp_path, **{"local.settings.example.json": json.dumps({"Values": values})})
    write(tmp_path, {"compose.yaml": "      DTS_TASK_HUB_NAMES: default\n"})

    new_app(tmp_path, "billing")

    settings = json.loads((tmp_path / "apps" / "billing" / "local.settings.json").read_text())["Values"]
    assert settings["SCHEDULER"] == "Endpoint=http://localhost:8080;TaskHub=billinglocal;Authentication=None"
    assert (tmp_path / "compose.yaml").read_text() == "      DTS_TASK_HUB_NAMES: default,billinglocal\n"


def test_the_files_that_list_all_apps_list_the_new_one(several: Path) -> None:
    new_app(several, "support")

    assert (several / "infra" / "main.parameters.json").read_text() == (
        '{\n  "parameters": {\n    "apps": { "value": ["orders", "billing", "support"] }\n  }\n}\n'
    )
    services = (several / "azure.yaml").read_text().partition("services:\n")[2]
    assert [line.strip() for line in services.splitlines() if "project" in line] == [
        "project: dist/orders",
        "project: dist/billing",
        "project: dist/support",
    ]


def test_a_project_without_infrastructure_grows_too(project: Path) -> None:
    (project / "azure.yaml").unlink()
    (project / "infra" / "main.parameters.json").unlink()

    new_app(project, "billing")

    assert [app.name for app in read_project(project).apps] == ["billing", "orders"]
    assert not (project / "azure.yaml").exists()


APPS = [
    "1x",
    "tests",
    "dev",
    "aux",
    "Billing",
    "billing_desk",
    "-x",
    "x-",
    "a--b",
    "ab",
    "../x",
    "a b",
    "",
    "ü" * 4,
    "x" * 41,
]


@pytest.mark.parametrize("name", [*APPS, "orders", "pricing", "or-ders"])
def test_an_app_that_cannot_be_added_changes_nothing(several: Path, name: str) -> None:
    new_lib(several, "pricing")
    before = contents(several)

    with pytest.raises(HostError, match=r"cannot be the name of an app|choose another"):
        new_app(several, name)

    assert contents(several) == before


def test_an_app_is_not_added_twice(several: Path) -> None:
    before = contents(several)

    with pytest.raises(HostError, match="'billing' is the name of apps/billing; choose another"):
        new_app(several, "billing")

    assert contents(several) == before


def test_a_library_is_a_typed_package_with_a_test(several: Path) -> None:
    written = new_lib(several, "price-list")

    assert [path.relative_to(several).as_posix() for path in written] == [
        "libs/price_list/pyproject.toml",
        "libs/price_list/src/price_list/__init__.py",
        "libs/price_list/src/price_list/py.typed",
        "libs/price_list/tests/test_price_list.py",
    ]
    assert 'name = "price-list"' in written[0].read_text()
    assert 'requires-python = ">=3.10,<3.15"' in written[0].read_text()


LIBRARIES = [
    "json",
    "pydantic",
    "graphs",
    "tests",
    "1x",
    "class",
    "Pricing",
    "aux",
    "x__y",
    "_x",
    "",
    "function_app",
    "a/b",
]


@pytest.mark.parametrize("name", [*LIBRARIES, "billing", "pricing", "clients"])
def test_a_library_that_cannot_be_imported_by_every_app_is_refused(several: Path, name: str) -> None:
    new_lib(several, "pricing")
    write(several, {"apps/billing/clients/__init__.py": ""})
    before = contents(several)

    with pytest.raises(HostError, match=r"cannot be the name|already exists|choose another"):
        new_lib(several, name)

    assert contents(several) == before


def test_with_one_app_a_library_has_nobody_to_share_it_with(project: Path) -> None:
    with pytest.raises(HostError, match="this project has one app: write a module beside its graphs/"):
        new_lib(project, "pricing")


def test_a_graph_is_added_to_the_app_that_is_named(several: Path) -> None:
    new_graph(app_folder(several, "billing"), "invoice")

    assert (several / "apps" / "billing" / "graphs" / "invoice.py").is_file()
    with pytest.raises(HostError, match=r"several apps; name one with --app \(billing, orders\)"):
        app_folder(several, None)
    with pytest.raises(HostError, match=r"there is no app 'bill' in this project; it has billing, orders"):
        app_folder(several, "bill")


def test_names_that_collide_are_told_in_a_sentence_each(several: Path) -> None:
    write(
        several,
        {
            "libs/orders/pyproject.toml": "",
            "libs/orders/src/orders/__init__.py": "",
            "libs/clients/pyproject.toml": "",
            "apps/billing/clients.py": "",
            "apps/billing/local.settings.json": '{"Values": {"TASKHUB_NAME": "OrdersLocal"}}',
        },
    )

    assert list(collisions(read_project(several))) == [
        "libs/clients has no src/clients/__init__.py, which `import clients` needs",
        "the library 'clients' is hidden in the app 'billing' by a module of the same name; rename one of them",
        "the app 'orders' and the library 'orders' share a name; rename one of them",
        "the apps 'billing' and 'orders' share the task hub 'orderslocal'; each needs one of its own",
    ]
