"""What is deployed: the lock that the graphs of the working copy are compared with.

What is on the deploy branch is deployed; a graph or version that its lock does not have is a draft and changes freely.
The branch is `deploy-branch` under `[tool.durable-graph]` in pyproject.toml, `origin/main` unless it says otherwise.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from ..change.lock import FILE_NAME, Lock
from ..errors import HostError, LockError
from .project import project_settings
from .workspace import root_before_move

DEPLOY_BRANCH = "origin/main"
NOTHING = "none"
"""As a branch or as `--base`: nothing is deployed yet."""

REFUSES = "Git refuses"
"""How the reason begins if there is a repository that git does not open, such as that of another user."""

WAYS_OUT = (
    f"If nothing has been deployed yet, say so: `nox -s lock -- --base {NOTHING}` for this once, or "
    f'`deploy-branch = "{NOTHING}"` under [tool.durable-graph] in pyproject.toml until the first deployment.'
)


@dataclass(frozen=True)
class Baseline:
    """The lock that is taken as deployed, and what it was taken from. It is certain only where a file was given."""

    lock: Lock
    reason: str
    certain: bool = False


def baseline(folder: Path, base: str | None, on_disk: Lock | None) -> Baseline:
    """What is deployed. `base` is a file, a git revision, or "none"; without it the deploy branch is.

    Raises HostError or LockError for a base that cannot be read.
    """
    if base is not None and Path(base).is_file():
        return Baseline(Lock.read(Path(base), base) or Lock(), f"Compared with the file {base}", certain=True)
    branch = _deploy_branch(folder)
    if NOTHING in (base, branch):
        said = f"--base {NOTHING}" if base == NOTHING else f'deploy-branch = "{NOTHING}" in pyproject.toml'
        return Baseline(Lock(), f"Nothing is deployed yet ({said})")
    if base is not None:
        return Baseline(_lock_of(folder, base, _commit(folder, base)), f"Compared with {base}")
    problem = no_repository(folder)
    if problem is not None:
        text = f"{problem}, so what is deployed is unknown. Compared with {FILE_NAME} as it is"
        return Baseline(on_disk or Lock(), text)
    commit = _commit(folder, branch)
    if commit is None:
        text = f"This repository has no branch {branch}, so what is deployed is unknown. Nothing is assumed to be"
        return Baseline(Lock(), text)
    return Baseline(_lock_of(folder, branch, commit), f"Compared with {branch}, commit {commit[:7]}")


def _deploy_branch(folder: Path) -> str:
    branch = project_settings(folder).get("deploy-branch", DEPLOY_BRANCH)
    if not isinstance(branch, str) or not branch.strip():
        raise HostError(
            f"pyproject.toml: deploy-branch under [tool.durable-graph] must be the name of a branch, such as "
            f'"{DEPLOY_BRANCH}", or "{NOTHING}"'
        )
    return branch.strip()


def no_repository(folder: Path) -> str | None:
    """Why git cannot tell anything about the folder, or None if it can."""
    try:
        answer = _git(folder, "rev-parse", "--is-inside-work-tree")
    except OSError as error:
        return f"Git cannot be run ({error.strerror})"
    if answer.returncode == 0:
        return None
    reason = _told(answer)
    return "This folder is not in a git repository" if "not a git repository" in reason else f"{REFUSES} ({reason})"


def _commit(folder: Path, revision: str) -> str | None:
    try:
        answer = _git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    except (OSError, ValueError) as error:
        raise HostError(f"--base {revision}: git cannot be run ({error})") from None
    return None if answer.returncode else answer.stdout.decode().strip()


def _lock_of(folder: Path, revision: str, commit: str | None) -> Lock:
    """The lock file of a revision; one that has none deploys nothing."""
    if commit is None:
        raise HostError(f"--base {revision}: there is no such file or git revision; fetch it first")
    places = [place for place in (folder, root_before_move(folder)) if place is not None]
    place = next((place for place in places if _has_lock(place, commit)), None)
    if place is None:
        return Lock()
    blob = _git(place, "show", f"{commit}:./{FILE_NAME}")
    if blob.returncode:
        raise HostError(f"{revision}:{FILE_NAME} cannot be read by git ({_told(blob)}); fetch that revision completely")
    try:
        return Lock.from_text(blob.stdout.decode("utf-8-sig"), f"{revision}:{FILE_NAME}")
    except UnicodeDecodeError:
        raise LockError(f"{revision}:{FILE_NAME} is not UTF-8 text") from None


def _has_lock(folder: Path, commit: str) -> bool:
    """Whether a commit has the lock of this folder. A clone without the file's content still knows that."""
    return bool(_git(folder, "ls-tree", "--name-only", commit, "--", FILE_NAME).stdout)


def _told(answer: subprocess.CompletedProcess[bytes]) -> str:
    """The first line of git's complaint."""
    return answer.stderr.decode("utf-8", "replace").strip().partition("\n")[0]


def _git(folder: Path, *words: str) -> subprocess.CompletedProcess[bytes]:
    english = {**os.environ, "LC_ALL": "C"}
    return subprocess.run(["git", "-C", str(folder), *words], capture_output=True, check=False, env=english)
