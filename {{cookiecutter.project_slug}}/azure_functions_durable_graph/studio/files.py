"""The studio's files, and the headers that they are served with.

The page is static: it carries no data, and reads the API with the key that its reader has given it. Its modules stand
below a folder that is named by a digest of all of them, so that a browser may keep them for ever and never mixes those
of two deployments. The studio's own modules are served as one.
"""

from __future__ import annotations

import functools
import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .bundle import FIRST, brief, bundle

FOLDER = Path(__file__).parent / "static"

PAGE, STYLE, PLACE = "index.html", "style.css", b"{files}"
"""The page, its style, and what stands in the page for the folder of its files."""

DIGITS = 12
"""Hex digits of the digest in that folder's name."""

POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    ]
)
"""No inline script or style, no eval, nothing from elsewhere; and no text can become markup."""

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}


@dataclass(frozen=True)
class File:
    """One file as it is served: its body, compressed or not, and its headers."""

    body: bytes
    headers: Mapping[str, str]


def find(path: str, *, below: bool, compressed: bool) -> File | None:
    """The page for "", or the file that a path such as `3f2a…/app.js` names; None for what is not there.

    `below` says that the page's address ends with a slash, which moves what its relative links mean. `compressed`: the
    client takes gzip.
    """
    folder, _, name = path.strip("/").partition("/")
    if not folder:
        here = digest() if below else f"studio/{digest()}"
        body, content_type, kept = _page(here), _TYPES[".html"], "no-cache"
    elif folder == digest() and name in contents() and name != PAGE:
        body, content_type, kept = contents()[name], _TYPES[Path(name).suffix], "public, max-age=31536000, immutable"
    else:
        return None
    headers = {
        "Content-Type": content_type,
        "Cache-Control": kept,
        "Content-Security-Policy": POLICY,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Vary": "Accept-Encoding",
    }
    if compressed:
        return File(_gzipped(body), {**headers, "Content-Encoding": "gzip"})
    return File(body, headers)


@functools.cache
def contents() -> Mapping[str, bytes]:
    """Every file of the studio as it is served, by its path below the folder."""
    found = {path.relative_to(FOLDER).as_posix(): path for path in sorted(FOLDER.rglob("*")) if path.suffix in _TYPES}
    own = {name: path.read_text(encoding="utf-8") for name, path in found.items() if "/" not in name}
    served = {name: path.read_bytes() for name, path in found.items() if "/" in name or path.suffix != ".js"}
    return {**served, STYLE: brief(own[STYLE], Path(STYLE).suffix).encode(), FIRST: bundle(own).encode()}


@functools.cache
def digest() -> str:
    """What names the files of this deployment."""
    found = hashlib.sha256()
    for name, body in contents().items():
        found.update(f"{name}\n{len(body)}\n".encode())
        found.update(body)
    return found.hexdigest()[:DIGITS]


def _page(folder: str) -> bytes:
    return contents()[PAGE].replace(PLACE, folder.encode("ascii"))


@functools.lru_cache(maxsize=64)
def _gzipped(body: bytes) -> bytes:
    return gzip.compress(body, mtime=0)
