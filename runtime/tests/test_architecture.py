"""docs/architecture.md names only what exists: modules, functions, tables and files."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
SOURCE = TESTS.parent / "azure_functions_durable_graph"
REPOSITORY = TESTS.parents[1]
PAGE = (REPOSITORY / "docs" / "architecture.md").read_text(encoding="utf-8")
TREES = {
    ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__"): ast.parse(
        path.read_text(encoding="utf-8")
    )
    for path in sorted(SOURCE.rglob("*.py"))
}
NO_CODE = {
    "rich",
    "order_flow",
    "azure.functions",
    "azure.durable_functions",
    "aiohttp",
    "sqlite3",
    "pydantic",
    "missing",
}
"""Words in code type that name no code of ours."""


def words(pattern: str) -> list[str]:
    found = {word for word in re.findall(r"`([^`\n]+)`", PAGE) if re.fullmatch(pattern, word)}
    return sorted(found - NO_CODE)


NAMES = words(r"[A-Za-z_][\w.]*(?<!\.py)")
FILES = words(r"[\w.]+(?:/[\w.]*)+|[\w.]+\.py")


Definitions = dict[str, list[ast.AST]]


def definitions_in(tree: ast.AST) -> Definitions:
    """Every function, class and variable by its name, nested ones included."""
    found: Definitions = {}
    for node in ast.walk(tree):
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        names = [getattr(node, "name", None), *(target.id for target in targets if isinstance(target, ast.Name))]
        for name in filter(None, names):
            found.setdefault(name, []).append(node)
    return found


DEFINED = {module: definitions_in(tree) for module, tree in TREES.items()}


def exists(name: str) -> bool:
    """Whether `module.Class.method`, `Class.method`, `name` or `module` is in the package."""
    parts = name.split(".")
    if name in TREES or (SOURCE / Path(*parts)).is_dir():
        return True
    for size in range(len(parts)):
        module, rest = ".".join(parts[:size]), parts[size:]
        scopes = [DEFINED[module]] if module in DEFINED else [] if module else list(DEFINED.values())
        for part in rest:
            found = [node for scope in scopes for node in scope.get(part, ())]
            scopes = [definitions_in(node) for node in found]
        if scopes:
            return True
    return False


@pytest.mark.parametrize("name", NAMES)
def test_what_the_page_names_is_in_the_package(name: str) -> None:
    assert exists(name), f"docs/architecture.md names {name}"


@pytest.mark.parametrize("file", FILES)
def test_files_that_the_page_names_exist(file: str) -> None:
    assert any((root / file).exists() for root in (SOURCE, TESTS, REPOSITORY)) or file == "noxfile.py"


def test_a_wrong_name_would_be_found() -> None:
    assert not exists("run.orchestrator.no_such_function")
    assert not exists("Traversal.no_such_method")
    assert not exists("no_such_module.run_node")
    assert len(NAMES) > 60
    assert len(FILES) > 20


@pytest.mark.parametrize("row", re.findall(r"`([\w/]+\.py)` \(([^)]*)\)", PAGE))
def test_a_name_in_brackets_is_in_the_file_before_it(row: tuple[str, str]) -> None:
    file, text = row
    module = file.removesuffix(".py").replace("/", ".")
    for name in re.findall(r"`(\w+)`", text):
        assert name in DEFINED[module], f"{file} has no {name}"
