"""What is on the deploy branch is deployed; everything else is a draft and changes freely."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from apps import BREAKING, DONE, SAFE, lock, write_app
from checkouts import commit, git, repository

BOTH = ("register_registration(build())", 'register_registration(build())\nruntime.register_registration(build("2"))')


def locked(folder: Path) -> Path:
    """A repository with the app and its lock in one commit."""
    lock(write_app(folder))
    return repository(folder)


def deployed(folder: Path) -> Path:
    """A repository whose one commit is on the remote's main branch."""
    git(locked(folder), "update-ref", "refs/remotes/origin/main", "main")
    return folder


def test_a_graph_on_the_deploy_branch_needs_a_new_version_for_a_breaking_change(tmp_path: Path) -> None:
    write_app(deployed(tmp_path), BREAKING, DONE)

    code, text = lock(tmp_path)

    assert code == 4
    assert text.startswith("Compared with origin/main, commit ")
    assert "new versions are needed: review 1" in text
    assert "`nox -s lock -- --base none` for this once" in text


def test_a_version_that_is_not_on_the_deploy_branch_is_a_draft_even_when_it_is_committed(tmp_path: Path) -> None:
    write_app(deployed(tmp_path), BOTH)
    assert lock(tmp_path)[0] == 0
    commit(tmp_path)
    breaks_two = ('builder.add_node("begin", nothing', 'builder.add_node("begin" if version == "1" else "x", nothing')
    enters_two = ('set_entrypoint("begin")', 'set_entrypoint("begin" if version == "1" else "x")')
    write_app(tmp_path, BOTH, breaks_two, enters_two)

    code, text = lock(tmp_path)

    assert code == 0, text
    assert "review, version 2: new" in text
    assert lock(tmp_path, "--check")[0] == 0


def test_the_lock_serves_the_deployed_hash_and_none_of_the_drafts_between(tmp_path: Path) -> None:
    deployed(tmp_path)
    (before,) = json.loads((tmp_path / "graphs.lock.json").read_text())["graphs"]["review"]["versions"].values()
    write_app(tmp_path, SAFE)
    lock(tmp_path)
    write_app(tmp_path, ('name: str = ""', 'name: str = ""\n    another: int = 0'))

    assert lock(tmp_path)[0] == 0

    (version,) = json.loads((tmp_path / "graphs.lock.json").read_text())["graphs"]["review"]["versions"].values()
    assert version["serves"] == [before["graph_hash"]]


def test_without_the_deploy_branch_nothing_is_assumed_to_be_deployed(tmp_path: Path) -> None:
    write_app(locked(tmp_path), BREAKING, DONE)

    code, text = lock(tmp_path)

    assert code == 0
    assert text.startswith("This repository has no branch origin/main, so what is deployed is unknown. Nothing is")


def test_without_git_the_lock_as_it_is_counts_as_deployed(tmp_path: Path) -> None:
    lock(write_app(tmp_path))
    write_app(tmp_path, BREAKING, DONE)

    code, text = lock(tmp_path)

    assert code == 4
    assert text.startswith("This folder is not in a git repository, so what is deployed is unknown. Compared with")
    assert lock(tmp_path, "--base", "none")[0] == 0


def test_a_repository_that_git_refuses_to_read_is_not_said_to_be_none(tmp_path: Path) -> None:
    """As in a container whose user does not own the checkout."""
    text = lock(deployed(tmp_path), GIT_TEST_ASSUME_DIFFERENT_OWNER="1")[1]

    assert text.startswith("Git refuses (fatal: detected dubious ownership in repository at ")
    assert "so what is deployed is unknown. Compared with graphs.lock.json as it is" in text


def test_a_deployed_lock_that_is_missing_from_the_clone_is_not_taken_for_none(tmp_path: Path) -> None:
    """As in a partial clone without a network: the commit is known, the file's content is not."""
    blob = git(deployed(tmp_path), "rev-parse", "origin/main:graphs.lock.json")
    (tmp_path / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    write_app(tmp_path, BREAKING, DONE)

    code, text = lock(tmp_path)

    assert code == 1
    assert "origin/main:graphs.lock.json cannot be read by git (fatal: " in text
    assert "fetch that revision completely" in text


def test_the_project_names_its_deploy_branch(tmp_path: Path) -> None:
    git(deployed(tmp_path), "update-ref", "refs/remotes/upstream/live", "main")
    git(tmp_path, "update-ref", "-d", "refs/remotes/origin/main")
    (tmp_path / "pyproject.toml").write_text('[tool.durable-graph]\ndeploy-branch = "upstream/live"\n')
    write_app(tmp_path, BREAKING, DONE)

    assert lock(tmp_path)[0] == 4


def test_a_project_that_was_never_deployed_says_so_and_its_pull_requests_pass(tmp_path: Path) -> None:
    deployed(tmp_path)
    (tmp_path / "pyproject.toml").write_text('[tool.durable-graph]\ndeploy-branch = "none"\n')
    write_app(tmp_path, BREAKING, DONE)

    assert lock(tmp_path)[0] == 0
    assert lock(tmp_path, "--check", "--base", "origin/main")[0] == 0


def test_a_file_of_what_is_deployed_holds_whatever_the_project_says(tmp_path: Path) -> None:
    lock(write_app(tmp_path))
    base = tmp_path / "deployed.json"
    base.write_bytes((tmp_path / "graphs.lock.json").read_bytes())
    (tmp_path / "pyproject.toml").write_text('[tool.durable-graph]\ndeploy-branch = "none"\n')
    write_app(tmp_path, BREAKING, DONE)

    code, text = lock(tmp_path, "--base", str(base))

    assert code == 4
    assert "--base none" not in text


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("[tool.durable-graph\n", "pyproject.toml cannot be read: "),
        ("[tool]\ndurable-graph = 3\n", "tool.durable-graph must be a table"),
        ("[tool.durable-graph]\ndeploy-branch = false\n", "deploy-branch under [tool.durable-graph] must be"),
    ],
)
def test_settings_that_cannot_be_read_are_one_sentence(tmp_path: Path, settings: str, said: str) -> None:
    (write_app(tmp_path) / "pyproject.toml").write_text(settings)

    code, text = lock(tmp_path)

    assert code == 1
    assert said in text
    assert len(text.splitlines()) == 1
