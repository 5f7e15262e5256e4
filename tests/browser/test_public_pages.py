"""The public pages in Chromium: WCAG 2.1 AA in three languages, weight, width, and a file sent."""

import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from browsing import DESKTOP, PHONE, browser_with, new_context
from corner import CORRECTED, UNTOLD, VALID, WITHDRAWN, Told, make_corner
from playwright.sync_api import Browser, Page, Playwright, expect

from assent.apps.public.place import place_of
from assent.apps.public.server import build, corner_of
from assent.apps.public.words import LANGUAGES

HEAVIEST = 200 << 10
SAMPLES = Path(__file__).parents[2] / "samples"
PATHS = (
    "/", "/verify/", "/report/", "/log/", f"/r/{VALID}/", f"/r/{WITHDRAWN}/", f"/r/{CORRECTED}/",
    f"/r/{UNTOLD}/", f"/r/{VALID}/card/", f"/r/{'0' * 16}/",
)  # fmt: skip


@contextmanager
def served(told: Told) -> Iterator[str]:
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    address = f"http://localhost:{listening.getsockname()[1]}"
    corner = corner_of(told.source, place_of(address, contact=told.studio.contact))
    server = uvicorn.Server(uvicorn.Config(build(corner), log_level="error", access_log=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        while not server.started:
            time.sleep(0.02)
        yield address
    finally:
        server.should_exit = True
        thread.join()
        listening.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    told = make_corner(tmp_path_factory.mktemp("corner"), name="Small Films")
    with served(told) as url:
        yield url


@pytest.fixture(scope="module")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    with browser_with(playwright) as browser:
        yield browser


@contextmanager
def visiting(browser: Browser, **options: Any) -> Iterator[tuple[Page, list[str]]]:  # noqa: ANN401
    context = new_context(browser, **options)
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    try:
        yield page, said
    finally:
        assert context.cookies() == []
        context.close()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desk", "phone"])
def test_wcag_weight_and_width(chromium: Browser, address: str, language: str, size: Any) -> None:  # noqa: ANN401
    with visiting(chromium, viewport=size, bypass_csp=True) as (page, _):
        weight: list[int] = []
        page.on("response", lambda answer: weight.append(len(answer.body())))
        for path in PATHS:
            weight.clear()
            page.goto(f"{address}/{language}{path}", wait_until="networkidle")
            assert 0 < sum(weight) < HEAVIEST, path
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)
                found = Axe().run(page).response["violations"]
                assert [(each["id"], each["nodes"][0]["html"][:200]) for each in found] == [], path
            assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], path


def test_pages_are_quiet_and_ask_nobody_else(chromium: Browser, address: str) -> None:
    with visiting(chromium) as (page, said):
        strayed: list[str] = []
        page.on("request", lambda asked: strayed.append(asked.url))
        for path in PATHS[:-1]:
            page.goto(f"{address}/en{path}", wait_until="networkidle")
        assert said == []
        assert [each for each in strayed if not each.startswith(address)] == []


def test_a_number_leads_to_the_record(chromium: Browser, address: str) -> None:
    with visiting(chromium, viewport=PHONE) as (page, _):
        page.goto(f"{address}/de/")
        page.locator("#id").fill("0000 0000 0000 0000")
        page.keyboard.press("Enter")
        expect(page.locator("#find-problem")).to_be_visible()
        page.locator("#id").fill(f"https://elsewhere.example/x/r/{VALID}?a=b")
        page.keyboard.press("Enter")
        page.wait_for_url(f"{address}/de/r/{VALID}/")
        # By the server, which knows files by their hashes too.
        page.goto(f"{address}/de/")
        page.locator("#id").fill(f"{1:064x}")
        page.keyboard.press("Enter")
        page.wait_for_url(f"{address}/de/r/{VALID}/")


def test_a_file_is_sent_and_told(chromium: Browser, address: str) -> None:
    with visiting(chromium, viewport=PHONE) as (page, said):
        page.goto(f"{address}/en/verify/")
        expect(page.locator("#file")).to_be_enabled()
        page.locator("#file").set_input_files(SAMPLES / "no_face.mp4")
        page.wait_for_url(re.compile(r"/en/verify/[\w-]{32}/$"), timeout=240_000)
        expect(page.locator("h1")).to_have_text("no_face.mp4")
        expect(page.locator(".answer")).to_contain_text("That proves nothing.")
        page.get_by_role("link", name="Español").click()
        expect(page.locator(".answer")).to_contain_text("Eso no prueba nada.")
        assert said == []


def test_the_card_alone_is_on_the_paper(chromium: Browser, address: str) -> None:
    with visiting(chromium) as (page, _):
        page.goto(f"{address}/en/r/{VALID}/card/")
        page.emulate_media(media="print")
        for part in (".top", "h1", ".bottom"):
            expect(page.locator(part)).not_to_be_visible()
        box = page.locator(".print-card").bounding_box()
        assert box is not None
        # A sheet's width, with its margins.
        assert box["width"] <= 700
        expect(page.locator(".print-card .qr svg")).to_be_visible()
