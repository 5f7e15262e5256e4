import numpy as np
import pytest
from numpy.typing import NDArray

from assent.data.accounting import account_for, spans, tell_doubts
from assent.data.doubts import Ruling, Span
from assent.kit.errors import MediaError, UnlistedFaceError
from assent.kit.faces.identity import assign
from assent.kit.faces.packed import PackedMesh
from assent.kit.faces.tracks import Track, TrackPoint


def at(*places: float) -> NDArray[np.float32]:
    embeddings = np.zeros((len(places), 128), np.float32)
    embeddings[:, 0] = places
    return embeddings


GALLERY = {"ada": at(0.0, 0.0, 0.0), "ben": at(2.0, 2.0, 2.0)}


def track(number: int, place: float, first: int = 0, last: int = 25) -> Track:
    mesh = PackedMesh.of(np.zeros((478, 3), np.float32))
    points = tuple(
        TrackPoint(
            index=index, run=number, pts=index, seconds=index / 25, box=(0, 0, 9, 9),
            packed=mesh, score=1.0,
        )
        for index in range(first, last)
    )  # fmt: skip
    return Track(id=number, points=points, embeddings=at(place), embedded_at=(first / 25,))


def test_every_track_gets_its_person() -> None:
    found = account_for([track(0, 0.1), track(1, 2.1)], GALLERY, "a.mp4")
    assert [(person, own.id) for person, own in found.named] == [("ada", 0), ("ben", 1)]
    assert found.unsure == ()


def test_a_stranger_is_told_with_time_and_distance() -> None:
    with pytest.raises(UnlistedFaceError) as refused:
        account_for([track(0, 0.1), track(1, 1.1, 25, 50)], GALLERY, "a.mp4")
    assert str(refused.value) == (
        "a.mp4 shows someone who has not consented, at 0:01.0 to 0:02.0; the nearest to an "
        "enrolment: distance 0.90; under 0.45 is the same person, 0.60 and more somebody else"
    )
    assert "--bystanders blur" in refused.value.advice


def test_without_a_face_there_is_nobody() -> None:
    with pytest.raises(MediaError, match="shows no face"):
        account_for([], GALLERY, "a.mp4")


def test_who_it_may_be_is_told_and_can_be_ruled() -> None:
    tracks = [track(0, 0.1), track(1, 0.5, 25, 50)]
    found = account_for(tracks, GALLERY, "a.mp4")
    ((identity, own),) = found.unsure
    assert (own.id, [each.id for _, each in found.named]) == (1, [0])
    assert tell_doubts(found.unsure, "a.mp4") == (
        "a.mp4 shows a face of which it isn't sure whose it is, at 0:01.0 to 0:02.0: distance "
        "0.50; under 0.45 is the same person, 0.60 and more somebody else"
    )
    span = Span.of(identity, own)
    assert span == Span(
        person_id="ada", first=25, last=49, begins_ms=1000, ends_ms=1960, distance_milli=500
    )
    allowed = account_for(tracks, GALLERY, "a.mp4", Ruling(same=(span,)))
    assert ([person for person, _ in allowed.named], allowed.unsure) == (["ada", "ada"], ())
    with pytest.raises(UnlistedFaceError, match="a person at the studio looked at the face"):
        account_for(tracks, GALLERY, "a.mp4", Ruling(other=(span,)))
    with pytest.raises(ValueError, match="without a gallery"):
        Span.of(assign(tracks, {}).identities[1], tracks[1])


def test_many_spans_are_told_in_short() -> None:
    runs = [(float(n), n + 0.5) for n in range(0, 14, 2)]
    assert spans(runs).endswith("0:08.0 to 0:08.5 and 2 more")
    assert spans([]) == ""
    assert spans([(1.0, 2.0), (2.0, 3.0)]) == "0:01.0 to 0:03.0 (2 faces)"
