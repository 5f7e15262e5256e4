"""Every page, in Chromium: keys, tabs, attacks, languages, both widths, WCAG 2.1 AA."""

import hashlib
import io
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import av
import pyrage
import pytest
from axe_playwright_python.sync_playwright import Axe
from browsing import Served, Sitter, browser_with, everything, lesson, newcomer
from playwright.sync_api import Browser, Playwright, expect
from studios import PRODUCER, Member, add_draft

from assent.consent.certificate import read_certificate
from assent.consent.clearance import Act
from assent.consent.desk import clear
from assent.consent.finals import require_finals
from assent.consent.invitations import find_invitation, invite_home, list_invitations
from assent.consent.people import Person, add_person, find_person
from assent.consent.receipt import sign_record
from assent.consent.record import Authority
from assent.consent.register import own_records
from assent.consent.reviewing import approve_statement, link_to_watch, list_waiting
from assent.consent.sitting import Checked, conclude, prepare
from assent.consent.withdrawal import withdraw
from assent.disclose.made import made_with
from assent.disclose.still import _seal
from assent.kit.errors import NotClearedError, SignOffError
from assent.kit.media.picture import to_rgb
from assent.kit.media.read import read_pictures
from assent.kit.signing import from_pem, new_key, public_of, to_pem
from assent.kit.store.backup import export
from assent.kit.store.tables import InvitationRow
from assent.purpose.projects import Purpose

DARK = Checked(
    passed=False,
    findings={
        "face": "new",
        "findings": [{"check": "dark", "verdict": "look", "value": 31, "limit": 40}],
    },
)


@pytest.fixture(scope="session")
def statement(samples: Path) -> bytes:
    """A clip of Ada, as good as a recording that passed."""
    return (samples / "ada_statement.mp4").read_bytes()


class Ceremony:
    """A ceremony of Ada's in a browser."""

    def __init__(self, running: Served, statement: bytes) -> None:
        self.running = running
        self.statement = statement
        self.purpose: Purpose = lesson(running)
        self.person: Person = newcomer(running)
        self.link = running.link(self.purpose, self.person, everything(self.purpose))

    def to_signature(self, sitter: Sitter, *, passed: bool = True) -> None:
        """Go to the page of the signature; the camera is passed by."""
        sitter.begin(self.link)
        sitter.choose_everything()
        self.running.hand_in(self.link, self.statement, passed=passed)

    def signed(self, sitter: Sitter, folder: Path) -> Path:
        """Go through all of it and sign with a key file."""
        self.to_signature(sitter)
        sitter.page.goto(f"{self.running.origin}/consent/sign")
        return sitter.sign_with_file(folder)

    def cleared(self, act: Act = Act.INGEST) -> bool:
        try:
            clear(self.running.studio, self.purpose, person_id=self.person.id, acts=[act])
        except NotClearedError:
            return False
        return True


@pytest.fixture(scope="module")
def browser(
    playwright: Playwright, samples: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Browser]:
    """Chromium with Ada before its camera."""
    film = tmp_path_factory.mktemp("camera") / "ada.mjpeg"
    with av.open(str(film), "w", format="mjpeg") as target:
        stream = target.add_stream("mjpeg", rate=30, options={"q": "3"})
        stream.width, stream.height, stream.pix_fmt = 480, 480, "yuvj420p"
        with av.open(str(samples / "ada_statement.mp4")) as source:
            for number, frame in enumerate(islice(source.decode(video=0), 20)):
                rgb = frame.reformat(480, 480, format="rgb24").to_ndarray()
                picture = av.VideoFrame.from_ndarray(rgb, format="rgb24")
                picture.pts = number
                target.mux(stream.encode(picture))
        target.mux(stream.encode())
    with browser_with(playwright, camera=film) as started:
        yield started


@pytest.fixture
def ceremony(small_films: Served, statement: bytes) -> Ceremony:
    """A link for Ada, who has no key yet."""
    return Ceremony(small_films, statement)


@pytest.fixture
def ada(browser: Browser) -> Iterator[Sitter]:
    """Ada at a desk; whatever the pages complain of is an error."""
    sitter = Sitter.at(browser)
    yield sitter
    sitter.context.close()


# Signing


def test_a_passkey_signs(ceremony: Ceremony, browser: Browser) -> None:
    sitter = Sitter.at(browser, passkeys=True)
    ceremony.to_signature(sitter)
    sitter.page.goto(f"{ceremony.running.origin}/consent/sign")
    sitter.sign_with_passkey()
    assert sitter.page.locator(".state.live").count() == 1
    assert ceremony.cleared()
    assert sitter.said == []
    # It opens her own place, too, from nothing.
    sitter.page.get_by_role("button", name="Sign out").click()
    sitter.page.locator("#passkey").click()
    sitter.page.wait_for_url("**/home")
    sitter.context.close()


