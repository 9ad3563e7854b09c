"""The caller's trace context is read as https://www.w3.org/TR/trace-context/ says, or ignored."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from azure_functions_durable_graph.work.trace_context import is_sampled, read_trace, trace_id, trace_of

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
PARENT = f"00-{TRACE}-{SPAN}-01"


def test_a_valid_context_is_kept_as_it_is() -> None:
    read = read_trace({"traceparent": PARENT, "tracestate": "congo=t61rcWkgMzE, rojo@sys=00f067aa0ba902b7"})

    assert read == {"traceparent": PARENT, "tracestate": "congo=t61rcWkgMzE,rojo@sys=00f067aa0ba902b7"}
    assert trace_id(read) == TRACE
    assert is_sampled(read)


@pytest.mark.parametrize(
    ("flags", "sampled"), [("00", False), ("01", True), ("02", False), ("10", False), ("ff", True)]
)
def test_the_last_bit_of_the_flags_says_whether_the_caller_records_the_trace(flags: str, sampled: bool) -> None:
    assert is_sampled({"traceparent": f"00-{TRACE}-{SPAN}-{flags}"}) is sampled


@pytest.mark.parametrize(
    "parent",
    [
        None,
        7,
        "",
        "no trace",
        PARENT.upper(),
        PARENT + "-more",
        PARENT + "0",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE[1:]}-{SPAN}-01",
        f"{PARENT},{PARENT}",
        PARENT.replace("0", "\u0660", 1),
    ],
)
def test_a_malformed_parent_is_ignored_with_its_state(parent: Any) -> None:
    assert read_trace({"traceparent": parent, "tracestate": "a=b"}) is None


@pytest.mark.parametrize("parent", [f"01-{TRACE}-{SPAN}-01", f"cc-{TRACE}-{SPAN}-01-what-comes-later"])
def test_a_newer_version_is_read_as_this_one(parent: str) -> None:
    assert read_trace({"traceparent": parent}) == {"traceparent": PARENT}


@pytest.mark.parametrize(
    "state",
    [
        None,
        "",
        "novalue",
        "UPPER=1",
        "a=1,a=2",
        "a=b=c",
        "a=\x00",
        "ä=1",
        ",".join(f"k{number}=1" for number in range(33)),
        "a=" + "b" * 257,
        ",".join(f"k{number}={'v' * 100}" for number in range(6)),
    ],
)
def test_a_malformed_state_is_left_out_by_itself(state: Any) -> None:
    assert read_trace({"traceparent": PARENT, "tracestate": state}) == {"traceparent": PARENT}


def test_empty_members_of_a_state_do_not_count() -> None:
    assert read_trace({"traceparent": PARENT, "tracestate": " a=1 ,, b=2,"}) == {
        "traceparent": PARENT,
        "tracestate": "a=1,b=2",
    }


@pytest.mark.parametrize("names", [("trace_parent", "trace_state"), ("Traceparent", "Tracestate")])
def test_an_invocation_has_the_context_that_the_host_gave_it(names: tuple[str, str]) -> None:
    given = SimpleNamespace(**dict(zip(names, (PARENT, "a=b"), strict=True)))

    assert trace_of(SimpleNamespace(trace_context=given)) == {"traceparent": PARENT, "tracestate": "a=b"}


@pytest.mark.parametrize("context", [None, SimpleNamespace(), SimpleNamespace(trace_context=SimpleNamespace())])
def test_an_invocation_without_one_has_none(context: Any) -> None:
    assert trace_of(context) is None
