import base64
import gzip
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from studios import Scene, agree

from assent.consent.status_list import (
    ENTRIES,
    Place,
    StatusList,
    allot,
    credential_status,
    is_set,
    list_path,
    note_published,
    publish,
    publish_missing,
    read_list,
    set_bits,
)
from assent.consent.withdrawal import withdraw
from assent.kit.errors import IntegrityError, StorageError
from assent.kit.signing import new_key, peek, sign
from assent.kit.store.tables import ConsentRow, StatusListRow


def rows(scene: Scene) -> dict[str, ConsentRow]:
    with scene.studio.database.session() as session:
        found = session.query(ConsentRow).order_by(ConsentRow.version)
        people = {scene.ada.id: "ada", scene.ben.id: "ben", scene.cleo.id: "cleo"}
        return {people[row.person_id]: row for row in found}


def the_list(scene: Scene, number: int = 1) -> StatusList:
    studio = scene.studio
    found = read_list(studio.log_folder, number, studio_id=studio.id, key=studio.signing_key)
    assert found is not None
    return found


def fields_of(scene: Scene) -> dict[str, Any]:
    return peek(list_path(scene.studio.log_folder, 1).read_text())


def put(scene: Scene, fields: dict[str, Any], **options: Any) -> None:  # noqa: ANN401 - of sign
    token = sign(fields, **{"key": scene.studio.signing_key, "kind": "vc+jwt", **options})
    list_path(scene.studio.log_folder, 1).write_text(token)


