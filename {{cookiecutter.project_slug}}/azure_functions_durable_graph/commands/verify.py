"""The command `verify`: checks whether the vendored runtime, or its record, has been modified.

The record protects the files; the template protects the record, which could have been edited together with them.
"""

from __future__ import annotations

from pathlib import Path

from ..errors import VendorError
from .vendored import PACKAGE, RECORD, TEMPLATE_FOLDER, Record, differences, git, template_at


def verify(project: Path) -> str:
    """A sentence that says that nothing was modified. Raises VendorError, which lists what was."""
    found = differences(project)
    if found:
        raise VendorError(
            f"the vendored runtime has been modified: {'; '.join(found)}. "
            f"Restore it with `git checkout -- {PACKAGE}`, and make changes in the template instead"
        )
    return f"the vendored runtime is {Record.read(project).version}, and has not been modified"


def verify_record(project: Path, template: str, revision: str | None, base: str | None) -> str:
    """The same, and check that the record is that of the template at `revision` (default: the tag of its version).

    With `base`, a git revision of the project, only a record that has changed since is compared with the template.
    """
    verdict, record = verify(project), Record.read(project)
    if base is not None and record == _record_at(project, base):
        return f"{verdict}; {RECORD} matches that of {base}"
    revision = revision or f"v{record.version}"
    with template_at(template, revision) as clone:
        delivered = Record.read(clone / TEMPLATE_FOLDER)
    if record != delivered:
        names = {*record.files.items()} ^ {*delivered.files.items()}
        differing = ", ".join(sorted({name for name, _ in names})[:5]) or f"the version is {delivered.version}"
        raise VendorError(
            f"{RECORD} does not match that of {template} at {revision} ({differing}); replace the runtime with "
            "`nox -s update-runtime`, or name the revision that it comes from with --revision"
        )
    return f"{verdict}; {RECORD} matches that of {template} at {revision}"


def _record_at(project: Path, base: str) -> Record | None:
    """The record in a git revision of the project, or None if it had none."""
    commit = git(
        f"--base {base} is not a git revision of this clone; fetch it first",
        "-C", project, "rev-parse", "--verify", "--end-of-options", f"{base}^{{commit}}",
    ).strip()  # fmt: skip
    try:
        return Record.from_text(git("no record", "-C", project, "show", f"{commit}:./{RECORD}"))
    except VendorError:
        return None
