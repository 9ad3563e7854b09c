"""The project's tasks: `nox -l` lists them.

A project has one app at its root, or several in apps/ that share the libraries in libs/. Most sessions take names of
apps (`nox -s test -- billing`); without a name they work on all.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nox

nox.options.sessions = ["test", "lint"]
nox.options.reuse_existing_virtualenvs = True
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.error_on_missing_interpreters = True

ROOT = Path(__file__).parent
PROJECT = nox.project.load_toml(ROOT / "pyproject.toml")
TEMPLATE = PROJECT["tool"]["durable-graph"]["template"]
FIRST = PROJECT["project"]["name"]
APPS = {path.parent.name: path.parent for path in sorted(ROOT.glob("apps/*/function_app.py"))} or {FIRST: ROOT}
LIBRARIES = {path.parent.name: path.parent for path in sorted(ROOT.glob("libs/*/pyproject.toml"))}
PYTHON = (ROOT / ".python-version").read_text(encoding="utf-8").strip()  # what Azure runs

os.environ.pop("PYTHONSAFEPATH", None)  # with it, `python -m` would not find the runtime in this folder
COMMAND = ("python", "-m", "azure_functions_durable_graph")
NOTE = "# Written by `nox -s requirements` from uv.lock. "
REQUIREMENTS = {
    "requirements.txt": ("Azure installs this.", ["--no-default-groups", *(f"--group={app}" for app in APPS)]),
    "requirements-dev.txt": ("What the tasks install.", ["--all-groups"]),
}
"""Each file with what its first line says of it, and how uv exports it."""


@functools.cache
def python() -> str | None:
    """The Python of Azure if this machine has it or uv may fetch it; None is the one that runs nox."""
    if f"{sys.version_info[0]}.{sys.version_info[1]}" == PYTHON:
        return None
    may_fetch = os.environ.get("UV_PYTHON_DOWNLOADS", "automatic") == "automatic"
    fetch = [f"uv python install {PYTHON}"] * may_fetch
    for words in (f"python{PYTHON} -V", f"py -{PYTHON} -V", f"uv python find {PYTHON}", *fetch):
        name, *rest = words.split()
        path = shutil.which(name)
        if path and subprocess.run([path, *rest], cwd=ROOT, capture_output=True, check=False).returncode == 0:
            return PYTHON
    return None


def install(session: nox.Session, file: str) -> None:
    """Install a list of requirements, and say so if the session does not run on the Python of Azure."""
    session.install("-r", str(ROOT / file))
    version = str(session.run("python", "-c", "import sys; print('%d.%d' % sys.version_info[:2])", silent=True)).strip()
    if version != PYTHON:
        session.warn(
            f"This runs on Python {version}, but Azure will run {PYTHON} (.python-version). Install Python {PYTHON}, "
            "or uv, which fetches it."
        )


def chosen(session: nox.Session, among: dict[str, Path]) -> tuple[dict[str, Path], list[str]]:
    """The apps or libraries that the first arguments name, all if they name none, and the other arguments."""
    names = []
    for word in session.posargs:
        if word not in among:
            break
        names.append(word)
    return {name: among[name] for name in names} or among, session.posargs[len(names) :]


def paths(folder: Path) -> dict[str, str]:
    """Where Python and mypy find an app, the libraries and the runtime. In Azure they are all in one folder."""
    folders = [folder, *(library / "src" for library in LIBRARIES.values()), ROOT]
    return {
        "PYTHONPATH": os.pathsep.join(map(str, folders)),
        "MYPYPATH": os.pathsep.join(map(str, folders[1:])),
        "MYPY_CACHE_DIR": str(ROOT / ".mypy_cache"),
    }


@nox.session(python=python())
def test(session: nox.Session) -> None:
    """Run all tests, or some: `nox -s test -- billing -k refund`."""
    install(session, "requirements-dev.txt")
    parts, rest = chosen(session, {**APPS, **LIBRARIES})
    for folder in parts.values():
        with session.chdir(folder):
            session.run("pytest", *rest, env=paths(folder), success_codes=[0, 5] if rest and len(parts) > 1 else [0])


@nox.session(python=python())
def lint(session: nox.Session) -> None:
    """Check style, types and names, and that the files that sessions write are up to date."""
    install(session, "requirements-dev.txt")
    check_requirements(session)
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("mypy", *(["noxfile.py"] if ROOT not in APPS.values() else []))
    for folder in {**APPS, **LIBRARIES}.values():
        if folder != ROOT:
            with session.chdir(folder):
                session.run("mypy", "--config-file", str(ROOT / "pyproject.toml"), ".", env=paths(folder))
    session.run(*COMMAND, "apps")
    for folder in APPS.values():
        session.run(*COMMAND, "lock", str(folder), "--check")
    session.run(*COMMAND, "verify")


def check_requirements(session: nox.Session) -> None:
    """Fail if uv.lock is not what pyproject.toml says, or requirements.txt not what uv.lock says. Needs no network."""
    stale = "is out of date; run `nox -s requirements` and commit"
    try:
        uv(session, "lock", "--check", "--offline")
    except nox.command.CommandFailed:
        settings = ", ".join(sorted(name for name in os.environ if name.startswith("UV_")))
        too = f", or the settings of uv in the environment ({settings})" if settings else ""
        session.error(f"uv.lock {stale}: it does not match pyproject.toml, or that of a library{too}")
    for name in REQUIREMENTS:
        if sorted(exported(session, name)) != sorted((ROOT / name).read_text(encoding="utf-8").splitlines()):
            session.error(f"{name} {stale}: it does not match uv.lock")


def uv(session: nox.Session, *words: str) -> str:
    """What uv prints. It uses the session's Python: it would stop at a name without a program, as pyenv has them."""
    python = str(session.run("python", "-c", "import sys; print(sys.executable)", silent=True, log=False)).strip()
    return str(session.run("uv", *words, silent=True, env={"UV_PYTHON": python}))


