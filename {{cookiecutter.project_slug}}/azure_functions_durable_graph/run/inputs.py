"""A run's input beside its state: a field that still has the value of the input is carried once.

`RunInput.same` names the fields of the input whose values are those of `RunInput.state`; `RunInput.input` has the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..graph.plain_json import same_json
from .messages import RunInput


def with_input(run: RunInput, given: Mapping[str, Any]) -> RunInput:
    """A run that begins, with the input `given`."""
    state = run["state"]
    same = [key for key, value in given.items() if key in state and same_json(value, state[key])]
    return {**run, "input": {key: value for key, value in given.items() if key not in same}, "same": same}


def for_next_generation(run: RunInput, before: Mapping[str, Any]) -> RunInput:
    """A run that continues as new, and began this generation with the state `before`.

    A value that was replaced goes back into the input. A state is never changed in place, so one that is the same
    object has the same value.
    """
    state, same = run["state"], run.get("same", ())
    kept = [key for key in same if key in state and state[key] is before[key]]
    replaced = {key: before[key] for key in same if key not in kept}
    return {**run, "input": {**run["input"], **replaced}, "same": kept}


def original_input(run: Mapping[str, Any]) -> dict[str, Any]:
    """The input as it was given, with which the run began."""
    state = run["state"]
    return {**{key: state[key] for key in run.get("same", ()) if isinstance(key, str) and key in state}, **run["input"]}
