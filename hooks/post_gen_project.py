"""Conveniences after generating. None is required: a project that was generated without hooks is complete.

Under cruft (which generates again for every update) nothing is written: `cruft update` would overwrite an untracked
file that a hook leaves behind.
"""

import shutil
from pathlib import Path

UNDER_CRUFT = bool("{{ 'yes' if '_commit' in cookiecutter else '' }}")

NEXT_STEPS = """
Next:
    cd {{ cookiecutter.project_slug }}
    git init              # outside of git, `nox -s lock` takes every graph for one that is deployed
    pip install nox
    nox -s test lint      # the tests and checks
    nox -s serve          # the app on http://127.0.0.1:7071/api, without Azure
"""


def main() -> None:
    """Copy the local settings, unless they exist, and print the next steps."""
    settings = Path("local.settings.json")
    if not UNDER_CRUFT and not settings.exists():
        shutil.copyfile("local.settings.example.json", settings)
    if not UNDER_CRUFT:
        print(NEXT_STEPS)


if __name__ == "__main__":
    main()
