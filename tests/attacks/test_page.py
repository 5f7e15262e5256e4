"""The subjects' pages: forged requests, scripts in names, other people's data, uploads."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from attempts import ask, refused, row_of, shut
from requests_to import ORIGIN, Answer, Requests, Visitor
from studios import Scene, brief_with, terms_for

from assent.apps.web.recordings import LARGEST
from assent.consent.clearance import Act
from assent.consent.invitations import find_invitation, invite
from assent.consent.people import Person, add_person
from assent.consent.record import parse_record
from assent.consent.sitting import Checked
from assent.kit.signing import SigningKey, VerifyKey, new_key, public_of, sign, to_jwk
from assent.purpose.projects import create_project

FILM = b"a recording that was checked"
SCRIPT = "<script>alert('x')</script>"


class Ceremony(Requests):
    """Dora's ceremony: a link, and a browser in which it was opened."""

    def __init__(self, scene: Scene, person: Person | None = None) -> None:
        super().__init__(scene.studio)
        self.scene = scene
        self.key: SigningKey = new_key()
        self.person = person or add_person(scene.studio, handle="dora", name="Dora", key=None)
        self.secret = invite(scene.studio, scene.purpose, self.person, terms_for(scene.purpose))

    def open(self) -> "Ceremony":
        """Open the link and begin."""
        assert self.post(f"/c/{self.secret}", form={}).status == 303
        assert self.get("/consent").status == 200
        return self

    def choose(self, **changes: object) -> "Ceremony":
        """Tick everything, with changes."""
        terms = terms_for(self.scene.purpose)
        form = {
            "adult": "on",
            "face_matching": "on",
            "acts": sorted(act.value for act in terms.acts),
            "modalities": ["face"],
            "channels": sorted(terms.channels),
            **changes,
        }
        self.chosen = self.post(
            "/consent/choices", form={name: value for name, value in form.items() if value}
        )
        return self

    def hand_in(self, film: bytes = FILM, *, passed: bool = True) -> "Ceremony":
        """Put a recording where the camera's would lie, checked already."""
        invitation = find_invitation(self.scene.studio, self.secret)
        recording = self.site.recordings.begin(invitation.id, nonce="0" * 64)
        recording.scratch.write(film)
        recording.sha256 = hashlib.sha256(film).hexdigest()
        recording.checked = Checked(passed=passed, findings={"face": "new", "findings": []})
        recording.state = "passed" if passed else "failed"
        return self

    def shown(self) -> str:
        """Load the page on which Dora signs, and return the digest of what it shows."""
        page = self.get("/consent/sign")
        digest = re.search(r'data-shown="([0-9a-f]{64})"', page.text)
        assert digest is not None, page.text
        return digest[1]

    def bind(self, key: VerifyKey, shown: object = None) -> Answer:
        """Bind a key as the page does: with the digest of what it shows, or another."""
        said = self.shown() if shown is None else shown
        return self.post("/consent/key", {"jwk": to_jwk(key), "shown": said})

    def to_sign(self) -> str:
        """Bind Dora's key, and return what she is asked to sign."""
        answer = self.bind(public_of(self.key))
        assert answer.status == 200, answer.text
        return str(answer.json["text"])


@pytest.fixture
def sitting(scene: Scene) -> Iterator[Ceremony]:
    """A ceremony whose link was opened."""
    ceremony = Ceremony(scene).open()
    yield ceremony
    ceremony.site.recordings.close()


def signed_in(scene: Scene, visitor: Visitor, person_id: str) -> Visitor:
    """Sign somebody in, as a link to their own place does."""
    from starlette.responses import Response

    response = Response()
    visitor.site.sessions.begin(response, person_id=person_id, language="en")
    cookie = response.headers["set-cookie"]
    visitor.cookies = dict([cookie.partition(";")[0].split("=", 1)])
    assert visitor.get("/home").status == 200
    return visitor


def raw_signature(text: str, key: SigningKey) -> str:
    """What the page's script signs: the very text it was given."""
    import base64

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    private = key.as_dict(private=True)["d"]
    seed = base64.urlsafe_b64decode(str(private) + "=")
    signature = Ed25519PrivateKey.from_private_bytes(seed).sign(text.encode())
    return base64.urlsafe_b64encode(signature).rstrip(b"=").decode()


