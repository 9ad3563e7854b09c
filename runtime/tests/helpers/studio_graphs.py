"""Graphs for tests of the studio. They are at the top level, as a user's are, so that a copied test can import them."""

from __future__ import annotations

import operator
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal

from failing import Failing
from pydantic import BaseModel, ConfigDict, Field, field_validator
from shapes import Counter

from azure_functions_durable_graph import GraphRegistration, ManifestBuilder, RetryPolicy, RouteDecision

MARKUP = "<img src=x onerror=\"alert('markup')\"><script>alert(1)</script> & 'quotes' \"more\" \u2028 end"
"""What must never be anything but text."""


class Expense(BaseModel):
    """A state with fields of many kinds."""

    title: str = Field(min_length=1)
    amount: Decimal
    priority: Literal["low", "high"] = "low"
    lines: list[str] = []
    log: Annotated[list[str], operator.add] = []
    approved: bool | None = None
    reviewer: str = ""


class Verdict(BaseModel):
    """A payload with a rule that its JSON Schema cannot say."""

    approved: bool
    reviewer: str = Field(min_length=2)

    @field_validator("reviewer")
    @classmethod
    def _known(cls, value: str) -> str:
        if value.isdigit():
            raise ValueError("a reviewer is a person, not a number")
        return value


def ask(state: Expense) -> RouteDecision:
    """Ask with a question."""
    return RouteDecision.wait_for_event(
        event_name="verdict",
        resume_node="settle",
        timeout=timedelta(days=3),
        timeout_node="escalate",
        prompt={"title": f"Pay {state.title}?", "amount": str(state.amount)},
    )


def after(state: Expense) -> Literal["pay", "__complete__"]:
    """Only what is approved is paid."""
    return "pay" if state.approved else "__complete__"


def take(state: Expense, payload: Verdict) -> dict[str, Any]:
    """Keep the verdict."""
    return {"approved": payload.approved, "reviewer": payload.reviewer, "log": ["answered"]}


def expenses() -> GraphRegistration:
    """Checks an expense, asks for a verdict, and pays."""
    builder = ManifestBuilder("expenses", Expense).set_entrypoint("check")
    builder.add_node("check", lambda state: {"log": ["checked"]}, route=ask, targets=["settle", "escalate"])
    builder.add_node("settle", lambda state: None, route=after)
    builder.add_node("pay", lambda state: {"log": ["paid"]}, terminal=True)
    builder.add_node("escalate", lambda state: {"log": ["late"]}, terminal=True)
    builder.add_event_handler("verdict", take, payload_model=Verdict)
    return builder.build()


class BankClosed(ConnectionError):  # noqa: N818 - users name their errors as they like
    """The bank does not answer."""


def payments() -> GraphRegistration:
    """Charges, with an attempt that fails now and then, and counts."""
    quick = RetryPolicy(max_attempts=2, first_interval=timedelta(milliseconds=20))
    builder = ManifestBuilder("payments", Counter).set_entrypoint("prepare")
    builder.add_node("prepare", lambda state: {"said": ["prepared"]}, next_node="charge")
    builder.add_node("charge", Failing(0, BankClosed), next_node="book", retry=quick)
    builder.add_node("book", lambda state: {"said": [*state.said, "booked"]}, terminal=True)
    return builder.build()


def trips() -> GraphRegistration:
    """A subgraph that asks, a parallel, and a pause."""
    builder = ManifestBuilder("trips", Expense).set_entrypoint("quotes")
    builder.add_parallel("quotes", branches=["train", "plane"], next_node="approval")
    builder.add_node("train", lambda state: {"log": ["train"]})
    builder.add_node("plane", lambda state: {"log": ["plane"]})
    builder.add_subgraph(
        "approval",
        graph="expenses",
        input={"title": "title", "amount": "amount"},
        output={"approved": "approved", "reviewer": "reviewer"},
        next_node="rest",
    )
    builder.add_wait("rest", duration=timedelta(milliseconds=30), next_node="book")
    builder.add_node("book", lambda state: {"log": ["booked"]}, terminal=True)
    return builder.build()


class Broken(BaseModel):
    """A state full of what looks like markup."""

    text: str = MARKUP


def hostile() -> GraphRegistration:
    """Notes, prompts, errors and states full of markup: fails when it is answered."""

    def fail(state: Broken) -> None:
        raise ValueError(MARKUP)

    builder = ManifestBuilder("hostile", Broken).set_entrypoint("a")
    builder.add_node(
        "a",
        lambda state: {"text": MARKUP + "!"},
        route=lambda state: RouteDecision.wait_for_event(
            event_name="go", resume_node="b", note=MARKUP, prompt={"title": MARKUP, MARKUP: MARKUP}
        ),
        targets=["b"],
    )
    builder.add_node("b", fail, terminal=True)
    builder.add_event_handler("go", lambda state, payload: {"text": payload["text"]})
    return builder.build()


