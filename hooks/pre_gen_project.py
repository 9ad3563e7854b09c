"""Reject invalid answers; each message names the answer and the rule that it breaks.

The answers are passed as JSON, so that quotes, newlines and code in them remain data.
"""

import json
import re
import sys
from collections.abc import Iterator

PROJECT_NAME = json.loads(r""" {{ cookiecutter.project_name | tojson }} """)
PROJECT_SLUG = json.loads(r""" {{ cookiecutter.project_slug | tojson }} """)
DESCRIPTION = json.loads(r""" {{ cookiecutter.description | tojson }} """)

SLUG_RULE = "3 to 40 characters: a-z first, then a-z, 0-9 and '-', and no '-' at the end"
TEXT_RULE = "one line of 1 to 100 printable characters"

DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))}


def faults(name: str, slug: str, description: str) -> Iterator[str]:
    """A sentence for each answer that breaks its rule."""
    for label, text in (("project_name", name), ("description", description)):
        if not text.strip() or len(text) > 100 or not text.isprintable():
            yield f"{label} {text!r}: it must be {TEXT_RULE}"
    if not re.fullmatch(r"[a-z][a-z0-9-]{1,38}[a-z0-9]", slug) or "--" in slug:
        yield f"project_slug {slug!r}: it must be {SLUG_RULE}, and without '--' (it names the app in Azure)"
    elif slug in DEVICES:
        yield f"project_slug {slug!r}: Windows reserves this name for a device"


if __name__ == "__main__":
    found = list(faults(PROJECT_NAME, PROJECT_SLUG, DESCRIPTION))
    for fault in found:
        print(f"error: {fault}", file=sys.stderr)
    sys.exit(1 if found else 0)
