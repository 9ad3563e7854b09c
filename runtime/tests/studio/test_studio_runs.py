"""The studio in a browser: start a run from a form, watch it, answer it, repeat it, steer it."""

from __future__ import annotations

import re
from typing import Any

import pytest

expect = pytest.importorskip("playwright.sync_api", reason="no browser: Playwright is not installed").expect

pytestmark = pytest.mark.xdist_group("browser")

EXPENSE = {"title": "a train ticket", "amount": "12.50"}


def status(page: Any) -> Any:
    """The status beside the run's id."""
    return page.locator(".title .status")


def nodes(page: Any, state: str) -> Any:
    """The boxes of the picture in a state."""
    return page.locator(f".picture g.box.is-{state}")


def test_a_run_is_started_from_its_form_watched_answered_and_completes(studio: Any, page: Any) -> None:
    page.get_by_role("link", name="Graphs", exact=True).click()
    page.get_by_role("listitem").filter(has_text="expenses").get_by_role("link", name="Start a run").click()
    form = page.get_by_role("dialog", name="Start expenses")
    form.get_by_label("amount").fill("a lot")
    form.get_by_role("button", name="Start the run").click()
    expect(form.get_by_label("title")).to_have_attribute("aria-invalid", "true")
    expect(form.get_by_text("is required")).to_be_visible()
    form.get_by_label("title").fill("a train ticket")
    form.get_by_role("button", name="Start the run").click()
    expect(form.get_by_text("Input should be a valid decimal")).to_be_visible()
    expect(form.get_by_label("amount")).to_be_focused()
    page.wrong.clear()
    form.get_by_label("amount").fill("12.50")
    form.get_by_role("button", name="Start the run").click()

    expect(status(page)).to_have_text("waiting")
    expect(page.get_by_role("heading", name="Pay a train ticket?")).to_be_visible()
    expect(page.get_by_label("Waiting for an answer").get_by_text("12.50")).to_be_visible()
    expect(nodes(page, "open")).to_have_attribute("aria-label", "verdict, waiting")
    wait = page.get_by_role("article", name="Answer verdict")
    wait.get_by_label("yes").check()
    wait.get_by_label("reviewer").fill("1")
    wait.get_by_role("button", name="Send verdict").click()
    expect(wait.get_by_text("needs at least 2 characters")).to_be_visible()
    wait.get_by_label("reviewer").fill("4711")
    wait.get_by_role("button", name="Send verdict").click()
    expect(wait.get_by_text("a reviewer is a person, not a number")).to_be_visible()
    expect(wait.get_by_label("reviewer")).to_be_focused()
    assert [text for text in page.wrong if "422" in text], "the server has refused it"
    page.wrong.clear()
    wait.get_by_label("reviewer").fill("Ada")
    wait.get_by_role("button", name="Send verdict").click()

    expect(status(page)).to_have_text("completed")
    expect(page.get_by_text("verdict was applied")).to_be_visible()
    assert [
        box.get_attribute("aria-label") for box in nodes(page, "done").all() if box.get_attribute("role") == "button"
    ] == [
        "check, task, done",
        "settle, task, done",
        "pay, task, done",
    ]
    page.locator(".step .bar-line").filter(has_text="settle").click()
    row = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name="reviewer"))
    expect(row.get_by_role("cell")).to_have_text(["~changed", "", "Ada"])


def test_an_open_page_follows_a_run_that_somebody_else_answers(studio: Any, page: Any) -> None:
    run = studio.start("expenses", EXPENSE)
    page.goto(f"{studio.url}#/runs/{run}")
    expect(status(page)).to_have_text("waiting")
    steps = page.locator(".step")
    first = steps.first.element_handle()

    studio.api.post(f"/runs/{run}/events/verdict", json={"approved": False, "reviewer": "Bo"})

    expect(status(page)).to_have_text("completed")
    expect(steps).to_have_count(2)
    expect(page.get_by_role("article", name="Answer verdict")).to_have_count(0)
    assert first.evaluate("element => element.isConnected"), "what has not changed is not drawn again"


