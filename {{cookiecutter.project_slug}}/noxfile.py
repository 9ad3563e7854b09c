"""The project's tasks: `nox -l` lists them."""

import nox

nox.options.sessions = ["test", "lint"]
nox.options.reuse_existing_virtualenvs = True


@nox.session
def test(session: nox.Session) -> None:
    """Run the tests."""
    session.install("-r", "requirements-dev.txt")
    session.run("pytest", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and types."""
    session.install("-r", "requirements-dev.txt")
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("mypy")
    session.run("python", "-m", "azure_functions_durable_graph", "lock", "--check")
    session.run("python", "-m", "azure_functions_durable_graph", "verify")


@nox.session
def lock(session: nox.Session) -> None:
    """Write graphs.lock.json and report what changed; `-- --check` only reports."""
    session.install("-r", "requirements.txt")
    session.run("python", "-m", "azure_functions_durable_graph", "lock", *session.posargs)


@nox.session(name="new-graph")
def new_graph(session: nox.Session) -> None:
    """Add a graph with its test and its entry in the lock: `nox -s new-graph -- invoice_approval`."""
    session.install("-r", "requirements.txt")
    session.run("python", "-m", "azure_functions_durable_graph", "new-graph", *session.posargs)
    session.run("python", "-m", "azure_functions_durable_graph", "lock")


@nox.session
def record(session: nox.Session) -> None:
    """Save the history of a run as a fixture for tests: `nox -s record -- RUN_ID`."""
    session.install("-r", "requirements.txt")
    session.run("python", "-m", "azure_functions_durable_graph", "record", *session.posargs)


@nox.session
def audit(session: nox.Session) -> None:
    """Look for known vulnerabilities in what Azure will install."""
    session.install("pip-audit>=2.7,<3")
    session.run("pip-audit", "-r", "requirements.txt", *session.posargs)


@nox.session
def package(session: nox.Session) -> None:
    """Stage what is deployed in dist/app: everything that .funcignore does not exclude."""
    session.install("-r", "requirements-dev.txt")
    session.run("python", "-m", "azure_functions_durable_graph", "package")


@nox.session
def verify(session: nox.Session) -> None:
    """Check that the vendored runtime is the template's: `nox -s verify -- --base origin/main`."""
    session.install("-r", "requirements.txt")
    template = nox.project.load_toml("pyproject.toml")["tool"]["durable-graph"]["template"]
    session.run("python", "-m", "azure_functions_durable_graph", "verify", "--template", template, *session.posargs)


@nox.session(name="update-runtime")
def update_runtime(session: nox.Session) -> None:
    """Replace the vendored runtime with that of the template: `nox -s update-runtime -- v1.2.0`."""
    session.install("-r", "requirements.txt")
    template = nox.project.load_toml("pyproject.toml")["tool"]["durable-graph"]["template"]
    session.run(
        "python", "-m", "azure_functions_durable_graph", "update-runtime", "--template", template, *session.posargs
    )


@nox.session
def serve(session: nox.Session) -> None:
    """Run the app on this machine, without Azure: `nox -s serve -- --port 8080`."""
    session.install("-r", "requirements.txt")
    command = ("python", "-m", "azure_functions_durable_graph", "serve", *session.posargs)
    session.run(*command, interrupt_timeout=6, terminate_timeout=6)  # it gives what is at work five seconds
{%- if cookiecutter.include_samples %}


@nox.session
def demo(session: nox.Session) -> None:
    """Serve the app, run every sample over HTTP, and show what happened."""
    session.install("-r", "requirements-dev.txt")
    session.run("python", "demo.py", *session.posargs)
{%- endif %}
