import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from assent.kit.faces.calibration import SAME_PERSON
from assent.kit.faces.identity import Verdict, assign, cluster, nearest
from assent.kit.faces.tracks import Track


def at(*places: float) -> NDArray[np.float32]:
    """Embeddings that differ in one number only, so that distances are differences."""
    embeddings = np.zeros((len(places), 128), np.float32)
    embeddings[:, 0] = places
    return embeddings


def track(*places: float, number: int = 0) -> Track:
    """A track with an embedding every 0.6 seconds."""
    seconds = tuple(0.6 * n for n in range(len(places)))
    return Track(id=number, points=(), embeddings=at(*places), embedded_at=seconds)


GALLERY = {"ada": at(0.0, 0.1, 0.2), "ben": at(2.0, 2.1, 2.2)}


def test_nearest_averages_the_three_nearest_pictures() -> None:
    match = nearest(at(0.1)[0], GALLERY | {"odd": at(0.1, 5.0, 5.0)})
    assert match.name == "ada"
    assert match.distance == pytest.approx(0.2 / 3, abs=1e-6)


def test_nearest_needs_somebody() -> None:
    with pytest.raises(ValueError, match="empty"):
        nearest(at(0.0)[0], {})


@pytest.mark.parametrize(
    ("places", "verdict", "name"),
    [
        ((0.1, 0.3), Verdict.LISTED, "ada"),
        ((2.1,), Verdict.LISTED, "ben"),
        ((1.1,), Verdict.UNLISTED, None),
        ((1.1, 9.0, 1.1), Verdict.UNLISTED, None),
        ((0.1, 0.1, 0.1, 9.0), Verdict.MIXED, None),
        ((0.1, 0.1, 2.1), Verdict.MIXED, None),
        ((0.1, 0.65, 0.1), Verdict.LISTED, "ada"),
        ((0.1, 0.65, 0.65, 0.1), Verdict.LISTED, "ada"),
        ((0.1, *[0.65] * 5, 0.1), Verdict.UNSURE, None),
        ((0.1, 0.65, 0.1, 0.65, 0.1), Verdict.LISTED, "ada"),
        ((0.65, 0.1, 0.1), Verdict.UNSURE, None),
        ((0.1, 0.1, 0.65), Verdict.UNSURE, None),
        ((0.1, 0.75, 0.1), Verdict.MIXED, None),
        ((0.65,), Verdict.UNSURE, None),
        ((0.1, 0.65, 0.75), Verdict.MIXED, None),
    ],
)
def test_a_track_is_named_only_if_all_its_embeddings_agree(
    places: tuple[float, ...], verdict: Verdict, name: str | None
) -> None:
    (identity,) = assign([track(*places)], GALLERY).identities
    assert (identity.verdict, identity.name) == (verdict, name)


def test_distances_are_medians() -> None:
    (identity,) = assign([track(0.1, 0.1, 9.0)], GALLERY).identities
    assert identity.distances["ada"] == pytest.approx(0.2 / 3, abs=1e-6)
    assert identity.nearest is not None
    assert identity.nearest.name == "ada"


def test_who_is_nearly_as_near_to_two_is_unsure() -> None:
    twins = {"ada": at(0.0, 0.0, 0.0), "twin": at(0.5, 0.5, 0.5)}
    verdicts = [
        assign([track(place)], twins).identities[0].verdict for place in (0.1, 0.19, 0.22, 0.31)
    ]
    assert verdicts == [Verdict.LISTED, Verdict.LISTED, Verdict.UNSURE, Verdict.LISTED]


def test_the_farthest_face_is_told() -> None:
    (identity,) = assign([track(0.1, 0.65, 0.1)], GALLERY).identities
    assert identity.farthest == pytest.approx(0.55, abs=1e-6)


def test_without_a_gallery_everyone_is_unlisted() -> None:
    result = assign([track(0.1, number=4)], {})
    assert result.names == {4: None}
    assert result.unlisted[0].nearest is None
    assert result.unlisted[0].farthest == float("inf")


def test_assignment_tells_who_is_unlisted() -> None:
    result = assign([track(0.1, number=0), track(7.0, number=1)], GALLERY)
    assert result.names == {0: "ada", 1: None}
    assert [one.track for one in result.unlisted] == [1]


def test_a_stricter_threshold_lists_fewer() -> None:
    assert assign([track(0.5)], GALLERY, threshold=0.2).names == {0: None}


def test_clusters_are_numbered_as_they_appear() -> None:
    assert cluster(at(5.0, 0.0, 5.1, 0.1, 9.0)).tolist() == [0, 1, 0, 1, 2]


def test_average_linkage_does_not_chain_strangers_together() -> None:
    labels = cluster(at(*np.arange(0, 3, 0.5)))
    assert len(set(labels.tolist())) >= 3


def test_no_embeddings_make_no_clusters() -> None:
    assert cluster(np.zeros((0, 128), np.float32)).tolist() == []


@given(st.lists(st.integers(0, 3), min_size=1, max_size=12))
def test_well_separated_people_are_told_apart(people: list[int]) -> None:
    rng = np.random.default_rng(len(people))
    centres = np.eye(4, 128) * 2
    embeddings = centres[people] + rng.uniform(-0.02, 0.02, (len(people), 128))
    labels = cluster(embeddings.astype(np.float32), threshold=SAME_PERSON).tolist()
    order = {person: i for i, person in enumerate(dict.fromkeys(people))}
    assert labels == [order[person] for person in people]
