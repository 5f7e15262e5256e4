import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import c2pa
import encypher_c2pa
import pytest

from assent.kit.c2pa._settings import make_context
from assent.kit.c2pa.certificates import Chain, make_chain
from assent.kit.c2pa.keys import Algorithm
from assent.kit.c2pa.manifest import Action, Plan
from assent.kit.c2pa.read import read
from assent.kit.c2pa.sign import BESIDE, MIMES, Ingredient, sign, sign_beside
from assent.kit.errors import BriefError, InputError, SealError

MP4 = "video/mp4"
JPEG = "image/jpeg"
Signed = Callable[[str], bytes]


class FullDisk(io.BytesIO):
    def write(self, data: object, /) -> int:
        raise OSError(28, "No space left on device")


class BrokenDisk(io.BytesIO):
    def read(self, size: int | None = -1, /) -> bytes:
        raise OSError(5, "Input/output error")


def seal(
    data: bytes | io.BytesIO, plan: Plan, chain: Chain, footage: Ingredient | None, **other: object
) -> bytes:
    sink = other.pop("sink", io.BytesIO())
    assert isinstance(sink, io.BytesIO)
    tsa_url = other.pop("tsa_url", None)
    assert tsa_url is None or isinstance(tsa_url, str)
    thumbnail = other.pop("thumbnail", None)
    assert thumbnail is None or isinstance(thumbnail, bytes)
    source = data if isinstance(data, io.BytesIO) else io.BytesIO(data)
    mime = str(other.pop("mime", MP4))
    sign(
        source, sink, mime=mime, plan=plan, chain=chain, ingredient=footage, tsa_url=tsa_url,
        thumbnail=thumbnail,
    )  # fmt: skip
    return sink.getvalue()


@pytest.fixture
def footage(media: dict[str, bytes]) -> Ingredient:
    return Ingredient(title="footage", mime=MP4, stream=io.BytesIO(media[MP4]))


@pytest.mark.parametrize("mime", sorted(MIMES))
def test_every_type_is_signed(mime: str, signed: Signed, chain: Chain) -> None:
    credential = read(io.BytesIO(signed(mime)), mime=mime, anchors_pem=chain.root_pem)
    assert (credential.state, credential.problems) == ("trusted", ())


@pytest.mark.parametrize("mime", sorted(MIMES))
def test_no_thumbnail_is_stored_but_the_one_given(
    mime: str, signed: Signed, media: dict[str, bytes], plan: Plan, chain: Chain
) -> None:
    assert b"c2pa.thumbnail" not in signed(mime)
    footage = Ingredient(title="footage", mime=mime, sha256="00" * 32)
    small = media[JPEG]
    sealed = seal(media[mime], plan, chain, footage, mime=mime, thumbnail=small)
    assert sealed.count(b"c2pa.thumbnail.claim") >= 1
    assert small in sealed or mime == JPEG, "a JPEG splits it into segments"
    credential = read(io.BytesIO(sealed), mime=mime, anchors_pem=chain.root_pem)
    assert credential.state == "trusted"
    assert credential.manifest["thumbnail"]["format"] == JPEG


@pytest.mark.parametrize("mime", sorted(BESIDE))
def test_what_holds_no_credential_has_it_beside(
    mime: str, media: dict[str, bytes], plan: Plan, chain: Chain
) -> None:
    footage = Ingredient(title="footage", mime=MP4, sha256="00" * 32)
    source = io.BytesIO(media[mime])
    beside = sign_beside(
        source, mime=mime, plan=plan, chain=chain, ingredient=footage, tsa_url=None
    )
    assert source.getvalue() == media[mime]
    known = read(source, mime=mime, anchors_pem=chain.root_pem, beside=beside)
    assert (known.state, known.asset_id) == ("trusted", plan.asset_id)
    altered = media[mime][:-9] + b"!" + media[mime][-8:]
    assert (
        read(io.BytesIO(altered), mime=mime, anchors_pem=chain.root_pem, beside=beside).state
        == "invalid"
    )
    assert read(source, mime=mime, anchors_pem=chain.root_pem).state == "missing"
    torn = read(source, mime=mime, anchors_pem=chain.root_pem, beside=beside[:-50])
    assert torn.state == "invalid"


def test_thumbnails_in_the_footage_are_redacted(
    media: dict[str, bytes], plan: Plan, chain: Chain, other_chain: Chain
) -> None:
    shot = sign_as_a_camera(media[JPEG], other_chain)
    assert shot.count(b"\xff\xd8\xff") == 2, "the camera must have stored a thumbnail"
    footage = Ingredient(title="shot", mime=JPEG, stream=io.BytesIO(shot))
    sealed = seal(media[JPEG], plan, chain, footage, mime=JPEG)
    assert sealed.count(b"\xff\xd8\xff") == 1
    anchors = chain.root_pem + other_chain.root_pem
    credential = read(io.BytesIO(sealed), mime=JPEG, anchors_pem=anchors)
    assert credential.state == "trusted"
    assert credential.descriptions[0] == "1 assertion(s) of its own credentials redacted"


