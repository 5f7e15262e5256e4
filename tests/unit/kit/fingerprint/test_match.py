"""Probes of made films, looked up in both kinds of index: the same tests for each."""

from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from databases import postgres
from numpy.typing import NDArray

from assent.kit.errors import IntegrityError, StorageError
from assent.kit.fingerprint.clustered import ClusteredIndex
from assent.kit.fingerprint.embedded import EmbeddedIndex
from assent.kit.fingerprint.index import CodeIndex
from assent.kit.fingerprint.match import Match, match, merge
from assent.kit.fingerprint.probe import Probe, ProbeMaker
from assent.kit.fingerprint.track import Track, TrackMaker

Grey = NDArray[np.uint8]
Film = Callable[[float], Grey]
A, B, C = "a" * 16, "b" * 16, "c" * 16


def film(seed: int) -> Film:
    """Blobs that drift before blobs that stand: other pictures every half second."""
    rng = np.random.default_rng(seed)
    back = np.full((180, 320), 100, np.uint8)
    for _ in range(30):
        at = (int(rng.integers(320)), int(rng.integers(180)))
        cv2.circle(back, at, int(rng.integers(6, 60)), int(rng.integers(20, 235)), -1)
    begins, speeds = rng.uniform(0, 180, (6, 2)), rng.uniform(-30, 30, (6, 2))
    shades = rng.integers(0, 255, 6)

    def picture(t: float) -> Grey:
        seen = back.copy()
        for (x, y), (dx, dy), shade in zip(begins, speeds, shades, strict=True):
            at = (round(x + dx * t) % 320, round(y + dy * t) % 180)
            cv2.circle(seen, at, 24, int(shade), -1)
        return seen

    return picture


def track(shown: Film, seconds: float = 10.0) -> Track:
    maker = TrackMaker()
    for at in np.arange(0, seconds, 0.2):
        maker.add(shown(float(at)), float(at))
    return maker.finish(seconds)


def probe(
    shown: Film, begin: float = 0.0, end: float = 10.0, *, speed: float = 1.0
) -> tuple[Probe, ...]:
    maker = ProbeMaker()
    for at in np.arange(0, (end - begin) / speed, 0.2):
        maker.add(shown(float(begin + at * speed)), float(at))
    return maker.finish((end - begin) / speed)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with postgres(tmp_path_factory.mktemp("database")) as address:
        yield address


@pytest.fixture(params=["embedded", "clustered"])
def index(request: pytest.FixtureRequest) -> Iterator[CodeIndex]:
    if request.param == "embedded":
        yield EmbeddedIndex()
        return
    with ClusteredIndex.open(request.getfixturevalue("server")) as made:
        for asset in made.assets():
            made.remove(asset)
        yield made


def best(index: CodeIndex, probes: tuple[Probe, ...]) -> Match | None:
    found = merge([each for one in probes for each in match(one, index)])
    return max(found, key=lambda each: each.nats, default=None)


@pytest.fixture
def filled(index: CodeIndex) -> CodeIndex:
    index.put_all((f"{seed:016x}", track(film(seed))) for seed in range(20, 30))
    index.put(A, track(film(1)))
    return index


def test_an_empty_index_finds_nothing(index: CodeIndex) -> None:
    assert len(index) == 0
    assert best(index, probe(film(1))) is None


def test_a_copy_is_found_and_another_film_is_not(filled: CodeIndex) -> None:
    found = best(filled, probe(film(1)))
    assert found is not None
    assert (found.asset_id, found.view, found.mirrored) == (A, "whole", False)
    assert found.at == pytest.approx(0, abs=0.5)
    assert found.length == pytest.approx(10, abs=0.5)
    assert best(filled, probe(film(2))) is None


def test_a_part_gives_offset_and_length(filled: CodeIndex) -> None:
    found = best(filled, probe(film(1), 6.0, 8.0))
    assert found is not None
    assert found.asset_id == A
    assert found.at == pytest.approx(6.0, abs=0.5)
    assert found.length == pytest.approx(2.0, abs=0.3)


def test_a_part_within_another_film_is_found_where_it_lies(filled: CodeIndex) -> None:
    def spliced(t: float) -> Grey:
        return film(1)(t - 3.0 + 2.0) if 3 <= t < 6 else film(99)(t)

    found = best(filled, probe(spliced))
    assert found is not None
    assert found.asset_id == A
    assert (found.begin, found.end) == pytest.approx((3.0, 6.0), abs=1.0)
    assert found.at == pytest.approx(2.0, abs=1.0)


@pytest.mark.parametrize("speed", [0.95, 1.05])
def test_another_speed(filled: CodeIndex, speed: float) -> None:
    found = best(filled, probe(film(1), speed=speed))
    assert found is not None
    assert found.asset_id == A


def _boxed(picture: Grey) -> Grey:
    return np.asarray(cv2.copyMakeBorder(picture, 30, 30, 0, 0, cv2.BORDER_CONSTANT), np.uint8)