def test_a_failed_run_shows_its_error_and_is_retried(studio: Any, page: Any) -> None:
    studio.fail_payments(2)
    run = studio.start("payments", {"value": 1})
    page.goto(f"{studio.url}#/runs/{run}")
    expect(status(page)).to_have_text("failed")
    expect(page.get_by_label("Status of the run")).to_contain_text("BankClosed in the handler of charge: attempt 2")
    expect(nodes(page, "failed")).to_have_attribute(
        "aria-label", re.compile("^charge, task, 2 attempts, failed, 2 attempts$")
    )
    expect(page.get_by_text("Attempt 1: BankClosed")).to_be_visible()

    page.get_by_role("button", name="Retry").click()

    expect(page.get_by_text(f"retry of {run} from charge")).to_be_visible()
    expect(status(page)).to_have_text("completed")
    expect(page.locator(".step")).to_have_count(2)


def test_a_run_is_restarted_from_a_step_with_another_state(studio: Any, page: Any) -> None:
    studio.fail_payments(0)
    run = studio.start("payments", {"value": 1})
    page.goto(f"{studio.url}#/runs/{run}")
    page.locator(".step .bar-line").filter(has_text="charge").click()
    page.get_by_role("button", name="Restart from here").click()
    form = page.get_by_role("dialog", name="Restart from charge")
    expect(form.get_by_label("value")).to_have_value("1")
    form.get_by_label("value").fill("41")
    form.get_by_role("button", name="Start the new run").click()

    expect(page.get_by_text(f"restart of {run} from charge")).to_be_visible()
    expect(status(page)).to_have_text("completed")
    page.locator(".step .bar-line").filter(has_text="charge").click()
    row = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name="value"))
    expect(row.get_by_role("cell")).to_have_text(["~changed", "41", "42"])


def test_a_run_is_suspended_resumed_cancelled_and_deleted(studio: Any, page: Any) -> None:
    run = studio.start("expenses", EXPENSE)
    page.goto(f"{studio.url}#/runs/{run}")
    page.get_by_role("button", name="Suspend").click()
    expect(page.get_by_text("Nothing begins until it is resumed")).to_be_visible()
    page.get_by_role("button", name="Resume").click()
    expect(status(page)).to_have_text("waiting")
    page.get_by_role("button", name="Cancel …").click()
    dialog = page.get_by_role("dialog", name="Cancel this run?")
    dialog.get_by_label("Reason").fill("no money")
    dialog.get_by_role("button", name="Cancel the run").click()
    expect(page.get_by_text("Cancelled: no money")).to_be_visible()
    page.get_by_role("button", name="Delete …").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete the run").click()

    expect(page.get_by_role("heading", name="Runs")).to_be_visible()
    assert studio.api.get(f"/runs/{run}").status_code == 404


def test_a_parent_shows_what_its_child_asks_and_leads_to_it(studio: Any, page: Any) -> None:
    run = studio.start("trips", {"title": "Oslo", "amount": "400"})
    expect(page.locator(".line").filter(has_text=run).locator(".status")).to_have_text("waiting")
    page.goto(f"{studio.url}#/runs/{run}")
    wait = page.get_by_role("article", name="Answer verdict")
    expect(wait).to_contain_text("asked by expenses.")
    page.locator(".step").get_by_role("link", name=re.compile("^expenses")).click()
    expect(page.get_by_label("Where you are").get_by_role("link", name=run)).to_be_visible()
    expect(status(page)).to_have_text("waiting")
    page.go_back()
    wait.get_by_label("yes").check()
    wait.get_by_label("reviewer").fill("Ada")
    wait.get_by_role("button", name="Send verdict").click()

    expect(status(page)).to_have_text("completed")
    expect(page.locator(".step .name")).to_have_text(
        [re.compile(f"^{name}") for name in ("quotes", "train", "plane", "approval", "rest", "book")]
    )
    expect(page.locator(".picture .box.join.is-done")).to_have_count(1)
