import base64
import json
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st
from passkeys import Authenticator, b64

from assent.kit.errors import InputError, IntegrityError
from assent.kit.passkey import Passkey, register_passkey, verify_presence
from assent.kit.signing import (
    attach,
    from_jwk,
    new_key,
    public_of,
    sign,
    signing_input,
    thumbprint,
    to_jwk,
    verify,
)

KIND = "test+jws"
PAYLOAD = {"hello": "world"}
CHALLENGE = bytes(range(32))


def test_what_a_passkey_signed_is_read_back() -> None:
    ada = Authenticator()
    assert verify(ada.sign(PAYLOAD, kind=KIND), ada.passkey, kind=KIND) == PAYLOAD


def test_a_signature_is_verified_any_number_of_times() -> None:
    """A receipt is read for years: a counter says nothing about it."""
    ada = Authenticator()
    token = ada.sign(PAYLOAD, kind=KIND, counter=7)
    assert all(verify(token, ada.passkey, kind=KIND) == PAYLOAD for _ in range(2))


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"flags": 0x04}, "nobody was there"),
        ({"flags": 0x01}, "nobody was verified"),
        ({"ceremony": "webauthn.create"}, "a key was made, nothing signed"),
        ({"origin": "https://evil.example"}, "at another site"),
        ({"origin": "http://localhost:8766"}, "at another port"),
        ({"challenge": b64(bytes(32))}, "for something else"),
        ({"crossOrigin": True}, "in another site's frame"),
    ],
)
def test_other_circumstances_are_refused(told: dict[str, Any], why: str) -> None:
    ada = Authenticator()
    with pytest.raises(IntegrityError):
        verify(ada.sign(PAYLOAD, kind=KIND, **told), ada.passkey, kind=KIND)


def test_another_relying_party_is_refused() -> None:
    ada = Authenticator()
    elsewhere = Authenticator(key=ada.key, rp_id="evil.example")
    asked = signing_input(PAYLOAD, ada.passkey, kind=KIND)
    token = elsewhere.sign(PAYLOAD, kind=KIND)
    assert token.startswith(asked)
    with pytest.raises(IntegrityError, match="the signature does not match"):
        verify(token, ada.passkey, kind=KIND)


def test_somebody_elses_signature_is_refused() -> None:
    ada, ben = Authenticator(), Authenticator()
    with pytest.raises(IntegrityError, match=r"not match|of this passkey"):
        verify(ben.sign(PAYLOAD, kind=KIND), ada.passkey, kind=KIND)


def test_a_changed_document_is_refused() -> None:
    ada = Authenticator()
    head, _, proof = ada.sign(PAYLOAD, kind=KIND).split(".")
    other = b64(b'{"hello":"moon"}')
    with pytest.raises(IntegrityError, match="the signature does not match"):
        verify(f"{head}.{other}.{proof}", ada.passkey, kind=KIND)


def test_a_signature_for_one_purpose_is_none_for_another() -> None:
    ada = Authenticator()
    with pytest.raises(IntegrityError, match="this is not a other"):
        verify(ada.sign(PAYLOAD, kind=KIND), ada.passkey, kind="other+jws")


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none", "typ": KIND},
        {"alg": "HS256", "typ": KIND},
        {"alg": "WebAuthn", "typ": KIND},
        {"alg": "WebAuthn", "typ": KIND, "kid": "somebody"},
        "WebAuthn",
        None,
    ],
)
def test_a_token_does_not_choose_how_it_is_checked(header: object) -> None:
    ada = Authenticator()
    _, body, proof = ada.sign(PAYLOAD, kind=KIND).split(".")
    with pytest.raises(IntegrityError):
        verify(f"{b64(json.dumps(header).encode())}.{body}.{proof}", ada.passkey, kind=KIND)


def test_a_jws_is_no_passkeys_and_the_other_way_round() -> None:
    ada, key = Authenticator(), new_key()
    with pytest.raises(IntegrityError):
        verify(sign(PAYLOAD, key, kind=KIND), ada.passkey, kind=KIND)
    with pytest.raises(IntegrityError):
        verify(ada.sign(PAYLOAD, kind=KIND), public_of(key), kind=KIND)


def test_one_signature_has_one_spelling() -> None:
    ada = Authenticator()
    token = ada.sign(PAYLOAD, kind=KIND)
    for changed in (token + "=", token + "\n", token.replace(".", ".=", 1)):
        with pytest.raises(IntegrityError):
            verify(changed, ada.passkey, kind=KIND)


@given(st.text())
def test_any_text_for_a_token(text: str) -> None:
    with pytest.raises(IntegrityError):
        verify(text, ANY.passkey, kind=KIND)


ANY = Authenticator()


def test_what_is_signed_must_be_an_object() -> None:
    ada = Authenticator()
    with pytest.raises(IntegrityError, match="not a JSON object"):
        verify(ada.sign([1], kind=KIND), ada.passkey, kind=KIND)


