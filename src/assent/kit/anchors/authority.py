"""Time stamps (RFC 3161): an authority signs that it saw a checkpoint at a time.

    response = ask_authority(note, "https://tsa.example", roots=load_roots(pem), clock=system)
    verify_stamp(response, note, roots).time

A stamp says that the checkpoint was there *by* that time, as far as the authority is believed. It
says nothing of stamps that somebody threw away.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerifierBuilder,
    decode_timestamp_response,
)

from assent.kit.anchors._der import sort_certificates
from assent.kit.clock import Clock, stamp
from assent.kit.errors import FetchError, InputError, IntegrityError
from assent.kit.fetch.exchange import Post
from assent.kit.fetch.fetch import fetch_bytes
from assent.kit.fetch.wire import Fetch, Limits

__all__ = ["Stamp", "ask_authority", "load_roots", "verify_stamp"]

_LIMITS = Limits(size=1 << 16, seconds=30.0, silence=15.0, redirects=0)
_CLOCKS_APART = timedelta(minutes=10)
_MOST_CERTIFICATES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """A verified time stamp: when, UTC, and who says so."""

    time: datetime
    authority: str


def load_roots(pem: bytes) -> tuple[x509.Certificate, ...]:
    """Return the certificates that the user trusts for time; raises `InputError` without any."""
    try:
        roots = x509.load_pem_x509_certificates(pem)
    except ValueError as error:
        raise InputError(
            "this is no PEM file of certificates",
            advice="Give the root certificate that the authority publishes, as PEM.",
        ) from error
    if len(roots) > _MOST_CERTIFICATES:
        raise InputError("too many certificates", advice="Give the authority's own root.")
    return tuple(roots)


def ask_authority(
    note: bytes,
    url: str,
    *,
    roots: Sequence[x509.Certificate],
    clock: Clock,
    how: Fetch | None = None,
) -> bytes:
    """Return an authority's response about `note`, DER, once it is verified.

    Raises:
        FetchError: it can't be reached, is slow, or answers what is no time stamp or a refusal.
        IntegrityError: the stamp is of other bytes, doesn't come from under `roots`, or its time
            isn't ours.
    """
    request = TimestampRequestBuilder().data(note).hash_algorithm(HashAlgorithm.SHA256).build()
    answer, data = fetch_bytes(
        url,
        post=Post(body=request.as_bytes(), content_type="application/timestamp-query"),
        own=True,
        how=how,
        limits=_LIMITS,
    )
    if answer.status != 200:
        raise FetchError(f"the time-stamp authority answers with HTTP {answer.status}")
    response = _decode(data)
    if response is None:
        raise FetchError("what the time-stamp authority answers is no time stamp")
    if response.status != 0:
        raise FetchError(
            "the time-stamp authority refuses",
            advice="Look whether it wants an account or another address.",
        )
    found = _verify(response, note, roots, nonce=request.nonce)
    if abs(found.time - clock()) > _CLOCKS_APART:
        raise IntegrityError(
            f"the time-stamp authority says {stamp(found.time)}, this machine {stamp(clock())}",
            advice="Set this machine's clock, or use another authority.",
        )
    return data


def verify_stamp(data: bytes, note: bytes, roots: Sequence[x509.Certificate]) -> Stamp:
    """Return what a stored response (DER) says about `note`.

    Certificates count as of the stamp's time; whether one was revoked is not asked.

    Raises:
        IntegrityError: it is no time stamp, or of other bytes, or not from under `roots`.
    """
    response = _decode(data)
    if response is None or response.status != 0:
        raise IntegrityError("this is no time stamp")
    return _verify(response, note, roots, nonce=None)


def _decode(data: bytes) -> TimeStampResponse | None:
    try:
        return decode_timestamp_response(sort_certificates(data))
    except ValueError:
        return None


def _verify(
    response: TimeStampResponse,
    note: bytes,
    roots: Sequence[x509.Certificate],
    *,
    nonce: int | None,
) -> Stamp:
    builder = VerifierBuilder(roots=list(roots), nonce=nonce)
    try:
        builder.build().verify_message(response, note)
        time = response.tst_info.gen_time
        authority = _signer(response)
    except Exception as error:
        # Of a stranger's certificates the libraries raise what they like.
        raise IntegrityError(
            f"the time stamp doesn't hold: {_plain(error)}",
            advice="Check that the root certificate is this authority's; else use another one.",
        ) from error
    return Stamp(time=time.astimezone(UTC), authority=authority)


def _signer(response: TimeStampResponse) -> str:
    """Return the name in the certificate that the stamp was signed with."""
    (signer,) = response.signed_data.signer_infos
    for data in response.signed_data.certificates:
        found = x509.load_der_x509_certificate(data)
        if (found.issuer, found.serial_number) == (signer.issuer, signer.serial_number):
            return _plain(found.subject.rfc4514_string())
    raise ValueError("its signer's certificate is missing")


def _plain(what: object) -> str:
    return "".join(each if each.isprintable() else " " for each in str(what))[:200]
