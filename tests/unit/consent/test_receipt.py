import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from studios import Scene, agree, draw_up

from assent.consent.receipt import (
    countersign,
    hash_receipt,
    read_receipt,
    read_signed,
    record_to_sign,
    sign_record,
    signer_hint,
)
from assent.kit.errors import AssentError, BriefError, InputError, IntegrityError
from assent.kit.signing import new_key, peek, public_of, sign


def test_only_the_subject_can_sign(scene: Scene) -> None:
    record = draw_up(scene.studio, scene.purpose, scene.cleo)
    with pytest.raises(IntegrityError, match="this key is not cleo's") as caught:
        sign_record(record, scene.ada.key)
    assert "Only the subject can sign" in caught.value.advice


def test_what_was_signed_is_read_back(scene: Scene) -> None:
    record = draw_up(scene.studio, scene.purpose, scene.cleo)
    signed = sign_record(record, scene.cleo.key)
    assert read_signed(signed, scene.cleo.person.key) == record
    assert signer_hint(signed) == record.record_id
    with pytest.raises(IntegrityError, match="the signature does not match"):
        read_signed(signed, scene.ada.person.key)


def test_a_record_that_names_another_key(scene: Scene) -> None:
    """Ada signs, with her own key, a record that says it is Cleo's."""
    record = draw_up(scene.studio, scene.purpose, scene.cleo)
    signed = sign({"record": record.to_json()}, scene.ada.key, kind="assent-consent+jws")
    with pytest.raises(IntegrityError, match="with a key that it doesn't name"):
        read_signed(signed, scene.ada.person.key)


def test_a_signature_for_something_else_is_no_consent(scene: Scene) -> None:
    record = draw_up(scene.studio, scene.purpose, scene.cleo)
    signed = sign({"record": record.to_json()}, scene.cleo.key, kind="vc+jwt")
    with pytest.raises(IntegrityError, match="this is not a assent-consent"):
        read_signed(signed, scene.cleo.person.key)


def test_half_a_record_is_no_consent(scene: Scene) -> None:
    document = draw_up(scene.studio, scene.purpose, scene.cleo).to_json()
    del document["withdrawal"]
    signed = sign({"record": document}, scene.cleo.key, kind="assent-consent+jws")
    with pytest.raises(BriefError, match="withdrawal: Field required"):
        read_signed(signed, scene.cleo.person.key)


def test_a_receipt_is_a_credential(scene: Scene) -> None:
    """W3C Verifiable Credentials 2.0, section 4: what verifiers of credentials look for."""
    receipt = agree(scene.studio, scene.purpose, scene.cleo).receipt
    claims = peek(receipt)
    assert claims["@context"] == ["https://www.w3.org/ns/credentials/v2"]
    assert claims["type"][0] == "VerifiableCredential"
    assert claims["issuer"] == f"urn:uuid:{scene.studio.id}"
    assert claims["validFrom"] == "2026-11-01T00:00:00Z"
    assert claims["validUntil"] == "2027-10-31T23:59:59Z"
    assert claims["credentialSubject"]["id"].endswith(scene.cleo.person.key_id)
    assert claims["countersigned"] == "2026-11-20T12:00:00Z"
    head = receipt.split(".")[0]
    header = json.loads(base64.urlsafe_b64decode(head + "=="))
    assert header["typ"] == "vc+jwt"


def test_both_signatures_are_checked(scene: Scene) -> None:
    accepted = agree(scene.studio, scene.purpose, scene.cleo)
    own = public_of(scene.studio.signing_key)
    read = read_receipt(accepted.receipt, subject=scene.cleo.person.key, studio=own)
    assert read.record == accepted.record
    for subject, studio in [
        (scene.cleo.person.key, public_of(new_key())),
        (scene.ada.person.key, own),
    ]:
        with pytest.raises(IntegrityError, match="the signature does not match"):
            read_receipt(accepted.receipt, subject=subject, studio=studio)


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"credentialSubject": {}},
        {"credentialSubject": "cleo", "countersigned": "now"},
        {"credentialSubject": {"consent": "x.y.z"}},
        {"credentialSubject": None, "countersigned": "now"},
    ],
)
def test_a_receipt_without_its_parts(scene: Scene, claims: dict[str, object]) -> None:
    token = sign(claims, scene.studio.signing_key, kind="vc+jwt")
    with pytest.raises(IntegrityError, match="the receipt lacks its parts"):
        read_receipt(
            token, subject=scene.cleo.person.key, studio=public_of(scene.studio.signing_key)
        )


def test_a_receipt_around_nothing_signed(scene: Scene) -> None:
    record = draw_up(scene.studio, scene.purpose, scene.cleo)
    key = scene.studio.signing_key
    token = countersign("not a signature", record, key, moment="now")
    with pytest.raises(IntegrityError, match="the signature does not match"):
        read_receipt(
            token, subject=scene.cleo.person.key, studio=public_of(scene.studio.signing_key)
        )


def test_a_hash_says_nothing_without_its_salt() -> None:
    assert hash_receipt("receipt", "a") != hash_receipt("receipt", "b")
    assert hash_receipt("receipt", "a") != hash_receipt("receipt2", "a")
    # printf %s 'a.receipt' | sha256sum
    expected = "450d0ed2"
    assert hash_receipt("receipt", "a").startswith(expected)


@pytest.mark.parametrize(
    "claims", [{}, {"record": 3}, {"record": {}}, {"record": {"record_id": 3}}]
)
def test_no_hint_without_a_record(claims: dict[str, object]) -> None:
    with pytest.raises(InputError, match="this is not a signed consent record"):
        signer_hint(sign(claims, new_key(), kind="assent-consent+jws"))


@given(st.text())
def test_any_text_for_a_signed_record(text: str) -> None:
    for read in (signer_hint, lambda token: read_signed(token, public_of(new_key()))):
        with pytest.raises(AssentError):
            read(text)


def test_a_receipt_says_where_its_status_is(scene: Scene) -> None:
    record = draw_up(scene.studio, scene.purpose, scene.cleo)
    key = scene.studio.signing_key
    token = countersign("x", record, key, moment="now", status={"statusListIndex": "7"})
    assert peek(token)["credentialStatus"] == {"statusListIndex": "7"}
    assert "credentialStatus" not in peek(countersign("x", record, key, moment="now"))


def test_a_record_is_signed_in_a_browser(scene: Scene) -> None:
    record = draw_up(scene.studio, scene.purpose, scene.cleo)
    asked = record_to_sign(record, scene.cleo.person.key)
    # The same words; only the order of the header's members differs.
    assert asked.split(".")[1] == sign_record(record, scene.cleo.key).split(".")[1]
