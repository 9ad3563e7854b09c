"""A plugin for pytest: it notes which tests run which lines, or runs a given list of tests in its order.

    COVERED=FILE pytest -p covering …  writes {"tests": [[id, seconds]], "lines": {path: {line: [indexes]}}}
    CHOSEN=FILE pytest -p covering …   runs the tests whose ids the file lists, in that order

`tools/mutants.py` uses both. Lines that are run while no test is (imports) belong to none.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from coverage import Coverage

SOURCE = Path("runtime/azure_functions_durable_graph").resolve()
OUTSIDE = ""
"""The name that the measurement gives to what runs outside of tests."""


class Recorder:
    """Measures every test by itself; threads that a test has started are a part of it."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self.seconds: dict[str, float] = {}
        self.coverage = Coverage(data_file=None, include=[f"{SOURCE}/*"], config_file=False)
        self.coverage.start()

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Give what runs now to the test."""
        begun = time.perf_counter()
        self.coverage.switch_context(item.nodeid)
        yield
        self.coverage.switch_context(OUTSIDE)
        self.seconds[item.nodeid] = time.perf_counter() - begun

    def pytest_sessionfinish(self) -> None:
        """Write what was seen."""
        self.coverage.stop()
        data, places = self.coverage.get_data(), {test: place for place, test in enumerate(self.seconds)}
        lines = {
            Path(path).relative_to(SOURCE).as_posix(): {
                line: sorted(places[test] for test in tests if test in places)
                for line, tests in data.contexts_by_lineno(path).items()
            }
            for path in data.measured_files()
        }
        self.target.write_text(json.dumps({"tests": list(self.seconds.items()), "lines": lines}))


class Chooser:
    """Runs some tests only, in an order of its own."""

    def __init__(self, tests: list[str]) -> None:
        self.places = {test: place for place, test in enumerate(tests)}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep those that were chosen."""
        chosen = [item for item in items if item.nodeid in self.places]
        items[:] = sorted(chosen, key=lambda item: self.places[item.nodeid])


def pytest_configure(config: pytest.Config) -> None:
    """Do what the environment asks for."""
    if target := os.environ.get("COVERED"):
        config.pluginmanager.register(Recorder(Path(target)))
    if source := os.environ.get("CHOSEN"):
        config.pluginmanager.register(Chooser(json.loads(Path(source).read_text())))
