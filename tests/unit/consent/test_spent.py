import json

import pytest
from studios import Scene, agree

from assent.consent.clearance import Act, Clearance
from assent.consent.desk import clear
from assent.consent.spent import check_unspent
from assent.kit.errors import NotClearedError


def cleared(scene: Scene, most: int) -> Clearance:
    agree(scene.studio, scene.purpose, scene.cleo, most_releases=most)
    return clear(scene.studio, scene.purpose, person_id=scene.cleo.id, acts=[Act.RELEASE])


def log_seal(scene: Scene, asset: str, receipts: object, media: str = "video") -> None:
    entry = {"kind": "seal", "media": media, "asset": asset, "receipts": receipts}
    scene.studio.log.append([json.dumps(entry, separators=(",", ":")).encode()])


def test_each_video_under_the_receipt_counts_once(scene: Scene) -> None:
    clearance = cleared(scene, 2)
    mine = [clearance.receipt_hash]
    for asset, receipts, media in (
        ("1", mine, "video"), ("1", mine, "video"), ("2", mine, "still"), ("3", ["x"], "video"),
        ("4", None, "video"),
    ):  # fmt: skip
        log_seal(scene, asset, receipts, media)
    check_unspent(scene.studio, [clearance], asset_id="9")
    log_seal(scene, "5", ["x", *mine])
    with pytest.raises(NotClearedError, match=r"cleo agreed to 2 release\(s\)") as caught:
        check_unspent(scene.studio, [clearance], asset_id="9")
    assert caught.value.exit_code == 3
    # What was sealed before and not released yet may be sealed again.
    check_unspent(scene.studio, [clearance], asset_id="5")
