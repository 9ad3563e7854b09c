"""What is odd: numbers that JavaScript would round, names that it knows, and answers that are not the API's."""

from __future__ import annotations

from typing import Any

import pytest

expect = pytest.importorskip("playwright.sync_api", reason="no browser: Playwright is not installed").expect

pytestmark = pytest.mark.xdist_group("browser")

BIG = 2**53 + 1
TABLE: dict[str, Any] = {
    "__proto__": {"x": 1},
    "constructor": None,
    "": 12345678901234567890123,
    "a.b": [[[]]],
    "<b>": 0.1,
}


def status(page: Any) -> Any:
    return page.locator(".title .status")


def test_no_number_is_rounded_and_no_key_is_lost_in_what_is_shown_edited_and_sent(studio: Any, page: Any) -> None:
    run = studio.start("counting", {"big": BIG, "table": TABLE})
    page.goto(f"{studio.url}#/runs/{run}")
    page.locator(".step .bar-line").filter(has_text="add").click()
    row = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name="big"))
    expect(row.get_by_role("cell")).to_have_text(["~changed", str(BIG), str(BIG + 1)])

    page.get_by_role("button", name="Restart from here").click()
    form = page.get_by_role("dialog", name="Restart from add")
    expect(form.get_by_label("big")).to_have_value(str(BIG))
    form.get_by_label("top").fill(str(2**63 - 1))
    form.get_by_role("button", name="Start the new run").click()

    expect(page.get_by_text(f"restart of {run} from add")).to_be_visible()
    new = page.url.rpartition("/")[2]
    state = studio.api.get(f"/runs/{new}", params={"wait": 20}).json()["state"]
    assert state == {"big": BIG + 1, "top": 2**63 - 1, "table": TABLE}


def test_a_run_that_is_deleted_while_it_is_shown_is_said_to_be_gone(studio: Any, page: Any) -> None:
    run = studio.start("counting", {})
    page.goto(f"{studio.url}#/runs/{run}")
    expect(status(page)).to_have_text("waiting")

    studio.api.post(f"/runs/{run}/cancel", json={})
    studio.api.delete(f"/runs/{run}")

    expect(page.get_by_role("alert")).to_contain_text(f"there is no run '{run}'")
    page.wrong.clear()


NOT_THE_API: dict[str, dict[str, Any]] = {
    "a login page": {"status": 200, "body": "<h1>Sign in</h1>", "content_type": "text/html"},
    "cut JSON": {"status": 200, "body": '{"runs": [', "content_type": "application/json"},
    "null": {"status": 200, "body": "null", "content_type": "application/json"},
    "a list": {"status": 200, "body": "[]", "content_type": "application/json"},
    "nothing": {"status": 204},
}


def answer_with(page: Any, answer: dict[str, Any]) -> None:
    page.route(lambda url: "/api/" in url and "/api/studio" not in url, lambda route: route.fulfill(**answer))


@pytest.mark.parametrize("answer", NOT_THE_API.values(), ids=NOT_THE_API)
def test_what_is_not_the_api_is_said_and_what_was_shown_stays(studio: Any, page: Any, answer: dict[str, Any]) -> None:
    run = studio.start("counting", {})
    page.goto(f"{studio.url}#/runs/{run}")
    expect(status(page)).to_have_text("waiting")
    answer_with(page, answer)

    expect(page.get_by_role("alert")).to_contain_text("is a proxy or a login page in front of it?")
    expect(status(page)).to_have_text("waiting")
    page.unroute_all()
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("alert")).to_have_count(0)


@pytest.mark.parametrize("code", [404, 500, 503])
def test_an_error_without_a_reason_is_said_by_its_number(page: Any, code: int) -> None:
    expect(page.get_by_role("heading", name="Runs")).to_be_visible()
    answer_with(page, {"status": code, "body": "<h1>Oops</h1>", "content_type": "text/html"})

    expect(page.get_by_role("alert")).to_contain_text(f"the app answered {code}")
    page.wrong.clear()


def test_a_view_that_fails_says_so_and_the_others_work_on(studio: Any, page: Any) -> None:
    run = studio.start("counting", {})
    expect(page.get_by_role("heading", name="Runs")).to_be_visible()
    page.route("**/api/runs/*", lambda route: route.fulfill(json={"id": run}))
    page.goto(f"{studio.url}#/runs/{run}")
    expect(page.get_by_role("alert")).to_contain_text("This view has failed")

    page.get_by_role("link", name="Graphs", exact=True).click()

    expect(page.get_by_role("heading", name="Graphs")).to_be_visible()
