"""An app with the graphs for tests of the studio, and pages of it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
from browser import opened
from failing import Failing
from served import served
from studio_graphs import (
    BankClosed,
    counting,
    expenses_registration,
    hostile,
    lenient_sums,
    payments_registration,
    pets,
    strict_sums,
    trips_registration,
    wide,
)

from azure_functions_durable_graph import DurableGraphApp


@dataclass
class Studio:
    """The app behind a page: its addresses, its API, and what makes its payments fail."""

    url: str
    api: httpx.Client
    open: Callable[..., contextlib.AbstractContextManager[Any]]

    def start(self, graph: str, given: dict[str, Any], **more: Any) -> str:
        """Start a run, and wait until it needs something."""
        answer = self.api.post(f"/graphs/{graph}/runs", json={"input": given, **more})
        assert answer.status_code == 202, answer.text
        run_id: str = answer.json()["id"]
        self.api.get(f"/runs/{run_id}", params={"wait": 20})
        return run_id

    def fail_payments(self, times: int) -> None:
        """Let the next attempts to charge fail."""
        charge = payments_registration.nodes["charge"].handler
        assert isinstance(charge, Failing)
        charge.times, charge.calls, charge.error = times, 0, BankClosed


@contextlib.contextmanager
def studio_over(browser: Any) -> Iterator[Studio]:
    """The app behind the real server, whose page is opened in a browser."""
    runtime = DurableGraphApp()
    stable = (expenses_registration, payments_registration, trips_registration, strict_sums, lenient_sums)
    for graph in (*stable, counting(), hostile(), pets(), wide(200)):
        runtime.register_registration(graph)
    with served(runtime.function_app) as (url, _), httpx.Client(base_url=f"{url}/api", timeout=60) as api:
        page = f"{url}/api/studio"
        yield Studio(page, api, lambda place="", **options: opened(browser, page + place, **options))
