"""The command `verify`: find out whether the vendored runtime, or its record, has been modified.

The record guards the files; the template guards the record, which could have been edited together with them.
"""

from __future__ import annotations

from pathlib import Path

from ..errors import VendorError
from .vendored import PACKAGE, RECORD, TEMPLATE_FOLDER, Record, differences, git, template_at


def verify(project: Path) -> str:
    """A sentence that all is well. Raises VendorError that lists what is not."""
    found = differences(project)
    if found:
        raise VendorError(
            f"the vendored runtime has been modified: {'; '.join(found)}. "
            f"Restore it with `git checkout -- {PACKAGE}`, and bring a change to the template instead"
        )
    return f"the vendored runtime is {Record.read(project).version}, and has not been modified"


def verify_record(project: Path, template: str, revision: str | None, base: str | None) -> str:
    """The same, and the record is that of the template at `revision`, or at the tag of the version that it names.

    With `base`, a git revision of the project, only a record that has changed since is compared with the template.
    """
    told, record = verify(project), Record.read(project)
    if base is not None and record == _record_at(project, base):
        return f"{told}; {RECORD} is that of {base}"
    revision = revision or f"v{record.version}"
    with template_at(template, revision) as clone:
        delivered = Record.read(clone / TEMPLATE_FOLDER)
    if record != delivered:
        names = {*record.files.items()} ^ {*delivered.files.items()}
        shown = ", ".join(sorted({name for name, _ in names})[:5]) or f"the version is {delivered.version}"
        raise VendorError(
            f"{RECORD} is not that of {template} at {revision} ({shown}); renew the runtime with update-runtime, or "
            "name the revision that it comes from with --revision"
        )
    return f"{told}; {RECORD} is that of {template} at {revision}"


def _record_at(project: Path, base: str) -> Record | None:
    """The record in a git revision of the project; None where there was none."""
    commit = git(
        f"--base {base} is not a git revision that is here; fetch it first",
        "-C", project, "rev-parse", "--verify", "--end-of-options", f"{base}^{{commit}}",
    ).strip()  # fmt: skip
    try:
        return Record.from_text(git("no record", "-C", project, "show", f"{commit}:./{RECORD}"))
    except VendorError:
        return None
