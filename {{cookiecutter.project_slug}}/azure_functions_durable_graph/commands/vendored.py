"""The vendored copy of this package in a project, and its record.

`runtime.lock.json` beside the package holds its version and a digest of every file. Standard library only.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import marshal
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from json import dumps
from pathlib import Path

from ..errors import PayloadError, VendorError
from ..graph.documents import parse_object, read_text, why
from .long_work import shown

PACKAGE, RECORD = "azure_functions_durable_graph", "runtime.lock.json"
TEMPLATE_FOLDER = "{{cookiecutter.project_slug}}"
FORMAT = 1

_CACHE = "__pycache__"
_LITTER = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
"""Files that file managers leave behind; Python never reads them."""


@dataclass(frozen=True)
class Record:
    """The original package: its version and the digest of each file."""

    version: str
    files: Mapping[str, str]

    def to_text(self) -> str:
        """The file's text."""
        return dumps({"format": FORMAT, "version": self.version, "files": dict(self.files)}, indent=2) + "\n"

    @classmethod
    def from_text(cls, text: str, name: str = RECORD) -> Record:
        """Read a record. Raises VendorError for any other text: one sentence that begins with `name`."""
        try:
            data = parse_object(text)
        except PayloadError as error:
            raise VendorError(f"{name}: {error}; restore it from git") from None
        version, files = data.get("version"), data.get("files")
        if data.get("format") != FORMAT or not isinstance(version, str) or not isinstance(files, dict):
            raise VendorError(f"{name} is not a record of format {FORMAT}; restore it from git")
        for file, digest in files.items():
            if not isinstance(digest, str):
                raise VendorError(f"{name}: the digest of {file!r} is not a string; restore it from git")
        return cls(version, files)

    @classmethod
    def read(cls, project: Path) -> Record:
        """The record of a project. Raises VendorError for one that is missing or cannot be read."""
        try:
            return cls.from_text(read_text(project / RECORD))
        except FileNotFoundError:
            raise VendorError(f"{project} has no {RECORD}; restore it from git") from None
        except PayloadError as error:
            raise VendorError(f"{RECORD}: {error}; restore it from git") from None


def record_of(package: Path) -> Record:
    """The record that a package folder should have."""
    version = version_of(package)
    if version is None:
        raise VendorError(f"{package} does not declare its version")
    return Record(version, digests(package))


def version_of(package: Path) -> str | None:
    """The version that a package folder says it has."""
    text = (package / "__init__.py").read_text(encoding="utf-8", errors="replace")
    found = re.search(r'^__version__ = "(.+)"$', text, re.MULTILINE)
    return found[1] if found else None


def digests(package: Path) -> dict[str, str]:
    """sha256 of each file below a folder, by its path, with line ends as git stores them, without caches."""
    return {
        path.relative_to(package).as_posix(): hashlib.sha256(path.read_bytes().replace(b"\r\n", b"\n")).hexdigest()
        for path in sorted(package.rglob("*"))
        if path.is_file() and not {_CACHE, *_LITTER} & set(path.relative_to(package).parts)
    }


def differences(project: Path) -> list[str]:
    """A line for each file of the vendored package that was modified, and for everything that does not belong there."""
    record, package = Record.read(project), project / PACKAGE
    delivered = record.files
    try:
        found = digests(package)
        links = sorted(_links(package))
        named = version_of(package) if "__init__.py" in found else record.version
        odd = [
            *([f"{RECORD} names version {record.version}, the package {named}"] if named != record.version else []),
            *(f"{PACKAGE}{name} is a symbolic link" for name in links),
            *(f"{PACKAGE}/{name} was added" for name in _stray_folders(package, delivered)),
            *(f"{PACKAGE}/{name} is not the compiled form of its source" for name in _planted(package, delivered)),
        ]
    except OSError as error:
        raise VendorError(f"{error.filename or PACKAGE} cannot be read: {why(error)}") from None
    return [
        *(f"{PACKAGE}/{name} was edited" for name in delivered if name in found and found[name] != delivered[name]),
        *(f"{PACKAGE}/{name} is missing" for name in delivered if name not in found),
        *(f"{PACKAGE}/{name} was added" for name in found if name not in delivered),
        *odd,
    ]