def wide(nodes: int) -> GraphRegistration:
    """Many nodes: a line with side steps."""
    builder = ManifestBuilder("wide", Counter).set_entrypoint("n0")
    for number in range(nodes):
        targets = [f"n{other}" for other in (number + 1, number + 7) if other < nodes] or ["__complete__"]
        builder.add_node(f"n{number}", lambda state: None, route=lambda state, to=targets[0]: to, targets=targets)
    return builder.build()


class Sums(BaseModel):
    """Numbers, and what became of them."""

    numbers: list[int] = []
    halves: list[int] = []
    log: Annotated[list[str], operator.add] = []


FAILING: dict[str, int] = {}
"""How often each of these still fails: numbers, and names of nodes."""


def maybe_fail(name: str, error: type[Exception] = ValueError) -> None:
    """Fail while it is planned."""
    if FAILING.get(name, 0) > 0:
        FAILING[name] -= 1
        raise error(f"{name} is out of order")


def halve(state: Sums, number: int) -> int:
    """Half of it."""
    maybe_fail(str(number))
    return number // 2


def quick(state: Sums) -> dict[str, Any]:
    """A branch of one node."""
    maybe_fail("quick", BankClosed)
    return {"log": ["quick"]}


def slower(state: Sums) -> dict[str, Any]:
    """The end of a branch of two."""
    maybe_fail("slower", BankClosed)
    return {"log": ["slower"]}


def sums(name: str, **settings: Any) -> GraphRegistration:
    """A map over numbers, then branches, of which one is a run of its own."""
    builder = ManifestBuilder(name, Sums).set_entrypoint("halves")
    builder.add_map("halves", halve, over="numbers", into="halves", next_node="checks", **settings)
    builder.add_parallel("checks", branches=["quick", "slow"], next_node="end", on_error="end")
    builder.add_node("quick", quick)
    builder.add_node("slow", lambda state: {"log": ["slow"]}, next_node="slower")
    builder.add_node("slower", slower, next_node="end")
    return builder.add_node("end", lambda state: {"log": ["end"]}, terminal=True).build()


strict_sums = sums("strict_sums", on_error="end")
TWICE = RetryPolicy(max_attempts=2, first_interval=timedelta(milliseconds=20))
lenient_sums = sums("lenient_sums", min_successful=1, retry=TWICE)


class Numbers(BaseModel):
    """What JavaScript would round, and names that mean something to it."""

    big: int = 0
    top: int = Field(0, le=2**63 - 1)
    table: dict[str, Any] = {}


def counting() -> GraphRegistration:
    """Adds one, and waits."""
    builder = ManifestBuilder("counting", Numbers).set_entrypoint("add")
    ask = RouteDecision.wait_for_event(event_name="go", resume_node="rest")
    builder.add_node("add", lambda state: {"big": state.big + 1}, route=lambda state: ask, targets=["rest"])
    builder.add_node("rest", lambda state: None, terminal=True)
    return builder.add_event_handler("go", lambda state, payload: None).build()


class Cat(BaseModel):
    """One kind of pet."""

    kind: Literal["cat"] = "cat"
    name: str = Field(min_length=1)
    lives: int = 9

    @field_validator("name")
    @classmethod
    def _is_a_name(cls, value: str) -> str:
        if value.isdigit():
            raise ValueError("a cat has a name, not a number")
        return value


class Dog(BaseModel):
    """Another kind."""

    kind: Literal["dog"] = "dog"
    name: str
    barks: bool


class Kennel(BaseModel):
    """What holds itself, and pets."""

    label: str
    pet: Cat | Dog | None = None
    inner: Kennel | None = None


class Pets(BaseModel):
    """Fields of several kinds: models with and without a tag, optional ones, lists of them, and of what is no model."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"one": {"kind": "cat", "name": "Kim"}}]})

    one: Cat | Dog = Field(description="who moves in first")
    tagged: Annotated[Cat | Dog, Field(discriminator="kind")] = Dog(name="Rex", barks=True)
    maybe: Dog | None = None
    all: list[Cat | Dog] = []
    kennel: Kennel | None = None
    chip: int | str | None = None


class Adopted(BaseModel):
    """The pet that somebody takes, or why nobody does."""

    what: Cat | Dog | str


def pets() -> GraphRegistration:
    """Asks which pet is taken."""
    builder = ManifestBuilder("pets", Pets).set_entrypoint("offer")
    ask = RouteDecision.wait_for_event(event_name="adopt", resume_node="rest")
    builder.add_node("offer", lambda state: None, route=lambda state: ask, targets=["rest"])
    builder.add_node("rest", lambda state: None, terminal=True)
    builder.add_event_handler("adopt", lambda state, payload: {"one": payload.what}, payload_model=Adopted)
    return builder.build()


expenses_registration = expenses()
payments_registration = payments()
trips_registration = trips()
