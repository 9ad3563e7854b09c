"""One call of the API as a value, and what carries it: the app itself, or HTTP."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from ..errors import PayloadError
from ..http.routes import ROUTES, Route
from ..http.values import Response

BY_NAME: Mapping[str, Route] = {route.name: route for route in ROUTES}


@dataclass(frozen=True)
class Call:
    """A request for one route. `body` is JSON, None for an empty one; a query's None is left out."""

    route: Route
    params: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None
    key: str | None = None
    """The Idempotency-Key."""

    @property
    def texts(self) -> dict[str, str]:
        """The query as a URL has it."""
        return {name: str(value) for name, value in self.query.items() if value is not None}

    def encoded(self) -> bytes:
        """The body's bytes. Raises PayloadError for a body that has no JSON form; the API judges the rest."""
        try:
            return b"" if self.body is None else json.dumps(self.body).encode("ascii")
        except (TypeError, ValueError, RecursionError) as error:
            raise PayloadError(f"the body cannot be written as JSON: {error}") from None


class Door(Protocol):
    """Carries calls to the API."""

    async def send(self, call: Call) -> Response:
        """The response, whatever its status."""
        ...

    async def pause(self, seconds: float) -> None: ...

    def clock(self) -> float:
        """Seconds that only grow."""
        ...
