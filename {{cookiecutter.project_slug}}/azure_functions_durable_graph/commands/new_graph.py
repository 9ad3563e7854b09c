"""The command `new-graph`: writes a graph file and its test, as a starting point."""

from __future__ import annotations

import keyword
from pathlib import Path

from ..errors import HostError
from ..graph.documents import why
from ..graph.names import NAME_RULE, is_name
from .file_names import is_device

_GRAPH = '''"""{title}: describe here what it is for."""

from pydantic import BaseModel

from azure_functions_durable_graph import ManifestBuilder


class {model}(BaseModel):
    """The state of one run."""

    subject: str
    done: bool = False


def begin(state: {model}) -> None:
    """The first step."""


def finish(state: {model}) -> dict[str, object]:
    """The last step."""
    return {{"done": True}}


builder = ManifestBuilder(
    graph_name="{name}",
    state_model={model},
    version="1",
)
builder.set_entrypoint("begin")
builder.add_node("begin", begin, next_node="finish")
builder.add_node("finish", finish, terminal=True)

registration = builder.build()
'''

_TEST = '''"""{title}: describe here what is tested."""

from azure_functions_durable_graph.testing import run_graph
from graphs.{module} import registration


def test_a_run_goes_from_the_first_step_to_the_last() -> None:
    run = run_graph(registration, {{"subject": "a first try"}})

    assert run.status == "completed"
    assert run.path == ["begin", "finish"]
    assert run.state.done
'''


def new_graph(project: Path, name: str) -> list[Path]:
    """Write `graphs/NAME.py` and `tests/test_NAME.py`. Raises HostError for a bad name, or a file that exists."""
    module = name.replace("-", "_").lower()
    if not is_name(name) or not module.isidentifier() or keyword.iskeyword(module):
        raise HostError(f"{name!r} is not a valid name for a graph: use {NAME_RULE}, and not a Python keyword")
    if is_device(module):
        raise HostError(f"{name!r} cannot be the name of a graph: Windows reserves this name for a device")
    words = [word.capitalize() for word in module.split("_") if word]
    values = {"name": name, "module": module, "title": " ".join(words), "model": "".join(words) + "State"}
    files = {
        project / "graphs" / f"{module}.py": _GRAPH.format(**values),
        project / "tests" / f"test_{module}.py": _TEST.format(**values),
    }
    for path in files:
        if path.exists():
            raise HostError(f"{path.relative_to(project)} already exists")
        if not path.parent.is_dir():
            raise HostError(f"{project} has no folder {path.parent.name}/; run this in a generated project")
    for path, text in files.items():
        try:
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise HostError(f"{path.relative_to(project)} cannot be written: {why(error)}") from None
    return list(files)