def test_a_passkey_without_verification_signs_nothing(ceremony: Ceremony, browser: Browser) -> None:
    sitter = Sitter.at(browser)
    sitter.add_authenticator(verified=False)
    ceremony.to_signature(sitter)
    sitter.page.goto(f"{ceremony.running.origin}/consent/sign")
    sitter.page.locator("#passkey").click()
    expect(sitter.page.locator("#signstate")).to_contain_text("Nothing was signed")
    assert not ceremony.cleared()
    sitter.context.close()


def test_a_key_file_signs_and_opens_the_own_place(
    ceremony: Ceremony, ada: Sitter, tmp_path: Path
) -> None:
    key = ceremony.signed(ada, tmp_path)
    assert ceremony.cleared()
    ada.page.get_by_role("button", name="Sign out").click()
    ada.page.locator("#keyfile").set_input_files(key)
    ada.page.locator("#filesign").click()
    ada.page.wait_for_url("**/home")
    assert ada.page.locator(".state.live").count() == 1


def test_another_key_opens_nothing(ceremony: Ceremony, ada: Sitter, tmp_path: Path) -> None:
    ceremony.signed(ada, tmp_path)
    ada.page.get_by_role("button", name="Sign out").click()
    other = tmp_path / "other.pem"
    other.write_bytes(to_pem(new_key()))
    ada.page.locator("#keyfile").set_input_files(other)
    ada.page.locator("#filesign").click()
    expect(ada.page.locator("#signstate")).to_contain_text("nobody has this key")
    ada.page.goto(f"{ceremony.running.origin}/home")
    expect(ada.page.locator("body")).to_contain_text("not signed in")


def test_staff_cant_sign_with_their_key(ceremony: Ceremony, ada: Sitter) -> None:
    """Somebody at the studio opens the link and offers their own public key."""
    studio = ceremony.running.studio
    add_person(studio, handle="kim", name="Kim", key=public_of(PRODUCER), staff=True)
    ceremony.to_signature(ada)
    ada.page.goto(f"{ceremony.running.origin}/consent/sign")
    for key in (public_of(PRODUCER), public_of(studio.signing_key)):
        jwk = {part: key.as_dict(private=False)[part] for part in ("kty", "crv", "x")}
        shown = ada.page.locator("#signing").get_attribute("data-shown")
        told = fetched(ada, "/consent/key", {"jwk": jwk, "shown": shown})
        assert told["status"] == 400
        assert re.search("already kim's|the studio's own key", told["text"])
    assert find_person(studio, "ada").known_key is None


def fetched(sitter: Sitter, path: str, data: object = None, **headers: str) -> dict[str, Any]:
    """Let the page's own script ask, as an attacker with its session could."""
    found: dict[str, Any] = sitter.page.evaluate(
        """async ([path, data, headers]) => {
          const csrf = document.querySelector('meta[name="csrf"]').content;
          const answer = await fetch(path, {
            method: data === null ? "GET" : "POST",
            headers: {"X-CSRF": csrf, Accept: "application/json",
                      "Content-Type": "application/json", ...headers},
            body: data === null ? undefined
              : typeof data === "string" ? data : JSON.stringify(data),
          });
          return {status: answer.status, text: await answer.text()};
        }""",
        [path, data, headers],
    )
    return found


# Links and tabs


def test_a_link_is_used_up_by_completion(ceremony: Ceremony, ada: Sitter, tmp_path: Path) -> None:
    ceremony.signed(ada, tmp_path)
    answer = ada.page.goto(ceremony.link)
    assert answer is not None
    assert answer.status == 403
    expect(ada.page.locator("body")).to_contain_text("used already")


def test_looking_at_a_link_uses_nothing(ceremony: Ceremony, ada: Sitter) -> None:
    for _ in range(3):
        answer = ada.page.goto(ceremony.link)
        assert answer is not None
        assert answer.ok
    assert list_invitations(ceremony.running.studio)[0].state == "open"


def test_an_expired_link(ceremony: Ceremony, ada: Sitter) -> None:
    ada.begin(ceremony.link)
    with ceremony.running.studio.database.session() as session:
        row = session.query(InvitationRow).one()
        row.expires = row.created
    for address in (ceremony.link, f"{ceremony.running.origin}/consent/choices"):
        answer = ada.page.goto(address)
        assert answer is not None
        assert answer.status == 403
        expect(ada.page.locator("body")).to_contain_text("Ask the studio for a new one")


