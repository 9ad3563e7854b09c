"""What `context.progress` takes: a fraction or a small JSON object; anything else is an error at the call."""

from __future__ import annotations

import copy
import dataclasses
import math
import pickle
from fractions import Fraction
from typing import Any

import pytest

from azure_functions_durable_graph import NodeContext
from azure_functions_durable_graph.graph.progress import MOST_BYTES, progress_value


def context() -> NodeContext:
    return NodeContext("r", "g", "hash", "1", "a", 0, 1, "r:0")


@pytest.mark.parametrize(("given", "kept"), [(0, 0.0), (1, 1.0), (0.5, 0.5), (Fraction(1, 4), 0.25)])
def test_a_fraction_is_a_number_between_0_and_1(given: Any, kept: float) -> None:
    value = progress_value(given)

    assert (value, type(value)) == (kept, float)


@pytest.mark.parametrize("given", [-0.01, 1.01, 7, 10**400, math.nan, math.inf, -math.inf])
def test_a_number_outside_of_0_to_1_is_an_error_that_says_how_to_pass_counts(given: Any) -> None:
    with pytest.raises(ValueError, match="between 0 and 1; pass counts as a dict"):
        progress_value(given)


@pytest.mark.parametrize("given", [True, None, "0.5", [0.5], (1, 2), 1j, object()])
def test_another_type_is_an_error(given: Any) -> None:
    with pytest.raises(TypeError, match="takes a fraction between 0 and 1 or a dict of JSON values, not "):
        progress_value(given)


def test_a_dict_is_copied_as_it_was_at_the_call() -> None:
    given = {"done": 1, "files": ["a"]}

    kept = progress_value(given)
    given["files"].append("b")  # type: ignore[attr-defined]

    assert kept == {"done": 1, "files": ["a"]}


@pytest.mark.parametrize("given", [{"at": math.nan}, {"what": object()}, {1: 2}, {"__class__": "x"}, {"x": "\ud800"}])
def test_a_dict_that_is_not_plain_json_is_an_error(given: Any) -> None:
    with pytest.raises(ValueError, match=r"^progress"):
        progress_value(given)


def test_a_dict_may_take_so_many_bytes_and_not_one_more() -> None:
    fits = {"text": "x" * (MOST_BYTES - len('{"text":""}'))}

    assert progress_value(fits) == fits
    with pytest.raises(ValueError, match=f"at most {MOST_BYTES} bytes of JSON, not {MOST_BYTES + 1}"):
        progress_value({"text": fits["text"] + "x"})


def test_a_context_that_a_test_has_made_checks_the_value_and_shows_it_nowhere() -> None:
    context().progress(0.5)

    with pytest.raises(ValueError, match="between 0 and 1"):
        context().progress(50)


def test_a_context_that_reports_is_still_a_plain_value() -> None:
    seen: list[Any] = []
    told = context().reporting_to(seen.append)
    told.progress(0.5)

    assert seen == [0.5]
    assert told == context()
    assert repr(told) == repr(context())
    assert "report" not in str(dataclasses.asdict(told))
    for copied in (pickle.loads(pickle.dumps(told)), copy.deepcopy(told), dataclasses.replace(told)):
        copied.progress(1)
        assert copied == told
    assert seen == [0.5]
