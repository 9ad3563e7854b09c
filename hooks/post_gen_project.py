"""Small comforts after generating: nothing here is needed, so that a project made without hooks is complete.

Under cruft (which generates again for every update) nothing is written: an untracked file that a hook leaves behind
would be overwritten by `cruft update`.
"""

import shutil
from pathlib import Path

UNDER_CRUFT = bool("{{ 'yes' if '_commit' in cookiecutter else '' }}")

NEXT_STEPS = """
Next:
    cd {{ cookiecutter.project_slug }}
    pip install nox
    nox -s test lint      # the tests and checks
    nox -s serve          # the app on http://127.0.0.1:7071/api, without Azure
"""


def main() -> None:
    """Copy the local settings, once, and say what comes next."""
    settings = Path("local.settings.json")
    if not UNDER_CRUFT and not settings.exists():
        shutil.copyfile("local.settings.example.json", settings)
    if not UNDER_CRUFT:
        print(NEXT_STEPS)


if __name__ == "__main__":
    main()
