from pathlib import Path

import numpy as np
from marks.attacks import run_attack
from marks.hostile import ATTEMPTS, Outcome, render, still_detail
from marks.looks import draw_looks
from marks.marking import embed, read

from assent.kit.media.still import read_still


def test_averaged_copies_name_no_stranger(film: Path, tmp_path: Path) -> None:
    outcome = ATTEMPTS["collusion-2"](film, [film], tmp_path)
    assert "SOMEONE" not in outcome.says
    assert 25 < outcome.psnr_y < 60


def test_the_key_undoes_its_own_mark(film: Path, tmp_path: Path) -> None:
    outcome = ATTEMPTS["subtract-known"](film, [film], tmp_path)
    assert outcome.attempt == "unmarked with the public key"
    assert outcome.psnr_y > 25


def test_what_stays_still_is_little(film: Path) -> None:
    still = still_detail(film)
    assert still.shape == (256, 320)
    assert float(np.abs(still).max()) <= 4


def test_a_table_of_outcomes() -> None:
    outcome = Outcome(attempt="a", film="f", says="nothing is read", succeeded=True, psnr_y=41.0)
    row = {name: getattr(outcome, name) for name in Outcome.__dataclass_fields__}
    assert render({"hostile": [row]}).splitlines()[1].split()[:4] == ["a", "f", "yes", "41.0"]


def test_looks_are_the_frame_and_a_difference_around_grey(film: Path, tmp_path: Path) -> None:
    plain, marked, change, side = (
        read_still(path.read_bytes(), name=path.name)
        for path in draw_looks(film, tmp_path, asset_id=5)
    )
    assert plain.shape == marked.shape == change.shape == (256, 320, 3)
    assert side.shape == (256, 960, 3)
    assert abs(float(change.mean()) - 128) < 4
    assert float(change.std()) > 4


def test_a_marked_film_is_read_and_the_plain_one_is_not(film: Path, tmp_path: Path) -> None:
    target = tmp_path / "marked.mp4"
    embedded = embed(film, target, asset_id=77)
    assert embedded.frames == 25
    assert read(target).asset_id == 77
    reading = read(film)
    assert (reading.asset_id, reading.confidence) == (None, 0)


def test_a_copy_that_is_no_clip_to_the_product_is_read_all_the_same(
    film: Path, tmp_path: Path
) -> None:
    embed(film, tmp_path / "marked.mp4", asset_id=78)
    reading = read(run_attack("gif", tmp_path / "marked.mp4", tmp_path))
    assert reading.asset_id == 78
    assert "refused" in reading.says
