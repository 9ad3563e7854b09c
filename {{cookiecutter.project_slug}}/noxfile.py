"""The project's tasks: `nox -l` lists them."""

from pathlib import Path

import nox

nox.options.sessions = ["test", "lint"]
nox.options.reuse_existing_virtualenvs = True
nox.options.default_venv_backend = "uv|virtualenv"

PROJECT = nox.project.load_toml("pyproject.toml")
PYTHON = Path(".python-version").read_text(encoding="utf-8").strip()  # what Azure runs

NOTE = "# Written by `nox -s requirements` from pyproject.toml. "
REQUIREMENTS = {
    "requirements.txt": [NOTE + "Azure installs this.", *PROJECT["project"]["dependencies"]],
    "requirements-dev.txt": [
        NOTE + "What the tasks install.",
        "-r requirements.txt",
        *PROJECT["dependency-groups"]["dev"],
    ],
}


def install(session: nox.Session, file: str) -> None:
    """Install a list of requirements, and say so if the session does not run on the Python of Azure."""
    session.install("-r", file)
    version = str(session.run("python", "-c", "import sys; print('%d.%d' % sys.version_info[:2])", silent=True)).strip()
    if version != PYTHON:
        session.warn(
            f"This runs on Python {version}, Azure will run {PYTHON} (.python-version). If this machine has it, "
            f"`nox --force-python {PYTHON} -s {session.name}` uses it."
        )


@nox.session
def test(session: nox.Session) -> None:
    """Run the tests."""
    install(session, "requirements-dev.txt")
    session.run("pytest", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and types."""
    install(session, "requirements-dev.txt")
    for name, lines in REQUIREMENTS.items():
        if Path(name).read_text(encoding="utf-8").splitlines() != lines:
            session.error(f"{name} is not what pyproject.toml says; run `nox -s requirements` and commit")
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("mypy")
    session.run("python", "-m", "azure_functions_durable_graph", "lock", "--check")
    session.run("python", "-m", "azure_functions_durable_graph", "verify")


@nox.session(venv_backend="none")
def requirements(session: nox.Session) -> None:
    """Write requirements.txt and requirements-dev.txt, after a change of the dependencies in pyproject.toml."""
    for name, lines in REQUIREMENTS.items():
        Path(name).write_text("\n".join(lines) + "\n", encoding="utf-8")


@nox.session
def lock(session: nox.Session) -> None:
    """Write graphs.lock.json and report what changed; `-- --check` only reports."""
    install(session, "requirements-dev.txt")
    session.run("python", "-m", "azure_functions_durable_graph", "lock", *session.posargs)


@nox.session(name="new-graph")
def new_graph(session: nox.Session) -> None:
    """Add a graph with its test and its entry in the lock: `nox -s new-graph -- invoice_approval`."""
    install(session, "requirements-dev.txt")
    session.run("python", "-m", "azure_functions_durable_graph", "new-graph", *session.posargs)
    session.run("python", "-m", "azure_functions_durable_graph", "lock")


@nox.session
def record(session: nox.Session) -> None:
    """Save the history of a run as a fixture for tests: `nox -s record -- RUN_ID`."""
    install(session, "requirements.txt")
    session.run("python", "-m", "azure_functions_durable_graph", "record", *session.posargs)


@nox.session
def audit(session: nox.Session) -> None:
    """Look for known vulnerabilities in what Azure will install."""
    session.install("pip-audit>=2.7,<3")
    session.run("pip-audit", "-r", "requirements.txt", *session.posargs)


@nox.session
def package(session: nox.Session) -> None:
    """Stage what is deployed in dist/app: everything that .funcignore does not exclude."""
    install(session, "requirements-dev.txt")
    session.run("python", "-m", "azure_functions_durable_graph", "package")


@nox.session
def verify(session: nox.Session) -> None:
    """Check that the vendored runtime is the template's: `nox -s verify -- --base origin/main`."""
    install(session, "requirements.txt")
    template = nox.project.load_toml("pyproject.toml")["tool"]["durable-graph"]["template"]
    session.run("python", "-m", "azure_functions_durable_graph", "verify", "--template", template, *session.posargs)


@nox.session(name="update-runtime")
def update_runtime(session: nox.Session) -> None:
    """Replace the vendored runtime with that of the template: `nox -s update-runtime -- v1.2.0`."""
    install(session, "requirements.txt")
    template = nox.project.load_toml("pyproject.toml")["tool"]["durable-graph"]["template"]
    session.run(
        "python", "-m", "azure_functions_durable_graph", "update-runtime", "--template", template, *session.posargs
    )


@nox.session
def serve(session: nox.Session) -> None:
    """Run the app on this machine, without Azure: `nox -s serve -- --port 8080`."""
    install(session, "requirements.txt")
    command = ("python", "-m", "azure_functions_durable_graph", "serve", *session.posargs)
    session.run(*command, interrupt_timeout=6, terminate_timeout=6)  # running functions get five seconds to finish


@nox.session
def cli(session: nox.Session) -> None:
    """Look at and steer runs, here or in Azure: `nox -s cli -- runs --status waiting`; `nox -s cli -- --help`."""
    install(session, "requirements-dev.txt")
    session.run("python", "-m", "azure_functions_durable_graph", *session.posargs)
{%- if cookiecutter.include_samples %}


@nox.session
def demo(session: nox.Session) -> None:
    """Serve the app, run every sample over HTTP, and show what happened."""
    install(session, "requirements-dev.txt")
    session.run("python", "demo.py", *session.posargs)
{%- endif %}
