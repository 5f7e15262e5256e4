"""Subjects' pages in a real browser: a server on loopback, the system's Chromium, a fake camera."""

import hashlib
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, ViewportSize
from studios import brief_with, terms_for

from assent.apps.web.guard import place_at
from assent.apps.web.server import build
from assent.apps.web.site import Site
from assent.consent.challenge import Challenge, Entropy, draw
from assent.consent.clearance import Modality
from assent.consent.invitations import find_invitation, invite
from assent.consent.people import Person, add_person
from assent.consent.sitting import Checked
from assent.consent.terms import Terms
from assent.kit.store.studio import Studio
from assent.purpose.projects import Purpose, create_project

__all__ = [
    "CHROMIUM",
    "WAIT_MS",
    "Served",
    "Sitter",
    "browser_with",
    "foreseen",
    "new_context",
    "served",
]

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
WAIT_MS = 120_000
"""How long a page may take, for a machine that does ten things besides."""
_FLAGS = [
    "--no-sandbox",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
]
_NOTE_WHEN_OPENED = """
const open = navigator.mediaDevices?.getUserMedia.bind(navigator.mediaDevices);
if (open) navigator.mediaDevices.getUserMedia = async (wanted) => {
  const stream = await open(wanted);
  window.opened = performance.now();
  return stream;
};
"""
PHONE = ViewportSize(width=390, height=844)
DESKTOP = ViewportSize(width=1280, height=900)


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A studio whose pages are served."""

    studio: Studio
    site: Site

    @property
    def origin(self) -> str:
        """Where the pages are."""
        return self.site.place.origin

    def link(self, purpose: Purpose, person: Person, terms: Terms) -> str:
        """Return a one-time link to the ceremony."""
        return f"{self.origin}/c/{invite(self.studio, purpose, person, terms)}"

    def hand_in(self, link: str, statement: bytes, *, passed: bool = True) -> None:
        """Put a recording where the camera's would lie, checked already."""
        invitation = find_invitation(self.studio, link.rsplit("/", 1)[1])
        recording = self.site.recordings.begin(invitation.id, nonce="0" * 64)
        recording.scratch.write(statement)
        recording.sha256 = hashlib.sha256(statement).hexdigest()
        recording.checked = Checked(passed=passed, findings={"face": "new", "findings": []})
        recording.state = "passed" if passed else "failed"


@contextmanager
def served(studio: Studio, *, entropy: Entropy | None = None) -> Iterator[Served]:
    """Serve the studio's pages on a free port of this machine."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    place = place_at(f"http://localhost:{listening.getsockname()[1]}")
    site = Site.of(studio, place, **({} if entropy is None else {"entropy": entropy}))
    server = uvicorn.Server(uvicorn.Config(build(site), log_level="error", access_log=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        while not server.started:
            time.sleep(0.02)
        yield Served(studio=studio, site=site)
    finally:
        server.should_exit = True
        thread.join()
        listening.close()


@contextmanager
def browser_with(
    playwright: Playwright, *, camera: Path | None = None, voice: Path | None = None
) -> Iterator[Browser]:
    """Start Chromium, with a film for its camera."""
    flags = [*_FLAGS, "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
    if camera is not None:
        flags.append(f"--use-file-for-fake-video-capture={camera}")
    if voice is not None:
        flags.append(f"--use-file-for-fake-audio-capture={voice}")
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
    try:
        yield browser
    finally:
        browser.close()


def new_context(browser: Browser, **options: Any) -> BrowserContext:  # noqa: ANN401
    """Open a browser's context whose pages may take their time, as on a busy machine."""
    context = browser.new_context(**options)
    context.set_default_timeout(WAIT_MS)
    return context


def foreseen(entropy: Entropy, *, language: str = "en") -> Challenge:
    """Return the challenge that a server with the same entropy draws first."""
    return draw("any record", language=language, now=datetime.now(UTC), entropy=entropy)