def test_two_tabs(ceremony: Ceremony, ada: Sitter, tmp_path: Path) -> None:
    """The second tab of the same browser can't sign again what the first has signed."""
    ceremony.to_signature(ada)
    second = ada.context.new_page()
    for page in (ada.page, second):
        page.goto(f"{ceremony.running.origin}/consent/sign")
    second.locator("#makefile").click()
    second.locator("#saved").check()
    ada.sign_with_file(tmp_path)
    second.locator("#filesign").click()
    expect(second.locator("#signstate")).to_contain_text("you are not in a ceremony")
    assert len(own_records(ceremony.running.studio, ceremony.person)) == 1


def test_nobody_signs_what_they_dont_see(ceremony: Ceremony, ada: Sitter) -> None:
    """One tab shows the final record; another changes the choices; the first can't sign them."""
    ceremony.to_signature(ada)
    ada.page.goto(f"{ceremony.running.origin}/consent/sign")
    other = ada.context.new_page()
    other.goto(f"{ceremony.running.origin}/consent/choices")
    other.locator("input[value=release]").uncheck()
    other.get_by_role("button", name="Continue").click()
    other.wait_for_url("**/consent/record")
    ada.page.locator("#makefile").click()
    ada.page.locator("#saved").check()
    ada.page.locator("#filesign").click()
    expect(ada.page.locator("#signstate")).to_contain_text("this page is too old")
    assert not ceremony.cleared()


def test_the_link_in_another_browser_ends_the_first(
    ceremony: Ceremony, ada: Sitter, browser: Browser
) -> None:
    ada.begin(ceremony.link)
    phone = Sitter.at(browser, wide=False)
    phone.begin(ceremony.link)
    ada.page.goto(f"{ceremony.running.origin}/consent/choices")
    expect(ada.page.locator("body")).to_contain_text("not signed in")
    phone.context.close()


def test_links_cant_be_guessed_for_long(ceremony: Ceremony, ada: Sitter) -> None:
    statuses = set()
    for number in range(25):
        answer = ada.page.goto(f"{ceremony.running.origin}/c/{'x' * 42}{number}")
        assert answer is not None
        statuses.add(answer.status)
    expect(ada.page.locator("body")).to_contain_text("Too many tries")
    assert statuses == {403}


# Choosing


def test_nothing_is_ticked_and_what_is_not_ticked_is_not_granted(
    ceremony: Ceremony, ada: Sitter, tmp_path: Path
) -> None:
    ada.begin(ceremony.link)
    ada.page.get_by_role("link", name="Continue").click()
    assert ada.page.locator("input[type=checkbox]:checked").count() == 0
    ada.page.get_by_role("button", name="Continue").click()
    assert "Only people of 18 years or older" in ada.page.locator("[role=alert]").inner_text()
    ada.tick("adult")
    ada.page.get_by_role("button", name="Continue").click()
    assert "matching of your face" in ada.page.locator("[role=alert]").inner_text()
    assert ada.page.locator("input[name=adult]").is_checked()  # as she ticked it
    ada.tick("adult", "face_matching", "channels", "modalities")
    ada.page.locator("input[value=ingest]").check()
    ada.page.locator("input[value=train]").check()
    ada.page.locator("input[value=satire]").check()
    ada.page.get_by_role("button", name="Continue").click()
    ada.page.wait_for_url("**/record")
    ceremony.running.hand_in(ceremony.link, ceremony.statement)
    ada.page.goto(f"{ceremony.running.origin}/consent/sign")
    ada.sign_with_file(tmp_path)
    assert ceremony.cleared(Act.TRAIN)
    assert not ceremony.cleared(Act.RELEASE)
    (listed,) = list_invitations(ceremony.running.studio)
    assert set(listed.declined) == {"portray", "perform", "release"}
    (own,) = own_records(ceremony.running.studio, ceremony.person)
    assert own.record.forbidden == {"satire"}


def test_saying_no(ceremony: Ceremony, ada: Sitter) -> None:
    ada.begin(ceremony.link)
    ada.page.get_by_role("button", name="I say no").click()
    expect(ada.page.locator("body")).to_contain_text("You said no")
    assert list_invitations(ceremony.running.studio)[0].state == "declined"
    assert own_records(ceremony.running.studio, ceremony.person) == ()


def test_more_than_was_asked_cant_be_ticked(ceremony: Ceremony, ada: Sitter) -> None:
    """A page changed by hand: the server holds it to the offer."""
    ada.begin(ceremony.link)
    ada.page.get_by_role("link", name="Continue").click()
    ada.tick("modalities", "acts", "channels", "face_matching", "adult")
    ada.page.evaluate("document.querySelector('input[name=channels]').value = 'everywhere'")
    ada.page.get_by_role("button", name="Continue").click()
    assert "more was ticked" in ada.page.locator("[role=alert]").inner_text()


