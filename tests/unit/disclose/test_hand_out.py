from pathlib import Path

import pytest
from casts import Cast, Stage

from assent.disclose.hand_out import files_of, open_file
from assent.disclose.standing import restore, revoke, suspend
from assent.kit.errors import NotFoundError, RefusedError, SealError


def test_sealed_bytes_are_handed_out_and_no_others(released: Cast, tmp_path: Path) -> None:
    stage: Stage = released.open_copy(tmp_path / "studio")
    studio, made = stage.studio, stage.released()
    folder = made.path.parent
    stem = made.path.stem
    (folder / f"{stem}.qr.png").write_bytes(b"code")
    (folder / f"{stem}.secret").write_bytes(b"no")
    (folder / "other.mp4").write_bytes(b"of another release")
    (folder / f"{stem}.jpg").write_bytes(b"never sealed")
    offered = {each.name: each.sealed for each in files_of(studio, made.asset_id)}
    assert offered == {
        f"{stem}.jpg": True,
        f"{stem}.mp4": True,
        f"{stem}.qr.png": False,
        f"{stem}.tlog-proof": False,
    }
    with open_file(studio, made.asset_id, f"{stem}.mp4") as file:
        assert file.read() == made.path.read_bytes()
    with open_file(studio, made.asset_id, f"{stem}.qr.png") as file:
        assert file.read() == b"code"
    with (
        pytest.raises(SealError, match="not what was released"),
        open_file(studio, made.asset_id, f"{stem}.jpg"),
    ):
        pass
    made.path.write_bytes(made.path.read_bytes()[:-1] + b"x")
    with pytest.raises(SealError), open_file(studio, made.asset_id, f"{stem}.mp4"):
        pass
    for name in ("other.mp4", "../studio.toml", f"{stem}.secret", "", f"/{stem}.mp4"):
        with pytest.raises(NotFoundError), open_file(studio, made.asset_id, name):
            pass


def test_a_release_that_does_not_stand_is_not_handed_out(released: Cast, tmp_path: Path) -> None:
    stage: Stage = released.open_copy(tmp_path / "studio")
    studio, made = stage.studio, stage.released()
    asset, name = made.asset_id, made.path.name
    assert name in [each.name for each in files_of(studio, asset)]
    suspend(studio, asset)
    assert files_of(studio, asset) == ()
    with pytest.raises(RefusedError, match="is suspended"), open_file(studio, asset, name):
        pass
    restore(studio, asset)
    with open_file(studio, asset, name) as file:
        assert file.read() == made.path.read_bytes()
    revoke(studio, asset)
    assert files_of(studio, asset) == ()
    with pytest.raises(RefusedError, match="is revoked"), open_file(studio, asset, name):
        pass


def test_what_was_not_released_has_no_files(rendered: Cast, tmp_path: Path) -> None:
    stage: Stage = rendered.open_copy(tmp_path / "studio")
    with pytest.raises(NotFoundError, match="no release"):
        files_of(stage.studio, "0" * 16)
    video = stage.seal()
    with video.media, pytest.raises(NotFoundError, match="no release"):
        files_of(stage.studio, video.asset_id)
