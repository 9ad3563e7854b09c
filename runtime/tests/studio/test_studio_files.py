"""The studio's files: what is served, under which headers, how large it is, and where it came from."""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from served import served
from shapes import line

from azure_functions_durable_graph import DurableGraphApp
from azure_functions_durable_graph.host.app.settings import Settings
from azure_functions_durable_graph.studio import files

LARGEST = 60_000
"""Bytes of all that a browser loads, compressed."""

SOURCES = {path.name: path.read_text(encoding="utf-8") for path in files.FOLDER.glob("*.js")}
IMPORT = re.compile(r'^import (?:\{ (?P<names>.+) \}|(?P<default>\w+)) from "\./(?P<place>.+)";$', re.MULTILINE)
DECLARED = re.compile(r"^(?:export )?(?:async )?(?:function|class|const|let) (\w+)", re.MULTILINE)
EXPORTED = re.compile(r"^export (?:async )?(?:function|class|const) (\w+)", re.MULTILINE)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    runtime = DurableGraphApp()
    runtime.register_registration(line("a"))
    with served(runtime.function_app) as (url, _):
        yield f"{url}/api/studio"


def linked(page: str) -> list[str]:
    """What the page loads, as its links say."""
    return re.findall(r'(?:href|src)="([^"]+)"', page)


def test_the_page_and_all_that_it_links_to_are_served(url: str) -> None:
    page = httpx.get(url)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["cache-control"] == "no-cache"

    found = [httpx.get(httpx.URL(url).join(link)) for link in linked(page.text)]

    assert [answer.status_code for answer in found] == [200] * len(found)
    assert {answer.headers["content-type"].partition(";")[0] for answer in found} == {
        "image/svg+xml",
        "text/css",
        "text/javascript",
    }
    assert all("immutable" in answer.headers["cache-control"] for answer in found)


def test_the_links_hold_with_a_slash_at_the_end_and_under_another_prefix() -> None:
    with served(DurableGraphApp().function_app, Settings(route_prefix="v1/things")) as (host, _):
        for address in (f"{host}/v1/things/studio", f"{host}/v1/things/studio/"):
            page = httpx.get(address)
            assert page.status_code == 200
            assert {httpx.get(page.url.join(link)).status_code for link in linked(page.text)} == {200}


def test_the_policy_lets_no_inline_code_no_eval_and_no_other_site_in(url: str) -> None:
    policy = dict(part.split(" ", 1) for part in httpx.get(url).headers["content-security-policy"].split("; "))

    assert policy["default-src"] == "'none'"
    assert {policy[key] for key in ("script-src", "style-src", "connect-src", "img-src")} == {"'self'"}
    assert {policy[key] for key in ("base-uri", "form-action", "frame-ancestors", "trusted-types")} == {"'none'"}


def test_the_page_has_no_inline_script_or_style_and_no_address_of_another_site() -> None:
    page = files.contents()[files.PAGE].decode()

    assert not re.search(r"<style|style=|<script(?![^>]*src=)| on\w+=|https?:", page)
    own = [body.decode() for name, body in files.contents().items() if not name.startswith("vendor/")]
    assert not any(re.search(r"\beval\(|new Function|innerHTML|document\.write", text) for text in own)
    assert not any(re.search(r"https?://(?!www\.w3\.org|127)[\w.]", text) for text in own)


def test_all_of_it_is_at_most_60_kilobytes_compressed() -> None:
    sizes = {name: len(gzip.compress(body)) for name, body in files.contents().items() if not name.endswith(".txt")}

    assert sum(sizes.values()) <= LARGEST, sizes


def test_a_client_that_takes_gzip_gets_it_and_another_the_same_bytes_plain(url: str) -> None:
    plain = httpx.get(url, headers={"accept-encoding": "identity"})
    packed = httpx.get(url, headers={"accept-encoding": "gzip"})

    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["vary"] == "Accept-Encoding"
    assert packed.content == plain.content


@pytest.mark.parametrize(
    "path", ["app.js", "000000000000/app.js", "{}/index.html", "{}/no.js", "{}/../files.py", "{}/"]
)
def test_nothing_else_is_served(url: str, path: str) -> None:
    answer = httpx.get(f"{url}/{path.format(files.digest())}")

    assert (answer.status_code, answer.text) == (404, "there is no such file; reload the page")


def test_another_content_has_another_address(monkeypatch: pytest.MonkeyPatch) -> None:
    before = files.digest()
    changed = {**files.contents(), "app.js": b"changed"}
    monkeypatch.setattr(files, "contents", lambda: changed)

    assert files.digest.__wrapped__() != before


def test_it_can_be_switched_off() -> None:
    with served(DurableGraphApp(studio=False).function_app) as (url, _):
        assert httpx.get(f"{url}/api/studio").status_code == 404
        assert httpx.get(f"{url}/api/health").status_code == 200


def test_what_is_vendored_is_what_its_record_says() -> None:
    folder = files.FOLDER / "vendor"
    record = (folder / "VENDORED.txt").read_text(encoding="utf-8")
    rows = re.findall(r"^file: (.+)\npackage: (.+)@(.+)\npath: .+\nlicence: (.+)\nsha256: (.+)$", record, re.MULTILINE)

    digests = {name: sha256 for name, _, _, _, sha256 in rows}
    assert digests == {path.name: _sha256(path) for path in folder.glob("*.js")}
    for name in ("Preact (MIT)", "dagre (MIT)", "microdiff (MIT)", "htm (Apache License 2.0)"):
        assert f"{'-' * 80}\n{name}\n" in record


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes().replace(b"\r\n", b"\n")).hexdigest()


# --- the studio's own modules are served as one ---------------------------------------------------------------------


def test_no_two_modules_have_a_top_level_name_in_common() -> None:
    owners: dict[str, str] = {}
    for module, text in SOURCES.items():
        for name in DECLARED.findall(text):
            assert name not in owners, f"{name} is in {owners[name]} and in {module}"
            owners[name] = module


@pytest.mark.parametrize("module", SOURCES)
def test_a_module_imports_only_what_another_exports_and_uses_it(module: str) -> None:
    text = SOURCES[module]
    statements = [line for line in text.splitlines() if line.startswith("import ")]
    assert len(statements) == len(IMPORT.findall(text)), "an import stands on one line"
    for found in IMPORT.finditer(text):
        if not found["place"].startswith("vendor/"):
            assert set(found["names"].split(", ")) <= set(EXPORTED.findall(SOURCES[found["place"]]))
        for name in (found["names"] or found["default"]).split(", "):
            assert len(re.findall(rf"\b{name}\b", text)) > 1, f"{module} does not use {name}"


def test_modules_do_not_import_each_other_in_circles_and_none_is_left_out() -> None:
    done: set[str] = set()

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, " -> ".join([*path, module])
        if module not in done:
            for found in IMPORT.finditer(SOURCES[module]):
                if not found["place"].startswith("vendor/"):
                    visit(found["place"], (*path, module))
            done.add(module)

    visit("app.js", ())
    assert done == set(SOURCES)


@pytest.mark.parametrize("module", SOURCES)
def test_a_module_opens_with_what_it_is_and_has_not_grown_too_large(module: str) -> None:
    assert SOURCES[module].startswith("// ")
    assert len(SOURCES[module].splitlines()) <= 250
