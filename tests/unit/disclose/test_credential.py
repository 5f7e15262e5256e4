"""What the credential of a sealed file says, and how it is signed as the studio chose."""

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import c2pa
import cv2
import numpy as np
import pytest
from casts import Cast, Stage
from servers import TimeStampingAuthority, time_stamping
from studios import Scene, brief_with

from assent.consent.clearance import Act
from assent.consent.desk import clear
from assent.data.clips import ClearedClip
from assent.disclose.credential import (
    draw_up,
    may_show_history,
    put_tags,
    readable_chain,
    scope_of,
    sign_as_chosen,
    thumbnail_of,
)
from assent.disclose.wording import NOT_STAMPED
from assent.kit.c2pa.certificates import make_chain
from assent.kit.c2pa.manifest import Action
from assent.kit.c2pa.read import Credential, read
from assent.kit.c2pa.sign import Ingredient, sign
from assent.kit.errors import SealError
from assent.kit.imaging.label import Corner, burn, draw_label
from assent.kit.media.convert import from_rgb
from assent.kit.store.credentials import Profile

JPEG, MP4, MKV = "image/jpeg", "video/mp4", "video/x-matroska"
NOISE = np.random.default_rng(3).integers(0, 256, (320, 480, 3), np.uint8)


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[TimeStampingAuthority]:
    with time_stamping(tmp_path / "tsa") as running:
        yield running


@pytest.fixture
def stage(rendered: Cast, tmp_path: Path) -> Stage:
    return rendered.open_copy(tmp_path / "studio")


def chosen(scene: Scene, profile: Profile) -> Scene:
    """The studio with a profile, as if opened again."""
    clocks = (profile.tsa_root_pem or "").encode()
    chain = replace(scene.studio.chain, clocks_pem=clocks)
    return replace(scene, studio=replace(scene.studio, profile=profile, chain=chain))


def sealed(scene: Scene, *, mime: str = JPEG, tsa_url: str | None = None) -> Credential:
    """A picture that is signed as the studio chose."""
    plan = draw_up(
        scene.studio, "00ff" * 4, (), [Action(name="c2pa.created", description="A test")]
    )
    data = (
        bytes(cv2.imencode(".jpg", NOISE)[1]) if mime == JPEG else b"\x1a\x45\xdf\xa3" + bytes(99)
    )
    source, sink = io.BytesIO(data), io.BytesIO()
    beside = sign_as_chosen(
        scene.studio, source, sink, mime=mime, plan=plan, ingredient=None, tsa_url=tsa_url
    )
    file = source if beside else sink
    return read(file, mime=mime, anchors_pem=scene.studio.chain.anchors_pem, beside=beside)


@pytest.mark.enable_socket
@pytest.mark.parametrize("mime", [JPEG, MKV])
def test_stamped_as_the_profile_says(
    scene: Scene, authority: TimeStampingAuthority, mime: str
) -> None:
    root = authority.root_pem.decode()
    stamped = sealed(chosen(scene, Profile(tsa_url=authority.url, tsa_root_pem=root)), mime=mime)
    assert stamped.state == "trusted"
    assert stamped.signed_at is not None
    assert authority.asked == 1
    assert sealed(scene, mime=mime).signed_at is None
    assert authority.asked == 1, "nobody is asked without being named"


@pytest.mark.enable_socket
def test_a_stamp_under_another_root_is_refused(
    scene: Scene, authority: TimeStampingAuthority, tmp_path: Path
) -> None:
    with time_stamping(tmp_path / "other") as other:
        profile = Profile(tsa_url=authority.url, tsa_root_pem=other.root_pem.decode())
        with pytest.raises(SealError, match="not under the root"):
            sealed(chosen(scene, profile))
        # A service that is named for one file is believed as far as it is known.
        named = sealed(chosen(scene, profile), tsa_url=other.url)
    assert named.signed_at is not None
    unknown = sealed(chosen(scene, Profile(tsa_url=authority.url)))
    assert unknown.signed_at is None
    assert unknown.problems[0].startswith("timeStamp.untrusted")


@pytest.mark.enable_socket
def test_without_a_stamp_it_refuses_or_says_so(
    scene: Scene, authority: TimeStampingAuthority
) -> None:
    root = authority.root_pem.decode()
    strict = Profile(tsa_url=authority.url, tsa_root_pem=root)
    lenient = replace(strict, unstamped="say-so")
    assert sealed(chosen(scene, lenient)).descriptions == ("A test",)
    authority.mood = "failing"
    with pytest.raises(SealError, match="could not be signed"):
        sealed(chosen(scene, strict))
    with pytest.raises(SealError, match="could not be signed"):
        sealed(chosen(scene, lenient), tsa_url=authority.url)
    said = sealed(chosen(scene, lenient))
    assert (said.state, said.signed_at) == ("trusted", None)
    assert said.descriptions == (f"A test. {NOT_STAMPED}",)


def test_an_action_that_said_nothing_says_so_too(scene: Scene) -> None:
    dead = Profile(tsa_url="http://127.0.0.1:9/", unstamped="say-so")
    studio = chosen(scene, dead).studio
    plan = draw_up(studio, "00ff" * 4, (), [Action(name="c2pa.created")])
    sink = io.BytesIO()
    picture = io.BytesIO(bytes(cv2.imencode(".jpg", NOISE)[1]))
    sign_as_chosen(studio, picture, sink, mime=JPEG, plan=plan, ingredient=None)
    found = read(sink, mime=JPEG, anchors_pem=studio.chain.anchors_pem)
    assert found.descriptions == (NOT_STAMPED,)


