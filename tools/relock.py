"""Resolve the dependencies of generated projects anew: the template's uv.lock and its two lists of requirements.

What a generated project's `nox -s requirements` would write, with the project's name left open.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
TEMPLATE = ROOT / "{{cookiecutter.project_slug}}"
FILES = ("uv.lock", "requirements.txt", "requirements-dev.txt")
NAME = "name-of-the-project"


def main() -> None:
    """Generate a project, let it write its files, and copy them back. Options are those of `uv lock`."""
    with tempfile.TemporaryDirectory() as folder:
        generate = [sys.executable, "-m", "cookiecutter", "--no-input", "--output-dir", folder, str(ROOT)]
        subprocess.run([*generate, f"project_slug={NAME}"], check=True, capture_output=True)
        project = Path(folder, NAME)
        nox = [sys.executable, "-m", "nox", "-s", "requirements", "--", *sys.argv[1:]]
        subprocess.run(nox, cwd=project, check=True)
        for name in FILES:
            text = (project / name).read_text(encoding="utf-8")
            (TEMPLATE / name).write_text(text.replace(NAME, "{{ cookiecutter.project_slug }}"), encoding="utf-8")


if __name__ == "__main__":
    main()