def test_the_footages_own_chain_is_kept_without_what_tells_of_people(
    media: dict[str, bytes], plan: Plan, chain: Chain, other_chain: Chain
) -> None:
    """A camera's shot is edited elsewhere, and then by us: both signatures come along."""
    author: dict[str, object] = {
        "label": "stds.schema-org.CreativeWork",
        "data": {"@context": "https://schema.org", "author": [{"name": "Ada Example"}]},
    }
    shot = sign_as_a_camera(media[JPEG], other_chain, author)
    edited = seal(
        media[JPEG], plan, other_chain, Ingredient(title="shot", mime=JPEG, stream=io.BytesIO(shot),
        own=True), mime=JPEG,
    )  # fmt: skip
    assert b"Ada Example" in edited
    footage = Ingredient(
        title="footage", mime=JPEG, stream=io.BytesIO(edited), sha256=sha256(edited).hexdigest()
    )
    sealed = seal(media[JPEG], plan, chain, footage, mime=JPEG)
    assert b"Ada Example" not in sealed
    # Nobody has to know the others' roots to trust ours.
    with make_context(anchors_pem=chain.root_pem) as context:
        reader = c2pa.Reader(JPEG, io.BytesIO(sealed), context=context)
        store = json.loads(reader.detailed_json())
    assert store["validation_state"] == "Trusted"
    names = [set(manifest["assertion_store"]) for manifest in store["manifests"].values()]
    assert len(names) == 3, "camera, editor, studio"
    assert all(any(name.startswith("c2pa.actions") for name in each) for each in names)
    parent = read(io.BytesIO(sealed), mime=JPEG, anchors_pem=chain.root_pem).manifest["ingredients"]
    assert parent[0]["instance_id"].startswith("ni:///sha-256;")
    assert "active_manifest" in parent[0]


def test_a_chain_of_our_own_stays_whole(
    media: dict[str, bytes], plan: Plan, chain: Chain, footage: Ingredient
) -> None:
    release = seal(media[MP4], plan, chain, footage, thumbnail=media[JPEG])
    whole = Ingredient(title="release", mime=MP4, stream=io.BytesIO(release), own=True)
    still = seal(media[JPEG], plan, chain, whole, mime=JPEG)
    credential = read(io.BytesIO(still), mime=JPEG, anchors_pem=chain.root_pem)
    assert credential.state == "trusted"
    assert not any("redacted" in each for each in credential.descriptions)
    assert "thumbnail" in credential.manifest["ingredients"][0]


def test_damaged_credentials_of_footage_are_said_to_be(
    media: dict[str, bytes], plan: Plan, chain: Chain, other_chain: Chain
) -> None:
    shot = bytearray(sign_as_a_camera(media[JPEG], other_chain))
    at = shot.index(b"jumb")
    shot[at + 200 : at + 400] = bytes(200)
    footage = Ingredient(title="shot", mime=JPEG, stream=io.BytesIO(shot))
    with pytest.raises(SealError, match="own content credential can't be read") as caught:
        seal(media[JPEG], plan, chain, footage, mime=JPEG)
    assert "hash" in caught.value.advice


def sign_as_a_camera(picture: bytes, chain: Chain, *more: dict[str, object]) -> bytes:
    """Sign with the library's own defaults, which store a thumbnail."""
    definition = {
        "claim_generator_info": [{"name": "Camera", "version": "1"}],
        "assertions": [
            {
                "label": "c2pa.actions.v2",
                "data": {
                    "actions": [
                        {
                            "action": "c2pa.created",
                            "digitalSourceType": "http://cv.iptc.org/newscodes/"
                            "digitalsourcetype/digitalCapture",
                        }
                    ]
                },
            },
            *more,
        ],
    }
    info = c2pa.C2paSignerInfo(b"es256", chain.chain_pem, chain.leaf_key_pem, None)
    sink = io.BytesIO()
    with c2pa.Context() as context, c2pa.Signer.from_info(info) as signer:
        c2pa.Builder(definition, context).sign(signer, JPEG, io.BytesIO(picture), sink)
    return sink.getvalue()


def test_footage_may_be_named_by_its_hash(
    media: dict[str, bytes], plan: Plan, chain: Chain
) -> None:
    named = Ingredient(title="footage", mime=MP4, sha256="ff" * 32)
    sealed = seal(media[MP4], plan, chain, named)
    credential = read(io.BytesIO(sealed), mime=MP4, anchors_pem=chain.root_pem)
    assert credential.state == "trusted"
    assert credential.manifest["ingredients"][0]["instance_id"].startswith("ni:///sha-256;____")


def test_pictures_from_nothing_need_no_footage(
    media: dict[str, bytes], plan: Plan, chain: Chain
) -> None:
    made = replace(
        plan,
        actions=(Action(name="c2pa.created"),),
        digital_source_type="trainedAlgorithmicMedia",
    )
    sealed = seal(media[MP4], made, chain, None)
    credential = read(io.BytesIO(sealed), mime=MP4, anchors_pem=chain.root_pem)
    assert credential.state == "trusted"
    assert credential.digital_source_type == "trainedAlgorithmicMedia"


