"""The graphs of an app: found in a package, and told apart by name and hash."""

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from shapes import line

from azure_functions_durable_graph import DurableGraphApp
from azure_functions_durable_graph.work.registry import Registry, natural, registrations_in

MODULE = """
from shapes import line
registration = line("a", version="{version}", graph_name="{name}")
helper = 7
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Make a package of graph modules: file name -> (graph name, version)."""

    def make(**modules: tuple[str, str]) -> ModuleType:
        folder = tmp_path / "some_graphs"
        folder.mkdir()
        (folder / "__init__.py").write_text("")
        (folder / "helpers.py").write_text("from .one import registration\n" if "one" in modules else "")
        for name, (graph, version) in modules.items():
            (folder / f"{name}.py").write_text(MODULE.format(name=graph, version=version))
        monkeypatch.syspath_prepend(str(tmp_path))
        for name in [name for name in sys.modules if name.startswith("some_graphs")]:
            monkeypatch.delitem(sys.modules, name)
        return __import__("some_graphs")

    return make


def test_every_graph_of_a_package_is_found_once(package: Any) -> None:
    found = registrations_in(package(one=("b", "1"), two=("a", "1")))

    assert sorted(graph.graph_name for graph in found) == ["a", "b"]


def test_new_runs_get_the_newest_version_whatever_its_file_is_called(package: Any) -> None:
    runtime = DurableGraphApp()
    runtime.register_package(package(order=("order", "10"), order_v9=("order", "9")))

    default = runtime.registry.default("order")

    assert default is not None
    assert default.manifest.version == "10"
    assert [graph.manifest.version for graph in runtime.registry.versions("order")] == ["9", "10"]


def test_versions_sort_as_people_read_them() -> None:
    versions = ["2", "10", "1.10", "1.9", "beta", "1"]

    assert sorted(versions, key=natural) == ["1", "1.9", "1.10", "2", "10", "beta"]


def test_a_hash_is_taken_over_only_by_a_graph_that_is_there() -> None:
    registry = Registry()
    new = line("a")
    registry.add(new)

    assert registry.find("line", "old") is None
    assert not registry.take_over("line", "old", "nowhere")
    assert registry.take_over("line", "old", new.graph_hash)
    assert registry.find("line", "old") is new
    assert registry.find("other", "old") is None
