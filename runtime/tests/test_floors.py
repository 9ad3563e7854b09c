"""The package is built in floors: a module imports only from floors below its own, and never the package root."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PACKAGE = "azure_functions_durable_graph"
SOURCE = Path(__file__).parent.parent / PACKAGE

FLOORS = (
    {"errors", "topology", "ports", "routes"},
    {"names", "plain", "vendoring", "policies", "context"},
    {"decisions", "messages", "http", "schemas", "scaffold", "reducers"},
    {"states", "nodes", "recorded"},
    {"manifest", "status"},
    {"graph", "mermaid", "hints", "cursor"},
    {"waiting", "fanout", "subgraphs", "calling", "starting", "checks", "registry"},
    {"changes", "sources", "svg", "faults"},
    {"orchestrator", "builder", "activities", "lock"},
    {"driver"},
    {"records"},
    {"api"},
    {"openapi", "listing"},
    {"report", "recording", "describing"},
    {"serving"},
    {"app"},
    {
        "dev.history",
        "dev.actions",
        "dev.clock",
        "dev.routing",
        "dev.settings",
        "dev.loader",
        "dev.cron",
        "dev.outgoing",
        "dev.sdk",
    },
    {"dev.instance", "dev.entity", "replay"},
    {"dev.messages", "dev.store"},
    {"dev.execution", "dev.worker", "dev.timers"},
    {"dev.episodes"},
    {"dev.lifecycle", "dev.entities"},
    {"dev.engine"},
    {"dev.host"},
    {"dev.answers"},
    {"dev.entity_api"},
    {"dev.management"},
    {"dev.server"},
    {"dev.reload", "dev.serve", "testing", "hosting", "locking"},
    {"fixtures"},
    {"cli"},
    {"__main__"},
)

OUTSIDE = {
    "azure": {"app", "serving", "testing", "replay", "dev.loader", "dev.worker"},
    "aiohttp": {"dev.outgoing", "dev.server", "serving"},
    "pydantic": {
        "states",
        "reducers",
        "calling",
        "graph",
        "activities",
        "api",
        "openapi",
        "builder",
        "testing",
        "replay",
    },
}
"""Which modules may know which part of the outside world."""


def imports_of(path: Path) -> list[tuple[str, bool]]:
    """Every imported module with its absolute name, and whether it is ours."""
    here = [PACKAGE, *path.relative_to(SOURCE).parts[:-1]]
    found: list[tuple[str, bool]] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [(alias.name, alias.name.split(".")[0] == PACKAGE) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = here[: len(here) - node.level + 1] if node.level else []
            parts = [*base, *(node.module.split(".") if node.module else [])]
            if parts[0] == PACKAGE and (not node.module or parts[1:] == ["dev"]):  # its names are modules
                found += [(".".join([*parts, alias.name]), True) for alias in node.names]
            else:
                found.append((".".join(parts), parts[0] == PACKAGE))
    return found


def modules() -> dict[str, Path]:
    """Every module but the packages' own `__init__`."""
    return {
        ".".join(path.relative_to(SOURCE).with_suffix("").parts): path
        for path in sorted(SOURCE.rglob("*.py"))
        if path.name != "__init__.py"
    }


def floor_of(module: str) -> int:
    return next(number for number, floor in enumerate(FLOORS) if module in floor)


def test_every_module_has_its_floor() -> None:
    assert set(modules()) == set().union(*FLOORS)


@pytest.mark.parametrize("module", sorted(modules()))
def test_a_module_imports_only_from_below(module: Any) -> None:
    for imported, ours in imports_of(modules()[module]):
        if ours:
            assert imported not in (PACKAGE, f"{PACKAGE}.dev"), f"{module} imports a package root"
            lower = imported.removeprefix(f"{PACKAGE}.")
            assert floor_of(lower) < floor_of(module), f"{module} imports {lower}, which is not below it"


@pytest.mark.parametrize("world", sorted(OUTSIDE))
def test_the_outside_world_is_known_to_few(world: Any) -> None:
    knowing = {
        module for module, path in modules().items() if any(name.split(".")[0] == world for name, _ in imports_of(path))
    }

    assert knowing == OUTSIDE[world]


@pytest.mark.parametrize(
    "statement",
    ["import azure_functions_durable_graph", "from azure_functions_durable_graph import ManifestBuilder"],
)
def test_building_a_graph_loads_neither_azure_nor_the_local_host(statement: Any) -> None:
    code = (
        f"{statement}\nimport sys\nprint(sorted(m for m in sys.modules if m.split('.')[0] in {{'azure', 'aiohttp'}}))"
    )
    code += "\nprint([m for m in sys.modules if '.dev' in m and 'durable_graph' in m])"
    answer = subprocess.run([sys.executable, "-c", code], cwd=SOURCE.parent, capture_output=True, text=True, check=True)

    assert answer.stdout.split("\n")[:2] == ["[]", "[]"]


def test_no_module_has_grown_too_large() -> None:
    sizes = {module: len(path.read_text(encoding="utf-8").splitlines()) for module, path in modules().items()}

    assert {module: size for module, size in sizes.items() if size > 350} == {}