def test_plan_and_footage_must_fit(
    media: dict[str, bytes], plan: Plan, chain: Chain, footage: Ingredient
) -> None:
    with pytest.raises(BriefError, match="footage"):
        seal(media[MP4], plan, chain, None)
    made = replace(plan, actions=(Action(name="c2pa.created"),))
    with pytest.raises(BriefError, match="footage"):
        seal(media[MP4], made, chain, footage)
    with pytest.raises(BriefError, match="stream, or"):
        seal(media[MP4], plan, chain, replace(footage, stream=None))
    with pytest.raises(BriefError, match="hexadecimal"):
        seal(media[MP4], plan, chain, replace(footage, stream=None, sha256="pear"))


def test_unknown_types_are_refused(
    media: dict[str, bytes], plan: Plan, chain: Chain, footage: Ingredient
) -> None:
    with pytest.raises(SealError, match="video/webm"):
        seal(media[MP4], plan, chain, footage, mime="video/webm")
    with pytest.raises(SealError, match="video/mp4"):
        sign_beside(
            io.BytesIO(media[MP4]), mime=MP4, plan=plan, chain=chain, ingredient=footage,
            tsa_url=None,
        )  # fmt: skip


def test_time_stamp_out_of_reach_fails_closed(
    media: dict[str, bytes], plan: Plan, chain: Chain, footage: Ingredient
) -> None:
    with pytest.raises(SealError, match=r"127\.0\.0\.1:9"):
        seal(media[MP4], plan, chain, footage, tsa_url="http://127.0.0.1:9/")


def test_reasons_survive_the_library(
    media: dict[str, bytes], plan: Plan, chain: Chain, other_chain: Chain, footage: Ingredient
) -> None:
    faults: list[tuple[str, dict[str, object]]] = [
        ("does not match", {"chain": replace(chain, leaf_key_pem=other_chain.leaf_key_pem)}),
        ("signing certificate", {"chain": replace(chain, chain_pem=b"no certificate")}),
        ("No space left", {"sink": FullDisk()}),
        ("Input/output error", {"data": BrokenDisk(media[MP4])}),
        ("Input/output error", {"footage": replace(footage, stream=BrokenDisk(media[MP4]))}),
    ]
    for reason, change in faults:
        call: dict[str, object] = {"data": media[MP4], "chain": chain, "footage": footage} | change
        with pytest.raises(SealError, match=reason):
            seal(plan=plan, **call)  # type: ignore[arg-type] # a fault is any argument
    with pytest.raises(BriefError, match="PEM"):
        seal(media[MP4], plan, replace(chain, leaf_key_pem=b"no key"), footage)


class Sulking:
    """A key elsewhere that won't sign today."""

    algorithm: Algorithm = "es256"

    def sign(self, data: bytes) -> bytes:
        raise InputError("the token was pulled out", advice="Put it back.")


def test_what_a_key_says_reaches_the_user(
    media: dict[str, bytes], plan: Plan, chain: Chain, footage: Ingredient
) -> None:
    with pytest.raises(InputError, match="pulled out") as caught:
        seal(media[MP4], plan, replace(chain, token=Sulking()), footage)
    assert caught.value.advice == "Put it back."


def test_expired_certificates_do_not_sign(
    media: dict[str, bytes], plan: Plan, footage: Ingredient
) -> None:
    expired = make_chain(organisation="Old", not_before=datetime(2020, 1, 1, tzinfo=UTC), days=30)
    with pytest.raises(SealError, match="not valid"):
        seal(media[MP4], plan, expired, footage)


def lengthened(clip: bytes, longer: int) -> bytes:
    """The clip with more in the box that holds the pictures."""
    start = clip.rindex(b"mdat") - 4
    end = start + int.from_bytes(clip[start : start + 4], "big")
    size = (end - start + longer).to_bytes(4, "big")
    return clip[:start] + size + clip[start + 4 : end] + bytes(longer) + clip[end:]


def peak_mb() -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def test_a_film_is_hashed_whole_as_other_programs_expect(
    media: dict[str, bytes], plan: Plan, chain: Chain, footage: Ingredient, tmp_path: Path
) -> None:
    """In pieces it would take less memory, and be called forged elsewhere."""
    film = tmp_path / "film.mp4"
    film.write_bytes(lengthened(media[MP4], 64 << 20))
    with film.open("rb") as source, (tmp_path / "signed.mp4").open("w+b") as sink:
        Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
        before = peak_mb()
        sign(source, sink, mime=MP4, plan=plan, chain=chain, ingredient=footage, tsa_url=None)
        assert peak_mb() - before < 200
        credential = read(sink, mime=MP4, anchors_pem=chain.root_pem)
        sink.seek(0)
        report = encypher_c2pa.verify(
            sink.read(), MP4, trust_pem=chain.root_pem.decode(), no_default_trust=True,
            telemetry=False, online=False,
        )  # fmt: skip
    assert credential.state == "trusted"
    assert report["validation_state"] == "Trusted"