def test_the_lawful_way_is_open(sitting: Ceremony) -> None:
    sitting.choose().hand_in()
    text = sitting.to_sign()
    answer = sitting.post("/consent/signature", {"signature": raw_signature(text, sitting.key)})
    assert answer.json == {"next": "/home?new=1"}


def test_request_without_a_token(sitting: Ceremony) -> None:
    """A page changes something without the session's token (CSRF)."""
    for path in ("/consent/challenge", "/consent/choices", "/consent/decline", "/consent/key"):
        shut(sitting.post(path, {}, x_csrf=""), 403, "the request came from elsewhere")


def test_token_of_another_session(sitting: Ceremony, scene: Scene) -> None:
    """A page sends the token of another session."""
    other = signed_in(scene, sitting.another(), scene.ben.id)
    assert other.csrf
    shut(
        sitting.post("/consent/challenge", {}, x_csrf=other.csrf),
        403,
        "the request came from elsewhere",
    )


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "", f"{ORIGIN}.evil.example"])
def test_request_from_another_site(sitting: Ceremony, origin: str) -> None:
    """Another site sends a form in the subject's name, cookies and all."""
    for path in ("/consent/challenge", "/consent/decline", f"/c/{sitting.secret}"):
        shut(sitting.post(path, {}, origin=origin), 403, "the request came from elsewhere")
    assert sitting.get("/consent").status == 200


def test_changing_by_a_mere_link(sitting: Ceremony) -> None:
    """A link in a mail changes something when it is followed, or looked at by a program."""
    for path in ("/consent/decline", "/consent/challenge", "/consent/signature", "/signout"):
        shut(sitting.get(path), 404, "there is no such page")
    fresh = sitting.another()
    assert fresh.get(f"/c/{sitting.secret}").status == 200
    assert not fresh.cookies


def test_name_of_another_host(sitting: Ceremony) -> None:
    """Another site's name is pointed at the studio's machine (DNS rebinding)."""
    for host in ("evil.example", "localhost", "consent.example.org.evil.example", "127.0.0.1:80"):
        shut(sitting.get("/consent", host=host), 421, "Not here.")


def test_script_in_names(scene: Scene) -> None:
    """Person, project and what was asked hold scripts (XSS)."""
    hostile = Ceremony(
        replace(
            scene,
            purpose=create_project(
                scene.studio,
                brief_with(
                    title=f"Film {SCRIPT}", purpose=f"To show what a page does with {SCRIPT} in it."
                ),
            ),
        ),
        add_person(scene.studio, handle="eve", name=f"Eve {SCRIPT}", key=None),
    ).open()
    hostile.choose()
    pages = [f"/c/{hostile.secret}", "/consent", "/consent/choices", "/consent/record"]
    for path in pages:
        answer = hostile.get(path)
        assert answer.status == 200
        assert "&lt;script&gt;" in answer.text or path not in pages[:2]
        assert "<script>" not in answer.text
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'; script-src 'self';" in policy
        assert "unsafe" not in policy
    hostile.site.recordings.close()
    shut(hostile.post("/consent/key", {"jwk": {"kty": SCRIPT}}), 400, "there is no recording yet")


def test_script_in_addresses(sitting: Ceremony) -> None:
    """The address holds a script."""
    for path in (
        f"/c/{SCRIPT}",
        f"/consent?lang={SCRIPT}",
        f"/home/receipt/{SCRIPT}",
        f"/{SCRIPT}",
    ):
        answer = sitting.get(path)
        assert SCRIPT not in answer.text
    shut(sitting.get(f"/{SCRIPT}"), 404, "")


def test_page_in_a_frame(sitting: Ceremony) -> None:
    """The page is laid in a frame of another site, to steal clicks."""
    answer = sitting.get("/consent")
    assert answer.headers["x-frame-options"] == "DENY"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    shut(sitting.post("/consent/decline", {}, origin="null"), 403, "came from elsewhere")


