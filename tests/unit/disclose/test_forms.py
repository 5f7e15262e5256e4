"""Stills, sound and other containers of a release."""

import io
import wave
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from casts import Cast, Stage
from numpy.typing import NDArray

from assent.consent.desk import clear_all
from assent.consent.locker import Locker
from assent.disclose import forms
from assent.disclose._matting import with_mattes
from assent.disclose.forms import Form, Made, make_form
from assent.kit.c2pa.read import Credential, read, type_of
from assent.kit.errors import InputError, MediaError, NotClearedError, SealError
from assent.kit.imaging.label import draw_label
from assent.kit.media._repack import repack, write_wav
from assent.kit.media.read import read_pictures
from assent.verify.examine import examine
from assent.verify.findings import Verdict

HEARD = (Form.WAV, Form.MOV, Form.MKV, Form.MATTE)


@pytest.fixture
def stage(released: Cast, tmp_path: Path) -> Stage:
    return released.open_copy(tmp_path / "studio")


def made(stage: Stage, form: Form, **changes: object) -> Made:
    asked = {"asset_id": stage.released().asset_id, "draft": stage.draft} | changes
    draft = stage.draft
    needs = draft.needs(to_release=True)
    return make_form(
        stage.studio, stage.purpose, asked["draft"], asked["asset_id"], form,  # type: ignore[arg-type]
        clear_all(stage.studio, stage.purpose, needs), ask_again=stage.asking(needs),
        at_s=float(changes.get("at_s", 0.0)),  # type: ignore[arg-type]
    )  # fmt: skip


def credential_of(stage: Stage, found: Made) -> Credential:
    with found.path.open("rb") as file:
        mime = type_of(file.read(16))
        assert mime is not None
        chain = stage.studio.chain
        beside = found.beside.read_bytes() if found.beside else None
        return read(file, mime=mime, anchors_pem=chain.root_pem, beside=beside)


@pytest.mark.parametrize("form", list(Form))
def test_each_form_says_what_it_is_and_where_it_is_from(stage: Stage, form: Form) -> None:
    found = made(stage, form)
    release = stage.released()
    credential = credential_of(stage, found)
    assert credential.state == "trusted"
    assert credential.asset_id == release.asset_id
    assert set(credential.receipts) == set(release.receipts)
    assert credential.actions == ("c2pa.opened", "c2pa.converted", "c2pa.published")
    (parent,) = credential.manifest["ingredients"]
    assert parent["title"] == "release"
    assert "active_manifest" in parent, "the release's own credential comes along"
    sound = form is Form.WAV
    assert (credential.digital_source_type is None) is sound
    assert (credential.sound_mark is not None) is (form in HEARD)
    assert (found.beside is not None) is (form is Form.MKV)
    told = examine(found.path, stage.log)
    assert told.verdict is Verdict.SEALED
    assert told.asset_id == release.asset_id
    # The release is still the one that a changed copy is held to.
    record = stage.log.by_asset(release.asset_id)
    assert record is not None
    assert record.entry.media == "video"


def test_consent_is_asked_for(stage: Stage) -> None:
    asset = stage.released().asset_id
    needs = stage.draft.needs(to_release=True)
    clearances = clear_all(stage.studio, stage.purpose, needs)
    with pytest.raises(NotClearedError):
        make_form(
            stage.studio, stage.purpose, stage.draft, asset, Form.PNG, clearances[:1],
            ask_again=stage.asking(needs),
        )  # fmt: skip
    before = stage.studio.log.size
    stage.withdraw(stage.ben)
    after = stage.studio.log.size
    with pytest.raises(NotClearedError):
        make_form(
            stage.studio, stage.purpose, stage.draft, asset, Form.PNG, clearances,
            ask_again=stage.asking(needs),
        )  # fmt: skip
    assert after > before
    assert stage.studio.log.size == after
    assert not list(stage.studio.releases_folder.glob("*still*"))


def test_what_cannot_be_made(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="ends before second 99"):
        made(stage, Form.JPEG, at_s=99.0)
    monkeypatch.setattr(forms, "listen", lambda *_, **__: iter(()))
    with pytest.raises(InputError, match="has no sound"):
        made(stage, Form.WAV)


