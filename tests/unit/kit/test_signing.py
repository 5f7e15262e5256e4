import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import OctKey, OKPKey

from assent.kit.errors import AssentError, InputError, IntegrityError
from assent.kit.signing import (
    from_jwk,
    from_pem,
    new_key,
    peek,
    public_of,
    sign,
    thumbprint,
    to_jwk,
    to_pem,
    verify,
)

KEY = new_key()
TOKEN = sign({"a": 1}, KEY, kind="x+jws")


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def test_what_was_signed_is_read_back() -> None:
    assert verify(TOKEN, public_of(KEY), kind="x+jws") == {"a": 1}
    assert peek(TOKEN) == {"a": 1}
    header = json.loads(base64.urlsafe_b64decode(TOKEN.split(".")[0] + "=="))
    assert header == {"alg": "Ed25519", "typ": "x+jws", "kid": thumbprint(KEY)}


def test_equal_values_have_equal_signatures() -> None:
    assert sign({"b": 1, "a": 2}, KEY, kind="x") == sign({"a": 2, "b": 1}, KEY, kind="x")


def test_another_key_another_kind() -> None:
    with pytest.raises(IntegrityError, match="the signature does not match"):
        verify(TOKEN, public_of(new_key()), kind="x+jws")
    with pytest.raises(IntegrityError, match=r"this is not a y\+jws"):
        verify(TOKEN, public_of(KEY), kind="y+jws")


def test_other_algorithms_are_refused() -> None:
    """RFC 8725, 2.1: neither none nor an HMAC with the public key's bytes."""
    x = base64.urlsafe_b64decode(to_jwk(public_of(KEY))["x"] + "=")
    secret = OctKey.import_key(x)
    hmac = jws.serialize_compact({"alg": "HS256", "typ": "x+jws"}, b'{"a":1}', secret)
    none = f"{part({'alg': 'none', 'typ': 'x+jws'})}.{part({'a': 1})}."
    for token in (hmac, none):
        with pytest.raises(IntegrityError, match="the signature does not match"):
            verify(token, public_of(KEY), kind="x+jws")


def test_only_objects_are_read() -> None:
    token = sign([1], KEY, kind="x+jws")
    with pytest.raises(IntegrityError, match="what was signed is not a JSON object"):
        verify(token, public_of(KEY), kind="x+jws")
    with pytest.raises(InputError, match="this is not a signed statement"):
        peek(token)


@given(st.data())
def test_any_character_counts(data: st.DataObject) -> None:
    # The last character of a signature holds bits that mean nothing.
    place = data.draw(st.integers(0, len(TOKEN) - 2))
    other = data.draw(st.characters(codec="utf-8").filter(lambda c: c != TOKEN[place]))
    with pytest.raises(IntegrityError):
        verify(TOKEN[:place] + other + TOKEN[place + 1 :], public_of(KEY), kind="x+jws")


@given(st.text() | st.tuples(st.text(), st.text(), st.text()).map(".".join))
def test_any_text(text: str) -> None:
    with pytest.raises(IntegrityError):
        verify(text, public_of(KEY), kind="x+jws")
    with pytest.raises(InputError):
        peek(text)


def test_keys_survive_their_files() -> None:
    assert thumbprint(from_pem(to_pem(KEY), name="x")) == thumbprint(KEY)
    again = from_jwk(to_jwk(public_of(KEY)), name="x")
    assert thumbprint(again) == thumbprint(KEY)
    assert isinstance(again, OKPKey)
    assert not again.is_private


def test_a_public_key_has_nothing_private() -> None:
    assert set(to_jwk(KEY)) >= {"kty", "crv", "x"}
    assert "d" not in to_jwk(KEY)
    assert "d" not in public_of(KEY).as_dict()
    read = from_jwk(dict(KEY.as_dict(private=True)), name="x")
    assert isinstance(read, OKPKey)
    assert not read.is_private


def ec_pem() -> bytes:
    key = generate_private_key(SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize(
    "pem",
    [
        b"",
        b"not a key",
        b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        KEY.as_pem(private=False),
        OKPKey.generate_key("X25519").as_pem(private=True),
        ec_pem(),
    ],
)
def test_what_is_no_private_key(pem: bytes) -> None:
    with pytest.raises(InputError, match=r"ada\.pem is not a private"):
        from_pem(pem, name="ada.pem")


@pytest.mark.parametrize(
    "jwk",
    [
        {},
        {"kty": "OKP"},
        {"kty": "OKP", "crv": "X25519", "x": "AAAA"},
        {"kty": "EC", "crv": "P-256", "x": "AAAA", "y": "AAAA"},
        {"kty": "OKP", "crv": "Ed25519"},
        {"kty": "OKP", "crv": "Ed25519", "x": "short"},
        {"kty": "OKP", "crv": "Ed25519", "x": 3},
        {"kty": "OKP", "crv": "Ed25519", "x": "\u00fc" * 43},
    ],
)
def test_what_is_no_public_key(jwk: dict[str, object]) -> None:
    with pytest.raises(AssentError, match=r"ada's key is not"):
        from_jwk(jwk, name="ada's key")


@pytest.mark.parametrize("payload", [b"not json", b"\xff\xfe", b"[" * 60_000])
def test_what_is_signed_must_be_json(payload: bytes) -> None:
    key = new_key()
    header = {"alg": "Ed25519", "typ": "t+jws"}
    token = jws.serialize_compact(header, payload, key, algorithms=["Ed25519"])
    with pytest.raises(IntegrityError, match="not JSON"):
        verify(token, public_of(key), kind="t+jws")
    with pytest.raises(InputError):
        peek(token)
