"""Change the runtime in one place at a time, and see whether a test notices.

    python tools/mutants.py                       the sample of `nox -s mutants`
    python tools/mutants.py --only run/status.py  every mutant of one file
    python tools/mutants.py --list                what would be tried

Each mutant runs in a copy of the tree, with the tests that run its line, the quickest first. If these pass, all others
run as well: a line may have been run for a test by an earlier one (an import, a cache), or in another process. The
sample is fixed: a mutant is known by what it changes and in which function, so that an edit elsewhere leaves it in the
sample or out of it.
Survivors that `runtime/tests/mutants.md` lists as equivalent do not count. The exit code is 1 below GOAL.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import hashlib
import json
import operator
import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from mutators import Mutant, mutants_of

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = Path("runtime/azure_functions_durable_graph")
JUDGED = ROOT / "runtime" / "tests" / "mutants.md"

Result = TypeVar("Result")

SEED, SAMPLE, WORKERS, GOAL = "durable graphs", 80, 2, 0.97

SLOWEST = 60
"""Seconds after which one test is taken for hanging, which counts as killed; on an idle machine none takes three."""

ROOMS = ("run", "work", "change", "http")

TESTS = (*ROOMS, "history", "calls", "remote", "azure")
"""The tests that a mutant may meet: those of its own room, and of the rooms that use it."""

LEFT_OUT = (
    "not every_accepted_event and not ends_as_declared_whatever and not polls_for_a_year and not five_hundred_items "
    "and not two_hundred_runs and not the_sender_of_an_answer_is_told_holds"
)
"""Searches by chance that take longer than all other tests of their room; the sample judges the others."""


@dataclass(frozen=True)
class Verdict:
    """Whether a mutant has survived, or which test has failed or hung."""

    mutant: Mutant
    survived: bool
    test: str


@dataclass(frozen=True)
class Covering:
    """Which tests run which lines: seconds by test, and tests by file and line."""

    seconds: dict[str, float]
    lines: dict[tuple[str, int], set[str]]

    @classmethod
    def read(cls, path: Path) -> Covering:
        """What `covering.py` has written."""
        found = json.loads(path.read_text())
        names = [name for name, _ in found["tests"]]
        lines = {
            (file, int(line)): {names[place] for place in places}
            for file, of_file in found["lines"].items()
            for line, places in of_file.items()
        }
        return cls(dict(found["tests"]), lines)

    def __or__(self, other: Covering) -> Covering:
        both = {key: self.lines.get(key, set()) | other.lines.get(key, set()) for key in {*self.lines, *other.lines}}
        return Covering(self.seconds | other.seconds, both)

    def tests_for(self, mutant: Mutant) -> tuple[list[str], list[str]]:
        """The tests that run the mutant's lines, the quickest first, and all others, those of its room first."""
        lines = (self.lines.get((mutant.path, line), set()) for line in range(mutant.line, mutant.last_line + 1))
        near, own = set().union(*lines), f"runtime/tests/{mutant.room}/"
        others = sorted(self.seconds.keys() - near, key=lambda test: (not test.startswith(own), test))
        return sorted(near, key=lambda test: (self.seconds[test], test)), others


