"""JSON over HTTP for commands: a response, or an error of one sentence."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

from ..errors import HostError
from ..remote.address import is_here

TIMEOUT = 60.0


class _NoRedirections(urllib.request.HTTPRedirectHandler):
    """A redirection is an answer: followed, it would get the key."""

    def redirect_request(self, *_: Any) -> None:
        return None


def ask(url: str, headers: Mapping[str, str] | None = None, public_url: str | None = None) -> tuple[int, Any]:
    """The status and the JSON of a response; None for a body that is not JSON. `public_url` is the URL without secrets.

    Raises HostError for a URL that cannot be reached, and for an incomplete response.
    """
    public_url = public_url or url
    if not url.lower().startswith(("http://", "https://")):
        raise HostError(f"{public_url} is not a URL: it must begin with http:// or https://")
    try:
        request = urllib.request.Request(url, headers=dict(headers or {}))
        direct = [urllib.request.ProxyHandler({})] if is_here(url) else []
        with urllib.request.build_opener(_NoRedirections, *direct).open(request, timeout=TIMEOUT) as response:
            return response.status, _json(response.read())
    except urllib.error.HTTPError as error:
        with error:
            elsewhere = error.headers.get("Location", "").partition("?")[0]
            if 300 <= error.code < 400 and elsewhere:
                raise HostError(f"{public_url} redirects to {elsewhere}: use that address") from None
            return error.code, _json(error.read())
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise HostError(f"{public_url} cannot be reached: {reason}") from None


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