def test_the_page_speaks_three_languages(ceremony: Ceremony, ada: Sitter, tmp_path: Path) -> None:
    ada.begin(ceremony.link)
    ada.page.get_by_role("link", name="Deutsch").click()
    assert ada.page.locator("html").get_attribute("lang") == "de"
    ada.page.get_by_role("link", name="Weiter").click()
    ada.tick("modalities", "acts", "channels", "face_matching", "adult")
    ada.page.get_by_role("button", name="Weiter").click()
    ceremony.running.hand_in(ceremony.link, ceremony.statement)
    ada.page.goto(f"{ceremony.running.origin}/consent/sign?lang=es")
    expect(ada.page.locator("body")).to_contain_text("Léalo una vez más")
    ada.sign_with_file(tmp_path)
    (own,) = own_records(ceremony.running.studio, ceremony.person)
    # What is signed is in the language in which she chose.
    assert own.record.notice.language == "de"
    assert "möchte Gesicht und Stimme" in own.record.notice.text


# Attacks


def test_names_are_text(small_films: Served, browser: Browser, statement: bytes) -> None:
    """Script in names and titles shows as it is written, and runs nowhere."""
    bad = "<script>document.title='x'</script><img src=x onerror=alert(1)>"
    purpose = lesson(small_films, title=f"A {bad} film", purpose=f"To {bad} show {{{{ 7*7 }}}}")
    person = newcomer(small_films, name=f"Ada {bad}")
    link = small_films.link(purpose, person, everything(purpose))
    sitter = Sitter.at(browser)
    sitter.page.on("dialog", lambda dialog: pytest.fail(f"ran: {dialog.message}"))
    sitter.page.goto(link)
    assert bad in sitter.page.locator("main").inner_text()
    sitter.begin(link)
    assert bad in sitter.page.locator("main").inner_text()
    assert "{{ 7*7 }}" in sitter.page.locator("main").inner_text()
    sitter.choose_everything()
    small_films.hand_in(link, statement)
    sitter.page.goto(f"{small_films.origin}/consent/sign")
    assert bad in sitter.page.locator("main").inner_text()
    assert sitter.page.locator("img").count() == 0
    assert sitter.said == []
    sitter.context.close()


def test_scripts_of_others_dont_run(ceremony: Ceremony, ada: Sitter) -> None:
    """Were there a hole, the policy would still stop what comes in through it."""
    ada.begin(ceremony.link)
    ran = ada.page.evaluate(
        """() => new Promise((done) => {
          const script = document.createElement("script");
          try { script.textContent = "window.ran = true"; document.head.append(script); } catch {}
          try { document.body.innerHTML = "<img src=x onerror='window.ran = true'>"; } catch {}
          setTimeout(() => done(window.ran === true), 300);
        })"""
    )
    assert ran is False
    assert any("Content Security Policy" in line or "TrustedHTML" in line for line in ada.said)


def test_other_sites_cant_act_for_her(ceremony: Ceremony, ada: Sitter, tmp_path: Path) -> None:
    """A form on another site, sent by her browser with its cookies; and one without the token."""
    ceremony.signed(ada, tmp_path)
    (own,) = own_records(ceremony.running.studio, ceremony.person)
    target = f"{ceremony.running.origin}/home/withdraw/{own.row_id}"
    other = ceremony.running.origin.replace("localhost", "127.0.0.1")
    evil = ada.context.new_page()
    evil.route(
        f"{other}/evil",
        lambda route: route.fulfill(
            content_type="text/html", body=f"<form method=post action='{target}'><button>x"
        ),
    )
    evil.goto(f"{other}/evil")
    evil.get_by_role("button").click()
    evil.wait_for_url(target)
    assert ceremony.cleared()
    for token in ("", "x" * 43):
        told = fetched(ada, f"/home/withdraw/{own.row_id}", {}, **{"X-CSRF": token})
        assert told["status"] == 403
    assert ceremony.cleared()


def test_only_this_host_is_answered(ceremony: Ceremony, ada: Sitter) -> None:
    """Another name that leads here (DNS rebinding) gets nothing."""
    address = ceremony.link.replace("localhost", "127.0.0.1")
    answer = ada.page.goto(address)
    assert answer is not None
    assert answer.status == 421


def test_too_much_is_not_taken(ceremony: Ceremony, ada: Sitter) -> None:
    ada.begin(ceremony.link)
    assert fetched(ada, "/consent/key", "x" * 100_000)["status"] == 413
    # A form that doesn't say how long it is, and a nest that no parser should follow.
    assert fetched(ada, "/consent/key", "[" * 60_000)["status"] == 400
    assert fetched(ada, "/consent/key", "[]")["status"] == 400