def test_cookie_out_of_reach(scene: Scene) -> None:
    """A script, another site or a plain connection takes the session's cookie."""
    fresh = Ceremony(scene)
    (cookie,) = fresh.post(f"/c/{fresh.secret}", form={}).cookies
    assert cookie.startswith("__Host-")
    for flag in ("HttpOnly", "Secure", "SameSite=strict", "Path=/"):
        assert flag in cookie
    stolen = fresh.another()
    stolen.cookies = {"assent": fresh.cookies["__Host-assent"]}
    shut(stolen.get("/consent"), 403, "")


def test_session_guessed(sitting: Ceremony) -> None:
    """A session's cookie is guessed, or set to a value of one's own beforehand."""
    other = sitting.another()
    for value in ("", "0" * 43, "a" * 5000, "%00", "' OR 1=1 --"):
        other.cookies = {"__Host-assent": value}
        shut(other.get("/consent"), 403, "")
    planted = sitting.another()
    planted.cookies = {"__Host-assent": "planted"}
    planted.post(f"/c/{sitting.secret}", form={})
    assert planted.cookies["__Host-assent"] != "planted"


def test_second_tab(sitting: Ceremony) -> None:
    """The link is opened in a second browser: the first one's session is over."""
    second = sitting.another()
    assert second.post(f"/c/{sitting.secret}", form={}).status == 303
    shut(sitting.get("/consent"), 403, "")


def test_links_guessed_in_a_row(sitting: Ceremony) -> None:
    """Links are tried one after another."""
    thief = sitting.another()
    for number in range(20):
        shut(thief.get(f"/c/{number:043d}"), 403, "")
    shut(thief.get(f"/c/{sitting.secret}"), 403, "")


def test_form_too_large(sitting: Ceremony) -> None:
    """A form of a hundred megabytes is sent, with or without saying so."""
    declared = {"origin": ORIGIN, "content-length": "100000000", "x-csrf": sitting.csrf}
    shut(sitting.request("POST", "/consent/choices", b"x", headers=declared), 413, "Too large")
    pieces = (b"acts=" + b"x" * 65536 for _ in range(40))
    headers = {
        "origin": ORIGIN,
        "x-csrf": sitting.csrf,
        "content-type": "application/x-www-form-urlencoded",
    }
    shut(sitting.request("POST", "/consent/choices", pieces, headers=headers), 413, "")


def begun(sitting: Ceremony) -> str:
    """Draw a challenge and begin it."""
    nonce = str(sitting.post("/consent/challenge").json["nonce"])
    assert "turns" in sitting.post("/consent/challenge/begin", {"nonce": nonce}).json
    return nonce


def upload(sitting: Visitor, nonce: str, body: bytes | Iterator[bytes] = FILM, **headers: str):  # type: ignore[no-untyped-def]
    """Upload a recording as the page does."""
    sent = {
        "origin": ORIGIN, "x-csrf": sitting.csrf, "accept": "application/json",
        "content-type": "video/webm", **headers,
    }  # fmt: skip
    path = f"/consent/recording?nonce={nonce}&prompts=4000,7000,10000,13000,16000"
    return sitting.request("POST", path, body, headers=sent)


def test_upload_too_large(sitting: Ceremony) -> None:
    """A recording of gigabytes is uploaded, with or without saying so."""
    nonce = begun(sitting.choose())
    length = str(LARGEST + 1)
    shut(upload(sitting, nonce, b"x", **{"content-length": length}), 413, "Too large")
    piece = b"x" * (1 << 20)
    endless = (piece for _ in range((LARGEST >> 20) + 2))
    shut(upload(sitting, nonce, endless), 413, "what was sent is too large")


def test_upload_without_a_challenge(sitting: Ceremony) -> None:
    """A ready-made file is uploaded without a challenge, or for one that was not begun."""
    sitting.choose()
    shut(upload(sitting, "0" * 64), 403, "no such challenge was drawn")
    nonce = str(sitting.post("/consent/challenge").json["nonce"])
    shut(upload(sitting, nonce), 403, "was not begun")


