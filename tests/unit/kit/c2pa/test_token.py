"""Signing with a key in a token: SoftHSM, a token made of software."""

import io
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from authorities import Authority, Wanted
from cryptography.hazmat.primitives.asymmetric import ed25519
from tokens import MODULE, SOFTHSM, SoftToken

from assent.kit.c2pa.manifest import Plan
from assent.kit.c2pa.own import own_chain
from assent.kit.c2pa.read import read
from assent.kit.c2pa.sign import Ingredient, sign
from assent.kit.c2pa.token import TokenKey, TokenPlace
from assent.kit.errors import BriefError, InputError, SealError

pytestmark = pytest.mark.skipif(not SOFTHSM, reason="no SoftHSM here: `apt-get install softhsm2`")
JPEG = "image/jpeg"


def key_of(token: SoftToken, label: str, public: object, **changed: object) -> TokenKey:
    key = TokenKey(
        place=TokenPlace(token=token.label, key=label),
        module=MODULE,
        pin=token.pin,
        public=public,  # type: ignore[arg-type] # some are wrong on purpose
    )
    return replace(key, **changed)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["secp256r1", "secp384r1", "secp521r1", "rsa"])
def test_a_token_signs_what_everybody_can_check(
    kind: str, token: SoftToken, media: dict[str, bytes], plan: Plan
) -> None:
    label = f"claims-{kind}"
    public = token.make_rsa(label) if kind == "rsa" else token.make_key(label, kind)
    authority = Authority.make(datetime.now(UTC))
    leaf, _ = authority.issue(Wanted(public=public))
    key = key_of(token, label, public)
    chain = own_chain(
        chain_pem=leaf + authority.middle_pem, root_pem=authority.root_pem, token=key,
        public=public, now=datetime.now(UTC),
    )  # fmt: skip
    sink = io.BytesIO()
    sign(
        io.BytesIO(media[JPEG]), sink, mime=JPEG, plan=plan, chain=chain, tsa_url=None,
        ingredient=Ingredient(title="footage", mime=JPEG, sha256="00" * 32),
    )  # fmt: skip
    found = read(sink, mime=JPEG, anchors_pem=chain.root_pem, serials={chain.serial})
    assert (found.state, found.issuer) == ("trusted", "Nord Broadcasting")
    assert token.pin not in repr(chain) + repr(key)


def test_what_a_token_refuses_is_told_in_words(token: SoftToken) -> None:
    public = token.make_key("claims")
    good = key_of(token, "claims", public)
    nowhere = "pulled out"
    wrong: list[tuple[str, TokenKey]] = [
        ("can't be opened: PinIncorrect", replace(good, pin="0000")),
        ("can't be opened: NoSuchToken", replace(good, place=TokenPlace(token=nowhere, key="x"))),
        ("can't be opened: .*cannot open", replace(good, module=Path("/nonexistent.so"))),
        ("no one key 'gone'", replace(good, place=TokenPlace(token=token.label, key="gone"))),
    ]
    for reason, key in wrong:
        with pytest.raises(InputError, match=reason) as caught:
            key.sign(b"claim")
        assert key.pin not in str(caught.value)
    with pytest.raises(InputError, match="no one key 'claims'"):
        # The certificate says RSA, the key in the token is on a curve.
        key_of(token, "claims", token.make_rsa("other")).sign(b"claim")
    idle = token.make_key("idle", signs=False)
    with pytest.raises(SealError, match="did not sign"):
        key_of(token, "idle", idle).sign(b"claim")
    with pytest.raises(BriefError, match="P-256"):
        key_of(token, "claims", ed25519.Ed25519PrivateKey.generate().public_key())


def test_without_the_library_it_says_what_to_install(
    token: SoftToken, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = key_of(token, "claims", token.make_key("more"))
    monkeypatch.setitem(sys.modules, "pkcs11", None)
    with pytest.raises(InputError, match="isn't installed"):
        key.sign(b"claim")
