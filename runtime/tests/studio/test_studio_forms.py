"""Forms for what may be of several kinds: in a start, an answer and the state of a restart."""

from __future__ import annotations

from typing import Any

import pytest

expect = pytest.importorskip("playwright.sync_api", reason="no browser: Playwright is not installed").expect

pytestmark = pytest.mark.xdist_group("browser")

REX = {"kind": "dog", "name": "Rex", "barks": True}
TOM = {"kind": "cat", "name": "Tom", "lives": 9}


@pytest.fixture
def form(studio: Any, page: Any) -> Any:
    """The form that starts a run of the graph."""
    page.goto(f"{studio.url}#/graphs/pets?start=1")
    return page.get_by_role("dialog", name="Start pets")


def group(place: Any, name: str) -> Any:
    """The fields of one kind, by their legend."""
    return place.get_by_role("group", name=name)


def started(studio: Any, page: Any) -> Any:
    """The state of the run whose page is open."""
    expect(page.locator(".title .status")).to_have_text("waiting")
    run_id = page.url.rpartition("/")[2]
    return studio.api.get(f"/runs/{run_id}").json()["state"]


def start(form: Any) -> None:
    form.get_by_role("button", name="Start the run").click()


def test_a_kind_is_chosen_and_its_fields_are_filled(studio: Any, page: Any, form: Any) -> None:
    start(form)
    one = group(form, "one")
    expect(one.get_by_text("is required")).to_be_visible()
    expect(one.get_by_label("Kind of one")).to_be_focused()
    one.get_by_label("Kind of one").select_option("Dog")
    expect(one.get_by_label("name")).to_have_value("")
    one.get_by_label("Kind of one").select_option("Cat")
    one.get_by_label("name").fill("Tom")
    start(form)

    assert started(studio, page) == {"one": TOM, "tagged": REX, "maybe": None, "all": [], "kennel": None, "chip": None}


def test_a_form_says_what_the_model_says_of_a_field_and_is_filled_like_an_example(page: Any, form: Any) -> None:
    expect(form.get_by_text("who moves in first")).to_be_visible()
    form.get_by_text("optional fields").click()
    unpicked = "select => select.options[0].textContent"
    assert form.get_by_label("Kind of tagged").evaluate(unpicked) == "default"
    assert form.get_by_label("Kind of chip").evaluate(unpicked) == "null"
    form.get_by_label("Fill in from").select_option("example 1 of the model")

    expect(group(form, "one").get_by_label("name")).to_have_value("Kim")


def test_an_error_of_the_server_is_shown_at_the_field_of_the_kind_that_was_chosen(page: Any, form: Any) -> None:
    one = group(form, "one")
    one.get_by_label("Kind of one").select_option("Cat")
    one.get_by_label("name").fill("7")
    start(form)

    expect(one.get_by_text("a cat has a name, not a number")).to_be_visible()
    expect(one.get_by_label("name")).to_be_focused()
    expect(form.get_by_text("Input should be")).to_have_count(0)
    page.wrong.clear()


def test_lists_of_kinds_optional_models_those_that_hold_themselves_and_kinds_that_are_no_models(
    studio: Any, page: Any, form: Any
) -> None:
    group(form, "one").get_by_label("Kind of one").select_option("Dog")
    group(form, "one").get_by_label("name").fill("Rex")
    group(form, "one").get_by_label("yes").check()
    form.get_by_text("optional fields").first.click()
    form.get_by_role("button", name="Add to all").click()
    form.get_by_label("Kind of 1").select_option("Cat")
    group(form, "1").get_by_label("name").fill("8")
    form.get_by_role("button", name="Add kennel").click()
    form.get_by_label("label").fill("outer")
    form.get_by_role("button", name="Add inner").click()
    inner = group(form, "inner")
    inner.get_by_label("label").fill("inner")
    inner.get_by_label("Kind of pet").select_option("Cat")
    group(inner, "pet").get_by_label("name").fill("Tom")
    form.get_by_label("Kind of chip").select_option("string")
    group(form, "chip").get_by_label("string").fill("12")
    start(form)
    expect(group(form, "1").get_by_text("a cat has a name, not a number")).to_be_visible()
    page.wrong.clear()
    group(form, "1").get_by_label("name").fill("Tom")
    start(form)

    given = started(studio, page)
    assert given["all"] == [TOM]
    assert given["chip"] == "12"
    assert given["kennel"] == {
        "label": "outer",
        "pet": None,
        "inner": {"label": "inner", "pet": TOM, "inner": None},
    }


def test_an_answer_may_be_of_a_model_or_a_text(studio: Any, page: Any) -> None:
    run = studio.start("pets", {"one": REX})
    page.goto(f"{studio.url}#/runs/{run}")
    wait = page.get_by_role("article", name="Answer adopt")
    wait.get_by_label("Kind of what").select_option("Cat")
    wait.get_by_label("name").fill("Tom")
    wait.get_by_role("button", name="Send adopt").click()

    expect(page.locator(".title .status")).to_have_text("completed")
    assert studio.api.get(f"/runs/{run}").json()["output"]["one"] == TOM


def test_a_state_is_shown_with_the_kinds_that_it_has_and_is_edited(studio: Any, page: Any) -> None:
    run = studio.start("pets", {"one": TOM, "all": [REX, TOM], "chip": 7})
    page.goto(f"{studio.url}#/runs/{run}")
    page.locator(".step .bar-line").filter(has_text="offer").click()
    page.get_by_role("button", name="Restart from here").click()
    form = page.get_by_role("dialog", name="Restart from offer")
    chosen = "select => select.selectedOptions[0].textContent"
    assert [form.get_by_label(f"Kind of {name}").evaluate(chosen) for name in ("one", "1", "2", "tagged", "chip")] == [
        "Cat",
        "Dog",
        "Cat",
        "Dog",
        "integer",
    ]
    group(form, "one").get_by_label("lives").fill("8")
    form.get_by_role("button", name="Start the new run").click()

    expect(page.get_by_text(f"restart of {run} from offer")).to_be_visible()
    new = page.url.rpartition("/")[2]
    state = studio.api.get(f"/runs/{new}", params={"wait": 20}).json()["state"]
    assert (state["one"], state["all"], state["chip"]) == ({**TOM, "lives": 8}, [REX, TOM], 7)