@given(st.sets(st.integers(0, ENTRIES - 1), max_size=20))
def test_bits_are_counted_from_the_highest_of_the_first_byte(chosen: set[int]) -> None:
    bits = set_bits(bytes(ENTRIES // 8), chosen)
    whole = int.from_bytes(bits, "big")
    assert whole == sum(1 << (ENTRIES - 1 - index) for index in chosen)
    assert all(is_set(bits, index) for index in chosen)
    assert not any(
        is_set(bits, index + 1) for index in chosen - {ENTRIES - 1} if index + 1 not in chosen
    )


def test_it_is_a_credential_as_the_standard_wants_it(scene: Scene) -> None:
    fields = fields_of(scene)
    assert fields["@context"][0] == "https://www.w3.org/ns/credentials/v2"
    assert fields["type"] == ["VerifiableCredential", "BitstringStatusListCredential"]
    assert fields["issuer"] == f"urn:uuid:{scene.studio.id}"
    subject = fields["credentialSubject"]
    assert (subject["type"], subject["statusPurpose"]) == ("BitstringStatusList", "revocation")
    text = subject["encodedList"]
    assert text[0] == "u"
    assert gzip.decompress(base64.urlsafe_b64decode(text[1:] + "===")) == bytes(16384)


def test_a_receipts_place_names_list_and_bit(scene: Scene) -> None:
    status = credential_status(scene.studio.id, Place(number=1, index=94567))
    assert status["type"] == "BitstringStatusListEntry"
    assert status["statusPurpose"] == "revocation"
    assert status["statusListIndex"] == "94567"
    assert status["statusListCredential"] == fields_of(scene)["id"]
    other = credential_status(scene.studio.id, Place(number=2, index=94567))
    assert other["statusListCredential"] != status["statusListCredential"]


def test_a_withdrawal_sets_one_bit_and_the_log_names_the_new_version(scene: Scene) -> None:
    ada, ben = rows(scene)["ada"], rows(scene)["ben"]
    before = the_list(scene)
    assert not before.has_ended(ada.status_index or 0)
    withdraw(scene.studio, ada.record_id)
    after = the_list(scene)
    assert after.version == before.version + 1
    assert int.from_bytes(after.bits, "big").bit_count() == 1
    assert after.has_ended(ada.status_index or 0)
    assert not after.has_ended(ben.status_index or 0)
    told = [entry for _, entry in scene.studio.log.reader().entries() if b"status.list" in entry]
    assert f'"sha256":"{after.sha256}"'.encode() in told[-1]


def test_every_version_of_a_record_ends(scene: Scene) -> None:
    agree(scene.studio, scene.purpose, scene.ada)
    withdraw(scene.studio, rows(scene)["ada"].record_id)
    assert int.from_bytes(the_list(scene).bits, "big").bit_count() == 2


def test_bits_outlive_a_database_that_was_put_back(scene: Scene) -> None:
    """The file's own bits are kept, and its version goes on."""
    ada, ben = rows(scene)["ada"], rows(scene)["ben"]
    withdraw(scene.studio, ada.record_id)
    with scene.studio.database.session() as session:
        session.get_one(ConsentRow, ada.id).state = "live"
        session.get_one(StatusListRow, 1).version = 1
    withdraw(scene.studio, ben.record_id)
    found = the_list(scene)
    assert found.version == 3
    assert found.has_ended(ada.status_index or 0)
    assert found.has_ended(ben.status_index or 0)


@pytest.mark.parametrize("spoilt", [b"", b"nonsense", b"\xff\xfe", None])
def test_a_spoilt_list_does_not_stop_a_withdrawal(scene: Scene, spoilt: bytes | None) -> None:
    withdraw(scene.studio, rows(scene)["ada"].record_id)
    path = list_path(scene.studio.log_folder, 1)
    path.unlink() if spoilt is None else path.write_bytes(spoilt)
    withdraw(scene.studio, rows(scene)["ben"].record_id)
    found = the_list(scene)
    assert (found.version, int.from_bytes(found.bits, "big").bit_count()) == (3, 2)


def test_a_list_that_cant_be_read_stops_it(scene: Scene) -> None:
    """Bits that were set must not be lost to a disk that fails for a moment."""
    path = list_path(scene.studio.log_folder, 1)
    path.unlink()
    path.mkdir()
    with pytest.raises(StorageError):
        publish(scene.studio, 1)


def test_none_is_published_twice(scene: Scene) -> None:
    assert publish_missing(scene.studio, 1) == ()
    (new,) = publish_missing(scene.studio, 2)
    assert (new.number, new.version) == (2, 1)
    with scene.studio.database.session() as session:
        note_published(session, [new])
    assert publish_missing(scene.studio, 2) == ()
    assert the_list(scene, 2).bits == bytes(ENTRIES // 8)


def test_places_are_drawn_and_none_twice(scene: Scene) -> None:
    taken = rows(scene)["ada"].status_index or 0
    drawn = iter([taken, taken, 7])
    with scene.studio.database.session() as session:
        assert allot(session, draw=lambda most: next(drawn)) == Place(number=1, index=7)


def test_a_full_list_is_followed_by_the_next(scene: Scene) -> None:
    taken = rows(scene)["ada"].status_index or 0
    with scene.studio.database.session() as session:
        assert allot(session, draw=lambda most: taken) == Place(number=2, index=taken)
        session.get_one(ConsentRow, rows(scene)["ben"].id).status_list = 2
        session.flush()
        assert allot(session, draw=lambda most: taken) == Place(number=2, index=taken)


def test_no_list_is_not_an_empty_one(scene: Scene, tmp_path: Path) -> None:
    studio = scene.studio
    assert read_list(tmp_path, 1, studio_id=studio.id, key=studio.signing_key) is None


def changed(fields: dict[str, Any], **subject: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {**fields, "credentialSubject": {**fields["credentialSubject"], **subject}}


def packed(data: bytes) -> str:
    return "u" + base64.urlsafe_b64encode(gzip.compress(data, mtime=0)).decode().rstrip("=")


@pytest.mark.parametrize(
    "encoded",
    [
        "",
        "zQ",
        "u",
        "u****",
        "uAAAA",
        packed(bytes(16383)),
        packed(bytes(16385)),
        packed(bytes(1 << 24)),
        packed(bytes(16384))[:-8],
        5,
    ],
)
def test_bits_that_are_none(scene: Scene, encoded: object) -> None:
    put(scene, changed(fields_of(scene), encodedList=encoded))
    with pytest.raises(IntegrityError, match="status list 1 lacks its parts"):
        the_list(scene)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"id": "urn:uuid:00000000-0000-0000-0000-000000000000"}, "it is another list"),
        ({"type": ["VerifiableCredential"]}, "it is another list"),
        ({"version": "new"}, "lacks its parts"),
        ({"version": "1"}, "lacks its parts"),
        ({"version": True}, "lacks its parts"),
        ({"credentialSubject": []}, "lacks its parts"),
    ],
)
def test_another_credential_of_the_studio_is_no_list(
    scene: Scene, change: dict[str, Any], told: str
) -> None:
    put(scene, {**fields_of(scene), **change})
    with pytest.raises(IntegrityError, match=told):
        the_list(scene)


def test_a_list_for_another_purpose(scene: Scene) -> None:
    put(scene, changed(fields_of(scene), statusPurpose="suspension"))
    with pytest.raises(IntegrityError, match="for another purpose"):
        the_list(scene)


@pytest.mark.parametrize("options", [{"key": new_key()}, {"kind": "assent-consent+jws"}])
def test_who_may_sign_it(scene: Scene, options: dict[str, Any]) -> None:
    put(scene, fields_of(scene), **options)
    with pytest.raises(IntegrityError, match="status list 1 was changed"):
        the_list(scene)
