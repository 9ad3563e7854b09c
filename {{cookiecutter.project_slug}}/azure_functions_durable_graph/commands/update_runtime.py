"""The command `update-runtime`: replaces the vendored runtime with another version, completely or not at all."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from ..errors import VendorError
from ..graph.documents import why
from .vendored import PACKAGE, RECORD, TEMPLATE_FOLDER, Record, template_at
from .verify import verify


def update(project: Path, template: str, revision: str | None) -> str:
    """Replace the vendored package with that of a template revision. Returns what changed between the two.

    Raises VendorError if the package was edited, the template or revision cannot be fetched, or the files cannot be
    replaced; then nothing has changed.
    """
    verify(project)
    with template_at(template, revision) as clone:
        source = clone / TEMPLATE_FOLDER
        old, new = Record.read(project), Record.read(source)
        if old == new:
            return f"the vendored runtime is already {old.version}"
        replace(project, source)
        changelog = clone / "CHANGELOG.md"
        text = changelog.read_text(encoding="utf-8", errors="replace") if changelog.is_file() else ""
    notes = sections_between(text, old.version, new.version) or "(the changelog has no entry for it)"
    return f"the vendored runtime was updated from {old.version} to {new.version}\n\n{notes}"


def sections_between(changelog: str, old: str, new: str) -> str:
    """The sections of a changelog after version `old`, up to and including `new`."""
    sections = re.split(r"^(?=## )", changelog, flags=re.MULTILINE)
    kept = []
    for section in sections:
        found = re.match(r"## v?(\d+(?:\.\d+)*)", section)
        if found and _number(old) < _number(found[1]) <= _number(new):
            kept.append(section.rstrip())
    return "\n\n".join(kept)


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))


def replace(project: Path, source: Path) -> None:
    """Replace the package and the record of `project` with those of `source`, both or neither.

    The new files are copied completely before anything is renamed. On Windows an editor, a virus scanner or a terminal
    may hold a file open: what was renamed is then renamed back.
    """
    new, record = project / f"{PACKAGE}.new", project / f"{RECORD}.new"
    aside = project / f"{PACKAGE}.old"
    try:
        for leftover in (new, aside):
            if leftover.exists():
                shutil.rmtree(leftover)
        shutil.copytree(source / PACKAGE, new)
        shutil.copyfile(source / RECORD, record)
        _swap(project, new, record, aside)
    except OSError as error:
        shutil.rmtree(new, ignore_errors=True)
        record.unlink(missing_ok=True)
        raise VendorError(
            f"the vendored runtime cannot be replaced ({_reason(error)}); nothing has changed. "
            "Close the programs that use its files, and try again"
        ) from None
    shutil.rmtree(aside, ignore_errors=True)  # files that a program holds open are removed next time


def _reason(error: OSError) -> str:
    """Why a file could not be copied or renamed; shutil collects the reasons for all such files."""
    if isinstance(error, shutil.Error) and isinstance(error.args[0], list):
        source, _, reason = error.args[0][0]
        return f"{reason}: {source}"
    return f"{why(error)}: {error.filename}"


def _swap(project: Path, new: Path, record: Path, aside: Path) -> None:
    package = project / PACKAGE
    done: list[tuple[Path, Path]] = []
    try:
        for source, target in ((package, aside), (new, package), (record, project / RECORD)):
            os.replace(source, target)
            done.append((target, source))
    except OSError as cause:
        for target, source in reversed(done):
            try:
                os.replace(target, source)
            except OSError as error:
                raise VendorError(
                    f"the vendored runtime cannot be replaced ({why(cause)}) or restored ({why(error)}): "
                    f"close the programs that use its files, and rename {target.name} to {source.name} yourself"
                ) from None
        raise