class Bench:
    """A copy of the tree in which mutants run one after the other."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("runtime", "docs"):
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", ".hypothesis"))
        shutil.copy2(ROOT / "pyproject.toml", folder)
        # checked by content, because a mutant may have the size and the time of what it replaces
        words = ("-m", "compileall", "-q", "--invalidation-mode", "checked-hash", str(folder / PACKAGE))
        subprocess.run([sys.executable, *words], check=True)

    def run(self, tests: Collection[str], **environment: str) -> tuple[bool, str]:
        """Run tests, by their files or folders. Whether all pass, and else the first that does not."""
        options = (
            "-x",
            "-q",
            "-rfE",
            "-p",
            "covering",
            "-p",
            "no:cacheprovider",
            "--hypothesis-seed=0",
            "-k",
            LEFT_OUT,
        )
        patience = ("--timeout", str(SLOWEST), "--timeout-method", "thread")  # which ends the process
        process = subprocess.Popen(
            [sys.executable, "-m", "pytest", *options, *patience, *tests],
            cwd=self.folder,
            env=os.environ | environment | {"PYTHONPATH": str(ROOT / "tools")},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        output, _ = process.communicate()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # what its tests have left behind
        if process.returncode == -signal.SIGTERM:
            return self.run(tests, **environment)  # stopped by somebody else: that says nothing about the mutant
        failed = re.search(r"^(?:FAILED|ERROR) (\S+)", output, re.MULTILINE)
        hangs = re.search(r'^  File ".*/(test_\w+\.py)", line \d+, in (test_\w+)', output, re.MULTILINE)
        name = failed[1] if failed else f"{hangs[1]}::{hangs[2]} hangs" if hangs else output[-2000:]
        return process.returncode == 0, name

    def cover(self, files: Collection[str]) -> Covering:
        """Run test files on the sound code, and see what they cover."""
        target = self.folder / "covered.json"
        passed, test = self.run(files, COVERED=str(target))
        if not passed:
            raise SystemExit(f"the tests fail without any mutant: {test}")
        return Covering.read(target)

    def judge(self, mutant: Mutant, *parts: list[str]) -> Verdict:
        """Run tests on one mutant, part by part, up to the first that fails."""
        path = self.folder / PACKAGE / mutant.path
        original = path.read_bytes()
        path.write_bytes(mutant.applied_to(original))
        try:
            for tests in filter(None, parts):
                passed, test = self.run_chosen(tests)
                if not passed:
                    return Verdict(mutant, False, test)
        finally:
            path.write_bytes(original)
        return Verdict(mutant, True, "")

    def run_chosen(self, tests: list[str]) -> tuple[bool, str]:
        """Run tests by their ids, in this order."""
        chosen = self.folder / "chosen.json"
        chosen.write_text(json.dumps(tests))
        return self.run(sorted({name.partition("::")[0] for name in tests}), CHOSEN=str(chosen))


def sample(count: int, only: str, seed: str) -> list[Mutant]:
    """The mutants to try, in a fixed order that looks random."""
    found = [mutant for room in ROOMS for path in sorted((ROOT / PACKAGE / room).glob("*.py")) for mutant in _of(path)]
    wanted = set(only.split(","))
    chosen = [mutant for mutant in found if not only or wanted & {mutant.path, mutant.room, mutant.id}]
    return sorted(chosen, key=lambda mutant: hashlib.sha256((seed + mutant.id).encode()).digest())[:count]


def _of(path: Path) -> Iterator[Mutant]:
    return mutants_of(path.relative_to(ROOT / PACKAGE).as_posix(), path.read_bytes())


def equivalent_ids() -> set[str]:
    """The mutants that were judged to change nothing that anybody can see."""
    text = JUDGED.read_text(encoding="utf-8") if JUDGED.exists() else ""
    return set(re.findall(r"^\| `([0-9a-f]{8})` \|", text, re.MULTILINE))


def judge_all(mutants: list[Mutant], folder: Path) -> Iterator[Verdict]:
    """The verdict on each mutant, as they come."""
    benches: queue.SimpleQueue[Bench] = queue.SimpleQueue()
    for number in range(WORKERS):
        benches.put(Bench(_made(folder / str(number))))

    def lent(work: Callable[[Bench], Result]) -> Result:
        bench = benches.get()
        try:
            return work(bench)
        finally:
            benches.put(bench)

    with ThreadPoolExecutor(WORKERS) as pool:
        files = test_files()
        shares = [files[place::WORKERS] for place in range(WORKERS)]
        parts = pool.map(lambda share: lent(lambda bench: bench.cover(share)), shares)
        covering = functools.reduce(operator.or_, parts)
        futures = [pool.submit(lent, functools.partial(_judge, covering, mutant)) for mutant in mutants]
        yield from (future.result() for future in as_completed(futures))


def _judge(covering: Covering, mutant: Mutant, bench: Bench) -> Verdict:
    """One mutant's verdict; for one that is known as equivalent the tests nearby will do."""
    near, others = covering.tests_for(mutant)
    return bench.judge(mutant, near, [] if mutant.id in equivalent_ids() else others)


def test_files() -> list[str]:
    """The files with the tests that mutants may meet."""
    found = (file for room in TESTS for file in (ROOT / "runtime" / "tests" / room).rglob("test_*.py"))
    return sorted(file.relative_to(ROOT).as_posix() for file in found)


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def main() -> int:
    """Try the sample; print each verdict, and the share that was killed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--count", type=int, default=SAMPLE, help="how many mutants (default: %(default)s)")
    parser.add_argument("--only", default="", help="rooms, files such as run/status.py, or ids of mutants: a,b")
    parser.add_argument("--seed", default=SEED, help="another text gives another sample")
    parser.add_argument("--list", action="store_true", help="print the mutants and run nothing")
    options = parser.parse_args()
    mutants = sample(10**9 if options.only else options.count, options.only, options.seed)
    if options.list:
        print(*mutants, sep="\n")
        return 0
    equivalent, tally = equivalent_ids(), Counter[str]()
    with tempfile.TemporaryDirectory() as folder:
        for verdict in judge_all(mutants, Path(folder)):
            judged = "equivalent" if verdict.mutant.id in equivalent else "survived"
            outcome = judged if verdict.survived else "killed"
            tally[outcome] += 1
            print(f"{outcome:10} {verdict.mutant}  {verdict.test}", flush=True)
    counted = tally["killed"] + tally["survived"]
    share = tally["killed"] / counted if counted else 1.0
    print(f"{tally['killed']} of {counted} mutants were killed, {share:.1%}; {tally['equivalent']} more are equivalent")
    return 0 if share >= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
