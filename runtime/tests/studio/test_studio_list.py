"""The list of runs in a browser: many of them, filtered, fresh; with the keyboard alone, and on a phone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

import httpx
import pytest
from browser import opened
from served import served
from studio_graphs import expenses_registration, wide

from azure_functions_durable_graph import DurableGraphApp

expect = pytest.importorskip("playwright.sync_api", reason="no browser: Playwright is not installed").expect

pytestmark = pytest.mark.xdist_group("browser")

MANY, LOADED = 1010, 1000
"""Runs that there are, and how many of them the page loads before it is asked for more."""
ASKING = 4
ROWS = ".table .line"
PARTS = 2
"""The rows "Waiting for an answer" and "Others"."""
FEW = 100
"""More rows than are in sight and beside it; far fewer than there are."""

RECORD = """() => {
  window.touched = new Set();
  new MutationObserver((changes) => {
    for (const { target, addedNodes, removedNodes } of changes)
      for (const node of [target, ...addedNodes, ...removedNodes]) {
        const element = node.nodeType === 1 ? node : node.parentElement;
        const place = element?.closest(".line, .part, .rows, .head, .filters");
        window.touched.add(place?.querySelector(".id")?.textContent ?? place?.className ?? "page");
      }
  }).observe(document.querySelector("main"), { subtree: true, childList: true, characterData: true, attributes: true });
}"""
"""Notes which rows the page touches, by their runs."""

NUMBERED = """() => [...document.querySelectorAll(".table .line")].map((row) =>
  [row.getAttribute("aria-rowindex"), row.querySelector("a").textContent])"""
"""The numbers of the rows in the page, with their runs."""

AT = """() => {
  const row = document.elementFromPoint(400, 300).closest(".line");
  return [row.querySelector("a").textContent, Math.round(row.getBoundingClientRect().top)];
}"""
"""The run that is in the middle of the window, and where its row is."""


@pytest.fixture(scope="module")
def crowd() -> Iterator[httpx.Client]:
    """An app with many runs, some of which wait."""
    runtime = DurableGraphApp()
    for graph in (expenses_registration, wide(1)):
        runtime.register_registration(graph)
    with served(runtime.function_app) as (url, _), httpx.Client(base_url=f"{url}/api", timeout=60) as api:
        for number in range(MANY - ASKING):
            body = {"instance_id": f"wide-{number:04}", "tags": {"team": "a" if number % 2 else "b"}}
            assert api.post("/graphs/wide/runs", json=body).status_code == 202
        for number in range(ASKING):
            start(api, f"ask-{number}")
        yield api


def start(api: httpx.Client, run_id: str) -> None:
    body = {"instance_id": run_id, "input": {"title": "pens", "amount": "3"}}
    assert api.post("/graphs/expenses/runs", json=body).status_code == 202
    api.get(f"/runs/{run_id}", params={"wait": 20})


def listed(page: Any, count: int, parts: int = 0) -> None:
    """Expect so many runs: the table says how many rows it has, with its head, whether or not they are in the page."""
    expect(page.get_by_role("table", name="Runs")).to_have_attribute("aria-rowcount", str(count + parts + 1))


def load_all(page: Any) -> None:
    """There are more than the page has loaded: load them."""
    page.get_by_role("button", name=f"load {LOADED} more").click()
    expect(page.get_by_text("there are more")).to_have_count(0)
    page.evaluate("scrollTo(0, 0)")


@pytest.fixture
def page(browser: Any, crowd: httpx.Client) -> Iterator[Any]:
    with opened(browser, f"{crowd.base_url}studio") as found:
        load_all(found)
        listed(found, MANY, PARTS)
        yield found


# --- a thousand runs ------------------------------------------------------------------------------------------------


def test_a_thousand_runs_are_listed_what_waits_first_and_only_those_in_sight_are_in_the_page(page: Any) -> None:
    expect(page.locator(f"{ROWS} .status").nth(ASKING - 1)).to_have_text("waiting")
    expect(page.locator(f"{ROWS} .status").nth(ASKING)).to_have_text("completed")
    expect(page.get_by_text(f"{MANY} runs")).to_have_count(1)
    assert page.locator(ROWS).count() < FEW

    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")

    last = page.get_by_role("link", name="wide-0000")
    expect(last).to_be_in_viewport()
    assert page.locator(ROWS).count() < FEW
    last.click()
    expect(page.locator(".title .status")).to_have_text("completed")


def test_every_row_has_its_number_and_its_place(page: Any) -> None:
    seen: dict[int, str] = {}
    for part in range(0, 101, 2):
        page.evaluate(f"scrollTo(0, document.documentElement.scrollHeight * {part} / 100)")
        page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
        seen.update({int(index): run for index, run in page.evaluate(NUMBERED)})

    runs = [run for _, run in sorted(seen.items())]
    waiting = [f"ask-{number}" for number in reversed(range(ASKING))]
    assert runs == [*waiting, *(f"wide-{number:04}" for number in reversed(range(MANY - ASKING)))]
    first = 3  # after the head and the part's title; the other part's title comes between the two
    assert sorted(seen) == [*range(first, first + ASKING), *range(first + ASKING + 1, MANY + PARTS + 2)]


def test_the_keyboard_goes_from_row_to_row_beyond_those_in_sight_and_keeps_the_focus(page: Any) -> None:
    page.locator("main").focus()
    for _ in range(90):
        page.keyboard.press("j")
    focused = page.locator(":focus")
    expect(focused).to_have_text(f"wide-{MANY - 90:04}")
    expect(focused).to_be_in_viewport()

    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    expect(page.get_by_role("link", name="wide-0000")).to_be_in_viewport()
    expect(focused).to_have_text(f"wide-{MANY - 90:04}")
    page.locator("main").focus()
    page.keyboard.press("k")

    expect(focused).to_have_text("wide-0000")
    page.keyboard.press("Shift+Tab")
    expect(focused).to_have_text("wide-0001")


def test_what_is_in_sight_stays_there_when_runs_come_and_go_above(page: Any, crowd: httpx.Client) -> None:
    page.evaluate("scrollTo(0, 9000)")
    expect(page.get_by_role("link", name="wide-0750")).to_be_visible()
    before = page.evaluate(AT)

    start(crowd, "ask-above")
    listed(page, MANY + 1, PARTS)
    assert page.evaluate(AT) == before
    crowd.post("/runs/ask-above/cancel", json={})
    crowd.delete("/runs/ask-above")
    listed(page, MANY, PARTS)
    assert page.evaluate(AT) == before


def test_a_poll_touches_only_the_rows_of_runs_that_have_changed(browser: Any, crowd: httpx.Client) -> None:
    start(crowd, "ask-poll")
    with opened(browser, "about:blank") as page:
        page.clock.set_fixed_time(datetime.now(timezone.utc))  # times that pass are drawn again: let none pass
        page.goto(f"{crowd.base_url}studio")
        load_all(page)
        status = page.locator(ROWS).filter(has_text="ask-poll").locator(".status")
        crowd.post("/runs/ask-poll/suspend", json={})
        expect(status).to_have_text("suspended")

        page.get_by_label("Graph", exact=True).locator("option", has_text="wide").wait_for(state="attached")

        page.evaluate(RECORD)
        crowd.post("/runs/ask-poll/cancel", json={})
        expect(status).to_have_text("cancelled")

        assert page.evaluate("[...touched]") == ["ask-poll"]
    crowd.delete("/runs/ask-poll")


# --- filters --------------------------------------------------------------------------------------------------------


def test_it_is_narrowed_by_graph_status_tag_and_text_and_the_address_keeps_that(page: Any) -> None:
    page.get_by_label("Graph", exact=True).select_option("wide")
    listed(page, MANY - ASKING)
    page.get_by_label("Tag", exact=True).fill("team=a")
    listed(page, (MANY - ASKING) // 2)
    page.get_by_label("Id", exact=True).fill("wide-049")
    listed(page, 5)  # 491, 493, 495, 497, 499
    page.reload()
    expect(page.locator(ROWS)).to_have_count(5)
    page.get_by_label("Status", exact=True).select_option("failed")
    expect(page.get_by_text("No runs match.")).to_be_visible()
    page.get_by_role("button", name="Clear").click()
    load_all(page)
    listed(page, MANY, PARTS)


def test_it_stays_fresh(page: Any, crowd: httpx.Client) -> None:
    page.get_by_label("Id", exact=True).fill("ask-")
    expect(page.locator(ROWS)).to_have_count(ASKING)
    start(crowd, "ask-0b")
    expect(page.locator(ROWS).filter(has_text="ask-0b").locator(".status")).to_have_text("waiting")
    crowd.post("/runs/ask-0b/events/verdict", json={"approved": False, "reviewer": "Bo"})
    expect(page.locator(ROWS).filter(has_text="ask-0b").locator(".status")).to_have_text("completed")
    crowd.delete("/runs/ask-0b")
    expect(page.locator(ROWS)).to_have_count(ASKING)


def test_a_run_is_found_opened_and_answered_with_the_keyboard_alone(page: Any) -> None:
    keys = page.keyboard
    keys.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
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
