"""The pictures of graphs that are hard to draw: no box is hidden or crossed, and they say what the graph says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from browser import opened
from hard_graphs import LONG, hard_graphs
from served import served
from shapes import Counter
from studio_graphs import wide

from azure_functions_durable_graph import DurableGraphApp, GraphRegistration, ManifestBuilder

expect = pytest.importorskip("playwright.sync_api", reason="no browser: Playwright is not installed").expect

pytestmark = pytest.mark.xdist_group("browser")

NAMES = [graph.graph_name for graph in hard_graphs()]

FAULTS = """() => {
  const svg = document.querySelector(".canvas svg"), view = svg.viewBox.baseVal, faults = [];
  const boxes = [...svg.querySelectorAll("g.box")].map((box) => {
    const shape = (box.querySelector(".frame:not(.behind)") ?? box.querySelector(".ring, .dot")).getBBox();
    const { e, f } = box.transform.baseVal.consolidate().matrix;
    const [left, top] = [e + shape.x, f + shape.y];
    return { name: box.getAttribute("aria-label"), left, top, right: left + shape.width, bottom: top + shape.height };
  });
  for (const [index, one] of boxes.entries()) for (const other of boxes.slice(index + 1)) {
    if (one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom)
      faults.push(`${one.name} covers ${other.name}`);
  }
  for (const line of svg.querySelectorAll(".line")) {
    const length = line.getTotalLength(), crossed = new Set();
    for (let at = 0; at <= length; at += 5) {
      const { x, y } = line.getPointAtLength(at);
      const inside = (box) => x > box.left + 2 && x < box.right - 2 && y > box.top + 2 && y < box.bottom - 2;
      for (const box of boxes.filter(inside)) crossed.add(box.name);
      const [right, bottom] = [view.x + view.width, view.y + view.height];
      if (x < view.x || y < view.y || x > right || y > bottom) crossed.add("the edge of the picture");
    }
    for (const name of crossed) faults.push(`an arrow crosses ${name}`);
  }
  for (const text of svg.querySelectorAll("text")) {
    const seen = text.getBoundingClientRect(), whole = svg.getBoundingClientRect();
    if (seen.left < whole.left || seen.right > whole.right) faults.push(`${text.textContent} is cut off`);
  }
  return faults;
}"""


def deep() -> GraphRegistration:
    """A line that fails far down."""

    def fail(state: Counter) -> None:
        raise ValueError("here")

    builder = ManifestBuilder("deep", Counter).set_entrypoint("n0")
    for number in range(60):
        builder.add_node(f"n{number}", fail if number == 50 else lambda state: None, next_node=f"n{number + 1}")
    return builder.add_node("n60", lambda state: None, terminal=True).build()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    runtime = DurableGraphApp()
    for graph in (*hard_graphs(), wide(200), deep()):
        runtime.register_registration(graph)
    with served(runtime.function_app) as (url, _):
        yield f"{url}/api/studio"


@pytest.fixture(scope="module")
def shown(browser: Any, url: str) -> Iterator[Any]:
    """One page, which goes from picture to picture."""
    with opened(browser, url, viewport={"width": 1600, "height": 1200}) as page:
        yield page


def draw(page: Any, url: str, graph: str) -> Any:
    page.goto(f"{url}#/graphs/{graph}")
    picture = page.get_by_role("group", name=f"The graph {graph}", exact=True)
    expect(picture).to_be_visible()
    return picture


@pytest.mark.parametrize("graph", [*NAMES, "wide"])
def test_no_box_covers_another_and_no_arrow_crosses_one(shown: Any, url: str, graph: str) -> None:
    draw(shown, url, graph)

    assert shown.evaluate(FAULTS) == []


def test_every_node_is_a_box_also_of_two_hundred(shown: Any, url: str) -> None:
    assert draw(shown, url, "wide").locator("g.box.task").count() == 200


def test_a_picture_that_is_too_large_is_scrolled_and_can_be_read(shown: Any, url: str) -> None:
    picture = draw(shown, url, "wide")
    inside = """canvas => [canvas.scrollHeight > canvas.clientHeight,
        canvas.querySelector("text.name").getBoundingClientRect().height]"""

    scrolls, high = picture.locator("xpath=..").evaluate(inside)
    assert scrolls
    assert high > 8
    expect(picture.locator("g.box.start")).to_be_in_viewport()


def test_a_picture_that_is_scrolled_shows_where_the_run_is(shown: Any, url: str) -> None:
    api = url.removesuffix("/studio")
    assert httpx.post(f"{api}/graphs/deep/runs", json={"instance_id": "deep"}).status_code == 202
    httpx.get(f"{api}/runs/deep", params={"wait": 20}, timeout=60)
    shown.goto(f"{url}#/runs/deep")

    expect(shown.locator(".canvas g.box.is-failed")).to_be_in_viewport()


def test_what_was_declared_from_left_to_right_is_drawn_so(shown: Any, url: str) -> None:
    picture = draw(shown, url, "checks")
    lefts = [
        picture.get_by_label(f"check_{name}, task").bounding_box()["x"] for name in ("credit", "identity", "employer")
    ]

    assert lefts == sorted(lefts)


def test_a_wait_shows_its_events_and_its_deadline_and_an_error_edge_its_type(shown: Any, url: str) -> None:
    picture = draw(shown, url, "checks")
    expect(picture.get_by_label("accepted or rejected")).to_be_visible()
    expect(picture.locator(".arrow.late text")).to_have_text("after 2 d")
    expect(picture.locator(".arrow.wait text")).to_have_text(["accepted", "rejected"])
    expect(picture.locator(".arrow.error text")).to_have_text(["MergeConflict", "other errors"])
    expect(shown.locator(".legend")).to_have_text([" on an error", " when time is up"])


def test_branches_of_several_nodes_end_where_they_join(shown: Any, url: str) -> None:
    picture = draw(shown, url, "branches")

    assert picture.locator("g.box.join").count() == 2
    assert picture.locator("g.box.end").count() == 2


def test_a_run_lights_the_nodes_that_its_branches_have_passed_as_runs_of_their_own(shown: Any, url: str) -> None:
    api = url.removesuffix("/studio")
    assert httpx.post(f"{api}/graphs/branches/runs", json={"instance_id": "two"}).status_code == 202
    assert httpx.get(f"{api}/runs/two", params={"wait": 20}, timeout=60).json()["status"] == "completed"
    shown.goto(f"{url}#/runs/two")
    lit = shown.locator(".canvas g.box.is-done[role=button]")

    passed = ["both", "legal", "legal_ok", "finance", "inner", "tax", "budget", "finance_ok", "sign"]
    expect(lit).to_have_count(len(passed))
    assert {box.get_attribute("aria-label").partition(",")[0] for box in lit.all()} == set(passed)
    assert shown.locator(".canvas .join.is-done").count() == 2


def test_a_long_name_is_cut_and_said_in_full(shown: Any, url: str) -> None:
    box = draw(shown, url, "open_ends").get_by_label(f"{LONG}, task")

    expect(box.locator("title")).to_have_text(f"{LONG}, task")
    expect(box.locator(".name")).to_contain_text("…")


def test_a_sleep_a_pause_and_a_map_say_how_long_and_over_what(shown: Any, url: str) -> None:
    picture = draw(shown, url, "polling")

    for label in (
        "sleep 1 h",
        "cool_down, wait, pause 5 min",
        "each, map, each of items · at most 10 min · 3 attempts",
    ):
        expect(picture.get_by_label(label)).to_be_visible()
