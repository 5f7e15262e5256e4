"""Prints: what is kept of decoded pictures, for whom, and how it is filled."""

import io
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from casts import Cast, Stage, agree_to

from assent.consent.clearance import Act
from assent.consent.locker import Locker
from assent.disclose.viewing.filling import Filler, _runs
from assent.disclose.viewing.of_clip import Indices, OfClip
from assent.disclose.viewing.opened import Turns
from assent.disclose.viewing.prints import Prints
from assent.kit.errors import NotClearedError
from assent.kit.media.convert import from_rgb, scale
from assent.kit.media.picture import Picture
from assent.kit.media.read import read_pictures
from assent.kit.media.seek import ClipIndex

LONG = 60.0
SMALL = (128, 128)


def grey(side: int, level: int = 0) -> Picture:
    return from_rgb(np.full((side, side, 3), level, np.uint8))


def test_prints_are_found_by_what_they_are_of_their_name_and_size() -> None:
    prints = Prints()
    prints.use("clip")
    prints.put("clip", "7", grey(8))
    assert prints.get("clip", "7", (8, 8)) is not None
    assert prints.has("clip", "7", (8, 8))
    for other in (("other", "7", (8, 8)), ("clip", "8", (8, 8)), ("clip", "7", (8, 9))):
        assert prints.get(*other) is None
        assert not prints.has(*other)


def test_they_are_bounded_and_the_ones_not_used_go_first() -> None:
    prints = Prints(most_bytes=3 * 3 * 64)
    prints.use("clip")
    for number in range(3):
        prints.put("clip", f"{number}", grey(8))
    # Kept twice it is there once.
    prints.put("clip", "2", grey(8))
    assert prints.held == 3 * 3 * 64
    assert prints.get("clip", "0", (8, 8)) is not None
    prints.put("clip", "3", grey(8))
    assert [prints.has("clip", f"{n}", (8, 8)) for n in range(4)] == [True, False, True, True]
    prints.put("clip", "large", grey(64))
    assert not prints.has("clip", "large", (64, 64))
    assert prints.held == 3 * 3 * 64


def test_nothing_is_kept_of_what_nobody_looks_at() -> None:
    prints = Prints()
    prints.put("clip", "0", grey(8))
    prints.note_passed("clip", "0")
    assert prints.held == 0
    assert not prints.passed("clip", "0")
    for _ in range(2):
        prints.use("clip")
    prints.use("other")
    for of in ("clip", "other"):
        prints.put(of, "0", grey(8))
        prints.note_passed(of, "0")
    assert not prints.leave("clip")
    assert prints.passed("clip", "0")
    assert prints.leave("clip")
    assert not prints.has("clip", "0", (8, 8))
    assert not prints.passed("clip", "0")
    assert prints.has("other", "0", (8, 8))
    assert prints.held == 3 * 64


def index(frames: int, *keys: int) -> ClipIndex:
    return ClipIndex(
        stamps=np.arange(frames), keys=np.array(keys, np.int64), seconds=0.04, seekable=True
    )


@pytest.mark.parametrize(
    ("number", "room", "runs"),
    [
        (0, 100, [(0, 10), (10, 25), (25, 30)]),
        (12, 100, [(10, 25), (25, 30), (0, 10)]),
        (29, 8, [(25, 30), (0, 3)]),
        # Of a run that is too long what lies around the frame.
        (18, 6, [(15, 21)]),
        (24, 6, [(19, 25)]),
        (10, 6, [(10, 16)]),
        (3, 0, []),
    ],
)
def test_what_is_filled_in_which_order(number: int, room: int, runs: list[tuple[int, int]]) -> None:
    assert list(_runs(index(30, 0, 10, 25), number, room)) == runs


@pytest.fixture
def stage(filmed: Cast, tmp_path: Path) -> Stage:
    return filmed.open_copy(tmp_path / "studio")


@pytest.fixture
def film(stage: Stage) -> Iterator[OfClip]:
    clearances = tuple(stage.asking(stage.scene.needs(Act.INGEST))())
    film = OfClip(stage.scene, Locker(stage.studio), clearances, Indices())
    yield film
    film.close()


def reader(stage: Stage) -> io.BufferedReader:
    clearances = stage.asking(stage.scene.needs(Act.INGEST))()
    return stage.scene.open(Locker(stage.studio), clearances)


def test_once_a_second_frame_is_looked_at_all_are_there(stage: Stage, film: OfClip) -> None:
    prints = Prints()
    (of,) = film.sources
    prints.use(of)
    filler = Filler(prints)
    clip = filler.wish(film, 3, SMALL, lambda: reader(stage))
    filler.wish(film, 3, SMALL, lambda: reader(stage))
    assert not clip.running
    assert filler.wait(clip, 5, SMALL, seconds=LONG) is None
    assert filler.wish(film, 30, SMALL, lambda: reader(stage)) is clip
    with reader(stage) as file:
        wanted = [scale(each, *SMALL) for each in read_pictures(file, name="clip")]
    for number in (39, 0, 17):
        got = filler.wait(clip, number, SMALL, seconds=LONG)
        assert got is not None
        assert np.array_equal(got.y, wanted[number].y)
    filler.close()


def test_who_waits_is_come_by_first_and_of_another_size_too(stage: Stage, film: OfClip) -> None:
    prints = Prints()
    (of,) = film.sources
    prints.use(of)
    filler = Filler(prints)
    clip = filler.wish(film, 3, SMALL, lambda: reader(stage))
    filler.wish(film, 4, SMALL, lambda: reader(stage))
    other = (64, 64)
    got = filler.wait(clip, 21, other, seconds=LONG)
    assert got is not None
    assert (got.width, got.height) == other
    filler.close()


