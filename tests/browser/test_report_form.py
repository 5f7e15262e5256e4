"""The report form in Chromium: a phone, three languages, with and without scripts."""

import hashlib
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from browsing import DESKTOP, PHONE, browser_with, new_context
from corner import VALID, Told, make_corner
from playwright.sync_api import Browser, Page, Playwright

from assent.apps.public.server import build
from assent.monitor.cases.case import find_case, list_cases, notice_of
from assent.monitor.cases.decision import Decision, decide
from assent.monitor.cases.talk import answer

LANGUAGES = ("en", "de", "es")
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """A public corner that listens, and a browser before it."""

    told: Told
    url: str
    browser: Browser


@contextmanager
def listening(folder: Path) -> Iterator[tuple[Told, str]]:
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{sock.getsockname()[1]}"
    told = make_corner(folder, name="Small Films", url=url)
    server = uvicorn.Server(uvicorn.Config(build(told.corner), log_level="error"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]})
    thread.start()
    try:
        while not server.started:
            time.sleep(0.02)
        yield told, url
    finally:
        server.should_exit = True
        thread.join()
        sock.close()


@pytest.fixture
def opened(tmp_path: Path, playwright: Playwright) -> Iterator[Open]:
    with listening(tmp_path) as (told, url), browser_with(playwright) as browser:
        yield Open(told=told, url=url, browser=browser)


def at_phone(opened: Open, language: str, *, scripts: bool = True, dark: bool = False) -> Page:
    context = new_context(
        opened.browser,
        viewport=PHONE, locale=language, java_script_enabled=scripts,
        color_scheme="dark" if dark else "light",
    )  # fmt: skip
    return context.new_page()


def look(page: Page, name: str) -> None:
    """Keep a picture where one asks for it, and hold the page to what all pages are held to."""
    folder = os.environ.get("PICTURES")
    if folder:
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size(PHONE)
            page.screenshot(path=f"{folder}/{name}-{scheme}-390.png", full_page=True)
            page.set_viewport_size(DESKTOP)
            page.screenshot(path=f"{folder}/{name}-{scheme}-desk.png", full_page=True)
        page.set_viewport_size(PHONE)
        page.emulate_media(color_scheme="light")
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]})
        assert not found.response["violations"], found.generate_report()
    page.emulate_media(color_scheme="light")
    wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert wide <= 0, "something is wider than the phone"


def fill(page: Page) -> None:
    page.locator("#reasons").fill("That is me, and I never agreed to it.")
    page.locator("#places").fill("https://videos.example.org/watch?v=1")
    page.locator("#name").fill("Rosa Reporter")
    page.locator("#email").fill("rosa@example.org")
    page.locator("input[name=good_faith]").check()
    page.locator("#signature").fill("Rosa Reporter")


@pytest.mark.parametrize("language", LANGUAGES)
def test_somebody_reports_on_a_phone_and_reads_the_answer(opened: Open, language: str) -> None:
    page = at_phone(opened, language)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(f"{opened.url}/report/?asset={VALID}")
    assert page.locator("html").get_attribute("lang") == language
    look(page, f"{language}-kinds")
    page.locator('a[href*="kind=intimate"]').click()
    look(page, f"{language}-form")
    fill(page)
    began = page.url
    page.locator("button.main").click()
    assert page.url.rstrip("/").endswith("/report")
    assert began != ""
    look(page, f"{language}-receipt")
    number, pin = page.locator(".receipt code").all_inner_texts()
    studio = opened.told.studio
    case = find_case(studio, number)
    assert (case.language, case.severity, case.asset_id) == (language, 0, VALID)
    answer(studio, case.id, "Thank you. We took it down.", by="cleo")
    decision = Decision(
        outcome="upheld", facts="The person shown did not agree.", ground="TAKE IT DOWN Act",
        restriction="taken down and revoked", scope="everywhere",
    )  # fmt: skip
    decide(studio, case, decision, by="cleo")
    page.goto(f"{opened.url}/{language}/report/state/")
    look(page, f"{language}-state")
    page.locator("#number").fill(number.lower())
    page.locator("#pin").fill(pin)
    page.locator("button.main").click()
    assert "taken down and revoked" in page.locator("main").inner_text()
    look(page, f"{language}-seen")
    page.locator("#why").fill("It is still on another site.")
    page.locator('form[action*="complain"] button').click()
    assert "It is still on another site." in page.locator("main").inner_text()
    assert find_case(studio, number).state == "complaint"
    assert not said


def test_it_all_works_without_scripts_and_from_the_keyboard(opened: Open) -> None:
    page = at_phone(opened, "en", scripts=False)
    page.goto(f"{opened.url}/en/report/?kind=intimate")
    assert page.locator("#hash-file").is_hidden()
    fill(page)
    page.locator("#signature").press("Enter")
    number, _ = page.locator(".receipt code").all_inner_texts()
    assert find_case(opened.told.studio, number).kind == "intimate"


def test_a_file_is_hashed_here_and_goes_nowhere(opened: Open, tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    data = os.urandom(3_000_001)
    film.write_bytes(data)
    page = at_phone(opened, "en")
    sent: list[int] = []
    page.on("request", lambda request: sent.append(len(request.post_data_buffer or b"")))
    page.goto(f"{opened.url}/en/report/?kind=mislabelled")
    page.locator("summary").click()
    page.locator("#hash-file").set_input_files(film)
    page.wait_for_function("document.getElementById('hashes').value.length === 64")
    page.locator("#reasons").fill("The label is missing in this copy.")
    page.locator("input[name=good_faith]").check()
    page.locator("button.main").click()
    page.locator(".receipt").wait_for()
    (case,) = list_cases(opened.told.studio)
    assert notice_of(opened.told.studio, case.id).sha256 == (hashlib.sha256(data).hexdigest(),)
    assert max(sent) < 2000


def test_what_is_wrong_is_told_beside_what_was_written(opened: Open) -> None:
    page = at_phone(opened, "de", scripts=False)
    page.goto(f"{opened.url}/de/report/?kind=mislabelled")
    page.locator("#reasons").fill("Die Kennzeichnung fehlt hier.")
    page.locator("input[name=good_faith]").check()
    page.locator("button.main").click()
    assert "Wo ist es?" in page.locator("[role=alert]").inner_text()
    assert page.locator("#reasons").input_value() == "Die Kennzeichnung fehlt hier."