def test_the_scope_is_told_in_codes(scene: Scene) -> None:
    cleared = [
        clear(scene.studio, scene.purpose, person_id=member.id, acts=[act])
        for member, act in ((scene.ada, Act.PERFORM), (scene.ben, Act.PORTRAY))
    ]
    told = scope_of(scene.purpose, cleared).as_json()
    assert told == {
        "acts": ["perform", "portray"], "modalities": ["face"], "places": ["EU"],
        "ends": scene.purpose.brief.ends.isoformat(),
    }  # fmt: skip
    elsewhere = brief_with(jurisdictions=["US-CA", "Ada's garden", "EU"])
    purpose = replace(scene.purpose, brief=elsewhere)
    assert scope_of(purpose, cleared).as_json()["places"] == ["EU", "US-CA"]


def test_receipts_point_at_their_places_in_the_list(scene: Scene) -> None:
    receipts = [
        clear(scene.studio, scene.purpose, person_id=member.id, acts=[Act.RELEASE]).receipt_hash
        for member in (scene.ada, scene.ben)
    ]
    profiled = chosen(scene, Profile(log_url="https://films.example/log/")).studio
    plan = draw_up(profiled, "00ff" * 4, receipts, [Action(name="c2pa.created")])
    assert len({entry.index for entry in plan.status}) == 2
    assert {entry.path for entry in plan.status} == {"status/1.jwt"}
    assert plan.log_url == "https://films.example/log/"
    assert draw_up(profiled, "00ff" * 4, [], [Action(name="c2pa.created")]).status == ()


def test_who_is_protected_is_not_led_to(scene: Scene) -> None:
    assert may_show_history(scene.purpose, hidden=False)
    assert not may_show_history(scene.purpose, hidden=True)
    hiding = replace(scene.purpose, brief=brief_with(category="identity-protection"))
    assert not may_show_history(hiding, hidden=False)


def test_the_thumbnail_shows_the_label() -> None:
    dark = burn(from_rgb(np.zeros_like(NOISE)), draw_label(480, 320))
    bright = burn(from_rgb(NOISE), draw_label(480, 320))
    small = thumbnail_of([dark, bright, dark], corner=Corner.TOP_RIGHT)
    assert small != thumbnail_of([dark], corner=Corner.TOP_RIGHT)
    shown = cv2.imdecode(np.frombuffer(small, np.uint8), 1)
    assert shown is not None
    assert min(shown.shape[:2]) == 240
    with pytest.raises(SealError, match="can't be seen"):
        thumbnail_of([from_rgb(NOISE)], corner=Corner.TOP_RIGHT)
    with pytest.raises(SealError, match="no picture"):
        thumbnail_of([], corner=Corner.TOP_RIGHT)


def test_tags_are_as_the_studio_chose(scene: Scene) -> None:
    for producer, there in ((None, False), ("001191310", True)):
        studio = chosen(scene, Profile(aigc_producer=producer)).studio
        plan = draw_up(studio, "00ff" * 4, (), [Action(name="c2pa.created")])
        media = io.BytesIO(bytes(cv2.imencode(".jpg", NOISE)[1]))
        put_tags(studio, media, mime=JPEG, plan=plan)
        assert (b"TC260:AIGC>" in media.getvalue()) is there
        assert b"compositeWithTrainedAlgorithmicMedia" in media.getvalue()
        recorded = replace(plan, digital_source_type=None)
        plain = io.BytesIO(bytes(cv2.imencode(".jpg", NOISE)[1]))
        put_tags(studio, plain, mime=JPEG, plan=recorded)
        assert b"DigitalSourceType>" not in plain.getvalue()
        assert b"TC260:AIGC>" not in plain.getvalue()


def test_footage_with_torn_credentials_is_named_by_its_hash(stage: Stage) -> None:
    data = (stage.clips / "scene.mp4").read_bytes()
    camera = make_chain(organisation="Camera", not_before=stage.clock.now - timedelta(days=1))
    plan = draw_up(stage.studio, "00ff" * 4, (), [Action(name="c2pa.created")])
    shot = io.BytesIO()
    sign(io.BytesIO(data), shot, mime=MP4, plan=plan, chain=camera, ingredient=None, tsa_url=None)
    whole = Ingredient(title="footage", mime=MP4, stream=shot, sha256="00" * 32)
    assert readable_chain(whole) is whole
    torn = bytearray(shot.getvalue())
    at = torn.index(b"jumb")
    torn[at + 200 : at + 400] = bytes(200)
    assert readable_chain(replace(whole, stream=io.BytesIO(torn))).stream is None
    named = replace(whole, stream=None)
    assert readable_chain(named) is named


def test_a_camera_s_chain_reaches_the_release(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The footage in the vault is a camera's signed file; the release leads back to it."""
    data = (stage.clips / "scene.mp4").read_bytes()
    camera = make_chain(organisation="Camera", not_before=stage.clock.now - timedelta(days=1))
    plan = draw_up(stage.studio, "00ff" * 4, (), [Action(name="c2pa.created")])
    shot = io.BytesIO()
    sign(io.BytesIO(data), shot, mime=MP4, plan=plan, chain=camera, ingredient=None, tsa_url=None)
    monkeypatch.setattr(
        ClearedClip,
        "open",
        lambda *_: io.BufferedReader(io.BytesIO(shot.getvalue())),
    )
    with stage.seal().media as media:
        media.seek(0)
        with c2pa.Reader(MP4, media) as reader:
            store = json.loads(reader.json())
    signers = {m["signature_info"]["issuer"] for m in store["manifests"].values()}
    assert signers == {"Camera", stage.studio.name}