def exported(session: nox.Session, name: str) -> list[str]:
    """The lines of a list of requirements, as uv.lock gives them: pinned, with hashes, for every system and Python."""
    note, options = REQUIREMENTS[name]
    words = ["export", "--quiet", "--color", "never", "--frozen", "--offline", "--no-header", "--no-emit-workspace"]
    known = [option for option in options if option.removeprefix("--group=") in PROJECT["dependency-groups"]]
    groups = [option for option in options if not option.startswith("--group=")] + known
    return [NOTE + note, *uv(session, *words, "--all-packages", *dict.fromkeys(groups)).splitlines()]


@nox.session
def requirements(session: nox.Session) -> None:
    """Write uv.lock and both lists of requirements from pyproject.toml; `-- --upgrade` takes new versions."""
    session.install(next(text for text in PROJECT["dependency-groups"]["dev"] if text.startswith("uv>")))
    session.log(uv(session, "lock", *session.posargs))
    for name in REQUIREMENTS:
        (ROOT / name).write_text("\n".join(exported(session, name)) + "\n", encoding="utf-8")


@nox.session(python=python())
def lock(session: nox.Session) -> None:
    """Write graphs.lock.json of each app and report what changed; `-- --check` only reports."""
    install(session, "requirements-dev.txt")
    apps, rest = chosen(session, APPS)
    for folder in apps.values():
        session.run(*COMMAND, "lock", str(folder), *rest)


@nox.session(name="new-graph", python=python())
def new_graph(session: nox.Session) -> None:
    """Add a graph with its test and its entry in the lock: `nox -s new-graph -- invoice_approval --app billing`."""
    install(session, "requirements-dev.txt")
    session.run(*COMMAND, "new-graph", *session.posargs)
    for name, folder in APPS.items():
        if len(APPS) == 1 or name in session.posargs or f"--app={name}" in session.posargs:
            session.run(*COMMAND, "lock", str(folder))


@nox.session(name="new-app", python=python())
def new_app(session: nox.Session) -> None:
    """Add an app in apps/: `nox -s new-app -- billing`. The first time, the app at the root moves there, too."""
    install(session, "requirements-dev.txt")
    session.run(*COMMAND, "new-app", *session.posargs)


@nox.session(name="new-lib", python=python())
def new_lib(session: nox.Session) -> None:
    """Add a library in libs/ that every app can import: `nox -s new-lib -- pricing`."""
    install(session, "requirements-dev.txt")
    session.run(*COMMAND, "new-lib", *session.posargs)
    session.notify("requirements", [])


@nox.session(python=python())
def record(session: nox.Session) -> None:
    """Save the history of a run as a fixture for tests: `nox -s record -- RUN_ID`."""
    install(session, "requirements.txt")
    session.run(*COMMAND, "record", *session.posargs)


@nox.session(python=python())
def cost(session: nox.Session) -> None:
    """Count what a run costs in Azure: `nox -s cost -- GRAPH --input JSON`, which calls the graph's handlers."""
    install(session, "requirements.txt")
    session.run(*COMMAND, "cost", *session.posargs)


@nox.session(python=python())
def audit(session: nox.Session) -> None:
    """Look for known vulnerabilities in what Azure will install."""
    session.install("pip-audit>=2.7,<3")
    session.run("pip-audit", "-r", "requirements.txt", *session.posargs)


@nox.session(python=python())
def package(session: nox.Session) -> None:
    """Stage in dist/APP what Azure needs of each app, and nothing else: its code, its libraries, the runtime."""
    install(session, "requirements-dev.txt")
    session.run(*COMMAND, "package", *session.posargs)


@nox.session(python=python())
def verify(session: nox.Session) -> None:
    """Check that the vendored runtime is the template's: `nox -s verify -- --base origin/main`."""
    install(session, "requirements.txt")
    session.run(*COMMAND, "verify", "--template", TEMPLATE, *session.posargs)


@nox.session(name="update-runtime", python=python())
def update_runtime(session: nox.Session) -> None:
    """Replace the vendored runtime with that of the template: `nox -s update-runtime -- v1.2.0`."""
    install(session, "requirements.txt")
    session.run(*COMMAND, "update-runtime", "--template", TEMPLATE, *session.posargs)


@nox.session(python=python())
def serve(session: nox.Session) -> None:
    """Run the apps on this machine, without Azure, each on a port of its own: `nox -s serve -- billing --port 8080`."""
    install(session, "requirements.txt")
    apps, rest = chosen(session, APPS)
    command = (*COMMAND, "serve", *map(str, apps.values()), *rest)
    session.run(*command, interrupt_timeout=6, terminate_timeout=6)  # running functions get five seconds to finish


@nox.session(python=python())
def cli(session: nox.Session) -> None:
    """Look at and steer runs, here or in Azure: `nox -s cli -- runs --status waiting`; `nox -s cli -- --help`."""
    install(session, "requirements-dev.txt")
    session.run(*COMMAND, *session.posargs)
{%- if cookiecutter.include_samples %}


@nox.session(python=python())
def demo(session: nox.Session) -> None:
    """Serve the app, run every sample over HTTP, and show what happened."""
    install(session, "requirements-dev.txt")
    session.run("python", str(APPS[FIRST] / "demo.py"), *session.posargs, env=paths(APPS[FIRST]))
{%- endif %}
