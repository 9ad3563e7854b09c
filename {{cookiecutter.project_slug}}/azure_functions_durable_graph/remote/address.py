"""Where an app is: one spelling of its URL for everything that asks for one."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit, urlunsplit

from ..errors import ApiUnreachable

PREFIX = "api"
"""The route prefix of an app whose host.json does not set another."""


def app_address(url: str, prefix: str = PREFIX) -> str:
    """The URL of the app's routes, without a slash at its end: `http://127.0.0.1:7071` is `http://127.0.0.1:7071/api`.

    A URL that has a path is taken as it is. Raises ApiUnreachable for what is not an http URL.
    """
    root, path = _parts(url)
    return f"{root}/{path or prefix.strip('/')}".rstrip("/")


def host_address(url: str, prefix: str = PREFIX) -> str:
    """The URL of the app's host, at which its webhooks are: that of the app without the route prefix."""
    root, path = _parts(url)
    return f"{root}/{path}".removesuffix(f"/{prefix.strip('/')}").rstrip("/")


def is_here(url: str) -> bool:
    """Whether a URL leads to this machine itself, as no proxy can."""
    name = urlsplit(url).hostname or ""
    try:
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _parts(url: str) -> tuple[str, str]:
    """Scheme and host; and the path without slashes around it."""
    try:
        parts = urlsplit(url.strip())
        named = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        named = False
    if not named:
        raise ApiUnreachable(f"{url!r} is not a URL: it must begin with http:// or https://")
    return urlunsplit((parts.scheme, parts.netloc, "", "", "")), parts.path.strip("/")
