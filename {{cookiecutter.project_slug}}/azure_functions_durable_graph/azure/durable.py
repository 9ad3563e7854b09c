"""azure-functions-durable, as the modules of this room import it: `from .durable import df`."""

from __future__ import annotations

from ..errors import HostError
from .late_aiohttp import without_aiohttp

try:
    with without_aiohttp():
        import azure.durable_functions as df
except ValueError as error:  # it reads the host.json of the working folder, and no comments
    raise HostError(
        f"azure-functions-durable cannot read host.json ({error}); write it as plain JSON in UTF-8, without comments "
        "and without a byte order mark"
    ) from None

__all__ = ["df"]
