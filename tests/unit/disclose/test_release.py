"""Release trusts nothing that it is handed: the bytes must carry what they claim."""

import hashlib
import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from casts import Cast, Stage, clear_traces
from studios import FailingDisk

from assent.create.draft import list_drafts
from assent.disclose._key import KEY
from assent.disclose.check import MIME
from assent.disclose.entry import SealEntry
from assent.disclose.release import release, released_already
from assent.disclose.seal import plan_credential
from assent.disclose.sealed import SealedVideo
from assent.kit.c2pa.sign import Ingredient, sign
from assent.kit.errors import AssentError, SealError, StorageError
from assent.kit.fingerprint.video import VideoFingerprint
from assent.kit.hashing import hash_file
from assent.kit.imaging.label import burn, draw_label
from assent.kit.media._encode import encode
from assent.kit.media.picture import Picture, luma8, with_luma
from assent.kit.media.probe import probe
from assent.kit.media.read import read_pictures
from assent.kit.store.tables import DraftRow, ReleaseRow
from assent.kit.tlog.receipt import make_receipt
from assent.kit.watermark.embed import Embedder


@pytest.fixture
def stage(rendered: Cast, tmp_path: Path) -> Stage:
    return rendered.open_copy(tmp_path / "studio")


@pytest.fixture
def video(stage: Stage) -> Iterator[SealedVideo]:
    sealed = stage.seal()
    with sealed.media:
        yield sealed


def altered(video: SealedVideo, **changes: Any) -> SealedVideo:  # noqa: ANN401 - fields
    """The video as a bug or a burglar inside the process might hand it over."""
    fields = {name: getattr(video, name) for name in SealedVideo.__slots__}
    return SealedVideo(**{**fields, **changes}, key=KEY)


def refused(stage: Stage, video: SealedVideo, match: str) -> None:
    """Release says no, and leaves nothing."""
    with pytest.raises(SealError, match=match):
        release(stage.studio, stage.purpose, video)
    assert list(stage.studio.releases_folder.iterdir()) == []
    assert released_already(stage.studio, stage.draft) is None


def test_a_sealed_video_is_released_with_its_proof(stage: Stage, video: SealedVideo) -> None:
    made = release(stage.studio, stage.purpose, video)
    assert hashlib.sha256(made.path.read_bytes()).hexdigest() == video.sha256 == made.sha256
    assert made.proof.read_text() == video.receipt
    assert made.path.name == f"{stage.purpose.slug}-{video.asset_id}.mp4"
    assert {path.stat().st_mode & 0o777 for path in (made.path, made.proof)} == {0o644}
    assert stage.released() == made
    assert sorted(clear_traces(stage.studio.folder)) == [f"releases/{made.path.name}"]


