"""The command `lock`, as people and pipelines use it."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from apps import BREAKING, DONE, SAFE, command_line, lock, write_app
from checkouts import repository
from served import served
from shapes import Counter

from azure_functions_durable_graph import DurableGraphApp, GraphRegistration, ManifestBuilder, RouteDecision

NEW_VERSION = ("runtime.register_registration(build())", 'runtime.register_registration(build("2"))')


def told(folder: Path, *words: str) -> tuple[int, list[str]]:
    """The exit code of `lock`, and its lines but for the first, which says what the graphs are compared with."""
    code, text = lock(folder, *words)
    return code, text.splitlines()[1:]


def test_the_lock_is_written_once_and_then_up_to_date(tmp_path: Path) -> None:
    write_app(tmp_path)
    missing = "graphs.lock.json does not exist; run `nox -s lock` and commit it"
    assert told(tmp_path, "--check") == (3, ["review, version 1: new", missing])

    assert told(tmp_path) == (0, ["review, version 1: new", "wrote graphs.lock.json"])

    unchanged = (0, ["No graph has changed.", "graphs.lock.json is up to date"])
    assert told(tmp_path) == told(tmp_path, "--check") == unchanged


def test_a_safe_change_wants_the_lock_renewed_and_then_passes(tmp_path: Path) -> None:
    lock(write_app(tmp_path))
    write_app(tmp_path, SAFE)

    code, text = lock(tmp_path, "--check")
    assert code == 3
    assert "✓ safe: state.more is new, with a default" in text
    assert "out of date; run `nox -s lock`" in text

    assert lock(tmp_path)[0] == 0
    assert lock(tmp_path, "--check")[0] == 0
    (version,) = json.loads((tmp_path / "graphs.lock.json").read_text())["graphs"]["review"]["versions"].values()
    assert len(version["serves"]) == 1


def test_a_dangerous_change_is_stopped_until_the_graph_has_a_new_version(tmp_path: Path) -> None:
    lock(write_app(tmp_path))
    before = (tmp_path / "graphs.lock.json").read_text()
    write_app(tmp_path, BREAKING, DONE)

    for words in (["--check"], []):
        code, text = lock(tmp_path, *words)
        assert code == 4
        assert "✗ needs a new version: node 'end' led to the end and now leads to 'done'" in text
        assert "new versions are needed: review 1" in text
    assert (tmp_path / "graphs.lock.json").read_text() == before

    write_app(tmp_path, BREAKING, DONE, NEW_VERSION)
    code, text = lock(tmp_path)
    assert code == 0
    assert "review, version 1 is no longer registered" in text
    assert lock(tmp_path, "--check")[0] == 0


@pytest.mark.parametrize("text", ["{", "[]", '{"format": 1, "graphs": {"review": 7}}'])
def test_a_bad_lock_is_one_sentence(tmp_path: Path, text: str) -> None:
    write_app(tmp_path)
    (tmp_path / "graphs.lock.json").write_text(text)

    code, answer = lock(tmp_path, "--check")

    assert code == 1
    assert [line for line in answer.splitlines() if line.startswith("error: graphs.lock.json")]


def test_a_lock_that_was_renewed_in_the_branch_is_compared_with_what_is_deployed(tmp_path: Path) -> None:
    """Removing and recreating the lock hides nothing from a pull request."""
    lock(write_app(tmp_path))
    repository(tmp_path)
    (tmp_path / "graphs.lock.json").unlink()
    lock(write_app(tmp_path, BREAKING, DONE))
    assert lock(tmp_path, "--check")[0] == 0  # there is no origin/main

    code, text = lock(tmp_path, "--check", "--base", "main")

    assert code == 4
    assert "new versions are needed: review 1" in text


def test_a_lock_that_forgot_what_is_deployed_is_out_of_date(tmp_path: Path) -> None:
    lock(write_app(tmp_path))
    base = tmp_path / "deployed.json"
    base.write_bytes((tmp_path / "graphs.lock.json").read_bytes())
    (tmp_path / "graphs.lock.json").unlink()
    lock(write_app(tmp_path, SAFE))

    assert lock(tmp_path, "--check", "--base", base)[0] == 3
    assert lock(tmp_path, "--base", base)[0] == 0
    assert lock(tmp_path, "--check", "--base", base)[0] == 0


def test_an_unknown_base_is_one_sentence(tmp_path: Path) -> None:
    code, text = lock(write_app(tmp_path), "--base", "origin/nothing")

    assert code == 1
    assert "there is no such file or git revision" in text


def test_programs_get_json_and_people_a_summary_with_pictures(tmp_path: Path) -> None:
    lock(write_app(tmp_path))
    write_app(tmp_path, BREAKING, DONE)
    summary = tmp_path / "summary.md"

    code, text = lock(tmp_path, "--check", "--json", "--summary", summary)

    data = json.loads(text)
    assert (code, data["exit_code"]) == (4, 4)
    assert data["versions"][0]["impact"] == "needs a new version"
    assert summary.read_text().count("```mermaid") == 2


def deployed(*graphs: GraphRegistration) -> Any:
    runtime = DurableGraphApp()
    for graph in graphs:
        runtime.register_registration(graph)
    return served(runtime.function_app)


def old_review() -> GraphRegistration:
    """A graph that runs in production under the same name, and that the app on disk does not have."""
    builder = ManifestBuilder("review", Counter, "1").set_entrypoint("begin")
    builder.add_node(
        "begin",
        lambda state: None,
        route=lambda state: RouteDecision.wait_for_event(event_name="approval", resume_node="begin"),
    )
    return builder.add_event_handler("approval", lambda state, payload: None).build()


@pytest.mark.parametrize("text", [b"\xef\xbb\xbf{}", b"// ours\n{}", b'{"version": "2.0",}', "{}".encode("utf-16")])
def test_a_host_json_that_the_sdk_cannot_read_is_one_sentence(tmp_path: Path, text: bytes) -> None:
    (write_app(tmp_path) / "host.json").write_bytes(text)

    answer = command_line("lock", ".", cwd=tmp_path)

    assert answer.returncode == 1
    assert answer.stderr.startswith("error: azure-functions-durable cannot read host.json (")
    assert "without comments and without a byte order mark" in answer.stderr
    assert len(answer.stderr.splitlines()) == 1


def test_what_the_app_prints_when_it_is_imported_is_not_in_the_report(tmp_path: Path) -> None:
    write_app(tmp_path, ("def nothing(", "print('connecting')\n\ndef nothing("))

    answer = command_line("lock", tmp_path, "--json")

    assert json.loads(answer.stdout)["exit_code"] == 0
    assert "connecting" in answer.stderr


def test_a_version_that_live_runs_need_is_not_dropped(tmp_path: Path) -> None:
    lock(write_app(tmp_path))
    with deployed(old_review()) as (url, _):
        asked = ("--check", "--against-runs", url)
        assert lock(tmp_path, *asked)[0] == 0
        httpx.post(f"{url}/api/graphs/review/runs", json={})

        code, text = lock(tmp_path, *asked)

    assert code == 5, text
    assert "version 1 of review (" in text
    assert ") still has 1 live run: keep it registered" in text


@pytest.mark.parametrize("path", ["/apis", "/api/graphs"])
def test_a_404_that_is_not_of_the_app_is_a_wrong_url(tmp_path: Path, path: str) -> None:
    lock(write_app(tmp_path))
    with deployed(old_review()) as (url, _):
        code, text = lock(tmp_path, "--check", "--against-runs", f"{url}{path}")

    assert code == 1
    assert "answered 404, but not as an app with durable graphs would" in text


def test_a_graph_that_was_never_deployed_has_no_live_runs(tmp_path: Path) -> None:
    lock(write_app(tmp_path))
    with deployed() as (url, _):
        assert lock(tmp_path, "--check", "--against-runs", f"{url}/api")[0] == 0


@pytest.mark.parametrize("url", ["ftp://x/api", "/api", "http://", "http://[/api", "http://127.0.0.1:99999/api", "x y"])
def test_a_url_that_cannot_be_asked_is_one_sentence(tmp_path: Path, url: str) -> None:
    lock(write_app(tmp_path))

    code, text = lock(tmp_path, "--check", "--against-runs", url)

    assert (code, text.startswith("error: ")) == (1, True), text


def test_a_folder_where_a_file_should_be_is_one_sentence(tmp_path: Path) -> None:
    lock(write_app(tmp_path))
    folder = tmp_path / "folder"
    folder.mkdir()

    for option in ("--base", "--summary"):
        code, text = lock(tmp_path, "--check", option, folder)
        assert (code, "error: " in text, str(folder) in text) == (1, True, True), text
    (tmp_path / "graphs.lock.json").unlink()
    (tmp_path / "graphs.lock.json").mkdir()
    assert lock(tmp_path)[0] == 1


def test_an_app_that_does_not_answer_is_one_sentence(tmp_path: Path) -> None:
    lock(write_app(tmp_path))

    code, text = lock(tmp_path, "--check", "--against-runs", "http://127.0.0.1:9/api")

    assert code == 1
    assert "cannot be reached: " in text
