"""POST runs/{id}/cancel, over a real socket, through the SDK's real client."""

from typing import Any

import pytest
from contract import problem, start


def test_a_cancelled_run_is_over_with_its_reason(api: Any) -> None:
    run_id = start(api)

    response = api.post(f"/runs/{run_id}/cancel", json={"reason": "user requested cancellation"})

    assert response.status_code == 202
    run = api.get(f"/runs/{run_id}", params={"wait": 10}).json()
    assert (run["status"], run["reason"]) == ("cancelled", "user requested cancellation")
    problem(api.post(f"/runs/{run_id}/cancel"), 410, "run-finished")


@pytest.mark.parametrize(("body", "status"), [(b"{", 400), (b'{"reason": 7}', 422), (b'{"why": "x"}', 422)])
def test_a_bad_cancel_cancels_nothing(api: Any, body: Any, status: Any) -> None:
    run_id = start(api)

    problem(api.post(f"/runs/{run_id}/cancel", content=body), status, "not-json" if status == 400 else "invalid")

    assert api.get(f"/runs/{run_id}", params={"wait": 10}).json()["status"] == "waiting"
