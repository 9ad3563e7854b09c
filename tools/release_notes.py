"""Print what CHANGELOG.md says about a version: `python tools/release_notes.py v1.2.0`.

Fails with a sentence if the tag does not match the version of the runtime, or if the changelog has no section for it.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
VERSION_FILE = "runtime/azure_functions_durable_graph/__init__.py"


def version_of(text: str) -> str:
    """The version in the source of the package."""
    found = re.search(r'^__version__ = "(.+)"$', text, re.MULTILINE)
    if found is None:
        raise ValueError(f"{VERSION_FILE} has no __version__")
    return found[1]


def notes_of(changelog: str, version: str) -> str:
    """The section of a version, without its heading. Raises ValueError if it is missing, empty or unreleased."""
    sections = re.split(r"^## (.+)$", changelog, flags=re.MULTILINE)
    for heading, text in zip(sections[1::2], sections[2::2], strict=True):
        if heading.split()[0] == version:
            if "unreleased" in heading.lower():
                raise ValueError(f"CHANGELOG.md calls {version} unreleased; put the date of the release in the heading")
            if not text.strip():
                raise ValueError(f"CHANGELOG.md says nothing about {version}")
            return text.strip() + "\n"
    raise ValueError(f"CHANGELOG.md has no section `## {version} (YYYY-MM-DD)`")


def main(arguments: list[str]) -> int:
    """Print the notes of the tag that is the only argument."""
    (tag,) = arguments
    try:
        version = version_of((ROOT / VERSION_FILE).read_text(encoding="utf-8"))
        if tag != f"v{version}":
            raise ValueError(f"the tag {tag} is not v{version}, the version in {VERSION_FILE}")
        sys.stdout.write(notes_of((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), version))
    except ValueError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