def test_upload_for_another_record(sitting: Ceremony, scene: Scene) -> None:
    """A recording is uploaded for the challenge of somebody else's ceremony."""
    nonce = begun(sitting.choose())
    other = Ceremony(scene, scene.cleo.person).open().choose()
    shut(upload(other, nonce), 403, "this challenge was drawn for another consent record")
    other.site.recordings.close()


def test_upload_twice(sitting: Ceremony) -> None:
    """A better file is uploaded after the recording."""
    nonce = begun(sitting.choose())
    assert upload(sitting, nonce).status == 202
    shut(upload(sitting, nonce), 403, "this challenge was answered already")


def test_upload_of_another_film_after_the_check(sitting: Ceremony) -> None:
    """Once a recording has passed, another film is put in its place and signed for."""
    sitting.choose().hand_in()
    text = sitting.to_sign()
    sitting.hand_in(b"another film")
    answer = sitting.post("/consent/signature", {"signature": raw_signature(text, sitting.key)})
    shut(answer, 500, "the recording is not the one that the record names")


def test_signed_without_a_recording(sitting: Ceremony) -> None:
    """The signature is asked for before anything was recorded."""
    sitting.choose()
    jwk = to_jwk(public_of(sitting.key))
    shut(sitting.post("/consent/key", {"jwk": jwk}), 400, "there is no recording yet")
    shut(sitting.post("/consent/signature", {"signature": "x"}), 400, "nothing to sign yet")


def test_signed_after_a_failed_check(sitting: Ceremony) -> None:
    """A recording that failed its checks is signed for."""
    sitting.choose().hand_in(passed=False)
    jwk = to_jwk(public_of(sitting.key))
    shut(sitting.post("/consent/key", {"jwk": jwk}), 400, "there is no recording yet")
    shut(sitting.post("/consent/recording/person"), 400, "this recording can't be sent")


def test_failed_check_is_no_consent(sitting: Ceremony, scene: Scene) -> None:
    """A recording that failed, and that nobody has looked at yet, is worked with."""
    sitting.choose().hand_in(passed=False)
    recording = sitting.site.recordings.need(find_invitation(scene.studio, sitting.secret).id)
    recording.to_person = True
    text = sitting.to_sign()
    answer = sitting.post("/consent/signature", {"signature": raw_signature(text, sitting.key)})
    assert answer.status == 200, answer.text
    with refused("dora has not signed the consent record"):
        ask(scene, replace(scene.cleo, person=sitting.person), Act.INGEST)


def test_signed_with_another_key(sitting: Ceremony) -> None:
    """What was shown is signed with another key than the one that was bound."""
    text = sitting.choose().hand_in().to_sign()
    answer = sitting.post("/consent/signature", {"signature": raw_signature(text, new_key())})
    shut(answer, 500, "the signature does not match")


def test_something_else_signed(sitting: Ceremony) -> None:
    """The browser sends a signed text of its own in place of the one that it was given."""
    text = sitting.choose().hand_in().to_sign()
    body = parse_record(row_of(sitting.scene, sitting.scene.ada).document).to_json()
    mine = sign({"record": body}, sitting.key, kind="assent-consent+jws")
    data = {"signature": mine.rpartition(".")[2], "text": mine, "signed": mine}
    shut(sitting.post("/consent/signature", data), 500, "the signature does not match")
    assert text


def test_signed_unseen(sitting: Ceremony) -> None:
    """What is signed isn't what the page shows: another tab changed it, or no page was read."""
    sitting.choose().hand_in()
    key = public_of(sitting.key)
    before = sitting.shown()
    for shown in ("", "0" * 64, before.upper(), before[:-1]):
        shut(sitting.bind(key, shown), 403, "something else is to be signed now")
    shut(sitting.post("/consent/key", {"jwk": to_jwk(key)}), 403, "something else is to be signed")
    shut(sitting.bind(key, shown=[before]), 403, "something else is to be signed")
    sitting.choose(acts=["ingest"]).hand_in()
    assert sitting.shown() != before
    shut(sitting.bind(key, before), 403, "something else is to be signed now")
    shut(sitting.post("/consent/signature", {"signature": "x"}), 400, "nothing to sign yet")


