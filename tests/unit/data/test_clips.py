from pathlib import Path

import pytest
from casts import Cast, Stage

from assent.consent.clearance import Act, Modality
from assent.consent.locker import Locker
from assent.data.clips import find_clip, list_clips, load_faces
from assent.kit.errors import NotClearedError, NotFoundError
from assent.kit.store.tables import FootageRow


@pytest.fixture
def stage(filmed: Cast, tmp_path: Path) -> Stage:
    return filmed.open_copy(tmp_path / "studio")


def test_clips_are_listed_oldest_first_and_found(stage: Stage) -> None:
    clips = list_clips(stage.studio, stage.purpose)
    assert [clip.name for clip in clips] == ["ben.mp4", "ada.mp4", "scene.mp4"]
    for clip in clips:
        assert find_clip(stage.studio, stage.purpose, clip.name) == clip
        assert find_clip(stage.studio, stage.purpose, clip.id) == clip
    with pytest.raises(NotFoundError, match="no footage 'x'"):
        find_clip(stage.studio, stage.purpose, "x")


def test_of_two_clips_of_one_name_the_newest_is_meant(stage: Stage) -> None:
    with stage.studio.database.session() as session:
        session.query(FootageRow).filter_by(name="scene.mp4").one().name = "ben.mp4"
    found = find_clip(stage.studio, stage.purpose, "ben.mp4")
    assert found.people == (stage.ada.id,)


def test_what_must_be_asked_of_those_in_the_frame(stage: Stage) -> None:
    (need,) = stage.scene.needs(Act.PERFORM, Act.RELEASE)
    assert need.person_id == stage.ada.id
    assert need.acts == {Act.PERFORM, Act.RELEASE}
    assert need.modalities == {Modality.FACE, Modality.VOICE}
    (silent,) = find_clip(stage.studio, stage.purpose, "ada.mp4").needs(Act.INGEST)
    assert silent.modalities == {Modality.FACE}


def test_faces_of_all_clips_of_a_person(stage: Stage) -> None:
    locker = Locker(stage.studio)
    clearances = stage.asking(stage.scene.needs())()
    sets = load_faces(stage.studio, stage.purpose, locker, stage.ada.id, clearances)
    assert [len(faces) for faces in sets] == [12, 34]
    with pytest.raises(NotFoundError, match="no faces of this person"):
        load_faces(stage.studio, stage.purpose, locker, stage.cleo.id, clearances)
    with pytest.raises(NotClearedError):
        load_faces(stage.studio, stage.purpose, locker, stage.ben.id, clearances)


def test_clearances_that_ran_out_open_nothing(stage: Stage) -> None:
    clearances = stage.asking(stage.scene.needs())()
    stage.clock.now = clearances[0].expires
    for read in (stage.scene.open, stage.scene.tracks):
        with pytest.raises(NotClearedError, match="run out"):
            read(Locker(stage.studio), clearances)
