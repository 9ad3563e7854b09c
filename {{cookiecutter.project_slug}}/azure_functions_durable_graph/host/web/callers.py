"""Who may call the host: programs on this machine, and web pages that it has served itself.

A browser sends whatever any page requests, even to 127.0.0.1: so a page could start runs (its Origin is not ours), and,
with a domain name that it resolves to 127.0.0.1, read them (its Host is not ours: DNS rebinding).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterable
from urllib.parse import urlsplit


def refusal(hosts: Iterable[str], origins: Iterable[str], allowed: Collection[str] = ()) -> str | None:
    """Why a request with these Host and Origin headers is rejected; None if it is accepted.

    `allowed` contains additional names, in lower case and without ports.
    """
    for header, values in (("Host", [f"//{host}" for host in hosts]), ("Origin", list(origins))):
        for value in values:
            name = _name(value)
            if not _is_loopback(name) and name not in allowed:
                named = name or value.lstrip("/")
                return (
                    f"this host only answers requests whose {header} is localhost or a loopback address, not {named!r}"
                    f"; to allow it, start `serve` with --allow-host NAME"
                )
    return None


def _name(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").rstrip(".").lower()
    except ValueError:  # brackets that do not match
        return ""


def _is_loopback(name: str) -> bool:
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