def test_a_still_without_its_label_does_not_leave(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forms, "to_rgb", lambda picture: np.full((256, 256, 3), 90, np.uint8))
    with pytest.raises(SealError, match="label is missing on the still"):
        made(stage, Form.PNG)


def test_a_draft_has_its_own_release(stage: Stage) -> None:
    other = replace(stage.draft, id="another")
    with pytest.raises(InputError, match="of another draft"):
        made(stage, Form.PNG, draft=other)


def test_what_is_no_film_is_not_repacked() -> None:
    with pytest.raises(MediaError):
        repack(io.BytesIO(b"nothing"), io.BytesIO(), container="mov", name="x.mp4")


def test_sound_is_not_wrapped_around() -> None:
    sink = io.BytesIO()
    assert write_wav([np.array([0.0, 2.0, -2.0], np.float32)], sink, rate=8000) == 3
    with wave.open(io.BytesIO(sink.getvalue())) as file:
        assert np.frombuffer(file.readframes(3), "<i2").tolist() == [0, 32767, -32767]


def test_a_matte_is_opaque_where_the_face_and_the_label_are(stage: Stage) -> None:
    found = made(stage, Form.MATTE)
    assert found.path.name.endswith("-matte.mov")
    released = read_pictures(stage.released().path, name="release")
    with av.open(str(found.path)) as film, av.open(str(found.path)) as again:
        assert film.streams.video[0].codec_context.name == "prores"
        assert film.streams.audio[0].codec_context.name == "aac"
        assert film.streams.video[0].frames == stage.draft.frames
        assert len(list(again.demux(audio=0))) > 10
        for frame, picture in zip(film.decode(video=0), released, strict=True):
            width, height = frame.width, frame.height
            assert frame.format.name.startswith("yuva444p")
            alpha = _alpha(frame)
            assert 0.05 < (alpha == 255).mean() < 0.7
            label = draw_label(width, height)
            high, wide = label.alpha.shape
            assert (alpha[label.y : label.y + high, label.x : label.x + wide] == 255).all()
            assert (alpha[-height // 16 :, : width // 8] == 0).all()
            # What is filled is the release's own picture, to a rounding.
            luma = np.asarray(frame.to_ndarray(format="yuv444p"))[0]
            assert np.abs(luma.astype(int) - picture.y).mean() < 1.5


def _alpha(frame: av.VideoFrame) -> NDArray[np.uint8]:
    """Return the frame's alpha in 8 bits."""
    plane = frame.planes[3]
    deep = np.frombuffer(memoryview(plane), np.uint16).reshape(-1, plane.line_size // 2)
    bits = frame.format.components[3].bits
    return (deep[: frame.height, : frame.width] >> (bits - 8)).astype(np.uint8)


def test_whoever_withdraws_while_a_matte_is_made_stops_it(stage: Stage) -> None:
    asset = stage.released().asset_id
    needs = stage.draft.needs(to_release=True)
    clearances = clear_all(stage.studio, stage.purpose, needs)
    stage.withdraw(stage.ada)
    with pytest.raises(NotClearedError):
        make_form(
            stage.studio, stage.purpose, stage.draft, asset, Form.MATTE, clearances,
            ask_again=stage.asking(needs),
        )  # fmt: skip
    assert not list(stage.studio.releases_folder.glob("*matte*"))


@pytest.mark.parametrize(("index", "says"), [(slice(0, -1), "fewer"), (slice(0, None), "more")])
def test_a_matte_is_of_the_very_frames(stage: Stage, index: slice, says: str) -> None:
    needs = stage.draft.needs(to_release=True)
    pictures = list(read_pictures(stage.released().path, name="release"))
    pictures = pictures[index] if says == "fewer" else [*pictures, pictures[-1]]
    frames = with_mattes(iter(pictures), stage.draft, Locker(stage.studio), stage.asking(needs))
    with pytest.raises(SealError, match=says):
        list(frames)


def test_a_matte_is_of_a_release_of_that_size(stage: Stage) -> None:
    needs = stage.draft.needs(to_release=True)
    picture = next(read_pictures(stage.released().path, name="release"))
    small = replace(picture, y=picture.y[:64, :64], u=picture.u[:32, :32], v=picture.v[:32, :32])
    frames = with_mattes(iter([small]), stage.draft, Locker(stage.studio), stage.asking(needs))
    with pytest.raises(SealError, match="size"):
        next(frames)
