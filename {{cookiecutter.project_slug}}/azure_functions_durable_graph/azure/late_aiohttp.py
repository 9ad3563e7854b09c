"""aiohttp is loaded with the first request, not with the SDK: it is a third of what a cold start imports.

azure-functions-durable 1.x needs aiohttp only where a durable client talks to the extension, which an instance that
runs nodes and orchestrators may never do. It imports it at the top of one module, whose annotations name
`ClientSession`; while that module is loaded, something else stands in for aiohttp.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

SDK = "azure.durable_functions"
ITS_MODULE = f"{SDK}.models.utils.http_utils"


class _Later(ModuleType):
    """Stands for aiohttp until an attribute is asked for; to everybody but the SDK's annotations it is aiohttp."""

    def __getattr__(self, name: str) -> Any:
        asks = sys._getframe(1)
        annotates = asks.f_globals.get("__name__") == ITS_MODULE and asks.f_code.co_name == "<module>"
        return _Session if annotates and name == "ClientSession" else getattr(_load(self), name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(_load(self), name, value)  # as a test does that replaces the session of the SDK

    def __delattr__(self, name: str) -> None:
        delattr(_load(self), name)


class _Session:
    """What the SDK's annotations name instead of aiohttp's."""


def _load(stand_in: ModuleType) -> ModuleType:
    _take_away(stand_in)
    aiohttp = importlib.import_module("aiohttp")
    sdk = sys.modules.get(ITS_MODULE)
    if sdk is not None and getattr(sdk, "aiohttp", None) is stand_in:
        sdk.aiohttp = aiohttp  # type: ignore[attr-defined]
    return aiohttp


def _take_away(stand_in: ModuleType) -> None:
    if sys.modules.get("aiohttp") is stand_in:
        del sys.modules["aiohttp"]


@contextlib.contextmanager
def without_aiohttp() -> Iterator[None]:
    """Let the SDK be imported without aiohttp, unless one of them is loaded already, or aiohttp is missing."""
    if SDK in sys.modules or "aiohttp" in sys.modules or importlib.util.find_spec("aiohttp") is None:
        yield
        return
    stand_in = sys.modules["aiohttp"] = _Later("aiohttp")
    try:
        yield
    finally:
        _take_away(stand_in)
