"""Maps that stop, in a served app: its functions, its durable client and its routes do what the testing door does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from reviewing import papers, piling, reading

from azure_functions_durable_graph import DurableGraphApp
from azure_functions_durable_graph.client import ApiError, GraphClient
from azure_functions_durable_graph.hosting import AppHost


@pytest.fixture
def served() -> Iterator[tuple[AppHost, GraphClient]]:
    runtime = DurableGraphApp()
    runtime.register_registration(piling(stop_when=2, max_concurrency=60))
    runtime.register_registration(reading())
    with AppHost(runtime.function_app) as host, GraphClient(f"{host.url}/api") as client:
        yield host, client


def test_successes_in_different_parts_end_the_map_and_all_of_it_is_deleted(
    served: tuple[AppHost, GraphClient],
) -> None:
    host, client = served
    run = client.start("pile", papers(*[f"ask {number}" for number in range(60)]))
    host.wait_until_idle()
    waits = client.get(run).waits
    assert len(waits) == 60

    for wait in (waits[0], waits[-1]):
        client.send(run, "opinion", {"text": "yes"}, wait_id=wait.id)
        host.wait_until_idle()

    seen = client.get(run)
    assert (seen.status, seen.state["verdicts"]) == ("completed", ["yes", "yes"])
    assert {client.get(str(wait.run)).status for wait in waits} == {"completed", "cancelled"}
    client.delete(run)
    for gone in (run.id, *(str(wait.run) for wait in waits)):
        with pytest.raises(ApiError, match="404"):
            client.get(gone)
