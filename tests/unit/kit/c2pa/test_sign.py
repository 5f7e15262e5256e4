import io
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import c2pa
import pytest

from assent.kit.c2pa.certificates import Chain, make_chain
from assent.kit.c2pa.manifest import Action, Plan
from assent.kit.c2pa.read import read
from assent.kit.c2pa.sign import MIMES, Ingredient, sign
from assent.kit.errors import BriefError, SealError

MP4 = "video/mp4"
JPEG = "image/jpeg"
Signed = Callable[[str], bytes]


class FullDisk(io.BytesIO):
    def write(self, data: object, /) -> int:
        raise OSError(28, "No space left on device")


class BrokenDisk(io.BytesIO):
    def read(self, size: int | None = -1, /) -> bytes:
        raise OSError(5, "Input/output error")


class Counted(io.BytesIO):
    """Remembers how much was asked for at once."""

    most = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self.most = max(self.most, size or 0)
        return super().read(size)


def seal(
    data: bytes | io.BytesIO, plan: Plan, chain: Chain, footage: Ingredient | None, **other: object
) -> bytes:
    sink = other.pop("sink", io.BytesIO())
    assert isinstance(sink, io.BytesIO)
    tsa_url = other.pop("tsa_url", None)
    assert tsa_url is None or isinstance(tsa_url, str)
    source = data if isinstance(data, io.BytesIO) else io.BytesIO(data)
    mime = str(other.pop("mime", MP4))
    sign(source, sink, mime=mime, plan=plan, chain=chain, ingredient=footage, tsa_url=tsa_url)
    return sink.getvalue()


@pytest.fixture
def footage(media: dict[str, bytes]) -> Ingredient:
    return Ingredient(title="footage", mime=MP4, stream=io.BytesIO(media[MP4]))


@pytest.mark.parametrize("mime", sorted(MIMES))
def test_every_type_is_signed(mime: str, signed: Signed, chain: Chain) -> None:
    credential = read(io.BytesIO(signed(mime)), mime=mime, anchors_pem=chain.root_pem)
    assert (credential.state, credential.problems) == ("trusted", ())


@pytest.mark.parametrize("mime", sorted(MIMES))
def test_no_thumbnail_is_stored(mime: str, signed: Signed) -> None:
    assert b"c2pa.thumbnail" not in signed(mime)


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
    assert credential.actions[-1] == "c2pa.redacted"


def sign_as_a_camera(picture: bytes, chain: Chain) -> bytes:
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
            }
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
    with pytest.raises(BriefError, match="either"):
        seal(media[MP4], plan, chain, replace(footage, sha256="00" * 32))
    with pytest.raises(BriefError, match="hexadecimal"):
        seal(media[MP4], plan, chain, replace(footage, stream=None, sha256="pear"))


def test_unknown_types_are_refused(
    media: dict[str, bytes], plan: Plan, chain: Chain, footage: Ingredient
) -> None:
    with pytest.raises(SealError, match="video/webm"):
        seal(media[MP4], plan, chain, footage, mime="video/webm")


def test_time_stamp_out_of_reach_fails_closed(
    media: dict[str, bytes], plan: Plan, chain: Chain, footage: Ingredient
) -> None:
    with pytest.raises(SealError, match=r"127\.0\.0\.1:9"):
        seal(media[MP4], plan, chain, footage, tsa_url="http://127.0.0.1:9/")


def test_reasons_survive_the_library(
    media: dict[str, bytes], plan: Plan, chain: Chain, other_chain: Chain, footage: Ingredient
) -> None:
    faults: list[tuple[str, dict[str, object]]] = [
        ("PEM", {"chain": replace(chain, leaf_key_pem=b"no key")}),
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


def test_memory_does_not_grow_with_the_film(
    media: dict[str, bytes], plan: Plan, chain: Chain, footage: Ingredient, tmp_path: Path
) -> None:
    film = tmp_path / "film.mp4"
    film.write_bytes(lengthened(media[MP4], 160 << 20))
    seal(media[MP4], plan, chain, replace(footage, stream=io.BytesIO(media[MP4])))
    with film.open("rb") as source, (tmp_path / "signed.mp4").open("w+b") as sink:
        Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
        before = peak_mb()
        sign(source, sink, mime=MP4, plan=plan, chain=chain, ingredient=footage, tsa_url=None)
        assert peak_mb() - before < 60
        assert read(sink, mime=MP4, anchors_pem=chain.root_pem).state == "trusted"


def test_a_long_film_is_hashed_piece_by_piece(
    media: dict[str, bytes], plan: Plan, chain: Chain, footage: Ingredient
) -> None:
    film = lengthened(media[MP4], 8 << 20)
    signed = Counted(seal(film, plan, chain, footage))
    assert read(signed, mime=MP4, anchors_pem=chain.root_pem).state == "trusted"
    assert 0 < signed.most <= 1 << 20
