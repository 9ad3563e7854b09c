"""Random trees of branches, maps, subgraphs, waits, failures and kills; what must come of each is computed, too."""

from __future__ import annotations

import operator
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from random import Random
from typing import Annotated, Any

from pydantic import BaseModel

from azure_functions_durable_graph import GraphRegistration, ManifestBuilder, RouteDecision
from azure_functions_durable_graph.testing import GraphHost, GraphRun

HOUR = timedelta(hours=1)


class Grown(BaseModel):
    """The state of a run of a tree. Whatever is done leaves a note."""

    notes: Annotated[list[str], operator.add] = []
    items: list[str] = ["x", "y", "bad", "z"]
    many: list[int] = list(range(50))


class Leaf(BaseModel):
    """The state of a subgraph, and of an item's run."""

    name: str = "leaf"
    said: str = ""
    said_all: list[str] = []


@dataclass
class Outcome:
    """What must come of a shape: the notes that it leaves, and whether it fails."""

    notes: list[str] = field(default_factory=list)
    fails: bool = False


@dataclass
class Tree:
    """One random graph: its builder, the calls that handlers have had, and what has to come of it."""

    dice: Random
    builder: Any = field(default_factory=lambda: ManifestBuilder("tree", Grown))
    calls: Counter[str] = field(default_factory=Counter)
    reached: list[str] = field(default_factory=list)
    killed: set[str] = field(default_factory=set)
    numbers: Any = field(default_factory=count)

    def grow(self) -> tuple[GraphRegistration, Outcome]:
        """The graph, and its outcome."""
        kinds = [self.dice.choice(_KINDS) for _ in range(self.dice.randint(1, 3))]
        first, outcome = self.lay(kinds, "the_end", depth=0)
        self.builder.set_entrypoint(first)
        self.builder.add_node("the_end", lambda state: None, terminal=True)
        return self.builder.build(), outcome

    def lay(self, kinds: list[str], following: str | None, depth: int) -> tuple[str, Outcome]:
        """Declare a chain of shapes; its first node, and its outcome. `following` is None at the end of a branch."""
        names = [f"{kind}{next(self.numbers)}" for kind in kinds]
        whole = Outcome()
        for place, (kind, name) in enumerate(zip(kinds, names, strict=True)):
            after = names[place + 1] if place + 1 < len(names) else following
            alive = not whole.fails
            mark = len(self.reached), set(self.killed)
            found = getattr(self, f"_{kind}")(name, after, depth)
            if alive:
                whole = Outcome(whole.notes + found.notes, found.fails)
            else:  # never reached
                self.reached, self.killed = self.reached[: mark[0]], mark[1]
        return names[0], whole

    def _task(self, name: str, after: str | None, depth: int) -> Outcome:
        fails = self.dice.random() < 0.15

        def handler(state: Grown) -> dict[str, Any]:
            self.calls[name] += 1
            if fails:
                raise ValueError(name)
            return {"notes": [name]}

        self.builder.add_node(name, handler, next_node=after)
        self.reached.append(name)
        return Outcome([] if fails else [name], fails)

    def _wait(self, name: str, after: str | None, depth: int) -> Outcome:
        event, then = f"e_{name}", f"{name}_then"
        sleeps = self.dice.random() < 0.3
        kills = not sleeps and depth > 0 and self.dice.random() < 0.25

        def route(state: Grown) -> RouteDecision:
            if sleeps:
                return RouteDecision.sleep(HOUR, resume_node=then)
            return RouteDecision.wait_for_event(event_name=event, resume_node=then)

        def ask(state: Grown) -> None:
            self.calls[name] += 1

        def go_on(state: Grown) -> dict[str, Any]:
            self.calls[then] += 1
            return {"notes": [then]}

        self.builder.add_node(name, ask, route=route, targets=[then])
        self.builder.add_node(then, go_on, next_node=after)
        self.builder.add_event_handler(event, lambda state, payload: {"notes": [event]})
        self.reached += [name] if kills else [name, then]
        self.killed |= {event} if kills else set()
        return Outcome([] if kills else [*([] if sleeps else [event]), then], kills)

    def _parallel(self, name: str, after: str | None, depth: int) -> Outcome:
        if depth >= 3:
            return self._task(name, after, depth)
        branches = []
        for _ in range(self.dice.randint(1, 3)):
            kinds = [self.dice.choice(_KINDS) for _ in range(self.dice.choice([1, 1, 2, 3]))]
            branches.append(self.lay(kinds, after if self.dice.random() < 0.5 else None, depth + 1))
        settings: dict[str, Any] = {}
        least = None
        if self.dice.random() < 0.3:
            settings["min_successful"] = least = self.dice.randint(1, len(branches))
        elif self.dice.random() < 0.3:
            settings["stop_when"] = len(branches)  # of all branches: none is ever left to be stopped
        if self.dice.random() < 0.3:
            settings["deadline"] = timedelta(days=3000)
        mends = after is not None and self.dice.random() < 0.5
        if mends:
            settings["on_error"] = after
        self.builder.add_parallel(name, [first for first, _ in branches], next_node=after, **settings)
        good = [outcome for _, outcome in branches if not outcome.fails]
        fails = len(good) < (len(branches) if least is None else least)
        notes = [note for outcome in good for note in outcome.notes]
        return Outcome(notes if mends or not fails else [], fails and not mends)

    def _map(self, name: str, after: str | None, depth: int) -> Outcome:
        fails, limit = self.dice.random() < 0.2, self.dice.choice([1, 2, 20])
        mends = after is not None and self.dice.random() < 0.5

        def handler(state: Grown, item: str) -> str:
            self.calls[f"{name} {item}"] += 1
            assert state.items == [item]
            if fails and item == "bad":
                raise KeyError(item)
            return f"{name} {item}"

        settings: dict[str, Any] = {"on_error": after} if mends else {}
        settings |= {"deadline": timedelta(days=3000)} if self.dice.random() < 0.3 else {}
        called = Grown().items
        if limit == 1 and self.dice.random() < 0.5:  # one after the other: it is known which items begin
            settings["stop_when"] = "first_failure"
            called = called[:3] if fails else called
        self.builder.add_map(
            name, handler, over="items", into="notes", max_concurrency=limit, next_node=after, **settings
        )
        self.reached += [f"{name} {item}" for item in called]
        kept = [f"{name} {item}" for item in called if not (fails and item == "bad")]
        return Outcome(kept if mends or not fails else [], fails and not mends)

    def _many(self, name: str, after: str | None, depth: int) -> Outcome:
        """More items than one run takes: its parts stop at so many successes."""
        enough = self.dice.choice([1, 2, 3])

        def handler(state: Grown, item: int) -> str:
            self.calls[f"{name} {item}"] += 1
            return f"{name} {item}"

        settings: dict[str, Any] = {"max_concurrency": 1, "stop_when": enough, "next_node": after}
        self.builder.add_map(name, handler, over="many", into="notes", **settings)
        called = [f"{name} {item}" for item in range(enough)]
        self.reached += called
        return Outcome(called)

    def _late(self, name: str, after: str | None, depth: int) -> Outcome:
        """Runs of an hour, of which some or none are done at the deadline."""
        hours = self.dice.choice([0.5, 1.5, 2.5])
        limit = self.dice.choice([1, 2, 100])
        mends = after is not None and self.dice.random() < 0.5
        settings: dict[str, Any] = {"on_error": after} if mends else {}
        self.builder.add_map(
            name,
            graph="leaf",
            over="items",
            input={"name": "__item__"},
            output={"notes": "said"},
            max_concurrency=limit,
            next_node=after,
            deadline=timedelta(hours=hours),
            **settings,
        )
        done = Grown().items[: int(hours) * limit]
        fails = len(done) < 4
        return Outcome([f"said {item}" for item in done] if mends or not fails else [], fails and not mends)

    def _each(self, name: str, after: str | None, depth: int) -> Outcome:
        least = self.dice.choice([None, 3, 4])
        limit = self.dice.choice([1, 2, 100])
        settings = {} if least is None else {"min_successful": least}
        self.builder.add_map(
            name,
            graph="leaf" if least is None else "picky",
            over="items",
            input={"name": "__item__"},
            output={"notes": "said"},
            max_concurrency=limit,
            next_node=after,
            **settings,
        )
        said = [f"said {item}" for item in Grown().items if least is None or item != "bad"]
        return Outcome([] if least == 4 else said, least == 4)

    def _sub(self, name: str, after: str | None, depth: int) -> Outcome:
        self.builder.add_subgraph(name, graph="leaf", output={"notes": "said_all"}, next_node=after)
        return Outcome(["said leaf"])


