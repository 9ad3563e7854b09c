"""The list of runs in a browser: many of them, filtered, fresh; with the keyboard alone, and on a phone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from browser import opened
from served import served
from studio_graphs import expenses_registration, wide

from azure_functions_durable_graph import DurableGraphApp

expect = pytest.importorskip("playwright.sync_api", reason="no browser: Playwright is not installed").expect

pytestmark = pytest.mark.xdist_group("browser")

MANY = 500
ROWS = ".table .line"


@pytest.fixture(scope="module")
def crowd() -> Iterator[httpx.Client]:
    """An app with many runs, some of which wait."""
    runtime = DurableGraphApp()
    for graph in (expenses_registration, wide(3)):
        runtime.register_registration(graph)
    with served(runtime.function_app) as (url, _), httpx.Client(base_url=f"{url}/api", timeout=60) as api:
        for number in range(MANY - 4):
            body = {"instance_id": f"wide-{number}", "tags": {"team": "a" if number % 2 else "b"}}
            assert api.post("/graphs/wide/runs", json=body).status_code == 202
        for number in range(4):
            start(api, f"ask-{number}")
        yield api


def start(api: httpx.Client, run_id: str) -> None:
    body = {"instance_id": run_id, "input": {"title": "pens", "amount": "3"}}
    assert api.post("/graphs/expenses/runs", json=body).status_code == 202
    api.get(f"/runs/{run_id}", params={"wait": 20})


@pytest.fixture
def page(browser: Any, crowd: httpx.Client) -> Iterator[Any]:
    with opened(browser, f"{crowd.base_url}studio") as found:
        expect(found.locator(ROWS)).to_have_count(MANY)
        yield found


def test_five_hundred_runs_are_listed_what_waits_first(page: Any) -> None:
    expect(page.locator(f"{ROWS} .status").nth(3)).to_have_text("waiting")
    expect(page.locator(f"{ROWS} .status").nth(4)).to_have_text("completed")
    expect(page.get_by_role("table", name="Runs")).to_have_attribute("aria-rowcount", str(MANY))
    page.locator(ROWS).last.scroll_into_view_if_needed()
    page.locator(ROWS).last.get_by_role("link").click()
    expect(page.locator(".title .status")).to_have_text("completed")


def test_it_is_narrowed_by_graph_status_tag_and_text_and_the_address_keeps_that(page: Any) -> None:
    page.get_by_label("Graph", exact=True).select_option("wide")
    expect(page.locator(ROWS)).to_have_count(MANY - 4)
    page.get_by_label("Tag", exact=True).fill("team=a")
    expect(page.locator(ROWS)).to_have_count((MANY - 4) // 2)
    page.get_by_label("Id", exact=True).fill("wide-49")
    expect(page.locator(ROWS)).to_have_count(4)  # 49, 491, 493, 495
    page.reload()
    expect(page.locator(ROWS)).to_have_count(4)
    page.get_by_label("Status", exact=True).select_option("failed")
    expect(page.get_by_text("No run matches.")).to_be_visible()
    page.get_by_role("button", name="Clear").click()
    expect(page.locator(ROWS)).to_have_count(MANY)


def test_it_stays_fresh_and_draws_only_what_has_changed(page: Any, crowd: httpx.Client) -> None:
    page.evaluate("document.querySelectorAll('.table .line').forEach((row) => (row.marked = true))")
    crowd.post("/runs/ask-0/events/verdict", json={"approved": False, "reviewer": "Bo"})

    expect(page.locator(ROWS).filter(has_text="ask-0").locator(".status")).to_have_text("completed")
    kept = page.evaluate("[...document.querySelectorAll('.table .line')].filter((row) => row.marked).length")
    assert kept >= MANY - 1
    page.get_by_label("Id", exact=True).fill("ask-")  # Playwright looks at every row while it waits
    expect(page.locator(ROWS)).to_have_count(4)
    start(crowd, "ask-0b")
    expect(page.locator(ROWS).filter(has_text="ask-0b").locator(".status")).to_have_text("waiting")
    crowd.post("/runs/ask-0b/cancel", json={})
    expect(page.locator(ROWS).filter(has_text="ask-0b").locator(".status")).to_have_text("cancelled")
    crowd.delete("/runs/ask-0b")
    expect(page.locator(ROWS)).to_have_count(4)


def test_a_run_is_found_opened_and_answered_with_the_keyboard_alone(page: Any) -> None:
    keys = page.keyboard
    keys.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    keys.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    keys.press("g")
    expect(page.get_by_role("heading", name="Graphs")).to_be_visible()
    keys.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    keys.type("ask-1")
    expect(page.locator(ROWS)).to_have_count(1)
    keys.press("Tab")
    page.locator("main").focus()
    keys.press("j")
    expect(page.get_by_role("link", name="ask-1")).to_be_focused()
    keys.press("Enter")
    expect(page.locator(".title .status")).to_have_text("waiting")
    keys.press("a")
    expect(page.get_by_label("yes")).to_be_focused()
    keys.press("Space")
    keys.press("Tab")
    expect(page.get_by_label("reviewer")).to_be_focused()
    keys.type("Ada")
    keys.press("Enter")
    expect(page.locator(".title .status")).to_have_text("completed")
    page.locator("main").focus()
    keys.press("j")
    keys.press("j")
    keys.press("Enter")
    expect(page.locator(".step.open .name")).to_have_text("settle")
    keys.press("r")
    expect(page.get_by_role("heading", name="Runs")).to_be_visible()


def test_every_control_has_a_name_and_every_view_a_heading_and_a_title(page: Any, crowd: httpx.Client) -> None:
    nameless = """[...document.querySelectorAll('button, a, input, select, textarea, [role=button]')].filter((one) => !(
        one.textContent.trim() || one.getAttribute('aria-label') || one.labels?.length)).map((one) => one.outerHTML)"""
    for place, title in (
        ("runs", "runs"),
        ("graphs", "graphs"),
        ("graphs/wide", "wide"),
        ("runs/ask-2", "waiting · ask-2"),
    ):
        page.goto(f"{crowd.base_url}studio#/{place}")
        expect(page).to_have_title(re.compile(title))
        expect(page.get_by_role("heading", level=1)).to_have_count(1)
        expect(page.locator("main")).to_be_focused()
        assert page.evaluate(nameless) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_all_of_it_without_scrolling_sideways(browser: Any, crowd: httpx.Client, scheme: str) -> None:
    phone = {"viewport": {"width": 375, "height": 720}, "color_scheme": scheme}
    with opened(browser, f"{crowd.base_url}studio", **phone) as page:
        for place in ("#/runs", "#/runs/ask-2", "#/graphs", "#/graphs/expenses", "#/graphs/expenses?start=1"):
            page.goto(f"{crowd.base_url}studio{place}")
            expect(page.get_by_role("heading", level=1)).to_be_visible()
            expect(page.get_by_text("Loading …")).to_have_count(0)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), place


def test_times_are_the_readers_and_utc_is_on_hover(browser: Any, crowd: httpx.Client) -> None:
    with opened(browser, f"{crowd.base_url}studio#/runs/ask-3", timezone_id="Asia/Tokyo", locale="en-GB") as page:
        time = page.locator(".wait time").first
        expect(time).to_be_visible()
        given = re.search(r"(\d\d):(\d\d):\d\d", time.get_attribute("title"))
        shown = re.search(r"(\d\d):(\d\d):\d\d", time.inner_text())
        assert given is not None
        assert shown is not None
        assert time.get_attribute("title").endswith("UTC")
        assert (int(given[1]) + 9) % 24 == int(shown[1])