def test_one_flipped_byte_is_refused(stage: Stage, video: SealedVideo) -> None:
    video.media.seek(0)
    data = bytearray(video.media.read())
    data[len(data) // 2] ^= 1
    refused(stage, altered(video, media=io.BytesIO(bytes(data))), "not of these bytes")


def test_a_flipped_byte_is_refused_even_if_its_entry_was_logged(
    stage: Stage, video: SealedVideo
) -> None:
    video.media.seek(0)
    data = bytearray(video.media.read())
    data[len(data) * 3 // 4] ^= 1
    media = io.BytesIO(bytes(data))
    refused(stage, logged(stage, video, media), "credential is invalid")


def test_an_entry_of_other_bytes_is_refused(stage: Stage, video: SealedVideo) -> None:
    entry = replace(SealEntry.parse(video.entry), sha256="0" * 64).to_bytes()
    refused(stage, altered(video, entry=entry), "not of these bytes")


def test_an_entry_that_is_not_in_the_log_is_refused(stage: Stage, video: SealedVideo) -> None:
    entry = replace(SealEntry.parse(video.entry), time="2020-01-01T00:00:00Z").to_bytes()
    refused(stage, altered(video, entry=entry), "log proof does not hold")


def test_the_proof_of_another_entry_is_refused(stage: Stage, video: SealedVideo) -> None:
    other = make_receipt(stage.studio.log.reader(), 0)
    refused(stage, altered(video, receipt=other), "log proof does not hold")
    refused(stage, altered(video, receipt="nothing"), "log proof does not hold")


def test_the_asset_id_of_another_draft_is_refused(stage: Stage, video: SealedVideo) -> None:
    refused(stage, altered(video, draft_id="0" * 32), "belongs to another draft")
    refused(stage, altered(video, asset_id="0" * 16), "of another asset")


def test_an_asset_that_was_never_reserved_is_refused(stage: Stage, video: SealedVideo) -> None:
    with stage.studio.database.session() as session:
        session.query(ReleaseRow).delete()
    refused(stage, video, "belongs to another draft")


def test_the_place_in_the_log_is_the_proven_one(stage: Stage, video: SealedVideo) -> None:
    made = release(stage.studio, stage.purpose, altered(video, log_index=0))
    assert made.log_index == video.log_index
    assert stage.released().log_index == video.log_index


def remade(
    stage: Stage, video: SealedVideo, *, label: bool = True, mark: str | None = None
) -> SealedVideo:
    """A video signed and logged as it should be, but not made as it should be."""
    marked, media = io.BytesIO(), io.BytesIO()
    path = stage.clips / "scene.mp4"
    clip = probe(path, name=path.name)
    embedder = None
    if mark is not None:
        embedder = Embedder(
            width=clip.width, height=clip.height, bits=8, asset_id=int(mark, 16),
            key=stage.studio.reading_key,
        )  # fmt: skip
    drawn = draw_label(clip.width, clip.height) if label else None
    fingerprint = VideoFingerprint()

    def pictures() -> Iterator[Picture]:
        for picture in read_pictures(path, name=path.name):
            shown = burn(picture, drawn) if drawn else picture
            shown = with_luma(shown, embedder.mark(shown.y)) if embedder else shown
            fingerprint.add(luma8(shown), shown.pts * clip.time_base)
            yield shown

    encode(pictures(), marked, like=clip, sound_from=None)
    receipts = SealEntry.parse(video.entry).receipts
    plan = plan_credential(video.asset_id, receipts, fingerprint.finish().iscc, stage.studio)
    source = Ingredient(title="footage", mime=MIME, sha256="0" * 64)
    sign(
        marked, media, mime=MIME, plan=plan, chain=stage.studio.chain, ingredient=source,
        tsa_url=None,
    )  # fmt: skip
    return logged(stage, video, media)


def logged(stage: Stage, video: SealedVideo, media: io.BytesIO, **changes: Any) -> SealedVideo:  # noqa: ANN401 - fields of the entry
    """The video with other bytes, of which the log tells."""
    entry = replace(SealEntry.parse(video.entry), sha256=hash_file(media), **changes).to_bytes()
    (index,) = stage.studio.log.append([entry])
    receipt = make_receipt(stage.studio.log.reader(), index)
    return altered(
        video, media=media, sha256=hash_file(media), entry=entry, receipt=receipt, log_index=index
    )


def test_bytes_that_lack_a_layer_are_refused(stage: Stage, video: SealedVideo) -> None:
    unlabelled = remade(stage, video, label=False, mark=video.asset_id)
    refused(stage, unlabelled, "label is missing at frame 0")
    refused(stage, remade(stage, video), "watermark can't be read")
    refused(stage, remade(stage, video, mark="12" * 8), "watermark carries another asset id")
    unsigned = io.BytesIO((stage.clips / "scene.mp4").read_bytes())
    refused(stage, logged(stage, video, unsigned), "credential is missing")
    refused(stage, logged(stage, video, io.BytesIO(b"no video at all")), "can't be read back")


def test_a_credential_of_other_receipts_or_another_asset_is_refused(
    stage: Stage, video: SealedVideo
) -> None:
    video.media.seek(0)
    media = io.BytesIO(video.media.read())
    refused(stage, logged(stage, video, media, receipts=("0" * 64,)), "other consent receipts")
    with stage.studio.database.session() as session:
        session.query(ReleaseRow).one().asset_id = "12" * 8
    other = altered(logged(stage, video, media, asset_id="12" * 8), asset_id="12" * 8)
    refused(stage, other, "names another asset")


def test_a_disk_that_fails_at_any_step(stage: Stage, video: SealedVideo) -> None:
    counted = FailingDisk()
    made = release(replace(stage.studio, disk=counted), stage.purpose, video)
    with stage.studio.database.session() as session:
        session.query(ReleaseRow).one().state = "sealing"
    for number in range(len(counted.steps)):
        for path in (made.path, made.proof):
            path.unlink(missing_ok=True)
        with pytest.raises(StorageError):
            release(replace(stage.studio, disk=FailingDisk(number)), stage.purpose, video)
        left = {path.name: path.read_bytes() for path in stage.studio.releases_folder.iterdir()}
        # Whatever lies there is whole, and a video never lies there without its proof.
        assert left.pop(made.proof.name, b"") in (b"", video.receipt.encode())
        assert hashlib.sha256(left.pop(made.path.name, b"")).hexdigest() in (
            hashlib.sha256().hexdigest(),
            video.sha256,
        )
        assert not left
        assert made.proof.exists() or not made.path.exists()
        assert released_already(stage.studio, stage.draft) is None
    assert release(stage.studio, stage.purpose, video) == made


def test_what_was_released_is_found_again(released: Cast, tmp_path: Path) -> None:
    stage = released.open_copy(tmp_path / "studio")
    made = stage.released()
    made.path.unlink()
    assert released_already(stage.studio, stage.draft) is None
    again = stage.finish()
    assert again.asset_id == made.asset_id
    assert again.log_index > made.log_index
    assert stage.released() == again


def test_an_altered_release_is_not_taken_for_it(released: Cast, tmp_path: Path) -> None:
    stage = released.open_copy(tmp_path / "studio")
    path = stage.released().path
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(SealError, match="not what was released") as caught:
        released_already(stage.studio, stage.draft)
    assert "remove" in caught.value.advice
    path.unlink()
    assert stage.finish() == stage.released()


def test_another_draft_is_not_released(released: Cast, tmp_path: Path) -> None:
    stage = released.open_copy(tmp_path / "studio")
    (row,) = list_drafts(stage.studio, stage.purpose)
    fields = {column.name: getattr(row, column.name) for column in DraftRow.__table__.columns}
    with stage.studio.database.session() as session:
        session.add(DraftRow(**{**fields, "id": "f" * 32}))
    assert released_already(stage.studio, replace(stage.draft, id="f" * 32)) is None


def test_errors_of_the_log_are_errors_for_people(stage: Stage, video: SealedVideo) -> None:
    with pytest.raises(AssentError):
        release(stage.studio, stage.purpose, altered(video, entry=b"not JSON"))
