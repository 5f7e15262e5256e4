"""Before footage is used, its faces are held to the enrolments once more."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from casts import Cast, Stage

from assent.consent.enrolment import read_enrolments
from assent.consent.locker import Locker
from assent.data.clips import load_faces
from assent.data.matching import Matching, exemplars_of, match_faces
from assent.data.tracks import PersonTrack
from assent.kit.errors import UnlistedFaceError
from assent.kit.faces.frame import PictureFrame
from assent.kit.faces.identity import Gallery
from assent.kit.media.read import read_pictures
from assent.train.models import training_needs


@pytest.fixture
def stage(filmed: Cast, tmp_path: Path) -> Stage:
    return filmed.open_copy(tmp_path / "studio")


def gallery_of(stage: Stage) -> Gallery:
    return read_enrolments(stage.studio, stage.asking(training_needs(stage.ada.id, stage.ben.id))())


def tracks_of(stage: Stage) -> tuple[PersonTrack, ...]:
    clip = stage.scene
    return clip.tracks(Locker(stage.studio), stage.asking(clip.needs())())


def watch(stage: Stage, tracks: Iterable[PersonTrack], gallery: Gallery) -> None:
    """Show the scene to what holds its faces to the enrolments."""
    matching = Matching(
        "scene.mp4", tracks, gallery, {stage.ada.id: "ada", stage.ben.id: "ben"}
    )  # fmt: skip
    for number, picture in enumerate(read_pictures(stage.clips / "scene.mp4", name="scene.mp4")):
        matching.see(number, number / 25, PictureFrame(picture))
    matching.finish()


def test_footage_that_was_accepted_matches_again(stage: Stage) -> None:
    watch(stage, tracks_of(stage), gallery_of(stage))


def test_tracks_under_another_name_are_refused(stage: Stage) -> None:
    renamed = [replace(track, person_id=stage.ben.id) for track in tracks_of(stage)]
    with pytest.raises(
        UnlistedFaceError,
        match=r"^scene\.mp4, at 0:00\.\d, doesn't show ben: .* \(distance 0\.[67]",
    ):
        watch(stage, renamed, gallery_of(stage))


def test_an_enrolment_that_has_changed_since_is_noticed(stage: Stage) -> None:
    gallery = gallery_of(stage)
    exchanged = {stage.ada.id: gallery[stage.ben.id], stage.ben.id: gallery[stage.ben.id]}
    with pytest.raises(UnlistedFaceError, match="doesn't show ada"):
        watch(stage, tracks_of(stage), exchanged)


def test_who_is_nearer_to_somebody_else_is_refused(stage: Stage) -> None:
    gallery = gallery_of(stage)
    own = gallery[stage.ada.id]
    between = 0.4 * gallery[stage.ben.id][: len(own)] + 0.6 * own[: len(gallery[stage.ben.id])]
    exchanged = {stage.ada.id: between.astype(np.float32), stage.ben.id: own}
    with pytest.raises(UnlistedFaceError, match="shows ben where ada was to be"):
        watch(stage, tracks_of(stage), exchanged)


def test_two_who_are_nearly_alike_are_not_told_apart_again(stage: Stage) -> None:
    """A person decided when the clip came in."""
    own = gallery_of(stage)[stage.ada.id]
    other = own + np.float32(0.01)
    watch(stage, tracks_of(stage), {stage.ada.id: other, stage.ben.id: own})


def test_a_face_that_was_not_there_is_noticed(stage: Stage) -> None:
    with pytest.raises(UnlistedFaceError, match=r"at 0:00\.0, shows a face that was not in it"):
        watch(stage, [], gallery_of(stage))
    # One that is followed from the second second on only.
    late = [
        replace(
            track,
            **{
                part: getattr(track, part)[track.index >= 30]
                for part in ("index", "pts", "seconds", "landmarks", "meshes")
            },
        )
        for track in tracks_of(stage)
    ]
    with pytest.raises(UnlistedFaceError, match="shows a face that was not in it"):
        watch(stage, late, gallery_of(stage))


def test_a_face_set_must_match_its_owner(stage: Stage) -> None:
    clearances = stage.asking(training_needs(stage.ada.id, stage.ben.id))()
    (faces,) = load_faces(
        stage.studio, stage.purpose, Locker(stage.studio), stage.ben.id, clearances
    )  # fmt: skip
    gallery, handles = gallery_of(stage), {stage.ada.id: "ada", stage.ben.id: "ben"}
    exemplars = exemplars_of(faces)
    match_faces(exemplars, stage.ben.id, gallery, handles, name="a set")
    with pytest.raises(UnlistedFaceError, match=r"^a set, doesn't show ada"):
        match_faces(exemplars, stage.ada.id, gallery, handles, name="a set")
    # A few odd pictures don't matter; half of them do.
    grey = [(np.full_like(rgb, 120), points) for rgb, points in exemplars]
    match_faces([grey[0], *exemplars], stage.ben.id, gallery, handles, name="a set")
    with pytest.raises(UnlistedFaceError):
        match_faces(grey[:7] + exemplars[:6], stage.ben.id, gallery, handles, name="a set")
