from pathlib import Path

import pytest
from casts import Cast, Stage

from assent.disclose.reopen import reopen
from assent.kit.errors import IntegrityError, NotFoundError, SealError
from assent.kit.store.tables import ReleaseRow


@pytest.fixture
def stage(released: Cast, tmp_path: Path) -> Stage:
    return released.open_copy(tmp_path / "studio")


def test_a_release_comes_back_as_the_video_that_was_sealed(stage: Stage) -> None:
    made = stage.released()
    video = reopen(stage.studio, made.asset_id)
    with video.media as media:
        media.seek(0)
        assert media.read() == made.path.read_bytes()
    assert (video.sha256, video.draft_id) == (made.sha256, stage.draft.id)


@pytest.mark.parametrize("part", ["path", "proof"])
def test_files_that_are_gone(stage: Stage, part: str) -> None:
    made = stage.released()
    getattr(made, part).unlink()
    with pytest.raises(NotFoundError, match="not in the releases folder"):
        reopen(stage.studio, made.asset_id)


@pytest.mark.parametrize("asset_id", ["0" * 16, "", "../../etc/passwd"])
def test_no_such_release(stage: Stage, asset_id: str) -> None:
    with pytest.raises(NotFoundError, match="no release"):
        reopen(stage.studio, asset_id)


@pytest.mark.parametrize("column", ["name", "log_index", "state"])
def test_a_release_that_was_not_finished(stage: Stage, column: str) -> None:
    with stage.studio.database.session() as session:
        row = session.query(ReleaseRow).one()
        setattr(row, column, "sealing" if column == "state" else None)
        asset_id = row.asset_id
    with pytest.raises(NotFoundError, match="no release"):
        reopen(stage.studio, asset_id)


@pytest.mark.parametrize("junk", [b"\xff\xfe", b"", b"c2sp.org/tlog-proof@v1\nindex 0\n\n"])
def test_a_proof_that_is_none(stage: Stage, junk: bytes) -> None:
    made = stage.released()
    made.proof.write_bytes(junk)
    with pytest.raises(SealError, match=r"\.mp4 or its proof is not what was released"):
        reopen(stage.studio, made.asset_id)


def test_the_place_of_another_entry(stage: Stage) -> None:
    made = stage.released()
    with stage.studio.database.session() as session:
        session.query(ReleaseRow).one().log_index = 0
    with pytest.raises(IntegrityError, match="not a seal"):
        reopen(stage.studio, made.asset_id)


def test_the_files_of_another_asset(stage: Stage) -> None:
    with stage.studio.database.session() as session:
        session.query(ReleaseRow).one().asset_id = "12" * 8
    with pytest.raises(SealError, match="another asset"):
        reopen(stage.studio, "12" * 8)
