"""What an instance holds that was not started through this API, such as NaN or endless nesting, can still be read."""

from __future__ import annotations

import json
from typing import Any

from azure_functions_durable_graph.http.values import DEEPEST, Response

NAN, INFINITY = float("nan"), float("inf")


def read(body: Any) -> Any:
    """The body as any client reads it: strict JSON."""

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is not JSON")

    return json.loads(Response(200, body).encoded().decode("ascii"), parse_constant=refuse)


def nested(depth: int) -> Any:
    value: Any = "core"
    for _ in range(depth):
        value = [value]
    return value


def depth_of(value: Any) -> int:
    return 1 + depth_of(value[0]) if isinstance(value, list) else 0


def test_what_is_json_stays_as_it_is() -> None:
    body = {"text": "ü😀\ud800", "numbers": [1, 2.5, None, True], "nested": {"a": [{}]}}

    assert read(body) == body


def test_numbers_that_json_does_not_know_are_their_names() -> None:
    body = {"a": NAN, "b": [INFINITY, -INFINITY, 1.5, "x"], "c": (1, {"d": NAN}), 7: None}

    assert read(body) == {"a": "nan", "b": ["inf", "-inf", 1.5, "x"], "c": [1, {"d": "nan"}], "7": None}


def test_what_is_nested_too_deeply_is_cut_off_where_a_body_cannot_be_written_as_it_is() -> None:
    shown = read([NAN, nested(DEEPEST - 1), nested(DEEPEST)])

    assert shown[0] == "nan"
    assert json.dumps(shown[1]) == json.dumps(nested(DEEPEST - 1))
    assert depth_of(shown[2]) == DEEPEST - 1
    assert "… (nested too deeply to be shown)" in json.dumps(shown[2], ensure_ascii=False)


def test_nesting_beyond_every_writer_is_cut_off() -> None:
    assert depth_of(read(nested(100_000))) == DEEPEST


def test_text_and_pictures_are_utf_8() -> None:
    assert Response(200, "ü", content_type="text/plain; charset=utf-8").encoded() == "ü".encode()
