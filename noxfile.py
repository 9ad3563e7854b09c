"""The tasks of this repository: `nox -l` lists them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import nox

nox.needs_version = ">=2025.2.9"
nox.options.sessions = ["lint", "test"]
nox.options.reuse_existing_virtualenvs = True

ROOT = Path(__file__).parent
PROJECT = nox.project.load_toml(ROOT / "pyproject.toml")
PYTHONS = nox.project.python_versions(nox.project.load_toml(ROOT / "runtime" / "pyproject.toml"))
SOURCE = ROOT / "runtime" / "azure_functions_durable_graph"
GENERATED = ROOT / "{{cookiecutter.project_slug}}" / ".github"
MIRROR = ROOT / "{{cookiecutter.project_slug}}" / "azure_functions_durable_graph"

LONGEST_TEST = "900"
"""Seconds after which a test that hangs fails, by its name; the slowest installs what generated projects need."""


def install(session: nox.Session, group: str) -> None:
    """Install a dependency group of pyproject.toml."""
    session.install(*nox.project.dependency_groups(PROJECT, group))


@nox.session
def test(session: nox.Session) -> None:
    """Run all tests: those of the runtime, of the template, and of generated projects."""
    install(session, "test")
    workers = "2" if (os.cpu_count() or 1) > 1 else "0"
    session.run("pytest", "-n", workers, "--dist", "loadgroup", "--timeout", LONGEST_TEST, *session.posargs)


@nox.session(python=PYTHONS)
def pythons(session: nox.Session) -> None:
    """Run the runtime's tests on every Python that it supports and this machine has: `nox -s pythons-3.12` is one."""
    install(session, "test")
    session.run("pytest", "--timeout", LONGEST_TEST, *(session.posargs or ["runtime/tests"]))


@nox.session
def lowest(session: nox.Session) -> None:
    """Run the runtime's tests with the oldest SDKs and pydantic that it supports; on Python up to 3.12."""
    install(session, "test")
    session.install(*(lowest_version(text) for text in nox.project.dependency_groups(PROJECT, "runtime")))
    session.run("pytest", "--timeout", LONGEST_TEST, *(session.posargs or ["runtime/tests"]))


def lowest_version(requirement: str) -> str:
    """The oldest release series of a requirement: `pydantic>=2.11,<3` becomes `pydantic==2.11.*`."""
    name, _, limits = requirement.partition(">=")
    return f"{name}=={limits.partition(',')[0]}.*"


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, types and workflows, and that the mirror is up to date."""
    install(session, "lint")
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("mypy")
    session.run("mypy", "tests")  # by itself: there are two modules called conftest
    session.run("yamllint", "--strict", ".github", str(GENERATED))
    session.run("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *workflows())
    session.run("check-jsonschema", "--builtin-schema", "vendor.dependabot", str(GENERATED / "dependabot.yml"))
    session.run("zizmor", "--offline", "--quiet", *workflows())
    if difference := mirror_difference():
        session.error(f"the mirror is out of date ({difference}): run `nox -s sync` and commit")


@nox.session
def build(session: nox.Session) -> None:
    """Build the runtime as a wheel and a source distribution, in dist/."""
    session.install("build>=1.2,<2")
    session.run("python", "-m", "build", "--outdir", "dist", "runtime")


@nox.session
def sync(session: nox.Session) -> None:
    """Copy the runtime into the template, and update its record and the samples' lock."""
    shutil.rmtree(MIRROR, ignore_errors=True)
    shutil.copytree(SOURCE, MIRROR, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    install(session, "template")
    install(session, "runtime")
    session.run("python", "tools/sync.py")


@nox.session
def relock(session: nox.Session) -> None:
    """Resolve anew what generated projects install; `-- --upgrade` takes new versions."""
    install(session, "template")
    session.install("nox")
    session.run("python", "tools/relock.py", *session.posargs)


@nox.session
def demo(session: nox.Session) -> None:
    """Generate a project, serve it, run its graphs over HTTP, and show the results; `-- --open` opens the studio."""
    install(session, "demo")
    folder = Path(session.create_tmp()).absolute() / "demo"
    shutil.rmtree(folder, ignore_errors=True)
    session.run("cookiecutter", "--no-input", "--output-dir", str(folder), str(ROOT))
    project = folder / "durable-graphs"
    session.run("python", "-m", "venv", str(project / ".venv"))
    python = project / ".venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    session.run(str(python), "-m", "pip", "install", "--quiet", "-r", str(project / "requirements.txt"), external=True)
    session.run("python", str(project / "demo.py"), "--python", str(python), *session.posargs)


@nox.session
def screenshots(session: nox.Session) -> None:
    """Take the documents' pictures of the studio, in docs/images/."""
    install(session, "test")
    session.run("python", "tools/screenshots.py")


@nox.session
def mutants(session: nox.Session) -> None:
    """Change the runtime in many places, one at a time, and see whether a test notices: ten minutes on two cores."""
    install(session, "mutants")
    session.run("python", "tools/mutants.py", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Measure what the runtime costs; print ratios and write benchmarks/results.json."""
    install(session, "bench")
    session.run("python", "benchmarks/run.py", *session.posargs)


def workflows() -> list[str]:
    """The workflows of this repository, and those of generated projects, which are copied unchanged."""
    return [str(path) for folder in (ROOT / ".github", GENERATED) for path in sorted(folder.glob("workflows/*.yml"))]


def files_of(folder: Path) -> dict[str, bytes]:
    """Every file below a folder that belongs in git, by its path."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not any(part.startswith((".", "__")) for part in path.relative_to(folder).parts[:-1])
    }


def mirror_difference() -> str:
    """The first file in which the mirror differs from the runtime, or an empty string."""
    source, mirror = files_of(SOURCE), files_of(MIRROR)
    return next((name for name in sorted({*source, *mirror}) if source.get(name) != mirror.get(name)), "")
