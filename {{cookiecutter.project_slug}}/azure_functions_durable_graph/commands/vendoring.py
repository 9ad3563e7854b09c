"""The vendored copy of this package in a project: is it as it was delivered, and how a later one takes its place.

`runtime.lock.json` beside the package holds its version and a digest of every file. Standard library only.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..errors import VendorError

PACKAGE, RECORD = "azure_functions_durable_graph", "runtime.lock.json"
TEMPLATE_FOLDER = "{{cookiecutter.project_slug}}"
FORMAT = 1


@dataclass(frozen=True)
class Record:
    """What was delivered: the package's version and the digest of each file."""

    version: str
    files: Mapping[str, str]

    def to_text(self) -> str:
        """The file's text."""
        return json.dumps({"format": FORMAT, "version": self.version, "files": dict(self.files)}, indent=2) + "\n"

    @classmethod
    def read(cls, project: Path) -> Record:
        """The record of a project. Raises VendorError for one that is missing or cannot be read."""
        try:
            data = json.loads((project / RECORD).read_text(encoding="utf-8"))
            return cls(str(data["version"]), {str(k): str(v) for k, v in data["files"].items()})
        except FileNotFoundError:
            raise VendorError(f"there is no {RECORD} in {project}; restore it from git") from None
        except (ValueError, KeyError, TypeError, AttributeError):
            raise VendorError(f"{RECORD} cannot be read; restore it from git") from None


def record_of(package: Path) -> Record:
    """The record that a package folder should have."""
    version = re.search(r'^__version__ = "(.+)"$', (package / "__init__.py").read_text(encoding="utf-8"), re.MULTILINE)
    if version is None:
        raise VendorError(f"{package} does not say its version")
    return Record(version[1], digests(package))


def digests(package: Path) -> dict[str, str]:
    """sha256 of each file below a folder, by its path, with line ends as git stores them; caches left out."""
    return {
        path.relative_to(package).as_posix(): hashlib.sha256(path.read_bytes().replace(b"\r\n", b"\n")).hexdigest()
        for path in sorted(package.rglob("*"))
        if path.is_file() and not any(part.startswith((".", "__pycache__")) for part in path.relative_to(package).parts)
    }


def differences(project: Path) -> list[str]:
    """A line for each file of the vendored package that is not as it was delivered."""
    delivered, found = Record.read(project).files, digests(project / PACKAGE)
    return [
        *(f"{PACKAGE}/{name} was edited" for name in delivered if name in found and found[name] != delivered[name]),
        *(f"{PACKAGE}/{name} is missing" for name in delivered if name not in found),
        *(f"{PACKAGE}/{name} was added" for name in found if name not in delivered),
    ]


def verify(project: Path) -> str:
    """A sentence that all is well. Raises VendorError that lists what is not."""
    found = differences(project)
    if found:
        raise VendorError(
            f"the vendored runtime is not as it was delivered: {'; '.join(found)}. "
            f"Restore it with `git checkout -- {PACKAGE}`, and bring a change to the template instead"
        )
    return f"the vendored runtime is {Record.read(project).version}, as it was delivered"


def update(project: Path, template: str, revision: str | None) -> str:
    """Replace the vendored package by that of a template revision; says what changed between the two.

    Raises VendorError where the package was edited, and for a template or revision that is not there.
    """
    verify(project)
    with tempfile.TemporaryDirectory() as temporary:
        clone = Path(temporary) / "template"
        _clone(template, revision, clone)
        source = clone / TEMPLATE_FOLDER
        if not (source / PACKAGE).is_dir():
            raise VendorError(f"{template} holds no {TEMPLATE_FOLDER}/{PACKAGE}: it is not this template")
        if differences(source):
            raise VendorError(f"the runtime of {template} at {revision or 'its head'} is not as its record says")
        old, new = Record.read(project), Record.read(source)
        if old == new:
            return f"the vendored runtime is {old.version} already"
        _replace(project / PACKAGE, source / PACKAGE)
        shutil.copyfile(source / RECORD, project / RECORD)
        changelog = clone / "CHANGELOG.md"
        text = changelog.read_text(encoding="utf-8") if changelog.is_file() else ""
    told = between(text, old.version, new.version) or "(the changelog tells nothing)"
    return f"the vendored runtime was {old.version} and is {new.version}\n\n{told}"


def between(changelog: str, old: str, new: str) -> str:
    """The sections of a changelog after version `old`, up to and with `new`."""
    sections = re.split(r"^(?=## )", changelog, flags=re.MULTILINE)
    kept = []
    for section in sections:
        found = re.match(r"## v?(\d+(?:\.\d+)*)", section)
        if found and _number(old) < _number(found[1]) <= _number(new):
            kept.append(section.rstrip())
    return "\n\n".join(kept)


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))


def _clone(template: str, revision: str | None, target: Path) -> None:
    branch = ["--branch", revision] if revision else []
    command = ["git", "clone", "--quiet", "--depth", "1", *branch, "--", template, str(target)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise VendorError("git is needed to fetch the template") from None
    if done.returncode:
        raise VendorError(f"{template} at {revision or 'its head'} cannot be fetched: {done.stderr.strip()}")


def _replace(old: Path, new: Path) -> None:
    """Swap the folders, so that an interruption leaves one of the two whole."""
    staged, aside = old.with_name(f"{old.name}.new"), old.with_name(f"{old.name}.old")
    for leftover in (staged, aside):
        shutil.rmtree(leftover, ignore_errors=True)
    shutil.copytree(new, staged)
    old.rename(aside)
    staged.rename(old)
    shutil.rmtree(aside)
