from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.create.looks import LONGEST_GAP, is_look_of, look_at, take_look
from assent.kit.media.picture import Picture


def picture(width: int, height: int, bits: int = 8) -> Picture:
    random = np.random.default_rng(5)
    kind = np.uint8 if bits == 8 else np.uint16
    chroma = (-(-height // 2), -(-width // 2))
    y, u, v = (
        random.integers(0, 1 << bits, size).astype(kind)
        for size in ((height, width), chroma, chroma)
    )
    return Picture(pts=3, y=y, u=u, v=v, bits=bits, full_range=False, matrix="bt709")


@given(
    st.lists(st.floats(0.001, 1.5), min_size=1, max_size=60), st.integers(1, 20)
)  # fmt: skip
def test_no_frame_is_far_from_a_look_whatever_the_rate(gaps: list[float], size: int) -> None:
    times = np.cumsum(gaps).tolist()
    looks: list[float] = []
    for start in range(0, len(times), size):
        run, rest = times[start : start + size], times[start + size :]
        chosen = look_at(
            run, since=looks[-1] if looks else None, following=rest[0] if rest else None
        )
        looks += [run[n] for n in chosen]
    assert looks[0] == times[0]
    assert looks[-1] == times[-1]
    for time in times:
        if time not in looks:
            before = max(look for look in looks if look < time)
            after = min(look for look in looks if look > time)
            assert after - before <= LONGEST_GAP


def test_a_run_that_goes_on_need_not_end_in_a_look() -> None:
    assert look_at([0.6, 0.7, 0.8], since=0.5, following=0.9) == ()
    assert look_at([0.6, 0.7, 0.8], since=0.5, following=None) == (2,)


@pytest.mark.parametrize(
    ("size", "small"),
    [((1920, 1080), (910, 512)), ((512, 300), (512, 300)), ((600, 900), (512, 768))],
)
@pytest.mark.parametrize("bits", [8, 10])
def test_looks_are_small(size: tuple[int, int], small: tuple[int, int], bits: int) -> None:
    look = take_look(picture(*size, bits))
    assert (look.width, look.height, look.bits) == (*small, bits)


def test_a_look_is_known_by_every_sample() -> None:
    shot = picture(600, 640)
    look = take_look(shot)
    assert is_look_of(look, shot)
    for plane in "yuv":
        other = getattr(shot, plane).copy()
        other[:4, :4] ^= 255
        assert not is_look_of(look, replace(shot, **{plane: other}))
    assert not is_look_of(look, replace(shot, matrix="bt601"))
    assert not is_look_of(look, picture(600, 642))
