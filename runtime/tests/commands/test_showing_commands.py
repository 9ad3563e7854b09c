"""The commands that show runs and graphs: what they print for people, for pipes and for programs."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from api_commands_run import Commands, commands_of_an_app, done, refused
from processes import until
from served import served
from shapes import Counter

from azure_functions_durable_graph import DurableGraphApp, ManifestBuilder, NodeContext
from azure_functions_durable_graph.client import GraphClient
from azure_functions_durable_graph.commands.cli import main

pytest.importorskip("rich", reason="it is in requirements-dev.txt")


@pytest.fixture(scope="module")
def command() -> Iterator[Commands]:
    with commands_of_an_app() as found:
        yield found


# show


def test_show_tells_how_a_run_stands_and_its_steps(command: Commands) -> None:
    run_id = command.waiting(tags={"team": "red"})

    told = done(command("show", run_id))

    assert re.search(rf"^run +{run_id}$", told, re.MULTILINE)
    assert re.search(r"^status +waiting$", told, re.MULTILINE)
    assert re.search(r"^tags +team=red$", told, re.MULTILINE)
    assert re.search(r"^waits for +approval \(wait approval\.0\)$", told, re.MULTILINE)
    assert re.search(r"^0 +ask +task .* waits for approval$", told, re.MULTILINE)


def test_show_tells_how_far_a_running_node_is(capsys: pytest.CaptureFixture[str]) -> None:
    release = threading.Event()

    def index(state: Counter, context: NodeContext) -> None:
        context.progress(0.25)
        release.wait(60)

    builder = ManifestBuilder("slow", Counter).set_entrypoint("index").add_node("index", index, terminal=True)
    runtime = DurableGraphApp(progress=True)
    runtime.register_registration(builder.build())
    with served(runtime.function_app) as (url, _), GraphClient(url) as client:
        run = client.start("slow")
        until(lambda: bool(client.get(run).progress))
        assert main(["show", run.id, "--url", url]) == 0
        release.set()
        assert client.wait(run).progress == []

    assert re.search(r"^progress +index: 25%$", capsys.readouterr().out, re.MULTILINE)


def test_show_tells_how_a_run_was_answered_and_ended(command: Commands) -> None:
    run_id = command.waiting()
    done(command("send", run_id, "approval", '{"approved": true}'))
    command.client.wait(run_id)

    told = done(command("show", run_id))

    assert re.search(r"^0 +ask .* approval -> apply$", told, re.MULTILINE)
    assert re.search(r'^1 +apply .* {"approved": true} +end$', told, re.MULTILINE)


def test_show_watch_ends_with_the_run(command: Commands) -> None:
    told = done(command("start", "line", "--watch")).splitlines()

    run_id = told[0]
    steps = [text for text in told if re.match(r" +\d", text)]
    assert [text.split()[1] for text in steps] == ["a", "b", "c"]
    assert steps[0].endswith('{"value": 1} -> b')
    assert told[-1] == f"{run_id} completed"


def test_show_watch_fails_with_a_run_that_fails(command: Commands) -> None:
    run_id = done(command("start", "broken", "--input", '{"ticket_id": "T"}'))

    code, out, err = command("show", run_id, "--watch")

    assert code == 1
    assert "-> ValueError: no fuse" in out
    assert err == f"error: the run {run_id} failed: ValueError: no fuse\n"


def test_show_watch_as_json_is_one_step_a_line(command: Commands) -> None:
    run_id = done(command("start", "line"))

    steps = [json.loads(text) for text in done(command("show", run_id, "--watch", "--json")).splitlines()]

    assert [step["node"] for step in steps] == ["a", "b", "c"]


def test_show_as_json_is_what_the_app_has_answered(command: Commands) -> None:
    run_id = command.waiting()

    assert json.loads(done(command("show", run_id, "--json")))["waits"][0]["event"] == "approval"


# runs, graphs, diagram


def test_runs_lists_what_matches_over_pages(command: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("azure_functions_durable_graph.commands.runs.PAGE", 2)
    mine = {command.waiting(tags={"list": "five"}) for _ in range(5)}
    words = ("runs", "--tag", "list=five", "--status", "waiting", "--graph", "approvals", "--since", "2h")

    listed = [json.loads(text)["id"] for text in done(command(*words, "--json")).splitlines()]
    assert set(listed) == mine
    assert set(done(command(*words, "--ids")).splitlines()) == mine
    table = done(command(*words, "--limit", "3")).splitlines()
    assert table[0].split() == ["run", "graph", "version", "status", "node", "step", "started", "about"]
    assert {row.split()[0] for row in table[1:4]} < mine
    assert table[4] == "(3 runs are shown, and there are more: --limit N)"
    assert done(command(*words, "--until", "2026-01-31T08:00:00Z")) == "no runs"


def test_runs_shows_why_a_run_failed(command: Commands) -> None:
    command("start", "broken", "--input", '{"ticket_id": "T"}', "--watch")

    assert re.search(r" failed +a +0 .* ValueError: no fuse$", done(command("runs", "--graph", "broken")), re.MULTILINE)


def test_a_list_for_which_nothing_can_match_is_one_sentence(command: Commands) -> None:
    assert "--since must be a time such as" in refused(command("runs", "--since", "yesterday"))
    assert "there is no graph 'lime'" in refused(command("runs", "--graph", "lime"))


def test_graphs_lists_them(command: Commands) -> None:
    table = done(command("graphs")).splitlines()

    assert [row.split()[0] for row in table] == ["graph", "approvals", "broken", "line"]
    assert json.loads(done(command("graphs", "--json")).splitlines()[2])["nodes"] == ["a", "b", "c"]


def test_diagram_prints_or_writes_the_picture(command: Commands, tmp_path: Path) -> None:
    target = tmp_path / "line.mmd"
    assert done(command("diagram", "line")).startswith("flowchart TD")
    assert done(command("diagram", "line", "--output", str(target))) == f"wrote {target}"
    assert target.read_text(encoding="utf-8").startswith("flowchart TD")
    assert "cannot be written" in refused(command("diagram", "line", "--output", "no/folder/x"))
