"""The guide on apps, versions and tests."""

from __future__ import annotations

import httpx
import pytest
from served import served
from shapes import line

from azure_functions_durable_graph import DurableGraphApp, ManifestBuilder
from azure_functions_durable_graph.client import GraphClient
from azure_functions_durable_graph.errors import MessageError
from azure_functions_durable_graph.hosting import AppHost
from azure_functions_durable_graph.testing import GraphHost, run_graph
from guide.blocks import (
    BLOCKS,
    Block,
    TicketState,
    check_of,
    execute,
    guide_review,
    nothing,
)
from guide.shells import read_command


@check_of("Schedules 1")
def _schedule(block: Block) -> None:
    runtime = DurableGraphApp()
    execute(block, runtime=runtime)
    functions = {function.get_function_name(): function for function in runtime.function_app.get_functions()}
    trigger = functions["schedule_nightly_report"].get_trigger()
    assert trigger is not None
    assert trigger.get_dict_repr()["schedule"] == "0 30 2 * * *"


def orders_app() -> DurableGraphApp:
    """The guide's first app, without its end."""
    runtime = DurableGraphApp()
    runtime.register_registration(execute(BLOCKS["Baseline pattern 1"])["builder"].build())
    return runtime


@check_of("Messages that start runs 1")
def _messages(block: Block) -> None:
    runtime = orders_app()
    runtime.register_registration(line("a", graph_name="return_flow"))
    runtime.register_registration(line("a", graph_name="scan_flow"))
    execute(block, runtime=runtime)
    with AppHost(runtime.function_app) as host:
        host.trigger("orders", {"order_id": "A-1"})
        host.trigger("returns", {"order": {"value": 3}})
        with pytest.raises(MessageError, match="unknown key"):  # the data makes an input that the graph does not take
            host.trigger("scanned", {"url": "u"})
        found = httpx.get(f"{host.url}/api/runs").json()["runs"]
    assert sorted(run["graph"] for run in found) == ["order_flow", "return_flow"]


@check_of("Messages that start runs 2")
@check_of("Messages that start runs 3")
def _by_hand(block: Block) -> None:
    runtime = orders_app()
    runtime.start_on_queue("orders", graph="order_flow")
    command = read_command(block.text)
    headers = {"Content-Type": str(command.content_type)}
    with AppHost(runtime.function_app) as host:
        assert httpx.post(f"{host.url}{command.path}", content=command.body, headers=headers).status_code == 202
        host.wait_until_idle()
        (run,) = httpx.get(f"{host.url}/api/runs").json()["runs"]
    assert run["graph"] == "order_flow"


@check_of("Messages that start runs 4")
def _redelivered(block: Block) -> None:
    runtime = orders_app()
    runtime.start_on_queue("orders", graph="order_flow")
    with AppHost(runtime.function_app) as host:
        execute(block)["test_a_message_that_is_delivered_again_starts_one_run"](host)


@check_of("Runs from code 1")
def _own_function(block: Block) -> None:
    runtime = DurableGraphApp()
    runtime.register_registration(guide_review().build())
    execute(block, runtime=runtime)
    with AppHost(runtime.function_app) as host, GraphClient(host.url) as client:
        run = client.wait(client.start("reviews"), until="idle")
        host.trigger("take_approval", {"run": run.id, "answer": {"approved": True, "reviewer": "eve"}})
        assert client.get(run).output["approved"] is True


@check_of("From outside 1")
def _from_outside(block: Block) -> None:
    order = execute(block)["order"]
    with AppHost(orders_app().function_app) as host:
        assert order(host.url, "key", "A-1") == ["validate", "ship"]


@check_of("Multiple graphs 1")
def _multiple(block: Block) -> None:
    graphs = {
        f"{name}_registration": ManifestBuilder(name, TicketState)
        .set_entrypoint("a")
        .add_node("a", nothing, terminal=True)
        .build()
        for name in ("order_flow", "support_agent")
    }
    app = execute(block, DurableGraphApp=DurableGraphApp, **graphs)["app"]
    with served(app) as (url, _):
        for name in ("order_flow", "support_agent"):
            assert httpx.post(f"{url}/api/graphs/{name}/runs", json={}).status_code == 202


@check_of("Graph versioning 1")
def _versioning(block: Block) -> None:
    baseline = execute(BLOCKS["Baseline pattern 1"])
    first = baseline["builder"].build()
    execute(block, **{**baseline, "pack_order": lambda state: None})
    versions = baseline["runtime"].registry.versions("order_flow")
    assert [graph.manifest.version for graph in versions] == ["1", "2"]

    host = GraphHost(*versions)
    run = host.start("order_flow", {"order_id": "A"})
    assert run.path == ["validate", "pack", "ship"]
    assert first.graph_hash != run.view["graph_hash"]


@check_of("Testing graph registrations 1")
def _test_build(block: Block) -> None:
    execute(block)["test_graph_build"]()


@check_of("Testing whole runs 1")
def _test_runs(block: Block) -> None:
    execute(block, review_registration=guide_review().build())["test_a_review_waits_for_the_manager"]()


@check_of("Testing whole runs 2")
def _failures_on_order(block: Block) -> None:
    names = execute(block, review_registration=guide_review().build(), run_graph=run_graph)
    names["test_a_review_fails_with_its_service"]()


@check_of("Testing whole runs 3")
def _whole_apps(block: Block) -> None:
    runtime = DurableGraphApp()
    runtime.register_registration(guide_review().build())
    with AppHost(runtime.function_app) as host:
        execute(block)["test_the_app_over_http"](host)