def test_what_is_forgotten_is_decoded_no_further(stage: Stage, film: OfClip) -> None:
    prints = Prints()
    (of,) = film.sources
    prints.use(of)
    filler = Filler(prints)
    first = filler.wish(film, 1, SMALL, lambda: reader(stage))
    filler.forget(of)
    filler.forget(of)
    clip = filler.wish(film, 1, SMALL, lambda: reader(stage))
    assert clip is not first
    opened = [reader(stage)]
    filler.wish(film, 2, SMALL, lambda: opened[0])
    prints.leave(of)
    filler.forget(of)
    # Nothing is kept of what is decoded after that.
    assert filler.wait(clip, 39, SMALL, seconds=LONG) is None
    while clip.running:
        threading.Event().wait(0.01)
    assert opened[0].closed
    assert prints.held == 0
    filler.close()


def test_who_looks_alone_goes_first(stage: Stage, film: OfClip) -> None:
    prints = Prints()
    prints.use(*film.sources)
    filler = Filler(prints)
    clip = filler.wish(film, 1, SMALL, lambda: reader(stage))
    with clip.jump:
        filler.wish(film, 2, SMALL, lambda: reader(stage))
        threading.Event().wait(0.3)
        assert (clip.running, prints.held) == (True, 0)
    # Once that is over it goes on.
    assert filler.wait(clip, 39, SMALL, seconds=LONG) is not None
    filler.close()


def test_what_is_there_is_not_decoded_again(stage: Stage, film: OfClip) -> None:
    prints = Prints()
    prints.use(*film.sources)
    filler = Filler(prints)
    clip = filler.wish(film, 1, SMALL, lambda: reader(stage))
    filler.wish(film, 2, SMALL, lambda: reader(stage))
    while clip.running:
        threading.Event().wait(0.01)
    filler.wish(film, 38, SMALL, lambda: pytest.fail("it was opened again"))
    assert not clip.running
    filler.close()


def test_a_clip_that_can_not_be_decoded_is_not_tried_for_ever(stage: Stage, film: OfClip) -> None:
    prints = Prints()
    prints.use(*film.sources)
    filler = Filler(prints)
    clip = filler.wish(film, 1, SMALL, lambda: reader(stage))
    filler.wish(film, 2, SMALL, lambda: io.BytesIO(b"torn"))
    assert filler.wait(clip, 2, SMALL, seconds=LONG) is None
    assert clip.failed
    filler.wish(film, 3, SMALL, lambda: reader(stage))
    assert not clip.running
    filler.close()


def test_nothing_is_filled_under_a_consent_that_has_ended(stage: Stage, film: OfClip) -> None:
    stage.withdraw(stage.ada)
    agree_to(stage.studio, stage.purpose, stage.ada)
    filler = Filler(Prints())
    clearances = tuple(stage.asking(stage.scene.needs(Act.INGEST))())
    filler.wish(film, 0, SMALL, lambda: film.read_again(clearances))
    with pytest.raises(NotClearedError, match="has ended since"):
        filler.wish(film, 1, SMALL, lambda: film.read_again(clearances))
    filler.close()


def test_one_at_a_time_has_the_turn_of_a_name() -> None:
    turns, order = Turns(), list[str]()
    began, go = threading.Event(), threading.Event()

    def first() -> None:
        with turns.turn("same"):
            began.set()
            assert go.wait(LONG)
            order.append("first")

    def second() -> None:
        with turns.turn("same"):
            order.append("second")

    threads = [threading.Thread(target=each) for each in (first, second)]
    threads[0].start()
    assert began.wait(LONG)
    threads[1].start()
    with turns.turn("other"):
        order.append("other")
    go.set()
    for each in threads:
        each.join()
    assert order == ["other", "first", "second"]


def test_the_nearest_print_stands_in() -> None:
    prints = Prints()
    prints.use("draft")
    for name in ("after 4", "after 11", "mask 7"):
        prints.put("draft", name, grey(8))

    def nearest(number: int, reach: int, size: tuple[int, int] = (8, 8)) -> int | None:
        return prints.nearest("draft", lambda n: f"after {n}", number, size, reach=reach)

    assert [nearest(n, 9) for n in (0, 4, 7, 8, 20)] == [4, 4, 4, 11, 11]
    assert nearest(21, 9) is None
    assert nearest(4, 9, (16, 16)) is None


def test_a_wish_stays_for_who_soon_asks_again_and_not_for_ever(
    stage: Stage, film: OfClip, monkeypatch: pytest.MonkeyPatch
) -> None:
    prints = Prints()
    prints.use(*film.sources)
    filler = Filler(prints)
    clip = filler.wish(film, 1, SMALL, lambda: reader(stage), begin=False)
    assert filler.wait(clip, 30, SMALL, seconds=0.0) is None
    assert filler.wait(clip, 20, SMALL, seconds=0.0) is None
    assert filler.wait(clip, 30, SMALL, seconds=0.0) is None
    # Who asks again keeps their place.
    assert filler._next(clip) == (30, SMALL)  # noqa: SLF001 - what must not be seen from outside
    monkeypatch.setattr("assent.disclose.viewing.filling._ASKS_AGAIN_S", -1.0)
    for number in (30, 20):
        filler.wait(clip, number, SMALL, seconds=0.0)
    assert filler._next(clip) == (1, SMALL)  # noqa: SLF001 - as above
    filler.close()
