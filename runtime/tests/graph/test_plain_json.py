"""Only plain JSON crosses the durable boundary."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_functions_durable_graph.errors import PayloadError
from azure_functions_durable_graph.graph.plain_json import canonical, check, digest, parse

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(JSON)
def test_canonical_text_reads_back_and_does_not_depend_on_order(value: Any) -> None:
    text = canonical(value)

    assert canonical(parse(text)) == text
    assert text.isascii()


def test_equal_values_have_equal_digests() -> None:
    assert digest({"a": 1, "b": [2]}) == digest({"b": [2], "a": 1})
    assert digest({"a": 1}) != digest({"a": "1"})


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"nope", b"\xff\xfe\x00", b"NaN", b'{"a": Infinity}', b"[" * 100_000, b"{'a': 1}"],
    ids=["empty", "cut off", "a word", "no UTF-8", "NaN", "Infinity", "deeply nested", "single quotes"],
)
def test_what_is_no_json_is_a_payload_error_and_nothing_else(body: Any) -> None:
    with pytest.raises(PayloadError):
        parse(body)


@pytest.mark.parametrize("key", ["__class__", "__module__", "__data__"])
def test_keys_that_the_sdk_resolves_to_classes_are_refused_at_any_depth(key: Any) -> None:
    with pytest.raises(PayloadError, match=rf"body\.a\[1\]: the key '{key}' is reserved"):
        check({"a": [0, {key: "os"}]}, "body")


@pytest.mark.parametrize(
    "value", [{1: "a"}, float("nan"), {"a": object}, {"a": {1, 2}}], ids=["key", "nan", "object", "set"]
)
def test_values_that_json_does_not_have_are_refused(value: Any) -> None:
    with pytest.raises(PayloadError):
        check(value, "body")
