"""The first app moves to apps/ in a commit of its own, under its name and with its lock, or nothing moves."""

from __future__ import annotations

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
from azure_functions_durable_graph.commands.new_app import new_app
from azure_functions_durable_graph.commands.workspace import read_project
from azure_functions_durable_graph.errors import HostError


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write_project(tmp_path)


def test_where_git_refuses_to_say_what_is_committed_nothing_moves(project: Path) -> None:
    repository(project)
    (project / ".git" / "config").write_text("[core\n")
    before = contents(project)

    with pytest.raises(HostError, match=r"Git refuses .*, so it is unknown whether everything is committed"):
        new_app(project, "billing")

    assert contents(project) == before


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
