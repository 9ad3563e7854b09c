"""What this project can do: `nox -l` lists it."""

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


@nox.session
def serve(session: nox.Session) -> None:
    """Run the app on this machine, without Azure: `nox -s serve -- --port 8080`."""
    session.install("-r", "requirements.txt")
    session.run("python", "-m", "azure_functions_durable_graph", "serve", *session.posargs)
{%- if cookiecutter.include_samples %}


@nox.session
def demo(session: nox.Session) -> None:
    """Serve the app, run every sample over HTTP, and show what happened."""
    session.install("-r", "requirements-dev.txt")
    session.run("python", "demo.py", *session.posargs)
{%- endif %}
