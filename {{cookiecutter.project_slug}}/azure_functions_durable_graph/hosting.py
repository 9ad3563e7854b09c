"""A whole function app in a test: real HTTP on a free port, the real SDK, and a clock that jumps.

    with AppHost(app) as host:
        started = httpx.post(f"{host.url}/api/graphs/order_flow/runs", json={"input": {"order_id": "A-1"}})
        host.wait_until_idle()
        run = httpx.get(started.headers["location"]).json()
        host.advance(timedelta(days=30))

    assert run["status"] == "completed"

`app` is the function app that Azure loads. `advance` fires every timer that falls due in that time.
"""

from __future__ import annotations

from .host.harness.app_host import AppHost

__all__ = ["AppHost"]
