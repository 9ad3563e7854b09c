"""Converts values into arguments and results into values, with the SDK's own converters, as the Python worker does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from azure.functions import meta

_GENERIC = (str, bytes, bytearray, dict, list, int, float)
_PLAIN = frozenset({"string", "bytes", "json"})


def converter(kind: str) -> Any:
    """The SDK's converter for a binding type; None for a type that the worker converts itself."""
    return meta.get_binding_registry().get(kind)  # type: ignore[no-untyped-call]


def decode(kind: str, datum: meta.Datum, metadata: Mapping[str, meta.Datum] | None = None) -> Any:
    """The argument for a parameter with a binding of that type. Raises what the converter raises."""
    known = converter(kind)
    if known is not None:
        return known.decode(datum, trigger_metadata=metadata)
    if datum.type not in _PLAIN:  # GenericBinding.decode of the worker
        raise ValueError(f'unexpected type of data received for the "generic" binding {datum.type!r}')
    return datum.value


def check_output(kind: str, value: Any) -> None:
    """Raise, as the worker would, for a value that an output binding of that type cannot send."""
    known = converter(kind)
    if known is not None:
        known.encode(value, expected_type=None)
    elif not isinstance(value, _GENERIC):  # GenericBinding.encode of the worker
        raise TypeError(f'unable to encode outgoing TypedData: unsupported type "{kind}" for {type(value).__name__!r}')


def text_datum(text: str, kind: str = "string") -> meta.Datum:
    """A text as the worker gets it: "string", or "json" for what the host has created."""
    return meta.Datum(text, kind)


def http_datum(
    method: str, url: str, headers: Mapping[str, str], query: Mapping[str, str], params: Mapping[str, str], body: bytes
) -> meta.Datum:
    """A request as the worker gets it: every leaf is a separate datum."""

    def text(values: Mapping[str, str]) -> dict[str, meta.Datum]:
        return {name: meta.Datum(value, "string") for name, value in values.items()}

    return meta.Datum(
        {
            "method": meta.Datum(method, "string"),
            "url": meta.Datum(url, "string"),
            "headers": text(headers),
            "query": text(query),
            "params": text(params),
            "body": meta.Datum(body, "bytes"),
        },
        "http",
    )
