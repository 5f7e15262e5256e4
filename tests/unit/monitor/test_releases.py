from pathlib import Path

from casts import Cast

from assent.monitor.releases import list_releases


def test_releases_and_whether_all_still_agree(released: Cast, tmp_path: Path) -> None:
    stage = released.open_copy(tmp_path / "studio")
    made = stage.released()
    (status,) = list_releases(stage.studio)
    assert (status.asset_id, status.file, status.sha256) == (
        made.asset_id, made.path.name, made.sha256,
    )  # fmt: skip
    assert (status.fingerprint, status.log_index) == (made.fingerprint, made.log_index)
    assert not status.withdrawn
    assert status.to_json()["asset_id"] == made.asset_id
    stage.withdraw(stage.ada)
    (status,) = list_releases(stage.studio)
    assert status.withdrawn
    assert status.to_json()["withdrawn"] is True


def test_what_was_only_sealed_is_no_release(rendered: Cast, tmp_path: Path) -> None:
    stage = rendered.open_copy(tmp_path / "studio")
    assert list_releases(stage.studio) == ()
    stage.seal().media.close()
    assert list_releases(stage.studio) == ()