@dataclass(kw_only=True)
class Sitter:
    """Somebody at a browser."""

    page: Page
    context: BrowserContext
    said: list[str] = field(default_factory=list)

    @classmethod
    def at(cls, browser: Browser, *, wide: bool = True, passkeys: bool = False) -> "Sitter":
        """Open a window; anything that the pages complain about in the console is kept."""
        context = new_context(
            browser,
            viewport=DESKTOP if wide else PHONE,
            locale="en-GB",
            permissions=["camera", "microphone"],
            accept_downloads=True,
        )
        # The film before the fake camera begins when the page opens it.
        context.add_init_script(_NOTE_WHEN_OPENED)
        page = context.new_page()
        sitter = cls(page=page, context=context)
        page.on("console", lambda message: sitter.said.append(message.text))
        page.on("pageerror", lambda error: sitter.said.append(str(error)))
        if passkeys:
            sitter.add_authenticator()
        return sitter

    def add_authenticator(self, *, verified: bool = True) -> Any:  # noqa: ANN401 - a CDP session
        """Give the browser an authenticator such as a phone's."""
        session = self.context.new_cdp_session(self.page)
        session.send("WebAuthn.enable")
        session.send(
            "WebAuthn.addVirtualAuthenticator",
            {
                "options": {
                    "protocol": "ctap2",
                    "transport": "internal",
                    "hasResidentKey": True,
                    "hasUserVerification": True,
                    "isUserVerified": verified,
                    "automaticPresenceSimulation": True,
                }
            },
        )
        return session

    def begin(self, link: str) -> None:
        """Open the link and begin."""
        self.page.goto(link)
        self.page.get_by_role("button", name="Begin").click()
        self.page.wait_for_url("**/consent")

    def tick(self, *names: str) -> None:
        """Tick boxes by the name of their field."""
        for name in names:
            self.page.locator(f'input[name="{name}"]').first.wait_for()
            self.page.wait_for_load_state()  # a page half read shows only some of them
            for box in self.page.locator(f'input[name="{name}"]').all():
                box.check()

    def choose_everything(self) -> None:
        """Go from the notice to the camera, allowing all that is asked."""
        self.page.get_by_role("link", name="Continue").click()
        self.page.wait_for_url("**/consent/choices")
        self.tick("modalities", "acts", "channels", "face_matching", "adult")
        self.page.get_by_role("button", name="Continue").click()
        self.page.wait_for_url("**/consent/record")

    def record(self, *, reading: float) -> None:
        """Record a statement; the button is pressed `reading` seconds after the camera opened."""
        page = self.page
        page.locator("#open").click()
        page.locator("#start").click()
        page.locator("#read").wait_for(state="visible")
        page.evaluate(
            "moment => setTimeout(() => document.getElementById('read').click(),"
            " window.opened + moment - performance.now())",
            reading * 1000,
        )
        page.locator("#open").wait_for(state="visible", timeout=240_000)

    def sign_with_file(self, folder: Path) -> Path:
        """Make a key file, save it, sign, and return where it lies."""
        page = self.page
        page.locator("#makefile").click()
        with page.expect_download() as download:
            page.locator("#savefile").click()
        path = folder / download.value.suggested_filename
        download.value.save_as(path)
        page.locator("#saved").check()
        page.locator("#filesign").click()
        page.wait_for_url("**/home?new=1", timeout=60_000)
        return path

    def sign_with_passkey(self) -> None:
        """Make a passkey and sign with it."""
        self.page.locator("#passkey").click()
        self.page.wait_for_url("**/home?new=1", timeout=60_000)


def lesson(running: Served, **changes: object) -> Purpose:
    """Return a project of the studio, in its term today."""
    today = running.studio.clock().date()
    days = {"starts": today.isoformat(), "ends": today.replace(year=today.year + 1).isoformat()}
    return create_project(running.studio, brief_with(**{**days, **changes}))


def everything(purpose: Purpose) -> Terms:
    """Return terms that ask for all there is."""
    return terms_for(purpose, modalities=frozenset(Modality))


def newcomer(running: Served, handle: str = "ada", name: str = "Ada Aldous") -> Person:
    """Return a person who has no key yet."""
    return add_person(running.studio, handle=handle, name=name, key=None)
