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
