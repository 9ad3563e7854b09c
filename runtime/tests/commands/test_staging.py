"""`package`: what is staged of each app is its code, the libraries that it imports and the runtime. Nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from projects_on_disk import contents, write, write_project

from azure_functions_durable_graph.commands.new_app import new_app
from azure_functions_durable_graph.commands.new_lib import new_lib
from azure_functions_durable_graph.commands.package import package
from azure_functions_durable_graph.errors import HostError


@pytest.fixture
def project(tmp_path: Path) -> Path:
    write_project(tmp_path)
    new_app(tmp_path, "billing")
    for library in ("pricing", "money", "unused"):
        new_lib(tmp_path, library)
    write(
        tmp_path,
        {
            "apps/billing/graphs/invoice.py": "from pricing import rates\n",
            "apps/billing/tests/test_unused.py": "import unused\n",
            "apps/billing/clients/__init__.py": "",
            "apps/billing/data.csv": "a,b\n",
            "libs/pricing/src/pricing/rates.py": "import money\n",
            "libs/pricing/src/pricing/table.csv": "1,2\n",
            "libs/pricing/README.md": "",
        },
    )
    pricing = tmp_path / "libs" / "pricing" / "pyproject.toml"
    pricing.write_text(pricing.read_text().replace("dependencies = []", 'dependencies = ["Babel>=2.12", "money"]'))
    return tmp_path


def test_an_app_is_staged_with_its_libraries_and_the_runtime_and_nothing_else(project: Path) -> None:
    said = package(project, ["billing"])

    assert sorted(contents(project / "dist" / "billing")) == [
        "azure_functions_durable_graph/__init__.py",
        "clients/__init__.py",
        "data.csv",
        "function_app.py",
        "graphs.lock.json",
        "graphs/__init__.py",
        "graphs/invoice.py",
        "host.json",
        "money/__init__.py",
        "money/py.typed",
        "pricing/__init__.py",
        "pricing/py.typed",
        "pricing/rates.py",
        "pricing/table.csv",
        "requirements.txt",
    ]
    assert said == ["staged 15 files of billing in dist/billing"]
    assert not (project / "dist" / "orders").exists()


def names(project: Path, app: str) -> list[str]:
    lines = (project / "dist" / app / "requirements.txt").read_text().splitlines()
    return [line.split("==")[0] for line in lines if "==" in line]


def test_an_app_installs_what_it_and_its_libraries_ask_for_pinned_with_hashes(project: Path) -> None:
    package(project)

    assert names(project, "orders") == ["pydantic", "pydantic-core"]
    assert names(project, "billing") == ["anyio", "babel", "httpx", "idna", "pydantic", "pydantic-core"]
    text = (project / "dist" / "billing" / "requirements.txt").read_text()
    assert "babel==2.18.0 \\\n    --hash=sha256:02 \\\n    --hash=sha256:03\n" in text
    assert "idna==3.20 ; python_full_version >= '3.11' \\\n    --hash=sha256:05\n" in text


def test_a_requirement_that_was_not_exported_is_named_with_the_place_that_asks_for_it(project: Path) -> None:
    settings = project / "libs" / "money" / "pyproject.toml"
    settings.write_text(settings.read_text().replace("dependencies = []", 'dependencies = ["rich"]'))

    with pytest.raises(HostError, match=r"requirements.txt lacks rich, which libs/money/pyproject.toml asks for; run"):
        package(project, ["billing"])
    package(project, ["orders"])


def test_an_app_at_the_root_is_staged_as_it_is(tmp_path: Path) -> None:
    write_project(tmp_path)

    package(tmp_path)

    assert sorted(contents(tmp_path / "dist" / "orders")) == [
        "azure_functions_durable_graph/__init__.py",
        "function_app.py",
        "graphs.lock.json",
        "graphs/__init__.py",
        "graphs/order.py",
        "host.json",
        "requirements.txt",
    ]
    assert (tmp_path / "dist" / "orders" / "requirements.txt").read_bytes() == (
        tmp_path / "requirements.txt"
    ).read_bytes()


def test_staging_again_leaves_nothing_of_the_time_before(project: Path) -> None:
    package(project)
    (project / "apps" / "billing" / "graphs" / "invoice.py").unlink()

    package(project)

    assert not (project / "dist" / "billing" / "graphs" / "invoice.py").exists()
    assert not (project / "dist" / "billing" / "pricing").exists(), "nothing imports it any longer"


def test_names_that_collide_stage_nothing(project: Path) -> None:
    write(project, {"apps/orders/pricing.py": ""})

    with pytest.raises(HostError, match="the library 'pricing' is hidden in the app 'orders'"):
        package(project)

    assert not (project / "dist").exists()


def test_an_app_that_is_not_there_is_named_with_those_that_are(project: Path) -> None:
    with pytest.raises(HostError, match=r"there is no app 'bill' in this project; it has billing, orders"):
        package(project, ["bill"])


@pytest.mark.parametrize("file", [".funcignore", "requirements.txt", "pyproject.toml"])
@pytest.mark.parametrize("damage", ["binary", "a folder"])
def test_a_file_that_cannot_be_read_is_one_sentence(project: Path, file: str, damage: str) -> None:
    (project / file).unlink()
    if damage == "binary":
        (project / file).write_bytes(b"\xff\xfe")
    else:
        (project / file).mkdir()

    with pytest.raises(HostError, match=re.escape(file)):
        package(project, [])
