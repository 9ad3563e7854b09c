"""Settings of all tests of the runtime."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings

settings.register_profile("default", deadline=None)  # speed is measured in benchmarks/, never in a test
settings.load_profile("default")


@pytest.fixture(scope="module")
def api() -> Iterator[Any]:
    """A client of the app that the contract's tests talk to, served once for each file of tests."""
    from contract import contract_api

    with contract_api() as client:
        yield client


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A headless Chromium; without one the test is skipped.

    Once for each file of tests: Playwright keeps an event loop running, in which no other test could run its own.
    """
    from browser import launched

    with launched() as found:
        yield found


@pytest.fixture(scope="module")
def studio(browser: Any) -> Iterator[Any]:
    """An app with graphs for the studio, served once for each file of tests."""
    from studio_pages import studio_over

    with studio_over(browser) as found:
        yield found


@pytest.fixture
def page(studio: Any) -> Iterator[Any]:
    """The studio's page in a browser context of its own."""
    with studio.open() as found:
        yield found
