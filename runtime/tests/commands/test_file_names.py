"""Files that commands write have names that every file system accepts and tells apart."""

from pathlib import Path
from typing import Any

import pytest

from azure_functions_durable_graph.commands.cli import main
from azure_functions_durable_graph.commands.file_names import distinct_stem, is_device


@pytest.mark.parametrize("name", ["con", "PRN", "Aux", "nul", "com1", "LPT9"])
def test_a_graph_is_not_named_like_a_windows_device(
    name: str, tmp_path: Path, monkeypatch: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder in ("graphs", "tests"):
        (tmp_path / folder).mkdir()
    monkeypatch.chdir(tmp_path)

    assert main(["new-graph", name]) == 1
    assert "Windows reserves this name for a device" in capsys.readouterr().err
    assert not list((tmp_path / "graphs").iterdir())


def test_recordings_of_different_runs_are_different_files_where_case_is_ignored() -> None:
    run_ids = ["A", "a", "r:1", "r_1", "R_1", "con", "CON", "con.1", "-x", "x", "a.b", "A.B"]

    stems = [distinct_stem(run_id).lower() for run_id in run_ids]

    assert len(set(stems)) == len(run_ids)
    assert not any(is_device(f"{stem}.json") for stem in stems)


@pytest.mark.parametrize("run_id", ["0f3c2a", "order-17", "nightly.2026-01-31"])
def test_an_ordinary_run_id_is_the_name_of_its_recording(run_id: str) -> None:
    assert distinct_stem(run_id) == run_id
