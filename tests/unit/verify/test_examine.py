"""What a file is, told from its bytes and the public log alone."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from casts import SCENE_FRAMES, Cast, Stage, cut_clip
from studios import SetClock

from assent.disclose.entry import SealEntry
from assent.disclose.still import seal_draft_sheet
from assent.kit.canonical import canonical
from assent.kit.content.gate import ContentGate
from assent.kit.errors import IntegrityError, MediaError, NotFoundError
from assent.kit.imaging.label import draw_label
from assent.kit.media.still import read_still
from assent.kit.store.studio import create_studio
from assent.kit.watermark.embed import Embedder
from assent.verify.detectors import Opinion
from assent.verify.ended import How, entry_of_end, entry_of_return
from assent.verify.examine import examine
from assent.verify.findings import Findings, Status, Verdict
from assent.verify.public import open_log

NO_MARK = "No mark of this studio found"


@pytest.fixture(scope="module")
def shown(released: Cast, tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """A studio with a release and a sealed sheet; tests only look at it."""
    stage = released.open_copy(tmp_path_factory.mktemp("shown") / "studio")
    seal_draft_sheet(stage.studio, stage.purpose, stage.draft, gate=ContentGate())
    return stage


@pytest.fixture
def stage(released: Cast, tmp_path: Path) -> Stage:
    return released.open_copy(tmp_path / "studio")


def reencode(
    source: Path,
    target: Path,
    change: Callable[[np.ndarray], np.ndarray] = np.asarray,
    crf: int = 22,
) -> Path:
    """Write the pictures anew as anybody's tool would, without metadata.

    Pictures this small hold their mark down to about this quality; larger ones much further.
    """
    with av.open(str(source)) as old, av.open(str(target), "w") as new:
        video = new.add_stream("libx264", rate=25, options={"crf": str(crf)})
        shape = old.streams.video[0]
        video.width, video.height, video.pix_fmt = shape.width, shape.height, "yuv420p"
        for frame in old.decode(video=0):
            luma = frame.reformat(format="yuv420p").to_ndarray()
            luma[: frame.height] = change(luma[: frame.height])
            new.mux(video.encode(av.VideoFrame.from_ndarray(luma, "yuv420p")))
        new.mux(video.encode())
    return target


def status(findings: Findings, name: str) -> Status:
    return next(layer.status for layer in findings.layers if layer.name == name)


def test_the_release_is_sealed(shown: Stage) -> None:
    made = shown.released()
    told: list[tuple[str, int, int]] = []
    found = examine(made.path, shown.log, progress=lambda *state: told.append(state))
    assert found.verdict is Verdict.SEALED
    assert (found.asset_id, found.sha256, found.file) == (
        made.asset_id,
        made.sha256,
        made.path.name,
    )
    assert {layer.status for layer in found.layers} == {Status.GOOD}
    assert told[-1] == ("examining", 40, 40)
    assert not found.consent_withdrawn
    assert found.to_json()["verdict"] == "sealed"
    assert [layer["name"] for layer in found.to_json()["layers"]] == [
        "manifest", "watermark", "fingerprint", "label", "sound", "log", "consent",
    ]  # fmt: skip


def test_a_copy_in_other_bytes_leads_to_the_record(shown: Stage, tmp_path: Path) -> None:
    made = shown.released()
    found = examine(reencode(made.path, tmp_path / "copy.mp4"), shown.log)
    assert (found.verdict, found.asset_id) == (Verdict.COPY, made.asset_id)
    assert (status(found, "manifest"), status(found, "watermark")) == (Status.MISSING, Status.GOOD)
    assert "this file has other bytes" in str(found.to_json()["layers"])
    assert found.summary.startswith("A changed copy")


def test_a_mark_too_faint_to_be_spelled_is_told_from_the_logs_own(
    shown: Stage, tmp_path: Path
) -> None:
    made = shown.released()
    found = examine(reencode(made.path, tmp_path / "faint.mp4", crf=27), shown.log)
    assert (found.verdict, found.asset_id) == (Verdict.COPY, made.asset_id)
    layer = next(layer for layer in found.layers if layer.name == "watermark")
    assert "told from the 2 of the log" in layer.rests_on


def test_a_file_altered_after_signing_is_told(shown: Stage, tmp_path: Path) -> None:
    path = tmp_path / "altered.mp4"
    # One more box, which no player looks at.
    path.write_bytes(shown.released().path.read_bytes() + b"\0\0\0\x0cwide1234")
    found = examine(path, shown.log)
    assert found.verdict is Verdict.COPY
    assert status(found, "manifest") is Status.BAD


@pytest.mark.parametrize("place", [0.1, 0.3, 0.5, 0.7, 0.9, 0.999])
def test_one_flipped_byte_is_never_sealed(shown: Stage, tmp_path: Path, place: float) -> None:
    data = bytearray(shown.released().path.read_bytes())
    pictures = data.rindex(b"mdat")
    data[pictures + int((len(data) - pictures) * place)] ^= 1
    path = tmp_path / "altered.mp4"
    path.write_bytes(bytes(data))
    found = examine(path, shown.log)
    # Where no picture can be decoded, the sound may still lead to the record.
    assert found.verdict in (
        Verdict.COPY, Verdict.SOUND, Verdict.RESEMBLES, Verdict.NOTHING_FOUND,
    )  # fmt: skip
    assert status(found, "manifest") is Status.BAD


def test_the_footage_before_the_swap_only_resembles(shown: Stage) -> None:
    found = examine(shown.clips / "scene.mp4", shown.log)
    assert found.verdict in (Verdict.RESEMBLES, Verdict.NOTHING_FOUND)
    assert found.summary.startswith(NO_MARK)
    assert (status(found, "log"), status(found, "consent")) == (Status.UNKNOWN, Status.UNKNOWN)


def test_other_footage_is_nothing(shown: Stage) -> None:
    found = examine(shown.clips / "ben.mp4", shown.log)
    assert (found.verdict, found.asset_id) == (Verdict.NOTHING_FOUND, None)
    assert found.summary.startswith(NO_MARK)
    assert "proves nothing" in found.summary


def test_a_mark_copied_onto_other_footage_is_told_as_that(shown: Stage, tmp_path: Path) -> None:
    embedder = Embedder(
        width=256, height=256, bits=8, asset_id=int(shown.released().asset_id, 16),
        key=shown.studio.reading_key,
    )  # fmt: skip
    other = cut_clip(tmp_path / "other.mp4", "two_people.mp4", frames=SCENE_FRAMES)
    path = reencode(other, tmp_path / "moved.mp4", lambda luma: embedder.mark(luma))
    found = examine(path, shown.log)
    assert status(found, "watermark") is not Status.MISSING
    assert found.verdict is Verdict.COPIED_MARK
    assert found.asset_id == shown.released().asset_id
    assert "somebody put the mark on another picture" in found.summary
    # The record's consent is no consent of whoever is in this picture.
    assert (status(found, "log"), status(found, "consent")) == (Status.UNKNOWN, Status.UNKNOWN)
    assert status(found, "label") is Status.MISSING


def test_a_copied_mark_is_not_said_to_be_withdrawn(stage: Stage, tmp_path: Path) -> None:
    embedder = Embedder(
        width=256, height=256, bits=8, asset_id=int(stage.released().asset_id, 16),
        key=stage.studio.reading_key,
    )  # fmt: skip
    stage.withdraw(stage.ada)
    other = cut_clip(tmp_path / "other.mp4", "two_people.mp4", frames=SCENE_FRAMES)
    found = examine(reencode(other, tmp_path / "moved.mp4", embedder.mark), stage.log)
    assert found.verdict is Verdict.COPIED_MARK
    assert not found.consent_withdrawn


def test_a_copy_whose_label_was_painted_over_is_told(shown: Stage, tmp_path: Path) -> None:
    label = draw_label(256, 256)
    height, width = label.alpha.shape

    def cover(luma: np.ndarray) -> np.ndarray:
        covered = luma.copy()
        covered[label.y : label.y + height, label.x : label.x + width] = 90
        return covered

    found = examine(reencode(shown.released().path, tmp_path / "bare.mp4", cover), shown.log)
    assert found.verdict is Verdict.COPY
    assert status(found, "label") is Status.BAD
    assert "cut off or covered" in str(found.to_json())


def test_a_label_alone_proves_nothing(shown: Stage, tmp_path: Path) -> None:
    label = draw_label(256, 256)
    height, width = label.alpha.shape

    def draw(luma: np.ndarray) -> np.ndarray:
        drawn = luma.astype(np.float32)
        place = np.s_[label.y : label.y + height, label.x : label.x + width]
        wanted = 16 + 219 * label.luma
        drawn[place] += label.alpha * (wanted - drawn[place])
        return drawn.astype(np.uint8)

    found = examine(reencode(shown.clips / "ben.mp4", tmp_path / "own.mp4", draw), shown.log)
    assert found.verdict is Verdict.NOTHING_FOUND
    assert status(found, "label") is Status.UNKNOWN
    assert "Anybody can draw one" in str(found.to_json())


def test_parts_of_two_releases_put_together_are_told(shown: Stage, tmp_path: Path) -> None:
    made = int(shown.released().asset_id, 16)
    marks = [
        Embedder(width=256, height=256, bits=8, asset_id=asset, key=shown.studio.reading_key)
        for asset in (made, made ^ 1)
    ]
    rng = np.random.default_rng(4)
    path = tmp_path / "spliced.mp4"
    with av.open(str(path), "w") as new:
        video = new.add_stream("libx264", rate=4, options={"crf": "14"})
        video.width, video.height, video.pix_fmt = 256, 256, "yuv420p"
        for number in range(96):
            planes = np.full((384, 256), 128, np.uint8)
            texture = cv2.resize(rng.normal(120, 30, (32, 32)), (256, 256))
            planes[:256] = marks[number >= 48].mark(np.clip(texture, 30, 220).astype(np.uint8))
            new.mux(video.encode(av.VideoFrame.from_ndarray(planes, "yuv420p")))
        new.mux(video.encode())
    found = examine(path, shown.log)
    assert found.verdict is Verdict.CONTRADICTION
    (mark,) = (layer for layer in found.layers if layer.name == "watermark")
    assert "parts of them were put together" in mark.says
    assert {each["payload"] for each in mark.facts["found"]} == {f"{made:016x}", f"{made ^ 1:016x}"}


def test_where_the_mark_is_in_time_is_told(shown: Stage) -> None:
    found = examine(shown.released().path, shown.log)
    (mark,) = (layer for layer in found.layers if layer.name == "watermark")
    assert mark.facts["payload"] == shown.released().asset_id
    assert mark.facts["found"] == [{"seconds": [0, 2], "payload": shown.released().asset_id}]
    assert mark.facts["not_found"] == []


class Sure:
    name, version, licence = "sure", "7", "MIT"
    error = "errs half of the time, on ten films"

    def __init__(self, opinion: object) -> None:
        self.opinion = opinion
        self.shapes: list[tuple[int, ...]] = []

    def judge(self, pictures: Sequence[np.ndarray]) -> Opinion | None:
        self.shapes = [picture.shape for picture in pictures]
        if isinstance(self.opinion, Exception):
            raise self.opinion
        return self.opinion  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("opinion", "says"),
    [
        (
            Opinion(score=0.93, says="edges\x1b[31m"),
            "at 93, on its own scale of 0 to 100. edges [31m Detectors err",
        ),
        (None, "sure abstains."),
        (Opinion(score=float("nan")), "its score is none"),
        (Opinion(score=7.0), "its score is none"),
        (ValueError("oops"), "sure failed (ValueError)"),
        ("yes", "sure failed (AttributeError)"),
    ],
)
def test_a_detector_gives_a_hint_and_no_verdict(shown: Stage, opinion: object, says: str) -> None:
    detector = Sure(opinion)
    found = examine(shown.clips / "ben.mp4", shown.log, detectors=[detector])
    assert found.verdict is Verdict.NOTHING_FOUND
    layer = found.layers[-1]
    assert (layer.name, layer.status) == ("forensic", Status.UNKNOWN)
    assert says in layer.says
    assert "errs half of the time" in layer.rests_on
    assert set(detector.shapes) == {(256, 256, 3)}
    assert 0 < len(detector.shapes) <= 16


def test_a_part_of_a_release_is_a_copy_and_no_contradiction(shown: Stage, tmp_path: Path) -> None:
    part = cut_clip(tmp_path / "part.mp4", str(shown.released().path), frames=8)
    found = examine(part, shown.log)
    assert (found.verdict, found.asset_id) == (Verdict.COPY, shown.released().asset_id)
    (mark,) = (layer for layer in found.layers if layer.name == "watermark")
    assert "can't be ruled out" in mark.says


def test_a_marked_part_late_in_a_long_film_is_found(shown: Stage, tmp_path: Path) -> None:
    with av.open(str(shown.released().path)) as old:
        shots = [frame.reformat(format="yuv420p").to_ndarray() for frame in old.decode(video=0)]
    part = [av.VideoFrame.from_ndarray(shot, "yuv420p") for shot in shots]
    before = np.random.default_rng(3).integers(90, 120, (384, 256), np.uint8)
    path = tmp_path / "long.mp4"
    with av.open(str(path), "w") as new:
        video = new.add_stream("libx264", rate=10, options={"crf": "18"})
        video.width, video.height, video.pix_fmt = 256, 256, "yuv420p"
        noise = av.VideoFrame.from_ndarray(before, "yuv420p")
        for number, picture in enumerate([noise] * 160 + part):
            picture.pts = number
            new.mux(video.encode(picture))
        new.mux(video.encode())
    found = examine(path, shown.log)
    assert found.asset_id == shown.released().asset_id
    assert status(found, "watermark") is not Status.MISSING


def test_a_mark_of_an_asset_that_the_log_does_not_know(shown: Stage, tmp_path: Path) -> None:
    embedder = Embedder(width=256, height=256, bits=8, asset_id=5, key=shown.studio.reading_key)
    path = reencode(shown.clips / "ben.mp4", tmp_path / "unknown.mp4", lambda y: embedder.mark(y))
    found = examine(path, shown.log)
    assert (found.verdict, found.asset_id) == (Verdict.CONTRADICTION, None)


def test_the_credential_of_another_studio_is_not_trusted(shown: Stage, tmp_path: Path) -> None:
    other = create_studio(
        tmp_path / "other", name="Other", contact="o@example.org", clock=SetClock(shown.clock.now)
    )
    found = examine(shown.released().path, open_log(other.log_folder))
    assert found.verdict is Verdict.NOTHING_FOUND
    assert status(found, "manifest") is Status.UNKNOWN
    assert "someone else" in found.layers[0].says


def test_a_release_that_the_log_lost(released: Cast, tmp_path: Path) -> None:
    stage = released.open_copy(tmp_path / "studio")
    log = replace(stage.log, records=())
    found = examine(stage.released().path, log)
    assert found.verdict is Verdict.CONTRADICTION
    assert "the log knows nothing" in found.layers[0].says


def test_withdrawn_consent_is_told(stage: Stage) -> None:
    before = stage.log
    stage.withdraw(stage.ben)
    found = examine(stage.released().path, stage.log)
    assert found.verdict is Verdict.SEALED
    assert found.consent_withdrawn
    assert status(found, "consent") is Status.BAD
    assert found.summary.endswith("Consent has since been withdrawn.")
    # A copy of the log from before can't know.
    assert not examine(stage.released().path, before).consent_withdrawn


@pytest.mark.parametrize(
    ("how", "successor", "says"),
    [
        ("revoked", None, "has revoked this release and no longer vouches for it"),
        ("taken-down", None, "has taken this release down"),
        ("suspended", None, "has suspended this release while a report is looked into"),
        ("corrected", "ab" * 8, "a corrected release in its place (asset abababababababab)"),
    ],
)
def test_a_release_that_was_taken_back_is_told(
    stage: Stage, how: How, successor: str | None, says: str
) -> None:
    made = stage.released()
    entry = entry_of_end(made.asset_id, how, time="2026-11-23T12:00:00Z", successor=successor)
    stage.studio.log.append([canonical(entry)])
    found = examine(made.path, stage.log)
    assert (found.verdict, found.ended) == (Verdict.SEALED, how)
    assert says in found.summary
    back = entry_of_return(made.asset_id, time="2026-11-23T13:00:00Z")
    stage.studio.log.append([canonical(back)])
    left = examine(made.path, stage.log).ended
    assert left == (how if how == "revoked" else None)


def test_a_consent_that_the_log_does_not_hold(shown: Stage) -> None:
    found = examine(shown.released().path, replace(shown.log, granted={}))
    assert status(found, "consent") is Status.BAD


def test_stills(shown: Stage, tmp_path: Path) -> None:
    (sheet,) = shown.studio.previews_folder.glob("*.jpg")
    found = examine(sheet, shown.log)
    assert (found.verdict, found.asset_id) == (Verdict.SEALED, sheet.stem[-16:])
    assert status(found, "fingerprint") is Status.UNKNOWN
    rgb = read_still(sheet.read_bytes(), name="sheet")
    copy = tmp_path / "copy.png"
    assert cv2.imwrite(str(copy), rgb[..., ::-1])
    found = examine(copy, shown.log)
    assert (found.verdict, found.asset_id) == (Verdict.COPY, sheet.stem[-16:])
    plain = tmp_path / "plain.png"
    noise = np.random.default_rng(1).integers(0, 255, (200, 300, 3), np.uint8)
    assert cv2.imwrite(str(plain), noise)
    assert examine(plain, shown.log).verdict is Verdict.NOTHING_FOUND


def test_a_copy_that_is_no_mp4_has_no_credential_to_read(shown: Stage, tmp_path: Path) -> None:
    path = reencode(shown.released().path, tmp_path / "copy.mkv")
    found = examine(path, shown.log)
    assert (found.verdict, status(found, "manifest")) == (Verdict.COPY, Status.MISSING)


def test_a_log_without_releases(agreed: Cast, tmp_path: Path) -> None:
    stage = agreed.open_copy(tmp_path / "studio")
    found = examine(stage.clips / "ada.mp4", stage.log)
    assert found.verdict is Verdict.NOTHING_FOUND


@pytest.mark.parametrize("length", [0, 5, 40, 4000])
@pytest.mark.parametrize("kind", ["video", "still", "text"])
def test_what_cannot_be_read_is_told_in_words(
    shown: Stage, tmp_path: Path, kind: str, length: int
) -> None:
    (sheet,) = shown.studio.previews_folder.glob("*.jpg")
    data = {
        "video": shown.released().path.read_bytes(),
        "still": sheet.read_bytes()[:300],
        "text": b"Dear sir or madam, " * 500,
    }[kind]
    path = tmp_path / "broken.bin"
    path.write_bytes(data[:length])
    with pytest.raises(MediaError, match=r"broken\.bin"):
        examine(path, shown.log)


def test_a_missing_file(shown: Stage, tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere.mp4", tmp_path):
        with pytest.raises(NotFoundError):
            examine(path, shown.log)


def test_a_log_that_was_changed_is_not_believed(stage: Stage, tmp_path: Path) -> None:
    vkey = stage.studio.log_verifier.vkey
    for bundle in sorted((stage.studio.log_folder / "tile" / "entries").rglob("*")):
        if bundle.is_file():
            data = bytearray(bundle.read_bytes())
            data[-5] ^= 1
            bundle.write_bytes(bytes(data))
    with pytest.raises(IntegrityError):
        open_log(stage.studio.log_folder, vkey=vkey)


def test_a_log_rolled_back_to_an_older_checkpoint(rendered: Cast, tmp_path: Path) -> None:
    stage = rendered.open_copy(tmp_path / "studio")
    older = (stage.studio.log_folder / "checkpoint").read_bytes()
    copy = tmp_path / "copy"
    shutil.copytree(stage.studio.log_folder, copy)
    made = stage.finish()
    stage.withdraw(stage.ben)
    newest = stage.studio.log.checkpoint()
    # An old copy agrees with itself: it doesn't know the release, and can't know that it is old.
    found = examine(made.path, open_log(copy, vkey=stage.studio.log_verifier.vkey))
    assert found.verdict is Verdict.CONTRADICTION
    assert not found.consent_withdrawn
    # Whoever kept a newer checkpoint sees the rollback.
    (stage.studio.log_folder / "checkpoint").write_bytes(older)
    with pytest.raises(IntegrityError, match="shrank"):
        stage.reopened().studio.log.reader().check_extends(newest)


def test_the_record_of_these_very_bytes_comes_first(stage: Stage) -> None:
    made = stage.released()
    made.path.unlink()
    made.proof.unlink()
    again = stage.finish()
    assert stage.log.by_asset(made.asset_id, made.sha256) == stage.log.records[0]
    found = examine(again.path, stage.log)
    assert found.verdict is Verdict.SEALED
    entry = SealEntry.parse(stage.studio.log.reader().entry(again.log_index))
    assert entry.sha256 == found.sha256
