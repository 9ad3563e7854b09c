"""The studio is safe: what users wrote is never markup, its policy holds, and the key stays where it belongs."""

from __future__ import annotations

from typing import Any

import pytest
from studio_graphs import MARKUP

expect = pytest.importorskip("playwright.sync_api", reason="no browser: Playwright is not installed").expect

pytestmark = pytest.mark.xdist_group("browser")


def test_what_looks_like_markup_is_text_wherever_it_stands(studio: Any, page: Any) -> None:
    run = studio.start("hostile", {"text": MARKUP}, tags={"t": MARKUP[:60]}, metadata={MARKUP: MARKUP})
    page.goto(f"{studio.url}#/runs/{run}")
    wait = page.get_by_role("article", name="Answer go")
    expect(wait.get_by_role("heading")).to_have_text(MARKUP)
    expect(wait.locator("dt")).to_have_text([MARKUP])
    wait.get_by_label("payload").fill('{"text": "<b onclick=alert(1)>"}')
    wait.get_by_role("button", name="Send go").click()
    expect(page.locator(".title .status")).to_have_text("failed")
    for fold in page.locator("summary").all():
        fold.click()
    expect(page.locator(".wrongs pre").first).to_have_text(MARKUP)
    expect(page.locator(".tag").first).to_contain_text("<img src=x")
    page.locator(".step .bar-line").first.click()
    expect(page.locator(".diff ins").first).to_contain_text("<img src=x")
    page.goto(f"{studio.url}#/runs")
    expect(page.locator(".line .bad").first).to_contain_text("ValueError: <img src=x")
    page.goto(f"{studio.url}#/graphs/hostile?start=1")
    expect(page.get_by_label("Fill in from")).to_contain_text("<img src=x")

    assert page.locator("img, script:not([src]), b[onclick]").count() == 0


@pytest.mark.parametrize(
    "place", ["#/runs/<img src=x onerror=alert(1)>", "#/graphs/%3Cscript%3E", "#/<b>/x", "#/%E0%A4%A"]
)
def test_an_address_full_of_markup_leads_nowhere(studio: Any, place: str) -> None:
    with studio.open(place) as page:
        expect(page.locator(".empty")).to_be_visible()
        assert page.locator("main img, main script").count() == 0
        page.wrong[:] = [text for text in page.wrong if "404" not in text]


def test_breaches_of_the_policy_are_noticed(page: Any) -> None:
    expect(page.get_by_role("heading", name="Runs")).to_be_visible()
    breaches = {
        "style-src": "document.head.append(Object.assign(document.createElement('style'), {textContent: 'p{}'}))",
        "connect-src": "fetch('https://example.org')",
        "require-trusted-types-for": "document.body.innerHTML = '<p>'",
    }
    for directive, breach in breaches.items():
        with page.expect_console_message(lambda message, name=directive: f"CSP {name}" in message.text):
            page.evaluate(f"() => {{ try {{ {breach} }} catch {{ return 0 }} }}")

    assert len(page.wrong) >= len(breaches)
    page.wrong.clear()


# --- the function key ----------------------------------------------------------------------------------------------


def guard(page: Any, key: str) -> list[str]:
    """Let the API ask for a key, as Azure does; gives the addresses that were asked for."""
    asked: list[str] = []

    def check(route: Any) -> None:
        asked.append(route.request.url)
        if route.request.headers.get("x-functions-key") == key:
            route.continue_()
        else:
            route.fulfill(status=401)

    page.route(lambda url: "/api/" in url and "/api/studio" not in url, check)
    return asked


@pytest.mark.parametrize("place", ["?code=s3cret", "#code=s3cret", "?code=s3cret#/graphs"])
def test_the_key_in_the_address_is_taken_out_at_once_and_sent_as_a_header(
    studio: Any, browser: Any, place: str
) -> None:
    with studio.open() as page:
        page.goto("about:blank")
        asked = guard(page, "s3cret")
        page.goto(studio.url + place)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        expect(page.locator(".line, .cards li").first).to_be_visible()

        assert "s3cret" not in page.url
        assert not any("s3cret" in url for url in asked)
        assert page.evaluate("Object.keys(localStorage).length + document.cookie.length") == 0
        page.reload()
        expect(page.locator(".line, .cards li").first).to_be_visible()
        page.wrong.clear()


def test_a_page_without_the_right_key_asks_for_it_and_can_forget_it(studio: Any) -> None:
    with studio.open() as page:
        guard(page, "s3cret")
        page.goto(f"{studio.url}?code=wrong")
        expect(page.get_by_text("The app does not accept this key.")).to_be_visible()
        page.get_by_label("Function key").fill("s3cret")
        page.get_by_role("button", name="Open the studio").click()
        expect(page.get_by_role("heading", name="Runs")).to_be_visible()

        page.get_by_role("button", name="Forget the key").click()

        expect(page.get_by_label("Function key")).to_be_visible()
        assert page.evaluate("sessionStorage.length") == 0
        page.wrong.clear()


def test_an_app_that_is_away_is_said_to_be_and_found_again(studio: Any, page: Any) -> None:
    expect(page.get_by_role("heading", name="Runs")).to_be_visible()
    page.route("**/api/runs?*", lambda route: route.abort())
    expect(page.get_by_text("The app does not respond.")).to_be_visible()
    page.unroute("**/api/runs?*")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_text("The app does not respond.")).to_have_count(0)
    page.wrong.clear()
