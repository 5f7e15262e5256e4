"""The page for everybody: files are checked in the visitor's browser, against a trust bundle."""

import hashlib
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from browsing import DESKTOP, PHONE, browser_with, new_context
from casts import Cast, Stage
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect
from sqlalchemy import select

from assent.kit.signing import peek, sign
from assent.kit.store.tables import ConsentRow
from assent.verify.bundle import make_bundle
from assent.verify.page.site import PACKAGE, write_site

INSTALLED = Path(__file__).parents[2] / "web" / "node_modules" / PACKAGE
SAMPLES = Path(__file__).parents[2] / "samples"

pytestmark = pytest.mark.skipif(
    not INSTALLED.is_dir(), reason="no c2pa-wasm here: `npm ci` in web/"
)


def bundle_of(stage: Stage) -> bytes:
    studio = stage.studio
    return make_bundle(
        studio.log_folder, studio.log_verifier, studio.signing_key, now=stage.clock.now
    ).encode()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder as any static web server would."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    with browser_with(playwright) as browser:
        yield browser


@pytest.fixture(scope="module")
def stage(released: Cast, tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return released.open_copy(tmp_path_factory.mktemp("page") / "studio")


@pytest.fixture(scope="module")
def address(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("site") / "public"
    write_site(folder, [bundle_of(stage)], package=INSTALLED)
    with served(folder) as url:
        yield url


class Visitor:
    """Somebody at the page; what it asks of other servers, and what it complains of, is kept."""

    def __init__(self, context: BrowserContext, address: str) -> None:
        self.context, self.address = context, address
        self.page: Page = context.new_page()
        self.strayed: list[str] = []
        self.said: list[str] = []
        self.page.on("request", self._note)
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.goto(address)

    def _note(self, request: Any) -> None:  # noqa: ANN401 - Playwright's
        if not request.url.startswith((self.address, "blob:")):
            self.strayed.append(request.url)

    def ready(self) -> None:
        expect(self.page.locator("body[data-ready]")).to_be_visible(timeout=60_000)

    def check(self, path: Path) -> str:
        """Choose a file and return the answer."""
        self.page.locator("#file").set_input_files(path)
        expect(self.page.locator("#result")).to_be_visible(timeout=60_000)
        return self.page.locator("#summary").inner_text()

    def states(self) -> list[str]:
        return self.page.locator("#layers .state").all_inner_texts()


@contextmanager
def visiting(browser: Browser, address: str, **options: Any) -> Iterator[Visitor]:  # noqa: ANN401
    context = new_context(browser, accept_downloads=True, **options)
    try:
        yield Visitor(context, address)
    finally:
        context.close()


def test_a_release_is_told_and_the_result_can_be_kept(
    chromium: Browser, address: str, stage: Stage, tmp_path: Path
) -> None:
    made = stage.released()
    with visiting(chromium, address) as visitor:
        visitor.ready()
        said = visitor.check(made.path)
        assert said.startswith(f"A release of Test Studio, unaltered (asset {made.asset_id}).")
        assert visitor.states() == ["good", "good", "good"]
        assert made.sha256 in visitor.page.locator("#facts").inner_text()
        with visitor.page.expect_download() as download:
            visitor.page.locator("#save").click()
        download.value.save_as(tmp_path / "kept.json")
        assert visitor.strayed == []
        assert visitor.said == []
    kept = json.loads((tmp_path / "kept.json").read_text())
    assert (kept["verdict"], kept["sha256"]) == ("sealed", made.sha256)


def test_what_is_no_release_is_never_called_real(
    chromium: Browser, address: str, stage: Stage, tmp_path: Path
) -> None:
    altered = tmp_path / "altered.mp4"
    altered.write_bytes(stage.released().path.read_bytes() + b"\0\0\0\x0cwide1234")
    with visiting(chromium, address) as visitor:
        visitor.ready()
        said = visitor.check(SAMPLES / "no_face.mp4")
        assert "That proves nothing" in said
        assert visitor.states()[0] == "missing"
        assert "something was changed after it was signed" in visitor.check(altered)
        assert visitor.states()[0] == "bad"
        text = tmp_path / "notes.txt"
        text.write_text("not a film")
        assert "That proves nothing" in visitor.check(text)


def test_another_studios_release_is_somebodys_whom_the_page_doesnt_know(
    chromium: Browser, released: Cast, stage: Stage, tmp_path: Path
) -> None:
    other = released.open_copy(tmp_path / "other")
    payload = peek(bundle_of(other).decode())
    first = json.loads(payload["entries"][0])
    assert first["kind"] == "studio"
    # The bundle of a studio that never released anything.
    from studios import SetClock

    from assent.kit.store.studio import create_studio

    empty = create_studio(
        tmp_path / "empty", name="Empty", contact="e@example.org", clock=SetClock(stage.clock.now)
    )
    text = make_bundle(empty.log_folder, empty.log_verifier, empty.signing_key, now=stage.clock.now)
    write_site(tmp_path / "public", [text.encode()], package=INSTALLED)
    with served(tmp_path / "public") as url, visiting(chromium, url) as visitor:
        visitor.ready()
        assert "Signed by somebody whom this page doesn't know" in visitor.check(
            stage.released().path
        )
        assert visitor.states()[0] == "can't say"


def test_withdrawn_consent_and_an_ended_receipt_are_told(
    chromium: Browser, released: Cast, tmp_path: Path
) -> None:
    stage = released.open_copy(tmp_path / "studio")
    with stage.studio.database.session() as session:
        row = session.scalars(select(ConsentRow).where(ConsentRow.person_id == stage.ada.id)).one()
    receipt = tmp_path / "receipt.jws"
    receipt.write_text(str(row.receipt))
    write_site(tmp_path / "before", [bundle_of(stage)], package=INSTALLED)
    stage.withdraw(stage.ada)
    write_site(tmp_path / "after", [bundle_of(stage)], package=INSTALLED)
    path = tmp_path / "release.mp4"
    path.write_bytes(stage.released().path.read_bytes())
    with served(tmp_path / "before") as url, visiting(chromium, url) as visitor:
        visitor.ready()
        assert visitor.check(receipt) == "A receipt of Test Studio. It stands."
    with served(tmp_path / "after") as url, visiting(chromium, url) as visitor:
        visitor.ready()
        assert "It has ended" in visitor.check(receipt)
        assert "Consent has since been withdrawn." in visitor.check(path)
        assert visitor.states() == ["good", "good", "bad"]


def _resigned(stage: Stage, **changes: Any) -> bytes:  # noqa: ANN401 - parts of a bundle
    payload = {**peek(bundle_of(stage).decode()), **changes}
    return sign(payload, stage.studio.signing_key, kind="assent-trust+jwt").encode()


def test_a_bundle_that_was_changed_is_refused_by_the_page_itself(
    chromium: Browser, stage: Stage, tmp_path: Path
) -> None:
    good = bundle_of(stage)
    payload = peek(good.decode())
    half = len(good) // 2
    hostile = [
        good[:half] + (b"A" if good[half : half + 1] != b"A" else b"B") + good[half + 1 :],
        _resigned(stage, entries=payload["entries"][:-1]),
        _resigned(stage, entries=payload["entries"][::-1]),
        _resigned(stage, version=2),
        _resigned(stage, issued="2999-01-01T00:00:00Z"),
        _resigned(stage, vkey="a+00000000+AAAA"),
        b"nonsense",
    ]
    for number, bundle in enumerate(hostile):
        folder = tmp_path / str(number)
        write_site(folder, [bundle], package=INSTALLED)
        with served(folder) as url, visiting(chromium, url) as visitor:
            expect(visitor.page.locator("#status")).to_contain_text(
                "The check failed", timeout=60_000
            )
            assert visitor.page.locator("body[data-ready]").count() == 0


def test_a_file_name_is_shown_as_text(chromium: Browser, address: str, tmp_path: Path) -> None:
    path = tmp_path / "<img src=x onerror=alert(1)>.mp4"
    path.write_bytes(b"x")
    with visiting(chromium, address) as visitor:
        visitor.ready()
        visitor.check(path)
        assert visitor.page.locator("#name").inner_text() == path.name
        assert visitor.page.locator("main img").count() == 0


@pytest.mark.parametrize("size", [0, 1, 55, 56, 63, 64, 65, 119, 120, 128, 4 << 20, (4 << 20) + 7])
def test_the_hash_is_sha_256(chromium: Browser, address: str, tmp_path: Path, size: int) -> None:
    path = tmp_path / "file.bin"
    path.write_bytes(os.urandom(size))
    with visiting(chromium, address) as visitor:
        visitor.ready()
        visitor.check(path)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        assert digest in visitor.page.locator("#facts").inner_text()


def test_it_works_without_a_network_once_it_was_opened(
    chromium: Browser, address: str, stage: Stage
) -> None:
    with visiting(chromium, address) as visitor:
        visitor.ready()
        visitor.page.evaluate("() => navigator.serviceWorker.ready.then(() => true)")
        visitor.context.set_offline(True)
        visitor.page.reload()
        visitor.ready()
        assert visitor.check(stage.released().path).startswith("A release of Test Studio")


@pytest.mark.parametrize("wide", [True, False], ids=["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everyone_can_use_it(
    chromium: Browser, address: str, stage: Stage, wide: bool, scheme: str
) -> None:
    viewport = DESKTOP if wide else PHONE
    # axe comes as a script of its own, which the page's policy would refuse.
    options = {"viewport": viewport, "color_scheme": scheme, "bypass_csp": True}
    with visiting(chromium, address, **options) as visitor:
        visitor.ready()
        problems = [_axe(visitor.page)]
        visitor.check(stage.released().path)
        problems.append(_axe(visitor.page))
        visitor.check(SAMPLES / "no_face.mp4")
        problems.append(_axe(visitor.page))
        assert problems == [[], [], []]
        width = visitor.page.evaluate("() => document.documentElement.scrollWidth")
        assert width <= viewport["width"]


def _axe(page: Page) -> list[str]:
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]})
    return [violation["id"] for violation in found.response["violations"]]


def test_it_is_used_by_keyboard_alone(chromium: Browser, address: str) -> None:
    with visiting(chromium, address) as visitor:
        visitor.ready()
        # Listened for from the start: the browser may take the key before the request to listen.
        with visitor.page.expect_file_chooser() as chooser:
            visitor.page.keyboard.press("Tab")
            assert visitor.page.locator(":focus").inner_text() == "Skip to the content"
            visitor.page.keyboard.press("Tab")
            assert visitor.page.locator(":focus").get_attribute("id") == "file"
            visitor.page.keyboard.press("Enter")
        chooser.value.set_files(SAMPLES / "no_face.mp4")
        expect(visitor.page.locator("#name")).to_be_focused(timeout=60_000)
