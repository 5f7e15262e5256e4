from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from assent.kit.c2pa.certificates import CLAIM_SIGNING, Chain, make_chain
from assent.kit.errors import BriefError

START = datetime(2026, 11, 1, 12, 0, 0, 999, tzinfo=UTC)


def load(chain: Chain) -> list[x509.Certificate]:
    """Return root, intermediate and leaf."""
    leaf, middle = x509.load_pem_x509_certificates(chain.chain_pem)
    return [x509.load_pem_x509_certificate(chain.root_pem), middle, leaf]


def test_each_certificate_is_issued_by_the_one_above() -> None:
    root, middle, leaf = load(make_chain(organisation="Studio Nord", not_before=START))
    root.verify_directly_issued_by(root)
    middle.verify_directly_issued_by(root)
    leaf.verify_directly_issued_by(middle)
    for issuer, issued in ((root, middle), (middle, leaf)):
        key_id = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        named = issued.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
        assert named.key_identifier == key_id.digest


def test_only_authorities_may_issue_and_only_the_leaf_may_sign() -> None:
    chain = load(make_chain(organisation="Studio Nord", not_before=START))
    limits = [c.extensions.get_extension_for_class(x509.BasicConstraints) for c in chain]
    assert [(limit.critical, limit.value.ca, limit.value.path_length) for limit in limits] == [
        (True, True, 1),
        (True, True, 0),
        (True, False, None),
    ]
    uses = [c.extensions.get_extension_for_class(x509.KeyUsage) for c in chain]
    assert all(use.critical for use in uses)
    assert [use.value.key_cert_sign for use in uses] == [True, True, False]
    assert [use.value.digital_signature for use in uses] == [False, False, True]


def test_leaf_is_for_claims_and_mail_and_names_the_studio() -> None:
    leaf = load(make_chain(organisation="Studio Nord", not_before=START))[2]
    purposes = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert set(purposes) == {CLAIM_SIGNING, ExtendedKeyUsageOID.EMAIL_PROTECTION}
    names = leaf.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    assert [name.value for name in names] == ["Studio Nord"]


def test_leaf_key_fits_the_leaf_and_stays_out_of_the_representation() -> None:
    chain = make_chain(organisation="Studio Nord", not_before=START)
    key = serialization.load_pem_private_key(chain.leaf_key_pem, password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    assert key.public_key() == load(chain)[2].public_key()
    assert "PRIVATE" not in repr(chain)


def test_validity_is_as_asked() -> None:
    chain = make_chain(organisation="Studio Nord", not_before=START, days=30)
    assert chain.not_before == START.replace(microsecond=0)
    assert chain.not_after - chain.not_before == timedelta(days=30)
    for certificate in load(chain):
        assert certificate.not_valid_before_utc == chain.not_before
        assert certificate.not_valid_after_utc == chain.not_after


def test_no_two_chains_share_a_key() -> None:
    chains = [make_chain(organisation="Studio Nord", not_before=START) for _ in range(2)]
    assert chains[0].serial != chains[1].serial
    assert chains[0].fingerprint != chains[1].fingerprint


@pytest.mark.parametrize("name", ["", "   ", "x" * 65, "two\nlines"])
def test_bad_names_are_refused(name: str) -> None:
    with pytest.raises(BriefError):
        make_chain(organisation=name, not_before=START)


def test_bad_spans_are_refused() -> None:
    with pytest.raises(BriefError, match="0 days"):
        make_chain(organisation="Studio Nord", not_before=START, days=0)
    with pytest.raises(BriefError, match="time zone"):
        make_chain(organisation="Studio Nord", not_before=START.replace(tzinfo=None))
