"""azure-functions-durable, as the modules of this room import it: `from .durable import df`."""

from __future__ import annotations

from .late_aiohttp import without_aiohttp

with without_aiohttp():
    import azure.durable_functions as df

__all__ = ["df"]
