"""`serve --reload`: a change of the app starts it again, once; runs go on."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from processes import COMMAND_LINE, WAITING, environment, free_port, until_served

from azure_functions_durable_graph.commands.cli import main
from azure_functions_durable_graph.commands.reload import changed, stamps, supervise, watch


def test_a_change_of_a_file_starts_the_app_again_and_runs_go_on(tmp_path: Any) -> None:
    """The supervisor is given what it sees: here, a change as soon as the first host has been used."""
    (tmp_path / "function_app.py").write_text(WAITING)
    ports = [free_port()]
    said: list[str] = []
    url = f"http://127.0.0.1:{ports[0]}/api"

    def seen() -> Any:
        yield stamps(tmp_path)
        run = until_served(lambda: httpx.post(f"{url}/graphs/patient/runs", json={"instance_id": "kept"}))
        assert run.status_code == 202
        (tmp_path / "function_app.py").write_text("this is no Python")
        yield stamps(tmp_path)
        (tmp_path / "function_app.py").write_text(WAITING.replace('"patient"', '"other"'))
        yield stamps(tmp_path)
        graphs = until_served(lambda: httpx.get(f"{url}/graphs")).json()["graphs"]
        assert [graph["graph"] for graph in graphs] == ["other"]
        assert httpx.get(f"{url}/runs/kept").json()["graph"] == "patient"

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
        supervise([str(tmp_path), f"--port={ports[0]}"], tmp_path, seen(), said.append)

    assert said == ["function_app.py has changed: restarting"] * 2


def test_hidden_folders_and_caches_are_not_watched(tmp_path: Any) -> None:
    for name in (".venv/x.py", "__pycache__/x.py", "graphs/a.py", "host.json", "notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    before = stamps(tmp_path)

    assert sorted(path.name for path in before) == ["a.py", "host.json"]
    (tmp_path / "graphs" / "a.py").write_text("longer")
    (tmp_path / "host.json").unlink()
    assert [path.name for path in changed(before, stamps(tmp_path))] == ["a.py", "host.json"]


def test_what_is_not_served_or_is_written_by_commands_is_not_watched(tmp_path: Path) -> None:
    for name in ("tests/test_a.py", "tests/histories/a.json", "graphs.lock.json", "runtime.lock.json", "dist/app/a.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    for name in ("env/pyvenv.cfg", "env/lib/a.py", "graphs/tests/a.py", "graphs/dist.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")

    assert sorted(path.relative_to(tmp_path).as_posix() for path in stamps(tmp_path)) == [
        "graphs/dist.py",
        "graphs/tests/a.py",
    ]


def test_several_writes_of_one_save_are_one_change() -> None:
    """An editor writes, renames and formats; what is looked at in between is not handed on."""
    one, two, three = ({Path("a.py"): (number, 1)} for number in range(3))
    seen = iter([one, two, three, three, three])

    found = watch(Path(), scan=lambda _: next(seen), pause=lambda: None)

    assert [next(found) for _ in range(3)] == [one, three, three]


def test_the_supervisor_ends_its_child_when_it_is_told_to_end(tmp_path: Path) -> None:
    (tmp_path / "function_app.py").write_text(WAITING)
    port = free_port()
    command = [sys.executable, *COMMAND_LINE, "serve", "--reload", f"--port={port}", str(tmp_path)]
    with subprocess.Popen(command, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        url = f"http://127.0.0.1:{port}/api/graphs"
        assert until_served(lambda: httpx.get(url)).status_code == 200

        process.send_signal(signal.SIGTERM)

        assert process.wait(30) == 0
        with pytest.raises(httpx.ConnectError):
            httpx.get(url)


def test_reloading_without_a_store_is_refused_with_a_sentence(capsys: Any) -> None:
    assert main(["serve", "--reload", "--memory"]) == 1
    assert "--reload needs a store" in capsys.readouterr().err
