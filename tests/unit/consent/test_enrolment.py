import io
from itertools import islice
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from studios import Member, Scene, face_of

from assent.consent.clearance import Act, Clearance
from assent.consent.desk import clear
from assent.consent.enrolment import (
    enrol_from_statement,
    pack_templates,
    read_enrolments,
    statement_pictures,
    unpack_templates,
)
from assent.consent.locker import Locker
from assent.kit.errors import IntegrityError, NotClearedError
from assent.kit.store.tables import ConsentRow

PACKED = pack_templates(face_of("ada"))


def test_templates_are_kept_as_they_are() -> None:
    assert (unpack_templates(PACKED) == face_of("ada").embeddings).all()


def test_a_statement_is_read_at_few_moments(statement: bytes) -> None:
    enrolment = enrol_from_statement(io.BytesIO(statement), name="statement.mp4")
    assert enrolment.frames_seen == 1
    assert unpack_templates(pack_templates(enrolment)).shape == (1, 128)


def test_a_recording_that_does_not_say_how_long_it_is(samples: Path, tmp_path: Path) -> None:
    path = tmp_path / "statement.webm"
    with av.open(str(samples / "cleo_statement.mp4")) as source:
        pictures = [frame.reformat(192, 192) for frame in islice(source.decode(video=0), 40)]
    with av.open(str(path), "w", container_options={"live": "1"}) as target:
        coded = target.add_stream("libvpx", rate=25, options={"deadline": "realtime"})
        coded.width, coded.height, coded.pix_fmt = 192, 192, "yuv420p"
        for picture in pictures:
            target.mux(coded.encode(picture))
        target.mux(coded.encode())
    with path.open("rb") as statement:
        assert 12 <= enrol_from_statement(statement, name="statement.webm").frames_seen <= 14


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((3, 127), np.float32),
        np.zeros(128, np.float32),
        np.zeros((3, 128), np.float64),
        np.zeros((3, 128, 1), np.float32),
    ],
)
def test_other_arrays_are_refused(array: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> None:
    sink = io.BytesIO()
    np.save(sink, array)
    with pytest.raises(IntegrityError, match="the enrolment has the wrong shape"):
        unpack_templates(sink.getvalue())


@pytest.mark.parametrize(
    "rows", [[], [np.zeros(128), np.full(128, np.nan)], [np.full(128, np.inf)]]
)
def test_templates_that_would_match_anybody_or_nobody_are_refused(
    rows: list[NDArray[np.float64]],
) -> None:
    sink = io.BytesIO()
    np.save(sink, np.array(rows, np.float32).reshape(len(rows), 128))
    with pytest.raises(IntegrityError, match="the enrolment holds no face"):
        unpack_templates(sink.getvalue())


def cleared(scene: Scene, member: Member) -> Clearance:
    return clear(scene.studio, scene.purpose, person_id=member.id, acts=[Act.INGEST])


def edit(scene: Scene, member: Member, blob: str | None) -> None:
    with scene.studio.database.session() as session:
        session.query(ConsentRow).filter_by(person_id=member.id).one().enrolment_blob = blob


def test_enrolments_are_read_for_those_who_are_cleared(scene: Scene) -> None:
    gallery = read_enrolments(scene.studio, [cleared(scene, m) for m in (scene.ben, scene.ada)])
    assert list(gallery) == [scene.ben.id, scene.ada.id]
    assert (gallery[scene.ada.id] == face_of("ada").embeddings).all()


def test_one_persons_enrolment_does_not_serve_for_another(scene: Scene) -> None:
    with scene.studio.database.session() as session:
        blob = session.query(ConsentRow).filter_by(person_id=scene.ben.id).one().enrolment_blob
    edit(scene, scene.ada, blob)
    with pytest.raises(NotClearedError, match="not everyone whom this concerns"):
        read_enrolments(scene.studio, [cleared(scene, scene.ada)])
    # Nor does a copy that somebody put under her own record, unless it is templates.
    ada = cleared(scene, scene.ada)
    edit(scene, scene.ada, Locker(scene.studio).put([b"a face set"], [ada]))
    with pytest.raises(IntegrityError, match="can't be read"):
        read_enrolments(scene.studio, [ada])


def test_pictures_of_recorded_statements_are_shown_for_those_who_are_cleared(
    scene: Scene, samples: Path
) -> None:
    ada, ben = cleared(scene, scene.ada), cleared(scene, scene.ben)
    assert statement_pictures(scene.studio, [ada, ben]) == {}
    blob = Locker(scene.studio).put([(samples / "ada_statement.mp4").read_bytes()], [ada])
    with scene.studio.database.session() as session:
        session.query(ConsentRow).filter_by(person_id=scene.ada.id).one().statement_blob = blob
    found = statement_pictures(scene.studio, [ada, ben], count=3)
    assert [(person, len(shown)) for person, shown in found.items()] == [(scene.ada.id, 3)]
    assert {picture.shape for picture in found[scene.ada.id]} == {(384, 384, 3)}
    first, last = found[scene.ada.id][0], found[scene.ada.id][-1]
    assert not np.array_equal(first, last)
    with scene.studio.database.session() as session:
        session.query(ConsentRow).filter_by(person_id=scene.ben.id).one().statement_blob = blob
    with pytest.raises(NotClearedError):
        statement_pictures(scene.studio, [ben])


def test_without_an_enrolment_nobody_is_matched(scene: Scene) -> None:
    ada = cleared(scene, scene.ada)
    edit(scene, scene.ada, None)
    with pytest.raises(NotClearedError, match="no face is enrolled"):
        read_enrolments(scene.studio, [ada])
    with scene.studio.database.session() as session:
        session.query(ConsentRow).filter_by(person_id=scene.ada.id).delete()
    with pytest.raises(NotClearedError, match="no face is enrolled"):
        read_enrolments(scene.studio, [ada])


def test_archives_and_pickles_are_refused() -> None:
    archive, pickled = io.BytesIO(), io.BytesIO()
    np.savez(archive, face_of("ada").embeddings)
    np.save(pickled, np.array([object()]), allow_pickle=True)
    for data in (archive.getvalue(), pickled.getvalue()):
        with pytest.raises(IntegrityError, match="the enrolment can't be read"):
            unpack_templates(data)


@given(st.binary(max_size=200) | st.integers(0, len(PACKED) - 1).map(lambda end: PACKED[:end]))
def test_any_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(IntegrityError):
        unpack_templates(data)