def test_a_ready_made_video_is_not_taken(ceremony: Ceremony, ada: Sitter) -> None:
    """Without a challenge that was begun just now nothing can be sent."""
    ada.begin(ceremony.link)
    ada.choose_everything()
    path = f"/consent/recording?nonce={'0' * 64}&prompts=1,2,3"
    assert fetched(ada, path, "x")["status"] == 403
    asked = json.loads(fetched(ada, "/consent/challenge", {})["text"])
    path = f"/consent/recording?nonce={asked['nonce']}&prompts=1,2,3"
    assert fetched(ada, path, "x")["status"] == 403  # the turns were never asked for
    assert fetched(ada, "/consent/recording")["status"] == 400
    assert fetched(ada, "/consent/recording/person", {})["status"] == 400


def test_strangers_see_nothing(
    ceremony: Ceremony, ada: Sitter, browser: Browser, tmp_path: Path
) -> None:
    """Ben is signed in, and asks for Ada's things."""
    ceremony.signed(ada, tmp_path)
    (own,) = own_records(ceremony.running.studio, ceremony.person)
    ben = newcomer(ceremony.running, "ben", "Ben")
    sitter = Sitter.at(browser)
    sitter.page.goto(f"{ceremony.running.origin}/c/{invite_home(ceremony.running.studio, ben)}")
    sitter.page.get_by_role("button", name="Open").click()
    sitter.page.wait_for_url("**/home")
    for path in (
        f"/home/receipt/{own.row_id}",
        f"/home/receipt/{own.row_id}/pdf",
        f"/home/receipt/{own.row_id}/json",
        f"/home/withdraw/{own.row_id}",
        f"/home/narrow/{own.row_id}",
        "/home/preview/..%2f..%2fstudio.db",
        "/home/decide/x/approve",
        "/static/../server.py",
        "/nowhere",
    ):
        answer = sitter.page.goto(f"{ceremony.running.origin}{path}")
        assert answer is not None
        assert answer.status == 404, path
    assert fetched(sitter, f"/home/withdraw/{own.row_id}", {})["status"] == 404
    assert ceremony.cleared()
    sitter.context.close()


# A person looks


def test_a_person_at_the_studio_decides(
    ceremony: Ceremony, ada: Sitter, browser: Browser, tmp_path: Path
) -> None:
    ceremony.to_signature(ada, passed=False)
    with ceremony.running.studio.database.session() as session:
        session.query(InvitationRow).one().attempts = 1
    ada.page.goto(f"{ceremony.running.origin}/consent/record")
    assert fetched(ada, "/consent/recording/person", {})["status"] in (200, 405)
    ada.page.goto(f"{ceremony.running.origin}/consent/sign")
    expect(ada.page.locator("body")).to_contain_text("looks at your recording first")
    ada.sign_with_file(tmp_path)
    expect(ada.page.locator("body")).to_contain_text("waits for a person")
    assert not ceremony.cleared()
    studio = ceremony.running.studio
    member = add_person(studio, handle="kim", name="Kim", key=public_of(PRODUCER), staff=True)
    (waiting,) = list_waiting(studio)
    other = Sitter.at(browser)
    secret = link_to_watch(studio, waiting.record_id, member, PRODUCER)
    other.page.goto(f"{ceremony.running.origin}/c/{secret}")
    other.page.get_by_role("button", name="Open").click()
    other.page.wait_for_url("**/watch")
    played = other.page.request.get(f"{ceremony.running.origin}/watch/recording")
    assert played.body() == ceremony.statement
    assert ada.page.request.get(f"{ceremony.running.origin}/watch/recording").status == 403
    approve_statement(studio, waiting.record_id, member, PRODUCER, reason="it is Ada")
    gone = other.page.request.get(f"{ceremony.running.origin}/watch/recording")
    assert gone.status == 404
    other.context.close()
    assert ceremony.cleared()
    ada.page.goto(f"{ceremony.running.origin}/home")
    assert ada.page.locator(".state.live").count() == 1


