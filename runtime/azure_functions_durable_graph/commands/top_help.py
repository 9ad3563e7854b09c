"""The help of the command line as a whole: every command with its arguments."""

from __future__ import annotations

import argparse
import re
import textwrap
from collections.abc import Iterator

WIDTH = 100

_GLUE = "\N{NO-BREAK SPACE}"
"""Between an option and its value while a line is folded."""


class CommandLine(argparse.ArgumentParser):
    """A parser of commands whose help lists what each of them takes."""

    def format_help(self) -> str:
        """The text of `--help`."""
        lines = [f"usage: {self.prog} COMMAND …   (for details: COMMAND --help)", "", str(self.description), ""]
        for action in self._actions:
            if isinstance(action, argparse._SubParsersAction):
                texts = {listed.dest: listed.help for listed in action._get_subactions()}
                for name, parser in action.choices.items():
                    lines += [*_usage(name, parser), f"      {texts.get(name)}"]
        return "\n".join([*lines, "", "  --version", ""])


def _usage(name: str, parser: argparse.ArgumentParser) -> Iterator[str]:
    """The command with its arguments, folded."""
    words = " ".join(parser.format_usage().split())
    arguments = words.removeprefix(f"usage: {parser.prog}").replace(" [-h]", "", 1).strip()
    joined = re.sub(r"\[[^\]]*\]", lambda found: found[0].replace(" ", _GLUE), arguments)
    lines = textwrap.wrap(
        f"  {name} {joined}",
        WIDTH,
        subsequent_indent=" " * (len(name) + 3),
        break_long_words=False,
        break_on_hyphens=False,
    )
    yield from (line.replace(_GLUE, " ") for line in lines)
