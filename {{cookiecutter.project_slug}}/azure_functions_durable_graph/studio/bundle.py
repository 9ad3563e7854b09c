"""The studio's own modules as one, without a tool: in the order of their imports, each in turn.

One request instead of twenty, and a third less to send. It works because no two modules have a top-level name in
common, and none imports another under a new name; a test sees to that.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

FIRST = "app.js"
"""The module that the page loads, and the name of the whole."""

_IMPORT = re.compile(r'^import .* from "\./(.+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?function |class |const )", re.MULTILINE)
_COMMENT = re.compile(r"^ *(?:/\*.*?\*/|//[^\n]*)\n|^ +", re.MULTILINE | re.DOTALL)
"""Comments that fill lines of their own, and indentation: no text in the studio's files spans lines."""

_SPACED = {
    ".js": re.compile(r" (=>|===|!==|&&|\|\||\?\?) |(;)\n"),
    ".css": re.compile(r"\s*([{};:,])\s*()"),
}
"""Space that no reader of the page sees, around what stands in code only."""


def bundle(modules: Mapping[str, str]) -> str:
    """One module of all that FIRST needs. What is imported from `vendor/` is imported once, under the names in use."""
    vendored: dict[str, None] = {}
    parts: dict[str, str] = {}

    def add(name: str) -> None:
        if name in parts:
            return
        parts[name] = ""
        for line in _IMPORT.finditer(modules[name]):
            if line[1].startswith("vendor/"):
                vendored[line[0]] = None
            else:
                add(line[1])
        text = _EXPORT.sub("", _IMPORT.sub("", modules[name]))
        del parts[name]
        parts[name] = brief(text, ".js")

    add(FIRST)
    return _merged(vendored) + "".join(parts.values())


def brief(text: str, suffix: str) -> str:
    """A file without what is only for its readers."""
    return _SPACED[suffix].sub(lambda found: found[1] or found[2], _COMMENT.sub("", text))


def _merged(lines: Mapping[str, None]) -> str:
    """The imports of each vendored module as one: two lines may name the same parts of it."""
    names: dict[str, dict[str, None]] = {}
    for line in lines:
        found = re.fullmatch(r"import (.*) from (.*);\n", line)
        assert found is not None
        named = found[1].strip("{} ").split(", ") if found[1].startswith("{") else [f"default as {found[1]}"]
        names.setdefault(found[2], {}).update(dict.fromkeys(named))
    return "".join(f"import {{ {', '.join(parts)} }} from {place};\n" for place, parts in names.items())