def test_key_of_somebody_else(sitting: Ceremony, scene: Scene) -> None:
    """The studio's key, or another person's, is bound as the subject's."""
    sitting.choose().hand_in()
    for key in (public_of(scene.studio.signing_key), scene.ada.person.key):
        shut(sitting.bind(key), 400, "key")


def test_more_than_was_asked(sitting: Ceremony) -> None:
    """The form ticks acts, channels or days that were not asked for."""
    for change in (
        {"acts": ["ingest", "resell"]},
        {"channels": ["everywhere"]},
        {"ends": "2099-01-01"},
        {"most_releases": "1000000"},
        {"modalities": ["face", "voice"]},
    ):
        shut(sitting.choose(**change).chosen, 422, "")


def test_no_adult(sitting: Ceremony) -> None:
    """The form doesn't say that the subject is an adult, or agrees to no matching."""
    shut(sitting.choose(adult="").chosen, 422, "")
    shut(sitting.choose(face_matching="").chosen, 422, "")
    shut(sitting.post("/consent/challenge"), 400, "nothing was chosen yet")


def test_receipt_of_another_subject(sitting: Ceremony, scene: Scene) -> None:
    """A subject asks for another one's receipt, or for their way out."""
    ben = signed_in(scene, sitting.another(), scene.ben.id)
    row = row_of(scene, scene.ada).id
    for path in ("receipt/{}", "receipt/{}/pdf", "receipt/{}/json", "withdraw/{}", "narrow/{}"):
        shut(ben.get(f"/home/{path.format(row)}", accept="application/json"), 404, "")
    shut(ben.post(f"/home/withdraw/{row}"), 404, "there is no such consent")
    ask(scene, scene.ada)


def test_files_by_a_path(sitting: Ceremony, scene: Scene) -> None:
    """Files of the studio are asked for by a path."""
    ben = signed_in(scene, sitting.another(), scene.ben.id)
    for path in ("../studio.db", "..%2f..%2fstudio.db", "../../etc/passwd", "x.jpg", "%00"):
        for place in ("/home/preview/", "/static/", "/home/receipt/"):
            shut(ben.get(f"{place}{path}"), 404, "")


def test_own_place_without_signing_in(sitting: Ceremony, scene: Scene) -> None:
    """The subject's place is opened without a session, or with that of a ceremony."""
    stranger = sitting.another()
    row = row_of(scene, scene.ada).id
    for path in ("/home", f"/home/receipt/{row}", f"/home/withdraw/{row}", "/watch"):
        shut(stranger.get(path), 403, "")
    shut(sitting.get("/watch/recording"), 403, "")


def test_signed_in_with_a_forged_answer(sitting: Ceremony, scene: Scene) -> None:
    """Somebody signs in as Ada with her public key and their own signature, or with an old one."""
    thief = sitting.another()
    jwk = to_jwk(scene.ada.person.key)
    asked = thief.post("/signin/challenge", {"jwk": jwk}).json
    forged = raw_signature(asked["text"], new_key())
    answer = thief.post("/signin", {"nonce": asked["nonce"], "signature": forged})
    shut(answer, 403, "nobody has this key, or the signature does not match")
    good = raw_signature(asked["text"], scene.ada.key)
    answer = thief.post("/signin", {"nonce": asked["nonce"], "signature": good})
    shut(answer, 403, "this page is too old")
    fresh = thief.post("/signin/challenge", {"jwk": jwk}).json
    shut(thief.post("/signin", {"nonce": fresh["nonce"], "signature": good}), 403, "nobody has")


def test_nonsense(sitting: Ceremony) -> None:
    """Bodies are sent that aren't what they say."""
    headers = {"origin": ORIGIN, "x-csrf": sitting.csrf, "content-type": "application/json"}
    for body in (b"[" * 60000, b"\xff\xfe", b"[]", b"nul", b'{"a":'):
        shut(sitting.request("POST", "/consent/challenge", body, headers=headers), 400, "")
    headers["content-type"] = "application/x-www-form-urlencoded"
    for body in (b"\xff\xfe=1", b"&".join(b"a=1" for _ in range(500))):
        shut(sitting.request("POST", "/consent/choices", body, headers=headers), 400, "")
