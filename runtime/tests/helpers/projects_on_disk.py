"""A generated project in small: the files that commands about apps and libraries read, and a stub of the runtime."""

from __future__ import annotations

from pathlib import Path

PYPROJECT = """[project]
name = "orders"
requires-python = ">=3.10,<3.15"
dependencies = ["pydantic>=2"]

[dependency-groups]
dev = ["pytest"]
billing = ["httpx"]
"""

REQUIREMENTS = """# Written by `nox -s requirements`.
anyio==4.16.0 \\
    --hash=sha256:01
    # via httpx
babel==2.18.0 \\
    --hash=sha256:02 \\
    --hash=sha256:03
    # via pricing
httpx==0.28.1 \\
    --hash=sha256:04
idna==3.20 ; python_full_version >= '3.11' \\
    --hash=sha256:05
    # via
    #   anyio
    #   httpx
pydantic==2.14.4 \\
    --hash=sha256:06
    # via orders
pydantic-core==2.50.5 \\
    --hash=sha256:07
    # via pydantic
"""

FILES = {
    "pyproject.toml": PYPROJECT,
    "requirements.txt": REQUIREMENTS,
    ".funcignore": ".git*\n.funcignore\ntests/\n__pycache__/\n*.md\npyproject.toml\ndist/\ninfra/\nazure.yaml\n"
    "local.settings*\nruntime.lock.json\ndemo.py\nazure_functions_durable_graph/commands/\n",
    "function_app.py": "import graphs\n\nlevel = AuthLevel.ADMIN\n",
    "host.json": '{"extensions": {"durableTask": {"hubName": "%TASKHUB_NAME%"}}}\n',
    "local.settings.example.json": '{"Values": {"TASKHUB_NAME": "orderslocal"}}\n',
    "graphs/__init__.py": "",
    "graphs/order.py": "",
    "graphs.lock.json": "{}\n",
    "tests/test_order.py": "",
    "demo.py": "",
    "README.md": "",
    "azure.yaml": "name: orders\n\nservices:\n  orders:\n    project: dist/orders\n",
    "infra/main.parameters.json": '{\n  "parameters": {\n    "apps": { "value": ["orders"] }\n  }\n}\n',
    "runtime.lock.json": "{}\n",
    "azure_functions_durable_graph/__init__.py": "",
    "azure_functions_durable_graph/commands/cli.py": "",
}


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")


def write_project(root: Path, **files: str) -> Path:
    """A project with one app at its root."""
    write(root, {**FILES, **files})
    return root


def contents(folder: Path) -> dict[str, str]:
    """Every file below a folder, except git's, with its text."""
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".git" not in path.parts
    }