_KINDS = ("task", "task", "task", "wait", "parallel", "parallel", "map", "many", "each", "late", "sub")


def leaves() -> list[GraphRegistration]:
    """The graphs that trees run: `leaf` says its name after an hour, `picky` fails for a bad one."""

    def say(state: Leaf) -> dict[str, Any]:
        return {"said": f"said {state.name}", "said_all": [f"said {state.name}"]}

    def pick(state: Leaf) -> dict[str, Any]:
        if state.name == "bad":
            raise LookupError("bad")
        return say(state)

    later = ManifestBuilder("leaf", Leaf).set_entrypoint("rest")
    later.add_wait("rest", duration=HOUR, next_node="say").add_node("say", say, terminal=True)
    picky = ManifestBuilder("picky", Leaf).set_entrypoint("pick").add_node("pick", pick, terminal=True)
    return [later.build(), picky.build()]


def play(tree: Tree, host: GraphHost, run: GraphRun) -> None:
    """Answer and kill, in any order, until nothing is left to do."""
    for _ in range(200):
        waits = run.view["waits"] if run.status not in ("completed", "failed", "cancelled") else []
        if waits:
            wait = tree.dice.choice(waits)
            if wait["event"] in tree.killed:
                GraphRun(host, wait["run"]).cancel("killed")
            else:
                run.send(wait["event"], {}, wait_id=wait["id"])
        elif run.status in ("completed", "failed"):
            return
        run.advance(HOUR if not waits or tree.dice.random() < 0.3 else timedelta(0))
    raise AssertionError(f"the run does not end: {run!r}")