def _inset(picture: Grey) -> Grey:
    around = np.asarray(film(98)(float(picture[0, 0]) / 50), np.uint8)
    around[85:175, 155:315] = cv2.resize(picture, (160, 90), interpolation=cv2.INTER_AREA)
    return around


@pytest.mark.parametrize(
    ("change", "view", "mirrored"),
    [
        (lambda p: np.ascontiguousarray(p[:, ::-1]), "whole", True),
        (_boxed, "bordered", False),
        (lambda p: p[6:168, 20:308], "cropped", False),
        (_inset, "inset", False),
    ],
)
def test_what_was_done_to_it_is_told(
    filled: CodeIndex, change: Callable[[Grey], Grey], view: str, mirrored: bool
) -> None:
    found = best(filled, probe(lambda t: change(film(1)(t))))
    assert found is not None
    assert (found.asset_id, found.mirrored) == (A, mirrored)
    assert found.view in {view, "whole"}
    if view == "inset":
        assert found.window.x == pytest.approx(155 / 320, abs=0.03)


def test_a_release_put_anew_takes_the_place_of_the_old(filled: CodeIndex) -> None:
    before = len(filled)
    filled.put(A, track(film(1)))
    assert len(filled) == before
    filled.put(A, track(film(50)))
    assert best(filled, probe(film(1))) is None
    assert best(filled, probe(film(50))) is not None


def test_what_was_removed_is_found_no_more(filled: CodeIndex) -> None:
    filled.remove(A)
    filled.remove(A)
    assert A not in filled.assets()
    assert best(filled, probe(film(1))) is None


def test_both_engines_answer_alike(server: str) -> None:
    tracks = [(f"{seed:016x}", track(film(seed))) for seed in range(60, 66)]
    embedded = EmbeddedIndex()
    embedded.put_all(tracks)
    codes = np.concatenate([view.codes for view in probe(film(60))[0].views[:2]])
    with ClusteredIndex.open(server) as clustered:
        for asset in clustered.assets():
            clustered.remove(asset)
        clustered.put_all(tracks)
        one, other = embedded.near(codes, within=60), clustered.near(codes, within=60)
    told = [
        {(int(q), a, int(d)) for q, a, d in zip(h.query, h.assets, h.away, strict=True)}
        for h in (one, other)
    ]
    assert told[0] == told[1]
    assert len(told[0]) > 5


def test_sound_has_a_table_of_its_own(server: str) -> None:
    with ClusteredIndex.open(server, of="sound") as index:
        index.put(C, track(film(3)))
        assert index.assets() == {C}
        index.remove(C)
    with ClusteredIndex.open(server) as index:
        assert C not in index.assets()


def test_a_database_that_cannot_be_reached_is_told_without_its_address() -> None:
    with pytest.raises(StorageError) as told:
        ClusteredIndex.open("postgresql://anna:hush@/codes?host=/nowhere")
    assert "hush" not in str(told.value)


def test_a_large_index_gathers_and_still_finds() -> None:
    rng = np.random.default_rng(5)
    index = EmbeddedIndex()
    times = np.arange(50, dtype=np.int32) * 100
    index.put_all(
        (f"{n:016x}", Track(rng.integers(0, 256, (50, 32)).astype(np.uint8), times, times + 100))
        for n in range(900)
    )
    index.put(A, track(film(1)))
    found = best(index, probe(film(1), 2.0, 6.0))
    assert found is not None
    assert found.asset_id == A
    again = EmbeddedIndex.from_bytes(index.to_bytes("now"), "now")
    assert again is not None
    assert len(again) == len(index)
    assert best(again, probe(film(1))) is not None


def test_on_disk_and_back() -> None:
    index = EmbeddedIndex()
    index.put(A, track(film(1)))
    index.put(B, track(film(2)))
    index.remove(B)
    data = index.to_bytes("state 1")
    assert EmbeddedIndex.from_bytes(data, "state 2") is None
    again = EmbeddedIndex.from_bytes(data, "state 1")
    assert again is not None
    assert again.assets() == {A}
    for damaged in (b"", data[:-1], data[:60] + b"\0" + data[61:]):
        with pytest.raises(IntegrityError):
            EmbeddedIndex.from_bytes(damaged, "state 1")


def test_probes_as_json_and_back() -> None:
    (one,) = probe(film(1))
    back = Probe.from_json(one.to_json())
    assert len(back.views) == len(one.views)
    assert all((a.codes == b.codes).all() for a, b in zip(back.views, one.views, strict=True))
    for damage in (
        {},
        {"begin": 0, "end": 1, "views": [{}]},
        {"begin": "x", "end": 1, "views": []},
    ):
        with pytest.raises(IntegrityError):
            Probe.from_json(damage)


def test_long_films_are_looked_up_stretch_by_stretch(tmp_path: Path) -> None:
    index = EmbeddedIndex()
    index.put(A, track(film(1), 40.0))
    probes = probe(film(1), 0.0, 40.0)
    assert len(probes) == 3
    found = merge([each for one in probes for each in match(one, index)])
    assert len(found) == 1
    assert found[0].length == pytest.approx(40, abs=1)