@pytest.mark.parametrize("kind", ["estate", "guardian"])
def test_somebody_answers_for_her(
    small_films: Served, ada: Sitter, statement: bytes, tmp_path: Path, samples: Path, kind: str
) -> None:
    """Her estate, or her guardian: from the link to a live record, with a clip that shows her."""
    studio, purpose, person = small_films.studio, lesson(small_films), newcomer(small_films)
    terms = replace(
        everything(purpose),
        authority=Authority(
            kind="estate" if kind == "estate" else "guardian",
            relation="named by the court of Nordstadt",
            document_sha256="5" * 64,
        ),
        likeness_sha256=hashlib.sha256(statement).hexdigest(),
    )
    link = small_films.link(purpose, person, terms)
    ada.page.goto(link)
    expect(ada.page.locator("body")).to_contain_text(
        f"as their {kind} (named by the court of Nordstadt)"
    )
    ada.begin(link)
    assert "You answer for the person" in ada.page.locator(".note").inner_text()
    ada.page.get_by_role("link", name="Continue").click()
    expect(ada.page.locator("body")).to_contain_text("I may answer for them")
    ada.tick("modalities", "acts", "channels", "face_matching", "adult")
    ada.page.get_by_role("button", name="Continue").click()
    ada.page.wait_for_url("**/consent/record")
    challenge = fetched(ada, "/consent/challenge", {})
    assert "For Ada Aldous I agree" in challenge["text"]
    # Ben, who answers, is before the camera.
    small_films.hand_in(link, (samples / "ben_statement.mp4").read_bytes())
    ada.page.goto(f"{small_films.origin}/consent/sign")
    expect(ada.page.locator("body")).to_contain_text(
        "the document by which you answer for Ada Aldous"
    )
    ada.sign_with_file(tmp_path)
    expect(ada.page.locator("body")).to_contain_text("waits for a person")
    member = add_person(studio, handle="kim", name="Kim", key=public_of(PRODUCER), staff=True)
    (waiting,) = list_waiting(studio)
    assert waiting.answers == f"{kind}: named by the court of Nordstadt"
    approve_statement(
        studio, waiting.record_id, member, PRODUCER,
        reason="I have read the court's letter; the clip shows Ada", likeness=io.BytesIO(statement),
    )  # fmt: skip
    clear(studio, purpose, person_id=person.id, acts=list(Act))
    ada.page.goto(f"{small_films.origin}/home")
    assert ada.page.locator(".state.live").count() == 1


# Her own place


def test_receipts_to_keep(ceremony: Ceremony, ada: Sitter, tmp_path: Path) -> None:
    ceremony.signed(ada, tmp_path)
    kept = {}
    for name in ("Receipt as PDF", "Receipt for programs (JSON)"):
        with ada.page.expect_download() as download:
            ada.page.get_by_role("link", name=name).click()
        kept[name] = Path(download.value.path()).read_bytes()
    assert kept["Receipt as PDF"].startswith(b"%PDF-")
    copy = json.loads(kept["Receipt for programs (JSON)"])
    assert copy["record"]["principal"]["handle"] == "ada"
    assert copy["receipt"].count(".") == 2


def test_allowing_less(ceremony: Ceremony, ada: Sitter, tmp_path: Path) -> None:
    key = ceremony.signed(ada, tmp_path)
    assert ceremony.cleared(Act.RELEASE)
    ada.page.get_by_role("link", name="Allow less").click()
    ada.page.get_by_role("button", name="Go on to sign").click()
    assert "nothing was changed" in ada.page.locator("[role=alert]").inner_text()
    ada.page.locator("input[value=release]").uncheck()
    ada.page.get_by_role("button", name="Go on to sign").click()
    ada.page.locator("#keyfile").set_input_files(key)
    ada.page.locator("#filesign").click()
    ada.page.wait_for_url("**/home")
    expect(ada.page.locator("body")).to_contain_text("version 2")
    assert ceremony.cleared(Act.TRAIN)
    assert not ceremony.cleared(Act.RELEASE)


def test_withdrawing_takes_two_steps(ceremony: Ceremony, ada: Sitter, tmp_path: Path) -> None:
    ceremony.signed(ada, tmp_path)
    ada.page.get_by_role("link", name="End this consent").click()
    assert ceremony.cleared()
    ada.page.get_by_role("button", name="Yes, end it now").click()
    expect(ada.page.locator("body")).to_contain_text("Your consent has ended")
    assert not ceremony.cleared()
    ada.page.get_by_role("link", name="Read the certificate").click()
    expect(ada.page.locator("body")).to_contain_text("Certificate of deletion")
    expect(ada.page.locator("body")).to_contain_text("recorded statement")
    ada.page.get_by_role("link", name="Deutsch").click()
    expect(ada.page.locator("body")).to_contain_text("aufgezeichnete Erklärung")
    with ada.page.expect_download() as download:
        ada.page.get_by_role("link", name="JWS").click()
    token = Path(download.value.path()).read_text().strip()
    fields = read_certificate(token, ceremony.running.studio.signing_key)
    assert fields["ended"]["how"] == "withdrawn"
    ada.page.goto(f"{ceremony.running.origin}/home?lang=en")
    expect(ada.page.locator("body")).to_contain_text("ended by withdrawal")
    assert ada.page.get_by_role("link", name="Read the certificate").count() == 1


