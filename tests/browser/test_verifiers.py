"""Two implementations that are not ours judge what we sign, and what forgers make of it.

`encypher-c2pa` shares no code with the library that we sign with; `@contentauth/c2pa-wasm` is that
library's own build for browsers, run in headless Chromium. With `--tables` the table in
docs/credentials.md is written anew.
"""

import base64
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import encypher_c2pa
import pytest
from browsing import browser_with
from forging import Fixture, Workshop, fixtures
from playwright.sync_api import Page, Playwright, Route
from servers import time_stamping

from assent.kit.c2pa.read import read

ROOT = Path(__file__).parents[2]
WASM = ROOT / "web" / "node_modules" / "@contentauth" / "c2pa-wasm" / "pkg"
PAGE = ROOT / "docs" / "credentials.md"
BEGIN, END = "<!-- verifiers -->\n", "<!-- /verifiers -->"
ORIGIN = "http://localhost:9"
PURPOSES = "1.3.6.1.4.1.62558.2.1\n1.3.6.1.5.5.7.3.4"  # to sign claims, to protect mail
READ = """
async ([format, data, settings]) => {
  const bytes = Uint8Array.from(atob(data), (each) => each.charCodeAt(0));
  const { default: start, WasmReader } = await import('/c2pa.js');
  await (window.started ??= start({ module_or_path: '/c2pa_bg.wasm' }));
  try {
    const reader = await WasmReader.fromBytes(format, bytes, settings);
    return reader.json();
  } catch (error) {
    return JSON.stringify({ error: String(error?.message ?? error) });
  }
}
"""
TYPES = {".js": "text/javascript", ".wasm": "application/wasm", "": "text/html"}
# Where the two differ, and why: told in the documentation, and watched here.
LAXER_IN_WASM = {
    "wrong EKU: a time stamp's certificate": "its list of purposes has that of time stamps",
    "key usage without signing": "it doesn't look at the key usage",
}
needs_wasm = pytest.mark.skipif(not WASM.exists(), reason="run `npm ci` in web/ first")


def answer(route: Route) -> None:
    name = route.request.url.removeprefix(ORIGIN).strip("/")
    path = WASM / name
    body = path.read_bytes() if name else b"<!doctype html><title>verify</title>"
    route.fulfill(body=body, content_type=TYPES[path.suffix if name else ""])


@pytest.fixture(scope="module")
def page(playwright: Playwright) -> Iterator[Page]:
    with browser_with(playwright) as browser:
        page = browser.new_page()
        page.route(f"{ORIGIN}/**", answer)
        page.goto(ORIGIN)
        yield page


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    folder = tmp_path_factory.mktemp("clocks")
    with time_stamping(folder / "known") as known, time_stamping(folder / "strange") as strange:
        yield Workshop.open(known, strange)


@pytest.fixture(scope="module")
def made(shop: Workshop) -> list[Fixture]:
    return list(fixtures(shop))


def by_us(fixture: Fixture, shop: Workshop) -> tuple[str, bool]:
    found = read(
        io.BytesIO(fixture.data), mime=fixture.mime, anchors_pem=shop.anchors_pem,
        serials=shop.serials, beside=fixture.beside,
    )  # fmt: skip
    return found.state, found.signed_at is not None


def by_encypher(fixture: Fixture, shop: Workshop) -> tuple[str, bool]:
    try:
        report: Any = encypher_c2pa.verify(
            fixture.data, fixture.mime, trust_pem=shop.studio.root_pem.decode(),
            tsa_trust_pem=shop.clock.root_pem.decode(), no_default_trust=True, telemetry=False,
            online=False, manifest_store=fixture.beside,
        )  # fmt: skip
    except ValueError as error:
        if "unsupported_mime" not in str(error):
            raise
        return "-", False
    if not report["present"]:
        return "missing", False
    codes = {each["code"] for each in report["validation_results"]["success"]}
    return report["validation_state"].lower(), "timeStamp.trusted" in codes


def by_wasm(fixture: Fixture, shop: Workshop, page: Page) -> tuple[str, bool]:
    if fixture.beside is not None:
        return "-", False  # it is handed no manifest that lies beside
    settings = {
        "verify": {"verify_trust": True, "remote_manifest_fetch": False, "ocsp_fetch": False},
        "trust": {"user_anchors": shop.anchors_pem.decode(), "trust_config": PURPOSES},
    }
    data = base64.b64encode(fixture.data).decode()
    told = json.loads(page.evaluate(READ, [fixture.mime, data, json.dumps(settings)]))
    if "error" in told:
        nothing = "JumbfNotFound" in told["error"]
        return ("missing" if nothing else "!" + told["error"]), False
    active = told["validation_results"].get("activeManifest", {})
    codes = {each["code"] for each in active.get("success", [])}
    return told["validation_state"].lower(), "timeStamp.trusted" in codes


@needs_wasm
def test_the_verifiers_agree(
    made: list[Fixture], shop: Workshop, page: Page, pytestconfig: pytest.Config
) -> None:
    rows = []
    for fixture in made:
        ours, encypher, wasm = (
            by_us(fixture, shop), by_encypher(fixture, shop), by_wasm(fixture, shop, page),
        )  # fmt: skip
        rows.append((fixture, ours, encypher, wasm))
    table = _table(rows)
    errors = [(row[0].name, row[3]) for row in rows if row[3][0].startswith("!")]
    assert errors == []
    for fixture, ours, encypher, wasm in rows:
        _agree(fixture, ours, encypher, wasm)
    if pytestconfig.getoption("--tables"):
        text = PAGE.read_text("utf-8")
        before, _, rest = text.partition(BEGIN)
        PAGE.write_text(before + BEGIN + table + END + rest.partition(END)[2], "utf-8")
    shown = PAGE.read_text("utf-8").partition(BEGIN)[2].partition(END)[0]
    assert shown == table, "write docs/credentials.md anew: pytest tests/browser --tables"


def _agree(
    fixture: Fixture, ours: tuple[str, bool], encypher: tuple[str, bool], wasm: tuple[str, bool]
) -> None:
    what = f"{fixture.name} ({fixture.mime}): {ours} {encypher} {wasm}"
    assert (ours[0] == "trusted") is (fixture.expected == "trusted"), what
    judges = [each for each in (encypher, wasm) if each[0] != "-"]
    assert judges or fixture.beside is not None, what
    if fixture.name in LAXER_IN_WASM:
        assert (encypher[0], wasm[0]) == ("invalid", "trusted"), f"no longer so: {what}"
        return
    for state, stamped in judges:
        assert (state == "trusted") is (fixture.expected == "trusted"), what
        assert (state == "missing") is (fixture.expected == "missing"), what
        assert stamped is ours[1], what
    # Whatever was changed after signing is invalid to everybody, not only unknown.
    if "altered" in fixture.name or "added" in fixture.name or "torn" in fixture.name:
        assert {state for state, _ in judges} | {ours[0]} == {"invalid"}, what


def _table(rows: list[tuple[Fixture, tuple[str, bool], tuple[str, bool], tuple[str, bool]]]) -> str:
    lines = [
        "| file | type | Assent | encypher-c2pa | c2pa-wasm |",
        "|---|---|---|---|---|",
    ]
    for fixture, *found in rows:
        cells = [state + (", stamped" if stamped else "") for state, stamped in found]
        kind = fixture.mime.partition("/")[2]
        lines.append(f"| {fixture.name} | {kind} | " + " | ".join(cells) + " |")
    return "\n".join([*lines, ""])
