"""An organisation's own certificates: good ones, and each way of being wrong."""

from datetime import UTC, datetime, timedelta

import pytest
from authorities import Authority, Wanted

from assent.kit.c2pa.certificates import CLAIM_SIGNING, Chain
from assent.kit.c2pa.keys import PemKey
from assent.kit.c2pa.own import own_chain
from assent.kit.errors import BriefError

NOW = datetime(2026, 11, 2, tzinfo=UTC)
SERVER = "1.3.6.1.5.5.7.3.1"
STAMPS = "1.3.6.1.5.5.7.3.8"
ANYTHING = "2.5.29.37.0"
MAIL = "1.3.6.1.5.5.7.3.4"


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority.make(NOW)


def given(authority: Authority, wanted: Wanted, *, now: datetime = NOW) -> Chain:
    leaf, key = authority.issue(wanted)
    return own_chain(
        chain_pem=leaf + authority.middle_pem, root_pem=authority.root_pem, leaf_key_pem=key,
        public=PemKey(key).public, now=now,
    )  # fmt: skip


@pytest.mark.parametrize("kind", ["p256", "p384", "p521", "ed25519", "rsa"])
@pytest.mark.parametrize("purpose", [CLAIM_SIGNING.dotted_string, MAIL])
def test_certificates_for_claims_or_mail_are_taken(
    authority: Authority, kind: str, purpose: str
) -> None:
    chain = given(authority, Wanted(kind=kind, purposes=(purpose,)))
    assert (chain.organisation, chain.local) == ("Nord Broadcasting", False)
    assert chain.chain_pem.count(b"BEGIN") == 2
    assert chain.root_pem == authority.root_pem


def test_the_root_may_stand_in_the_chain_too(authority: Authority) -> None:
    leaf, key = authority.issue(Wanted())
    chain = own_chain(
        chain_pem=leaf + authority.middle_pem + authority.root_pem, root_pem=authority.root_pem,
        leaf_key_pem=key, now=NOW,
    )  # fmt: skip
    assert chain.chain_pem == leaf + authority.middle_pem


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        (Wanted(purposes=(SERVER,)), r"doesn't sign claims \(1.3.6.1.5.5.7.3.1\)"),
        (Wanted(purposes=()), r"doesn't sign claims \(none\)"),
        (Wanted(purposes=(MAIL, STAMPS)), "also for time stamps"),
        (Wanted(purposes=(MAIL, ANYTHING)), "anything at all"),
        (Wanted(signs=False), "key usage is not to sign"),
        (Wanted(authority=True), "key usage is not to sign|authority's"),
        (Wanted(usage=False), "key usage is not to sign"),
        (Wanted(kind="k256"), "keys of this kind"),
        (Wanted(kind="rsa-short"), "keys of this kind"),
        (Wanted(starts=timedelta(days=1)), "valid from 2026-11-03"),
        (Wanted(starts=timedelta(days=-400)), "to 2026-09-28 only"),
    ],
)
def test_a_wrong_certificate_is_refused_in_words(
    authority: Authority, wanted: Wanted, reason: str
) -> None:
    leaf, _ = authority.issue(wanted)
    with pytest.raises(BriefError, match=reason):
        own_chain(chain_pem=leaf + authority.middle_pem, root_pem=authority.root_pem, now=NOW)


def test_chain_root_and_key_must_belong_together(authority: Authority) -> None:
    other = Authority.make(NOW)
    leaf, _ = authority.issue(Wanted())
    _, key = authority.issue(Wanted())
    wrong: list[tuple[str, bytes, bytes]] = [
        ("not issued by the one after it", leaf + other.middle_pem, other.root_pem),
        ("not issued by the one after it", leaf + authority.middle_pem, other.root_pem),
        ("one that is no authority's", leaf + leaf.replace(leaf, authority.issue(Wanted())[0]),
         authority.root_pem),
        ("no certificates in PEM", b"nothing", authority.root_pem),
        ("no certificates in PEM", leaf, b"nothing"),
        ("7 certificates is too long", leaf * 7, authority.root_pem),
    ]  # fmt: skip
    for reason, chain_pem, root_pem in wrong:
        with pytest.raises(BriefError, match=reason):
            own_chain(chain_pem=chain_pem, root_pem=root_pem, now=NOW)
    with pytest.raises(BriefError, match="not of this key"):
        own_chain(
            chain_pem=leaf + authority.middle_pem, root_pem=authority.root_pem,
            public=PemKey(key).public, now=NOW,
        )  # fmt: skip


@pytest.mark.parametrize("pem", [b"", b"nothing", b"-----BEGIN PRIVATE KEY-----\nAAAA\n"])
def test_what_is_no_key_signs_nothing(pem: bytes) -> None:
    with pytest.raises(BriefError, match="no unencrypted private key"):
        PemKey(pem)
