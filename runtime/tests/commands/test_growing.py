"""A project grows: a second app, which moves the first, and libraries. What cannot be added changes nothing."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from checkouts import commit, git, repository
from projects_on_disk import contents, write, write_project
from pydantic import BaseModel

from azure_functions_durable_graph import ManifestBuilder
from azure_functions_durable_graph.change.lock import Lock, LockedVersion, next_lock
from azure_functions_durable_graph.commands.baseline import baseline
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


def test_where_git_refuses_to_say_what_is_committed_nothing_moves(project: Path) -> None:
    repository(project)
    (project / ".git" / "config").write_text("[core\n")
    before = contents(project)

    with pytest.raises(HostError, match=r"Git refuses .*, so it is unknown whether everything is committed"):
        new_app(project, "billing")

    assert contents(project) == before


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


@pytest.mark.parametrize("name", ["orders", "or-ders"])
def test_the_first_app_keeps_its_name_when_it_moves(project: Path, name: str) -> None:
    before = contents(project)

    with pytest.raises(HostError, match="choose another"):
        new_app(project, name)

    assert contents(project) == before


def test_a_folder_of_that_name_which_is_something_else_is_not_mixed_with_apps(project: Path) -> None:
    write(project, {"apps/__init__.py": "", "apps/clients.py": ""})
    before = contents(project)

    with pytest.raises(HostError, match="apps/ already exists, and is not a folder of apps; rename it"):
        new_app(project, "billing")

    assert contents(project) == before


def test_an_app_is_not_added_twice(several: Path) -> None:
    before = contents(several)

    with pytest.raises(HostError, match="'billing' is the name of apps/billing; choose another"):
        new_app(several, "billing")

    assert contents(several) == before


def test_a_move_is_a_commit_of_its_own(project: Path) -> None:
    repository(project)
    write(project, {"graphs/order.py": "X = 1\n"})
    before = contents(project)

    with pytest.raises(HostError, match=r"files have changed since the last commit \(graphs/order.py\); commit them"):
        new_app(project, "billing")
    assert contents(project) == before

    git(project, "commit", "--all", "--quiet", "--message", "A change")
    assert "the move, and nothing else, is staged in git" in new_app(project, "billing")[1]
    git(project, "commit", "--quiet", "--message", "The app moves")
    shown = git(project, "log", "-1", "--name-status", "--format=", "-M").splitlines()
    assert "R100\tfunction_app.py\tapps/orders/function_app.py" in shown
    assert all(line.startswith("R100\t") for line in shown)
    assert {line.split()[1] for line in git(project, "status", "--porcelain").splitlines()} == {
        "azure.yaml",
        "infra/main.parameters.json",
        "apps/billing/",
    }


def test_a_move_that_fails_is_taken_back(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, replace = contents(project), os.replace

    def in_use(source: Any, target: Any) -> None:
        if Path(source).name == "host.json" and "apps" not in Path(source).parts:
            raise PermissionError(13, "Permission denied", str(source))
        replace(source, target)

    monkeypatch.setattr(os, "replace", in_use)

    with pytest.raises(HostError, match=r"host.json cannot be moved to apps/orders: Permission denied; nothing has"):
        new_app(project, "billing")

    assert contents(project) == before


class State(BaseModel):
    done: bool = False


def locked(name: str) -> str:
    """A lock with one graph."""
    builder = ManifestBuilder(name, State).set_entrypoint("a")
    graph = builder.add_node("a", lambda state: None, terminal=True).build()
    return next_lock(Lock(), [LockedVersion(graph.manifest, {})]).to_text()


def test_the_lock_of_the_first_app_is_compared_with_the_one_that_was_at_the_root(project: Path) -> None:
    write(project, {"graphs.lock.json": locked("order")})
    repository(project)
    new_app(project, "billing")
    apps = {app.name: app.folder for app in read_project(project).apps}

    def deployed(app: str) -> set[str]:
        return set(baseline(apps[app], "HEAD", None).lock.graphs)

    assert deployed("orders") == {"order"}
    assert deployed("billing") == set(), "it was not deployed"
    write(project, {"apps/orders/graphs.lock.json": locked("return")})
    commit(project)
    assert deployed("orders") == {"return"}


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