# Keys


def test_passkeys_survive_their_json() -> None:
    passkey = Authenticator().passkey
    again = from_jwk(json.loads(json.dumps(to_jwk(passkey))), name="x")
    assert again == passkey
    assert thumbprint(again) == thumbprint(passkey)
    assert "d" not in to_jwk(passkey)


def test_the_thumbprint_is_of_the_bare_key() -> None:
    """Else one key could be registered once as a passkey and once as a file."""
    key = ed25519.Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    cose = cbor2.dumps({1: 1, 3: -8, -1: 6, -2: key})
    passkey = Passkey(credential_id="x", public_key=cose, rp_id="a", origin="b")
    bare = from_jwk({"kty": "OKP", "crv": "Ed25519", "x": b64(key)}, name="x")
    assert thumbprint(passkey) == thumbprint(bare)


def test_a_key_of_windows_hello() -> None:
    numbers = rsa.generate_private_key(65537, 2048).public_key().public_numbers()
    cose = cbor2.dumps({1: 3, 3: -257, -1: numbers.n.to_bytes(256), -2: b"\x01\x00\x01"})
    passkey = Passkey(credential_id="x", public_key=cose, rp_id="a", origin="b")
    assert to_jwk(passkey)["kty"] == "RSA"
    assert from_jwk(to_jwk(passkey), name="x") == passkey


@pytest.mark.parametrize(
    "document",
    [
        {"passkey": None},
        {"passkey": {}},
        {"passkey": {"credential_id": "x", "public_key": "!", "rp_id": "a", "origin": "b"}},
        {"passkey": {"credential_id": "x", "public_key": "AAAA", "rp_id": "a", "origin": "b"}},
    ],
)
def test_documents_that_are_no_passkeys(document: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="x is not a usable passkey"):
        from_jwk(document, name="x")


def test_an_algorithm_that_is_not_listed() -> None:
    numbers = Authenticator().key.public_key().public_numbers()
    cose = cbor2.dumps({1: 2, 3: -36, -1: 3, -2: numbers.x.to_bytes(32), -3: bytes(32)})
    with pytest.raises(ValueError, match="not one of the algorithms"):
        Passkey(credential_id="x", public_key=cose, rp_id="a", origin="b").thumbprint()


# Making one


def made(ada: Authenticator, **told: Any) -> Passkey:  # noqa: ANN401 - of the authenticator
    return register_passkey(
        ada.register(CHALLENGE, **told),
        challenge=CHALLENGE,
        rp_id="localhost",
        origin="http://localhost:8765",
    )


def test_a_passkey_is_registered() -> None:
    ada = Authenticator()
    assert made(ada) == ada.passkey


@pytest.mark.parametrize(
    ("ada", "told"),
    [
        (Authenticator(origin="https://evil.example"), {}),
        (Authenticator(rp_id="evil.example"), {}),
        (Authenticator(), {"flags": 0x01}),
    ],
)
def test_passkeys_made_elsewhere_are_refused(ada: Authenticator, told: dict[str, int]) -> None:
    with pytest.raises(IntegrityError, match="the passkey that the browser made can't be used"):
        made(ada, **told)


def test_a_passkey_for_another_challenge() -> None:
    ada = Authenticator()
    with pytest.raises(IntegrityError):
        register_passkey(
            ada.register(bytes(32)), challenge=CHALLENGE, rp_id=ada.rp_id, origin=ada.origin
        )


@pytest.mark.parametrize("answer", [{}, {"id": 3}, {"id": "x", "rawId": "x", "response": {}}])
def test_answers_that_are_none(answer: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError):
        register_passkey(answer, challenge=CHALLENGE, rp_id="localhost", origin="http://localhost")


def test_a_page_signs_with_a_key_file() -> None:
    """What WebCrypto signs is the text itself."""
    key = new_key()
    asked = signing_input(PAYLOAD, public_of(key), kind=KIND)
    private = ed25519.Ed25519PrivateKey.from_private_bytes(
        base64.urlsafe_b64decode(str(key.as_dict(private=True)["d"]) + "=")
    )
    token = attach(asked, {"signature": b64(private.sign(asked.encode()))}, public_of(key))
    assert verify(token, public_of(key), kind=KIND) == PAYLOAD
    with pytest.raises(IntegrityError):
        verify(attach(asked, {}, public_of(key)), public_of(key), kind=KIND)


def test_presence_is_proved() -> None:
    ada = Authenticator()
    verify_presence(ada.answer(CHALLENGE), ada.passkey, challenge=CHALLENGE)
    for answer in (
        ada.answer(bytes(32)),
        Authenticator().answer(CHALLENGE),
        ada.answer(CHALLENGE, flags=0x01),
        {},
        {"clientDataJSON": "!", "authenticatorData": "", "signature": ""},
    ):
        with pytest.raises(IntegrityError):
            verify_presence(answer, ada.passkey, challenge=CHALLENGE)
