"""The management API lists, purges, rewinds and restarts instances, driven by the SDK's client and by hand."""

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from management_site import API, SICK, call, served_site, start, status, wait_until_finished


@pytest.fixture(scope="module")
def site() -> Any:
    with served_site() as client:
        yield client


def test_instances_are_listed_by_prefix_and_status(site: Any) -> None:
    start(site, "list-1")
    start(site, "list-2")
    call(site, "terminate", instance_id="list-2", reason="r")

    listed = call(site, "get_status_by", instance_id_prefix="list-")["answer"]
    assert sorted(item["instanceId"] for item in listed) == ["list-1", "list-2"]

    found = site.get("/runtime/webhooks/durabletask/instances/?instanceIdPrefix=list-&runtimeStatus=Terminated")
    assert [item["instanceId"] for item in found.json()] == ["list-2"]


def test_a_finished_instance_can_be_purged_a_live_one_cannot(site: Any) -> None:
    start(site, "m5")
    assert "412" in call(site, "purge_instance_history", instance_id="m5")["error"]

    call(site, "terminate", instance_id="m5", reason="r")
    assert call(site, "purge_instance_history", instance_id="m5")["answer"] == {"deleted": 1}
    assert call(site, "purge_instance_history", instance_id="m5")["answer"] == {"deleted": 0}


def test_a_failed_instance_is_rewound_any_other_is_not(site: Any) -> None:
    SICK.add("sickly")
    call(site, "start_new", orchestration_function_name="sickly", instance_id="m9", client_input=1)
    assert wait_until_finished(site, "m9")["runtimeStatus"] == "Failed"
    assert site.get(f"{API}/instances/m9?returnInternalServerErrorOnFailure=true").status_code == 500
    SICK.clear()

    assert call(site, "rewind", instance_id="m9", reason="healed")["answer"] is None
    again = wait_until_finished(site, "m9")
    assert (again["runtimeStatus"], again["output"]) == ("Completed", 1)

    refused = site.post(f"{API}/instances/m9/rewind?reason=again")
    assert (refused.status_code, refused.json()["Message"]) == (
        412,
        "only a failed instance can be rewound; m9 is Completed",
    )


def test_a_restart_begins_again_with_the_same_input(site: Any) -> None:
    call(site, "start_new", orchestration_function_name="sickly", instance_id="m10", client_input={"a": 1})
    wait_until_finished(site, "m10")

    again = call(site, "restart", instance_id="m10")["answer"]["id"]
    assert again != "m10"
    assert wait_until_finished(site, again)["output"] == {"a": 1}

    assert call(site, "restart", instance_id="m10", restart_with_new_instance_id=False)["answer"]["id"] == "m10"
    assert wait_until_finished(site, "m10")["output"] == {"a": 1}


def test_a_live_instance_is_not_restarted_under_its_own_id(site: Any) -> None:
    start(site, "m11")

    answer = site.post(f"{API}/instances/m11/restart?restartWithNewInstanceId=false")

    assert (answer.status_code, "already exists" in answer.json()["Message"]) == (409, True)


def test_purging_by_filter_takes_what_has_ended_and_nothing_else(site: Any) -> None:
    before = datetime.now(timezone.utc) - timedelta(hours=1)
    start(site, "p-live")
    start(site, "p-dead")
    call(site, "terminate", instance_id="p-dead", reason="r")

    assert site.delete(f"{API}/instances/").status_code == 400
    running = call(site, "purge_instance_history_by", created_time_from=before.isoformat(), runtime_status=["Running"])
    assert running["answer"] == {"deleted": 0}
    gone = call(site, "purge_instance_history_by", created_time_from=before.isoformat())["answer"]["deleted"]

    assert gone >= 1
    assert status(site, "p-dead")["answer"] is None
    assert status(site, "p-live")["answer"]["runtimeStatus"] in ("Pending", "Running")


def test_instances_are_listed_by_their_start_and_page_by_page(site: Any) -> None:
    for number in range(3):
        start(site, f"page-{number}")
    later = (datetime.now(timezone.utc) + timedelta(hours=1)).isoformat()

    listed = call(site, "get_status_by", created_time_from=later)["answer"]
    first = site.get(f"{API}/instances/?instanceIdPrefix=page-&top=2")
    token = first.headers["x-ms-continuation-token"]
    rest = site.get(f"{API}/instances/?instanceIdPrefix=page-&top=2", headers={"x-ms-continuation-token": token})

    assert listed == []
    assert [item["instanceId"] for item in first.json()] == ["page-0", "page-1"]
    assert [item["instanceId"] for item in rest.json()] == ["page-2"]
    assert rest.headers["x-ms-continuation-token"] == ""
    assert site.get(f"{API}/instances/?createdTimeFrom=yesterday").status_code == 400
    assert site.get(f"{API}/instances/?createdTimeFrom=0001-01-01T00:00:00%2B09:00").status_code == 400


def test_all_instances_are_listed_at_once(site: Any) -> None:
    start(site, "all-1")

    assert "all-1" in [item["instanceId"] for item in call(site, "get_status_all")["answer"]]
