import numpy as np
import pytest
from numpy.typing import NDArray

from assent.kit.errors import IntegrityError
from assent.kit.fingerprint.track import Track, TrackMaker, join_tracks, no_track

Grey = NDArray[np.uint8]


def still(seed: int) -> Grey:
    rng = np.random.default_rng(seed)
    return np.kron(rng.integers(0, 255, (9, 16)), np.ones((20, 20))).astype(np.uint8)


def track_of(shots: list[tuple[Grey, float]]) -> Track:
    """Return the track of pictures that each stand for some seconds, 25 a second."""
    maker, at = TrackMaker(), 0.0
    for picture, seconds in shots:
        for _ in range(round(seconds * 25)):
            if maker.wants(at):
                maker.add(picture, at)
            at += 0.04
    return maker.finish(at)


def test_what_stands_still_is_one_run() -> None:
    track = track_of([(still(1), 4.0)])
    assert len(track) == 1
    assert track.begins.tolist() == [0]
    assert track.ends.tolist() == [4000]


def test_each_shot_is_a_run_with_its_times() -> None:
    track = track_of([(still(1), 2.0), (still(2), 3.0), (still(1), 1.0)])
    assert len(track) == 3
    assert track.begins.tolist() == pytest.approx([0, 2000, 5000], abs=200)
    assert track.ends.tolist() == pytest.approx([2000, 5000, 6000], abs=200)
    assert (track.codes[0] == track.codes[2]).all()


def test_what_shows_nothing_is_no_run() -> None:
    black = np.zeros((180, 320), np.uint8)
    track = track_of([(black, 2.0), (still(1), 2.0), (black, 2.0)])
    assert len(track) == 1
    assert track.begins.tolist() == pytest.approx([2000], abs=200)
    assert track.ends.tolist() == pytest.approx([4000], abs=200)


def test_between_borders_it_has_the_inner_pictures_code_too() -> None:
    boxed = np.full((240, 320), 16, np.uint8)
    boxed[30:210] = still(1)
    plain, track = track_of([(still(1), 1.0)]), track_of([(boxed, 1.0)])
    assert len(track) == 2
    away = np.bitwise_count(track.codes ^ plain.codes[0]).sum(1)
    assert away.min() < 16 < away.max()


def test_blocks_follow_each_other_without_a_seam() -> None:
    track = track_of([(still(1), 25.0), (still(2), 25.0)])
    assert len(track) == 2
    assert track.ends.tolist() == pytest.approx([25_000, 50_000], abs=200)


def test_bytes_and_back() -> None:
    track = track_of([(still(1), 1.0), (still(2), 1.0)])
    back = Track.from_bytes(track.to_bytes())
    assert (back.codes == track.codes).all()
    assert back.begins.tolist() == track.begins.tolist()
    assert back.ends.tolist() == track.ends.tolist()
    assert len(Track.from_bytes(no_track().to_bytes())) == 0


@pytest.mark.parametrize(
    "damage", [lambda d: d[:-1], lambda d: b"", lambda d: b"x" + d[1:], lambda d: d + b"0"]
)
def test_damaged_bytes_are_told(damage: object) -> None:
    assert callable(damage)
    with pytest.raises(IntegrityError):
        Track.from_bytes(damage(track_of([(still(1), 1.0)]).to_bytes()))


def test_tracks_are_joined() -> None:
    one, other = track_of([(still(1), 1.0)]), track_of([(still(2), 1.0)])
    assert len(join_tracks([one, other])) == 2
