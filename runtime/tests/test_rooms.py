"""The package is built in rooms: docs/architecture.md says what each is for and what it may import."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = "azure_functions_durable_graph"
SOURCE = Path(__file__).parent.parent / PACKAGE
DOCUMENT = (Path(__file__).parents[2] / "docs" / "architecture.md").read_text(encoding="utf-8")

DOORS = {"errors", "client", "testing", "hosting", "fixtures", "__main__"}
NOT_DEPLOYED = {"commands", "host", "remote", "client", "testing", "hosting", "fixtures", "__main__"}


def code_words(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


ROOMS = {
    room.replace("/", "."): (sentence, {name.replace("/", ".") for name in code_words(allowed)})
    for room, sentence, allowed in re.findall(r"^\| `([\w/]+)` \| ([^|]+\.) \| ([^|]*)\|$", DOCUMENT, re.MULTILINE)
}
"""Room -> its sentence, and the rooms that it may import, in the document's order."""

OUTSIDE = {
    world: set(code_words(modules))
    for world, modules in re.findall(r"^\| `([\w.]+)` \| ((?:`[\w.]+`(?:, )?)+) \|$", DOCUMENT, re.MULTILINE)
}
"""Part of the outside world -> the modules that may know it."""


def modules() -> dict[str, Path]:
    """Every module but the packages' own `__init__`."""
    return {
        ".".join(path.relative_to(SOURCE).with_suffix("").parts): path
        for path in sorted(SOURCE.rglob("*.py"))
        if path.name != "__init__.py"
    }


MODULES = modules()


def room_of(module: str) -> str:
    return module.rpartition(".")[0]


def imports_of(module: str) -> set[str]:
    """Every module that a module imports, lazily or not: ours by their names in the package, others with theirs."""
    package = module.split(".")[:-1]
    found: set[str] = set()
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add(str(node.module))
        elif isinstance(node, ast.ImportFrom):
            base = [*package[: len(package) - node.level + 1], *(node.module.split(".") if node.module else [])]
            for alias in node.names:
                inside = ".".join([*base, alias.name])
                found.add("." + (inside if inside in MODULES else ".".join(base)))
    return found


def ours(module: str) -> set[str]:
    return {name[1:] for name in imports_of(module) if name.startswith(".")}


def test_every_folder_is_a_room_of_the_document() -> None:
    assert {room_of(module) for module in MODULES} - {""} == set(ROOMS)


def test_the_root_holds_doors_only() -> None:
    assert {module for module in MODULES if not room_of(module)} == DOORS


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_opens_with_its_sentence_and_what_it_may_import(room: str) -> None:
    tree = ast.parse(SOURCE.joinpath(*room.split("."), "__init__.py").read_text(encoding="utf-8"))
    sentence, _, allowed = str(ast.get_docstring(tree)).partition("\n\nMay import: ")

    assert sentence.splitlines()[0] == ROOMS[room][0]
    assert {name.strip(" .").replace("/", ".") for name in allowed.split(",")} == {"errors", *ROOMS[room][1]}
    assert len(tree.body) == 1, "a room's __init__ re-exports nothing"


@pytest.mark.parametrize("module", [module for module in MODULES if room_of(module)])
def test_a_module_imports_only_rooms_that_its_own_may(module: str) -> None:
    for imported in ours(module):
        assert imported, f"{module} imports the package's root"
        assert imported in MODULES, f"{module} imports the room {imported} instead of a module in it"
        assert room_of(imported) in {*ROOMS[room_of(module)][1], room_of(module)} or imported == "errors", (
            f"{module} imports {imported}"
        )


def test_rooms_stand_in_the_order_in_which_they_build_on_each_other() -> None:
    below: set[str] = set()
    for room, (_, allowed) in ROOMS.items():
        assert allowed <= below, f"{room} may import a room that stands below it in the table"
        below.add(room)


def test_modules_of_a_room_do_not_import_each_other_in_circles() -> None:
    done: set[str] = set()

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, " -> ".join([*path, module])
        if module not in done:
            for imported in ours(module) & set(MODULES):
                if not _only_for_types(module, imported):
                    visit(imported, (*path, module))
            done.add(module)

    for module in MODULES:
        visit(module, ())


def _only_for_types(module: str, imported: str) -> bool:
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    guarded = [
        node for node in ast.walk(tree) if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    ]
    name = imported.rpartition(".")[2]
    return any(name in ast.unparse(block) for block in guarded)


@pytest.mark.parametrize("module", [m for m in MODULES if m.split(".")[0] not in NOT_DEPLOYED])
def test_nothing_that_is_deployed_imports_what_is_not(module: str) -> None:
    assert {name.split(".")[0] for name in ours(module)}.isdisjoint(NOT_DEPLOYED)


def test_the_document_names_the_parts_of_the_outside_world() -> None:
    worlds = {"azure.functions", "azure.durable_functions", "aiohttp", "httpx", "rich", "sqlite3", "pydantic"}

    assert set(OUTSIDE) == worlds


@pytest.mark.parametrize("world", OUTSIDE)
def test_the_outside_world_is_known_to_few(world: str) -> None:
    knowing = {m for m in MODULES if any(f"{name}.".startswith(f"{world}.") for name in imports_of(m))}

    assert knowing == OUTSIDE[world]


@pytest.mark.parametrize(
    "statement",
    ["import azure_functions_durable_graph", "from azure_functions_durable_graph import ManifestBuilder"],
)
def test_building_a_graph_loads_neither_azure_nor_the_local_host(statement: str) -> None:
    code = (
        f"{statement}\nimport sys\nprint(sorted(m for m in sys.modules if m.split('.')[0] in {{'azure', 'aiohttp'}}))"
        f"\nprint([m for m in sys.modules if m.startswith(({PACKAGE + '.host'!r}, {PACKAGE + '.commands'!r}))])"
    )
    answer = subprocess.run([sys.executable, "-c", code], cwd=SOURCE.parent, capture_output=True, text=True, check=True)

    assert answer.stdout.split("\n")[:2] == ["[]", "[]"]


def test_no_module_has_grown_too_large() -> None:
    sizes = {module: len(path.read_text(encoding="utf-8").splitlines()) for module, path in MODULES.items()}

    assert {module: size for module, size in sizes.items() if size > 300} == {}
