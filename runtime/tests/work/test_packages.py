"""The graphs of a package: found, refused where a copy would take over, and missed where there are none."""

import logging
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from apps import command_line

from azure_functions_durable_graph import DurableGraphApp
from azure_functions_durable_graph.errors import GraphBuildError, RegistrationError
from azure_functions_durable_graph.testing import registrations_in
from azure_functions_durable_graph.work.user_frames import user_frame

GRAPH = """
from pydantic import BaseModel
from azure_functions_durable_graph import ManifestBuilder

class State(BaseModel):
    name: str = ""

builder = ManifestBuilder("{name}", State, "{version}").set_entrypoint("a")
builder.add_node("a", lambda state: None, terminal=True)
registration = builder.build()
"""

Make = Callable[..., ModuleType]


def graph(name: str = "order", version: str = "1") -> str:
    return GRAPH.format(name=name, version=version)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Make the package `some_graphs` of files: path without .py -> text."""

    def make(**files: str) -> ModuleType:
        for name, text in {"__init__": "", **files}.items():
            path = tmp_path / "some_graphs" / f"{name.replace('__in__', '/')}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.chdir(tmp_path)
        for name in [name for name in sys.modules if name.startswith("some_graphs")]:
            monkeypatch.delitem(sys.modules, name)
        return __import__("some_graphs")

    return make


def registered(package: ModuleType) -> DurableGraphApp:
    runtime = DurableGraphApp()
    runtime.register_package(package)
    return runtime


def test_every_graph_of_a_package_is_found_once(package: Make) -> None:
    found = registrations_in(package(one=graph("b"), two=graph("a"), three="from .one import registration"))

    assert sorted(graph.graph_name for graph in found) == ["a", "b"]


def test_a_file_that_is_not_text_is_named(package: Make, tmp_path: Path) -> None:
    """As an editor writes one that saves in UTF-16."""
    graphs = package(order=graph())
    (tmp_path / "some_graphs" / "wide.py").write_bytes(graph("wide").encode("utf-16"))

    with pytest.raises(SyntaxError, match="cannot contain null bytes; save the file as UTF-8") as refused:
        registrations_in(graphs)

    assert refused.value.filename == str(tmp_path / "some_graphs" / "wide.py")


def test_new_runs_get_the_newest_version_whatever_its_file_is_called(package: Make) -> None:
    runtime = registered(package(order=graph(version="10"), order_v9=graph(version="9")))

    assert runtime.registry.by_name["order"].manifest.version == "10"
    assert [graph.manifest.version for graph in runtime.registry.versions("order")] == ["9", "10"]


@pytest.mark.parametrize("edit", [("State", "Other"), ("", ""), ("lambda state: None", "lambda state: {}")])
def test_a_copied_module_does_not_take_a_graph_over(package: Make, edit: tuple[str, str]) -> None:
    """Whether the copy was changed in its manifest, in its code alone, or not at all."""
    both = package(order=graph(), shipping=graph().replace(*edit))

    with pytest.raises(RegistrationError) as caught:
        registered(both)

    assert "graph 'order', version '1' is registered twice" in str(caught.value)
    assert "some_graphs.order (some_graphs/order.py, line 10)" in str(caught.value)
    assert "some_graphs.shipping (some_graphs/shipping.py, line 10)" in str(caught.value)


def test_what_is_left_out_is_told(package: Make) -> None:
    unbuilt = graph().replace("registration = builder.build()", "")

    runtime = registered(
        package(
            order=graph(),
            unbuilt=unbuilt,
            helpers="",
            _private="",
            eu__in____init__="",
            eu__in__order=graph("eu"),
            bare__in__order=graph("bare"),
            **{"order.v1": graph(version="0")},
        )
    )

    assert sorted(runtime.warnings) == [
        "some_graphs.eu is a package within a package, and its modules are not searched: "
        "call register_package(some_graphs.eu)",
        "some_graphs.helpers has no GraphRegistration: build one at its top level, or begin the module's name with '_'",
        "some_graphs.unbuilt has a ManifestBuilder but no registration: "
        "assign what its build() returns, at the top level",
        "some_graphs/bare/ has no __init__.py: its modules are not searched",
        "some_graphs/order.v1.py cannot be imported: a module's name must not contain dots",
    ]


def test_a_sub_package_that_is_registered_itself_is_not_missed(package: Make) -> None:
    runtime = registered(package(order=graph(), eu__in____init__="", eu__in__order=graph("eu")))
    runtime.register_package(sys.modules["some_graphs.eu"])

    assert runtime.warnings == []
    assert sorted(runtime.registry.by_name) == ["eu", "order"]


def test_warnings_are_logged_when_the_app_is_listed(package: Make, caplog: pytest.LogCaptureFixture) -> None:
    runtime = registered(package(order=graph(), helpers=""))

    with caplog.at_level(logging.WARNING):
        runtime.function_app.get_functions()

    assert [record.message.split()[0] for record in caplog.records] == ["some_graphs.helpers"]


def test_the_command_lock_tells_them_too(package: Make, tmp_path: Path) -> None:
    package(order=graph(), helpers="")
    app = "import some_graphs\nfrom azure_functions_durable_graph import DurableGraphApp\nruntime = DurableGraphApp()\n"
    (tmp_path / "function_app.py").write_text(
        f"{app}runtime.register_package(some_graphs)\napp = runtime.function_app\n"
    )

    answer = command_line("lock", tmp_path)

    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.startswith("warning: some_graphs.helpers has no GraphRegistration")


# Errors of a module


def error_of(package: ModuleType) -> Exception:
    with pytest.raises(Exception) as caught:  # noqa: PT011 - any error of a user's module
        registered(package)
    return caught.value


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("\nimport nothing_of_the_kind\n", "line 2: import nothing_of_the_kind"),
        ("\ndef begin(state:\n    return None\n", "line 2: def begin(state:"),
        ("def f():\n    return 1 / 0\n\nf()\n", "line 2: return 1 / 0"),
        ("import json\n\nvalue = json.loads('{')\n", "line 3: value = json.loads('{')"),
        (graph().replace('set_entrypoint("a")', 'set_entrypoint("b")'), "line 10: registration = builder.build()"),
        ("from pydantic import TypeAdapter\nTypeAdapter(int).validate_python('x')\n", "line 2: TypeAdapter(int)"),
    ],
)
def test_an_error_of_a_module_is_placed_at_the_users_line(package: Make, text: str, place: str) -> None:
    error = error_of(package(order=text))

    assert user_frame(error).startswith(f"some_graphs/order.py, {place}")


def test_an_error_of_a_graph_stays_what_it_is(package: Make) -> None:
    assert isinstance(error_of(package(order=graph().replace('("a")', '("b")'))), GraphBuildError)


def test_an_error_without_a_frame_of_the_user_has_the_innermost_one() -> None:
    assert user_frame(ValueError("never raised")) == ""
    assert user_frame(SyntaxError("of no file", ("<string>", 3, 1, "x ="))) == ""