def _links(package: Path) -> Iterator[str]:
    """Symbolic links at or below the package: their targets may change without being noticed."""
    if package.is_symlink():
        yield ""
    yield from (f"/{path.relative_to(package).as_posix()}" for path in package.rglob("*") if path.is_symlink())


def _stray_folders(package: Path, delivered: Mapping[str, str]) -> Iterator[str]:
    """Empty folders that are not part of the package; files in other folders are reported by themselves.

    A folder that contains only caches is what git leaves when it removes a folder's modules.
    """
    known = {parent.as_posix() for name in delivered for parent in Path(name).parents}
    for folder, folders, files in os.walk(package):
        name = Path(folder).relative_to(package).as_posix()
        if _CACHE in Path(name).parts:
            continue
        if name not in known and not files and not folders:
            yield f"{name}/"


def _planted(package: Path, delivered: Mapping[str, str]) -> Iterator[str]:
    """Compiled modules that Python would load instead of a source that differs."""
    for name in delivered:
        source = package / name
        if not name.endswith(".py") or not source.is_file():
            continue
        for level in ("", 1, 2):
            cached = Path(importlib.util.cache_from_source(str(source), optimization=level))
            if cached.is_file() and _is_planted(source, cached.read_bytes(), level):
                yield f"{Path(name).parent.as_posix()}/{_CACHE}/{cached.name}".removeprefix("./")


def _is_planted(source: Path, data: bytes, level: object) -> bool:
    """Whether Python would import the compiled module, although it is not what the source compiles to."""
    text, stat = source.read_bytes(), source.stat()
    flags, stamp = int.from_bytes(data[4:8], "little"), data[8:16]
    fresh = int(stat.st_mtime).to_bytes(8, "little")[:4] + (stat.st_size & 0xFFFFFFFF).to_bytes(4, "little")
    if data[:4] != importlib.util.MAGIC_NUMBER or (flags == 0 and stamp != fresh):
        return False  # for another Python, or older than the source: not loaded
    if flags & 0b10 and stamp != importlib.util.source_hash(text):
        return False
    with contextlib.suppress(Exception):
        code = compile(text, str(source), "exec", dont_inherit=True, optimize=int(str(level or 0)))
        return bool(marshal.loads(data[16:]) != code)
    return True


@contextlib.contextmanager
def template_at(template: str, revision: str | None) -> Iterator[Path]:
    """The template's repository at a tag or branch, or at its head, in a folder that is removed afterwards.

    Raises VendorError for one that cannot be fetched, is not this template, or does not match its own record.
    """
    at = revision or "its head"
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary:
        clone = Path(temporary) / "template"
        branch = ["--branch", revision] if revision else []
        with shown(f"fetching {template} at {at} …"):
            words: tuple[str | Path, ...] = ("clone", "--quiet", "--depth", "1", *branch, "--", template, clone)
            git(f"{template} at {at} cannot be fetched", *words)
        source = clone / TEMPLATE_FOLDER
        if not (source / PACKAGE).is_dir():
            raise VendorError(f"{template} has no {TEMPLATE_FOLDER}/{PACKAGE}: it is not this template")
        if differences(source):
            raise VendorError(f"the runtime of {template} at {at} does not match its own record")
        yield clone


def git(failure: str, *words: str | Path) -> str:
    """The output of a git command. Raises VendorError, which begins with `failure`."""
    try:
        done = subprocess.run(["git", *map(str, words)], capture_output=True, check=False)
    except FileNotFoundError:
        raise VendorError("git is needed to fetch the template") from None
    except (OSError, ValueError) as error:
        raise VendorError(f"{failure}: {error}") from None
    if done.returncode:
        raise VendorError(f"{failure}: {done.stderr.decode('utf-8', 'replace').strip()}")
    return done.stdout.decode("utf-8", "replace")
