"""What the OpenAPI document of a served app says holds for whatever is sent, valid and not: schemathesis tries it."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, assume, given, seed, settings
from hypothesis.errors import Unsatisfiable
from processes import serving

from azure_functions_durable_graph.client import GraphClient

schemathesis = pytest.importorskip("schemathesis", reason="`nox -s test` installs it")

pytestmark = pytest.mark.xdist_group("fuzzing")

CASES = 30
"""Requests of each kind for each operation."""

SKUS = ("moka-pot", "grinder")
"""What an order is shipped with, and what it fails with."""

KEY = {"x-functions-key": "a key"}


@dataclass(frozen=True)
class Served:
    """A served app, its document, and ids of runs in every state."""

    url: str
    document: dict[str, Any]
    ids: tuple[str, ...]

    def some_id(self, made: str) -> str:
        """The id that was made, or, three times out of four, that of a run."""
        choice = zlib.crc32(made.encode("utf-8", "replace"))
        return self.ids[choice // 4 % len(self.ids)] if choice % 4 else made


@pytest.fixture(scope="module")
def url(project: Path) -> Iterator[str]:
    """The samples of a generated project, served."""
    with serving(project) as (_, found):
        yield found


@pytest.fixture
def served(url: str) -> Iterator[Served]:
    """The app with new runs: some that ask, are suspended or cancelled, one that has completed, one that has failed."""
    with GraphClient(url) as client:
        document = httpx.get(f"{url}/openapi.json").json()
        document.pop("security")  # a local host has no keys: each request brings one, and none is needed
        document["components"].pop("securitySchemes")
        ticket = {"ticket_id": "T", "customer": "Ono", "message": "It leaks", "refund": "80"}
        asking = [client.wait(client.start("support_agent", ticket), until="idle") for _ in range(6)]
        client.suspend(asking[0])
        client.cancel(asking[1])
        orders = [{"order_id": "A", "lines": [{"sku": sku, "quantity": 1}]} for sku in SKUS]
        ended = [client.start("order_flow", order) for order in orders]
        yield Served(url, document, (*(run.id for run in asking), *(run.id for run in ended), "nobody"))


@pytest.mark.parametrize(
    ("mode", "met"), [("POSITIVE", {"200", "202", "204", "404", "422"}), ("NEGATIVE", {"400", "422"})]
)
def test_every_answer_is_one_that_the_document_tells(served: Served, mode: str, met: set[str]) -> None:
    counts: Counter[str] = Counter()
    for found in schemathesis.openapi.from_dict(served.document).get_all_operations():
        attempt(served, found.ok(), mode, counts)

    assert counts.total() >= 500, counts
    assert met <= set(counts), counts


def attempt(served: Served, operation: Any, mode: str, counts: Counter[str]) -> None:
    """Send an operation so many requests, and check each answer."""
    strategy = operation.as_strategy(generation_mode=schemathesis.GenerationMode[mode])
    checks = schemathesis.checks

    @seed(20261126)
    @settings(max_examples=CASES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=strategy)
    def run(case: Any) -> None:
        bound(served, operation, case)
        response = case.call(base_url=served.url, headers=KEY, timeout=30)
        counts[str(response.status_code)] += 1
        case.validate_response(
            response,
            checks=[
                checks.not_a_server_error,
                checks.status_code_conformance,
                checks.content_type_conformance,
                checks.response_schema_conformance,
            ],
            headers=KEY,
        )

    try:
        run()
    except Unsatisfiable:  # an operation for which nothing is invalid
        assert mode == "NEGATIVE"


def bound(served: Served, operation: Any, case: Any) -> None:
    """Let the request be about runs that exist, and not wait."""
    if "id" in (case.path_parameters or {}):
        case.path_parameters["id"] = served.some_id(str(case.path_parameters["id"]))
    if any(parameter.name == "wait" for parameter in operation.query):
        query = dict(case.query or {})
        assume("wait" not in query or str(query["wait"])[:1] not in "0123456789" or query["wait"] == 0)
        case.query = {"wait": 0, **query}