def test_withdrawing_while_a_copy_of_the_key_is_elsewhere(
    ceremony: Ceremony, ada: Sitter, tmp_path: Path
) -> None:
    """The escrow isn't at hand: the page says so, and shows the certificate once it was."""
    ceremony.signed(ada, tmp_path)
    studio, stick = ceremony.running.studio, tmp_path / "stick"
    export(
        studio,
        tmp_path / "backup.age",
        recipients=[str(pyrage.x25519.Identity.generate().to_public())],
        escrow=stick,
    )
    stick.rename(tmp_path / "away")
    ada.page.get_by_role("link", name="End this consent").click()
    ada.page.get_by_role("button", name="Yes, end it now").click()
    assert not ceremony.cleared()
    assert str(stick) in ada.page.locator(".problem").inner_text()
    (own,) = own_records(studio, find_person(studio, "ada"))
    answer = ada.page.goto(f"{ceremony.running.origin}/home/certificate/{own.row_id}")
    assert answer is not None
    assert answer.status == 404
    expect(ada.page.locator("body")).to_contain_text("no certificate of deletion yet")
    (tmp_path / "away").rename(stick)
    withdraw(studio, own.record_id)
    ada.page.goto(f"{ceremony.running.origin}/home/certificate/{own.row_id}")
    expect(ada.page.locator("body")).to_contain_text("escrow key in")


def final_of(ceremony: Ceremony, samples: Path, key: Path) -> str:
    """Put a draft with a sealed sheet before Ada, who kept the last word."""
    studio = ceremony.running.studio
    ada = Member(person=find_person(studio, "ada"), key=from_pem(key.read_bytes(), name=key.name))
    draft = add_draft(studio, ceremony.purpose, donor=ada, performer=ada)
    clip = samples / "ada_statement.mp4"
    picture = to_rgb(next(iter(read_pictures(clip, name=clip.name))))
    cleared = clear(studio, ceremony.purpose, person_id=ada.id, acts=[])
    name = f"lesson-{draft[:8]}-before-after"
    _seal(studio, ceremony.purpose, picture, [cleared], name, draft_id=draft)
    return draft


def test_the_last_word(ceremony: Ceremony, ada: Sitter, tmp_path: Path, samples: Path) -> None:
    ceremony.to_signature(ada)
    ada.page.goto(f"{ceremony.running.origin}/consent/choices")
    ada.tick("final_approval")
    ada.page.get_by_role("button", name="Continue").click()
    ada.page.goto(f"{ceremony.running.origin}/consent/sign")
    key = ada.sign_with_file(tmp_path)
    draft = final_of(ceremony, samples, key)
    studio, (made,) = (
        ceremony.running.studio,
        made_with(ceremony.running.studio, find_person(ceremony.running.studio, "ada")),
    )

    def require() -> None:
        require_finals(
            studio, ceremony.purpose, [ceremony.person.id], draft_id=draft, draft=made.digest
        )

    with pytest.raises(SignOffError):
        require()
    for decision in ("Decline", "Approve"):
        ada.page.goto(f"{ceremony.running.origin}/home")
        assert ada.page.locator("img").evaluate("image => image.naturalWidth") > 100
        ada.page.get_by_role("link", name=decision).click()
        ada.page.locator("#keyfile").set_input_files(key)
        ada.page.locator("#filesign").click()
        ada.page.wait_for_url("**/home")
        if decision == "Decline":
            with pytest.raises(SignOffError, match="declined"):
                require()
    require()


# Seen at both widths, and by those who don't see


PICTURES = Path(__file__).parents[2] / "docs" / "pictures" / "consent"


