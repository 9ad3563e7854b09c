"""What the commands share that ask a served app: where it is, what is sent, and how it is printed."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import HostError, PayloadError
from ..graph.documents import why
from ..graph.plain_json import parse
from ..host.app.settings import read_settings
from ..remote.address import app_address, host_address

if TYPE_CHECKING:
    from pydantic import BaseModel

    from ..remote.clients import GraphClient

Say = Callable[[str], None]

LOCAL = "http://127.0.0.1:7071"
"""Where `serve` and Core Tools serve an app."""

URL_VARIABLE, KEY_VARIABLE = "DURABLE_GRAPH_URL", "FUNCTIONS_KEY"
"""Variables of the environment that name another app for all commands, and its function key."""

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def add_address(parser: argparse.ArgumentParser) -> None:
    """The options that say which app is asked."""
    add_url(parser)
    parser.add_argument("--key", help=f"function key, for an app in Azure (default: {KEY_VARIABLE})")


def add_url(parser: argparse.ArgumentParser) -> None:
    """The option that says where the app is."""
    text = f"URL of the app, with or without its route prefix (default: {URL_VARIABLE}, or {LOCAL})"
    parser.add_argument("--url", default=os.environ.get(URL_VARIABLE) or LOCAL, help=text)


def connect(options: argparse.Namespace) -> GraphClient:
    """The client of the app that the options name. Raises ApiUnreachable for what is not a URL."""
    from ..remote.clients import GraphClient  # needs httpx, which is not deployed

    return GraphClient(routes_url(options.url), options.key or os.environ.get(KEY_VARIABLE))


def routes_url(url: str) -> str:
    """The URL of an app's routes, given with or without their prefix: that of host.json here, or `api`."""
    return app_address(url, _prefix())


def webhooks_url(url: str) -> str:
    """The URL of an app's host, given with or without the prefix of its routes."""
    return host_address(url, _prefix())


def _prefix() -> str:
    return read_settings(Path.cwd(), os.environ).route_prefix


def read_body(text: str | None, what: str) -> Any:
    """The JSON of an argument: the text itself, `@FILE`, or `-` for what is piped in. Raises HostError."""
    if text is None:
        return None
    try:
        if text == "-":
            text = sys.stdin.read()
        elif text.startswith("@"):
            text = Path(text[1:]).read_text(encoding="utf-8-sig")
        return parse(text)
    except PayloadError as error:
        raise HostError(f'{what} is {error}; write it as in \'{{"name": "value"}}\', or give @FILE') from None
    except UnicodeDecodeError:
        raise HostError(f"{what}: {text} is not UTF-8 text") from None
    except OSError as error:
        raise HostError(f"{what}: {(text or '')[1:]} cannot be read: {why(error)}") from None


def read_tags(given: list[str] | None) -> dict[str, str]:
    """`KEY=VALUE`, each once. Raises HostError."""
    tags: dict[str, str] = {}
    for text in given or ():
        key, equals, value = text.partition("=")
        if not equals or key in tags:
            raise HostError(f"--tag {text!r}: write KEY=VALUE, with a different key each time")
        tags[key] = value
    return tags


def read_time(text: str | None, option: str, now: datetime) -> datetime | None:
    """A time, or how long ago it was: `2026-01-31T08:00:00Z`, `90m`, `2h`, `7d`. Raises HostError."""
    from ..history.arrivals import moment  # on Python 3.10 it needs a package, and the parser must not

    if text is None:
        return None
    span = re.fullmatch(r"(\d{1,6})([smhdw])", text)
    if span is not None:
        return now - timedelta(**{_UNITS[span[2]]: int(span[1])})
    found = moment(text)
    if found is None:
        raise HostError(
            f"{option} must be a time such as 2026-01-31T08:00:00Z, or how long ago: 90m, 2h, 7d; not {text!r}"
        )
    return found


def as_json(model: BaseModel) -> str:
    """What the app has answered, as JSON that any console can show."""
    return json.dumps(model.model_dump(mode="json", exclude_unset=True), indent=2)


def as_line(model: BaseModel) -> str:
    """The same on one line."""
    return json.dumps(model.model_dump(mode="json", exclude_unset=True))


def flat_json(value: Any) -> str:
    """A value on one line."""
    return json.dumps(value, ensure_ascii=False) if value not in (None, {}) else ""


def printable(text: str) -> str:
    """A text without characters that a terminal would obey: what is shown comes from runs."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def local_time(time: datetime | None) -> str:
    """A moment on this machine's clock."""
    return "" if time is None else f"{time.astimezone():%Y-%m-%d %H:%M:%S}"


def tag_text(tags: Mapping[str, Any]) -> str:
    """Tags as they are typed."""
    return " ".join(f"{key}={value}" for key, value in tags.items())
