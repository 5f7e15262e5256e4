"""Certificates in any order: what an authority on OpenSSL sends is read."""

import itertools
import shutil
from pathlib import Path

import pytest
from rfc3161_client import decode_timestamp_response
from servers import time_stamping

from assent.kit.anchors._der import sort_certificates
from assent.kit.anchors.authority import ask_authority, load_roots, verify_stamp
from assent.kit.clock import system


@pytest.mark.enable_socket
@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_every_order_is_read_as_the_right_one(tmp_path: Path) -> None:
    with time_stamping(tmp_path) as tsa:
        roots = load_roots(tsa.root_pem)
        right = sort_certificates(ask_authority(b"note", tsa.url, roots=roots, clock=system))
    found = verify_stamp(right, b"note", roots)
    certificates = decode_timestamp_response(right).signed_data.certificates
    assert len(certificates) == 2
    orders = [b"".join(each) for each in itertools.permutations(certificates)]
    whole = next(each for each in orders if each in right)
    for order in orders:
        other = right.replace(whole, order)
        assert sort_certificates(other) == right
        assert verify_stamp(other, b"note", roots) == found
    with pytest.raises(ValueError, match="InvalidSetOrdering"):
        decode_timestamp_response(right.replace(whole, orders[1 - orders.index(whole)]))


@pytest.mark.parametrize(
    "data",
    [b"", b"\x30", b"\x30\x00", b"\x30\x05\x30\x03\x02\x01\x02"],
    ids=["nothing", "cut off", "empty", "a refusal"],
)
def test_what_has_no_certificates_stays_as_it_is(data: bytes) -> None:
    assert sort_certificates(data) == data


@pytest.mark.parametrize(
    "data",
    [b"\x31\x00", b"\x30\x02\x05\x01", b"\x30\x80", b"\x30\x85\x01\x01\x01\x01\x01", b"\x30\x09"],
)
def test_what_is_no_der_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"element|length|cut off"):
        sort_certificates(data)