@pytest.mark.parametrize("wide", [True, False], ids=["desk", "phone"])
def test_every_page_is_for_everyone(
    ceremony: Ceremony,
    browser: Browser,
    wide: bool,
    tmp_path: Path,
    samples: Path,
    pytestconfig: pytest.Config,
) -> None:
    """WCAG 2.1 AA by axe, nothing wider than the window; with --pictures they are kept."""
    sitter = Sitter.at(browser, wide=wide)
    page, origin = sitter.page, ceremony.running.origin
    keep = pytestconfig.getoption("--pictures")

    def look(name: str, path: str = "") -> None:
        if path:
            page.wait_for_url(path)
        page.wait_for_load_state("networkidle")
        found = Axe().run(
            page,
            options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]},
        )
        assert found.violations_count == 0, f"{name}: {found.generate_report()}"
        wider = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wider <= 0, f"{name} is {wider} pixels too wide"
        if keep:
            PICTURES.mkdir(exist_ok=True)
            page.screenshot(
                path=PICTURES / f"{name}-{'desk' if wide else 'phone'}.jpg",
                full_page=True, type="jpeg", quality=40,
            )  # fmt: skip

    page.goto(f"{origin}/signin")
    look("signin")
    page.goto(ceremony.link)
    look("link")
    sitter.begin(ceremony.link)
    look("notice")
    page.get_by_role("link", name="Continue").click()
    page.wait_for_url("**/choices")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("alert")).to_be_visible()
    look("choices-problem")
    page.goto(f"{origin}/consent/choices")
    sitter.tick("modalities", "acts", "channels", "face_matching", "adult", "final_approval")
    look("choices")
    page.get_by_role("button", name="Continue").click()
    look("record", "**/consent/record")
    page.locator("#open").click()
    page.locator("#start").wait_for(state="visible")
    look("record-camera")
    ceremony.running.hand_in(ceremony.link, ceremony.statement)
    page.goto(f"{origin}/consent/sign")
    look("sign")
    page.locator("#makefile").click()
    page.locator("#savefile").wait_for(state="visible")
    look("sign-file")
    page.goto(f"{origin}/consent/sign")
    key = sitter.sign_with_file(tmp_path)
    final_of(ceremony, samples, key)
    page.goto(f"{origin}/home?new=1")
    look("home")
    page.get_by_role("link", name="Read your receipt").click()
    look("receipt", "**/home/receipt/*")
    page.goto(f"{origin}/home")
    page.get_by_role("link", name="Approve").click()
    look("decide", "**/home/decide/**")
    page.goto(f"{origin}/home")
    page.get_by_role("link", name="Allow less").click()
    look("narrow", "**/home/narrow/*")
    page.locator("input[value=release]").uncheck()
    page.get_by_role("button", name="Go on to sign").click()
    look("narrow-sign", "**/sign")
    page.goto(f"{origin}/home")
    page.get_by_role("link", name="End this consent").click()
    look("withdraw", "**/home/withdraw/*")
    page.get_by_role("button", name="Yes, end it now").click()
    expect(page.get_by_role("heading", name="Your consent has ended")).to_be_visible()
    look("withdrawn")
    page.get_by_role("link", name="Read the certificate").click()
    look("certificate", "**/home/certificate/*")
    page.goto(ceremony.link)
    look("used")
    watched_and_declined(ceremony, sitter, look)
    sitter.context.close()


def watched_and_declined(ceremony: Ceremony, sitter: Sitter, look: Callable[..., None]) -> None:
    """Look at the pages of who says no, and of who decides about a recording."""
    running, page = ceremony.running, sitter.page
    for handle, passed in (("bea", False), ("cem", True)):
        person = newcomer(running, handle, handle.title())
        link = running.link(ceremony.purpose, person, everything(ceremony.purpose))
        sitter.begin(link)
        if passed:
            page.get_by_role("button", name="I say no").click()
            expect(page.get_by_role("heading", name="You said no")).to_be_visible()
            look("declined")
            continue
        sitter.choose_everything()
        invitation = find_invitation(running.studio, link.rsplit("/", 1)[1])
        running.hand_in(link, ceremony.statement, passed=False)
        running.site.recordings.need(invitation.id).to_person = True
        key = new_key()
        record = prepare(
            running.studio, invitation, key=public_of(key),
            statement_sha256=hashlib.sha256(ceremony.statement).hexdigest(),
        )  # fmt: skip
        conclude(
            running.studio, invitation, record, sign_record(record, key), key=public_of(key),
            statement=io.BytesIO(ceremony.statement), checked=DARK,
        )  # fmt: skip
    kim = new_key()
    member = add_person(running.studio, handle="kim", name="Kim", key=public_of(kim), staff=True)
    (waiting,) = list_waiting(running.studio)
    secret = link_to_watch(running.studio, waiting.record_id, member, kim)
    page.goto(f"{running.origin}/c/{secret}")
    look("link-watch")
    page.get_by_role("button", name="Open").click()
    look("watch", "**/watch")


def test_the_keyboard_is_enough(ceremony: Ceremony, ada: Sitter) -> None:
    """From the link to the camera without a mouse."""
    page = ada.page
    page.goto(ceremony.link)
    page.get_by_role("button", name="Begin").press("Enter")
    page.wait_for_url("**/consent")
    page.get_by_role("link", name="Continue").press("Enter")
    page.wait_for_url("**/choices")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    for box in page.locator("input[type=checkbox]").all():
        box.focus()
        page.keyboard.press("Space")
    page.get_by_role("button", name="Continue").press("Enter")
    page.wait_for_url("**/record")
    page.locator("#open").press("Enter")
    page.locator("#start").wait_for(state="visible")
    expect(page.locator("#start")).to_be_focused()


def test_a_link_home_is_used_by_opening(ceremony: Ceremony, ada: Sitter) -> None:
    secret = invite_home(ceremony.running.studio, ceremony.person, lifetime=timedelta(minutes=5))
    for number in range(2):
        ada.page.goto(f"{ceremony.running.origin}/c/{secret}")
        if number == 0:
            ada.page.get_by_role("button", name="Open").click()
            ada.page.wait_for_url("**/home")
            expect(ada.page.locator("body")).to_contain_text("no consent of yours")
        else:
            expect(ada.page.locator("body")).to_contain_text("Ask the studio for a new one")
