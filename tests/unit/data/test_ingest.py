"""Footage comes in only if everyone in it has agreed; else nothing of it is kept."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from casts import RIGHTS, Cast, Stage, clear_traces, cut_clip
from clips import Clips
from numpy.typing import NDArray
from studios import Member, Scene

from assent.consent.locker import Locker
from assent.data.clips import list_clips, load_faces
from assent.data.ingest import Ingested, ingest
from assent.kit.content.gate import ContentGate, Finding
from assent.kit.errors import (
    ContentError,
    InputError,
    MediaError,
    NotClearedError,
    StorageError,
    UnlistedFaceError,
)
from assent.kit.progress import Progress, nothing
from assent.kit.store.tables import FaceSetRow, FootageRow


class Gate(ContentGate):
    """A gate that finds something explicit at its n-th look."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self.left = at

    def check(self, rgb: NDArray[np.uint8]) -> tuple[Finding, ...]:
        self.left -= 1
        label = "MALE_GENITALIA_EXPOSED" if self.left == 0 else "BELLY_EXPOSED"
        return (Finding(label=label, score=0.8, box=(0, 0, 9, 9)),)


@pytest.fixture
def stage(agreed: Cast, tmp_path: Path) -> Stage:
    return agreed.open_copy(tmp_path / "studio")


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ada on the left, Ben on the right."""
    path = tmp_path_factory.mktemp("pair") / "pair.mp4"
    return cut_clip(path, "two_people.mp4", frames=8, width=480, height=320)


def take_in(
    stage: Stage, path: Path, people: Sequence[Member], progress: Progress = nothing
) -> Ingested:
    persons = [member.person for member in people]
    return ingest(stage.studio, stage.purpose, path, persons, rights=RIGHTS, progress=progress)


def blobs(stage: Stage) -> set[Path]:
    return {path for path in stage.studio.vault_folder.rglob("*") if path.is_file()}


def nothing_kept(stage: Stage, path: Path, before: set[Path]) -> None:
    """Neither the database nor the vault knows anything of the clip."""
    with stage.studio.database.session() as session:
        assert session.query(FootageRow).count() == 0
        assert session.query(FaceSetRow).count() == 0
    assert blobs(stage) == before
    assert clear_traces(stage.studio.folder, path.read_bytes()) == []


def test_a_clip_is_taken_in_encrypted(stage: Stage) -> None:
    path = stage.clips / "ada.mp4"
    told: list[tuple[str, int, int]] = []
    made = take_in(stage, path, [stage.ada], lambda *state: told.append(state))
    assert (made.faces, made.already) == ({"ada": 12}, False)
    assert (made.clip.name, made.clip.frames, made.clip.sound) == ("ada.mp4", 12, False)
    assert list_clips(stage.studio, stage.purpose) == (made.clip,)
    assert told == [("looking for faces", n, 12) for n in range(1, 13)]
    clearances = stage.asking(made.clip.needs())()
    locker = Locker(stage.studio)
    with made.clip.open(locker, clearances) as file:
        assert file.read() == path.read_bytes()
    (track,) = made.clip.tracks(locker, clearances)
    assert (track.person_id, track.index.tolist()) == (stage.ada.id, list(range(12)))
    (faces,) = load_faces(stage.studio, stage.purpose, locker, stage.ada.id, clearances)
    assert len(faces) == 12
    raw = [faces.faces.tobytes(), faces.landmarks.tobytes(), faces.meshes.tobytes()]
    raw += [track.landmarks.tobytes(), track.meshes.tobytes()]
    assert clear_traces(stage.studio.folder, path.read_bytes(), *raw) == []


def test_the_helper_would_see_a_clip_in_clear(stage: Stage) -> None:
    path = stage.clips / "ada.mp4"
    (stage.studio.vault_folder / "left").write_bytes(path.read_bytes()[400:])
    assert clear_traces(stage.studio.folder, path.read_bytes()) == ["vault/left"]


def test_the_same_file_again_changes_nothing(stage: Stage, tmp_path: Path) -> None:
    first = take_in(stage, stage.clips / "ada.mp4", [stage.ada])
    kept = blobs(stage)
    renamed = tmp_path / "other name.mp4"
    renamed.write_bytes((stage.clips / "ada.mp4").read_bytes())
    again = take_in(stage, renamed, [stage.ada])
    assert again.already
    assert (again.clip, again.faces) == (first.clip, first.faces)
    assert blobs(stage) == kept
    with pytest.raises(InputError, match=r"ada\.mp4 is in the project already, with other people"):
        take_in(stage, renamed, [stage.ada, stage.ben])


def test_the_same_file_needs_live_consent_again(stage: Stage) -> None:
    take_in(stage, stage.clips / "ada.mp4", [stage.ada])
    stage.withdraw(stage.ada)
    with pytest.raises(NotClearedError):
        take_in(stage, stage.clips / "ada.mp4", [stage.ada])


def test_a_stranger_is_refused_with_the_time(stage: Stage, tmp_path: Path) -> None:
    path = cut_clip(tmp_path / "cleo.mp4", "cleo_train.mp4", frames=10)
    before = blobs(stage)
    with pytest.raises(UnlistedFaceError, match=r"cleo\.mp4 .* at 0:00\.0 to 0:00\.4"):
        take_in(stage, path, [stage.ada])
    nothing_kept(stage, path, before)


def test_one_of_two_people_is_not_enough(stage: Stage, pair: Path) -> None:
    before = blobs(stage)
    with pytest.raises(UnlistedFaceError, match=r"not consented, at 0:00\.0 to 0:00\.3"):
        take_in(stage, pair, [stage.ada])
    nothing_kept(stage, pair, before)


def test_two_people_who_agreed_have_a_set_each(stage: Stage, pair: Path) -> None:
    made = take_in(stage, pair, [stage.ada, stage.ben])
    assert made.faces == {"ada": 8, "ben": 8}
    assert (made.clip.frames, set(made.clip.people)) == (8, {stage.ada.id, stage.ben.id})
    locker = Locker(stage.studio)
    both = stage.asking(made.clip.needs())()
    left = {
        track.person_id: float(track.landmarks[..., 0].mean())
        for track in made.clip.tracks(locker, both)
    }
    assert left[stage.ada.id] < 240 < left[stage.ben.id]
    # The clip belongs to both: one clearance opens only one's own faces.
    for clearance in both:
        with pytest.raises(NotClearedError):
            made.clip.open(locker, [clearance])
        assert load_faces(stage.studio, stage.purpose, locker, clearance.person_id, [clearance])


def test_someone_named_but_not_seen_owns_the_clip_too(stage: Stage) -> None:
    made = take_in(stage, stage.clips / "ada.mp4", [stage.ada, stage.ben])
    assert made.faces == {"ada": 12}
    with pytest.raises(NotClearedError):
        made.clip.open(Locker(stage.studio), stage.asking(made.clip.needs())()[:1])


def test_footage_without_a_face_is_refused(stage: Stage, tmp_path: Path) -> None:
    path = cut_clip(tmp_path / "empty.mp4", "no_face.mp4", frames=6)
    before = blobs(stage)
    with pytest.raises(MediaError, match="shows no face"):
        take_in(stage, path, [stage.ada])
    nothing_kept(stage, path, before)


@pytest.mark.parametrize(("transfer", "kind"), [("smpte2084", "PQ"), ("arib-std-b67", "HLG")])
def test_footage_in_hdr_is_refused(stage: Stage, clips: Clips, transfer: str, kind: str) -> None:
    before = blobs(stage)
    tags = {"colorspace": "bt2020nc", "color_primaries": "bt2020", "color_trc": transfer}
    path = clips.plain("hdr.mp4", sound=None, pix_fmt="yuv420p10le", options=tags)
    with pytest.raises(MediaError, match=rf"hdr\.mp4 is in HDR \({kind}\)") as refused:
        take_in(stage, path, [stage.ada])
    assert "SDR" in refused.value.advice
    nothing_kept(stage, path, before)


def test_sound_needs_consent_to_the_voice(scene: Scene, clips: Clips) -> None:
    loud = clips.plain("loud.mp4")
    with pytest.raises(NotClearedError, match="voice"):
        ingest(scene.studio, scene.purpose, loud, [scene.ada.person], rights=RIGHTS)
    silent = clips.plain("silent.mp4", sound=None)
    with pytest.raises(MediaError, match="shows no face"):
        ingest(scene.studio, scene.purpose, silent, [scene.ada.person], rights=RIGHTS)


@pytest.mark.parametrize("at", [1, 2])
def test_explicit_footage_is_refused_with_the_time(stage: Stage, at: int) -> None:
    before = blobs(stage)
    path = stage.clips / "scene.mp4"
    with pytest.raises(ContentError, match=rf"explicit content at 0:0{at - 1}\.0"):
        ingest(
            stage.studio, stage.purpose, path, [stage.ada.person], rights=RIGHTS, gate=Gate(at)
        )  # fmt: skip
    nothing_kept(stage, path, before)


def test_withdrawal_while_the_clip_is_looked_at(stage: Stage) -> None:
    before = blobs(stage)
    path = stage.clips / "ada.mp4"

    def withdraw(what: str, done: int, total: int) -> None:
        if (what, done) == ("looking for faces", 12):
            stage.withdraw(stage.ada)

    with pytest.raises(NotClearedError, match="ada withdrew consent"):
        take_in(stage, path, [stage.ada], withdraw)
    nothing_kept(stage, path, before)


def test_consent_that_runs_out_while_the_clip_is_looked_at(stage: Stage) -> None:
    before = blobs(stage)

    def wait(what: str, done: int, total: int) -> None:
        stage.clock.now = stage.clock.now.replace(year=stage.clock.now.year + 1)
        if stage.clock.now.year > 2100:
            pytest.fail("it should have asked by now")

    with pytest.raises(NotClearedError, match="expired"):
        take_in(stage, stage.clips / "ada.mp4", [stage.ada], wait)
    nothing_kept(stage, stage.clips / "ada.mp4", before)


def test_people_and_rights_must_be_named(stage: Stage) -> None:
    path = stage.clips / "ada.mp4"
    with pytest.raises(InputError, match="nobody is named"):
        take_in(stage, path, [])
    with pytest.raises(InputError, match="on what rights"):
        ingest(stage.studio, stage.purpose, path, [stage.ada.person], rights="  ")
    with pytest.raises(NotClearedError, match="cleo has given no consent"):
        take_in(stage, path, [stage.cleo])


def test_what_is_no_video_is_refused(stage: Stage, tmp_path: Path) -> None:
    path = tmp_path / "text.mp4"
    for data in (b"", b"not a video", (stage.clips / "ada.mp4").read_bytes()[:300]):
        path.write_bytes(data)
        with pytest.raises(MediaError, match=re.escape(path.name)):
            take_in(stage, path, [stage.ada])


def test_a_missing_file_is_told_in_words(stage: Stage, tmp_path: Path) -> None:
    with pytest.raises((MediaError, StorageError)):
        take_in(stage, tmp_path / "nowhere.mp4", [stage.ada])
