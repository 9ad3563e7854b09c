"""Reject invalid answers; each message names the answer and the rule that it breaks.

The answers are passed as JSON, so that quotes, newlines and code in them remain data.
"""

import json
import re
import sys
from collections.abc import Iterator

ANSWERS = {
    "project_name": json.loads(r""" {{ cookiecutter.project_name | tojson }} """),
    "project_slug": json.loads(r""" {{ cookiecutter.project_slug | tojson }} """),
    "description": json.loads(r""" {{ cookiecutter.description | tojson }} """),
    "copyright_holder": json.loads(r""" {{ cookiecutter.copyright_holder | tojson }} """),
    "template_url": json.loads(r""" {{ cookiecutter.template_url | tojson }} """),
}

LENGTHS = {"project_name": 100, "description": 100, "copyright_holder": 100, "template_url": 200}
"""How long each text may be. Printable characters are visible ones and spaces, not marks that reorder text."""

SLUG_RULE = "3 to 40 characters: a-z first, then a-z, 0-9 and '-', and no '-' at the end"

DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))}

PACKAGES = """
aiohappyeyeballs aiohttp aiosignal annotated-types anyio argcomplete ast-serialize async-timeout attrs
azure-functions azure-functions-durable certifi charset-normalizer colorama colorlog dependency-groups distlib
exceptiongroup filelock frozenlist furl h11 httpcore httpx humanize idna iniconfig librt markdown-it-py
markupsafe mdurl multidict mypy mypy-extensions nox opentelemetry-api opentelemetry-sdk
opentelemetry-semantic-conventions orderedmultidict packaging pathspec platformdirs pluggy propcache pydantic
pydantic-core pygments pytest python-dateutil python-discovery requests rich ruff six tomli typing-extensions
typing-inspection tzdata urllib3 uv virtualenv werkzeug yarl
"""
"""What the project installs, as its uv.lock names it: a lock cannot contain a project and a package of one name."""


def find_problems(answers: "dict[str, str]") -> Iterator[str]:
    """A sentence for each answer that breaks its rule."""
    for name, length in LENGTHS.items():
        text = answers[name]
        if not text.strip() or len(text) > length or not text.isprintable():
            yield f"{name} {text[:300]!a}: it must be one line of 1 to {length} printable characters"
    if answers["template_url"].startswith("-"):
        yield f"template_url {answers['template_url'][:300]!a}: it must be a URL or a path, not an option of git"
    slug = answers["project_slug"]
    if not re.fullmatch(r"[a-z][a-z0-9-]{1,38}[a-z0-9]", slug) or "--" in slug:
        yield f"project_slug {slug[:300]!a}: it must be {SLUG_RULE}, and without '--' (it names the app in Azure)"
    elif slug in DEVICES:
        yield f"project_slug {slug!a}: Windows reserves this name for a device"
    elif slug in PACKAGES.split():
        yield f"project_slug {slug!a}: the project installs a package of this name, and uv.lock cannot contain both"
    elif slug == "dev":
        yield f"project_slug {slug!a}: it is the name of the group of packages for development in pyproject.toml"


if __name__ == "__main__":
    found = list(find_problems(ANSWERS))
    for problem in found:
        print(f"error: {problem}", file=sys.stderr)
    sys.exit(1 if found else 0)
