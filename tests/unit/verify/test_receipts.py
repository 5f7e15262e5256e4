import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from studios import Scene, agree

from assent.consent.status_list import Place, credential_status, list_path
from assent.consent.withdrawal import withdraw
from assent.kit.errors import AssentError, IntegrityError, NotFoundError
from assent.kit.signing import new_key, peek, sign
from assent.verify.public import open_log
from assent.verify.receipts import look_up

TODAY = date(2026, 11, 22)


@pytest.fixture
def mirror(scene: Scene, tmp_path: Path) -> Path:
    """Where a copy of the log is made."""
    return tmp_path / "mirror"


def copied(scene: Scene, mirror: Path) -> Path:
    shutil.rmtree(mirror, ignore_errors=True)
    shutil.copytree(scene.studio.log_folder, mirror)
    return mirror


def test_a_receipt_stands_until_its_subject_withdraws(scene: Scene, mirror: Path) -> None:
    accepted = agree(scene.studio, scene.purpose, scene.cleo)
    found = look_up(open_log(copied(scene, mirror)), accepted.receipt, today=TODAY)
    assert (found.stands, found.says, found.number, found.version) == (True, "it stands", 1, 1)
    withdraw(scene.studio, accepted.record.record_id)
    # An old copy can't know.
    assert look_up(open_log(mirror), accepted.receipt, today=TODAY).stands
    found = look_up(open_log(copied(scene, mirror)), accepted.receipt, today=TODAY)
    assert (found.stands, found.version) == (False, 2)
    assert "has ended" in found.says


@pytest.mark.parametrize(
    ("today", "told"),
    [(date(2026, 10, 31), "hasn't begun"), (date(2027, 11, 1), "term is over")],
)
def test_outside_of_its_term_it_doesnt(scene: Scene, today: date, told: str) -> None:
    accepted = agree(scene.studio, scene.purpose, scene.cleo)
    found = look_up(open_log(scene.studio.log_folder), accepted.receipt, today=today)
    assert not found.stands
    assert told in found.says


def test_somebody_elses_receipt(scene: Scene) -> None:
    receipt = agree(scene.studio, scene.purpose, scene.cleo).receipt
    log = open_log(scene.studio.log_folder)
    forged = sign(peek(receipt), new_key(), kind="vc+jwt")
    for token in (forged, receipt[:-4], "", "a.b.c", list_path(scene.studio.log_folder, 1).name):
        with pytest.raises(AssentError):
            look_up(log, token, today=TODAY)


@pytest.mark.parametrize(
    "change",
    [
        {"statusListIndex": "131072"},
        {"statusListIndex": "-1"},
        {"statusListIndex": "\u0663"},
        {"statusListIndex": "1" * 5000},
        {"statusListIndex": None},
        {"statusPurpose": "suspension"},
        {"statusListCredential": "urn:uuid:00000000-0000-0000-0000-000000000000"},
        None,
    ],
)
def test_places_that_are_none(scene: Scene, change: dict[str, Any] | None) -> None:
    fields = peek(agree(scene.studio, scene.purpose, scene.cleo).receipt)
    status = None if change is None else {**fields["credentialStatus"], **change}
    token = sign({**fields, "credentialStatus": status}, scene.studio.signing_key, kind="vc+jwt")
    with pytest.raises(IntegrityError, match="names no place in a status list"):
        look_up(open_log(scene.studio.log_folder), token, today=TODAY)


def test_a_list_that_wasnt_copied(scene: Scene, mirror: Path) -> None:
    receipt = agree(scene.studio, scene.purpose, scene.cleo).receipt
    shutil.rmtree(copied(scene, mirror) / "status")
    with pytest.raises(NotFoundError, match="no status list 1") as caught:
        look_up(open_log(mirror), receipt, today=TODAY)
    assert "status/" in caught.value.advice


def test_the_receipt_names_its_own_place(scene: Scene) -> None:
    one, other = (
        peek(agree(scene.studio, scene.purpose, member).receipt)["credentialStatus"]
        for member in (scene.ada, scene.cleo)
    )
    assert one["statusListCredential"] == other["statusListCredential"]
    assert one["statusListIndex"] != other["statusListIndex"]
    place = Place(number=1, index=int(one["statusListIndex"]))
    assert credential_status(scene.studio.id, place) == one
