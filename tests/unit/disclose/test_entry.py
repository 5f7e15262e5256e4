import json
from dataclasses import fields

import pytest

from assent.disclose.entry import SealEntry
from assent.kit.errors import AssentError, IntegrityError

ENTRY = SealEntry(
    media="video",
    asset_id="00" * 8,
    sha256="11" * 32,
    frames=120,
    fingerprint="ISCC:X",
    receipts=("33" * 32, "22" * 32),
    time="2026-11-22T00:00:00Z",
)


def test_it_holds_hashes_and_codes_and_nothing_else() -> None:
    document = json.loads(ENTRY.to_bytes())
    parts = {"media", "asset", "sha256", "fingerprint", "frames", "receipts", "time"}
    assert set(document) == {"kind", *parts}
    assert document["receipts"] == sorted(ENTRY.receipts)


def test_it_comes_back_as_it_was() -> None:
    again = SealEntry.parse(ENTRY.to_bytes())
    assert again.to_bytes() == ENTRY.to_bytes()
    assert {f.name for f in fields(again) if getattr(again, f.name) != getattr(ENTRY, f.name)} == {
        "receipts"
    }


@pytest.mark.parametrize(
    "part", ["media", "asset", "sha256", "fingerprint", "frames", "receipts", "time"]
)
def test_each_part_is_needed(part: str) -> None:
    document = json.loads(ENTRY.to_bytes())
    del document[part]
    with pytest.raises(IntegrityError, match="lacks its parts"):
        SealEntry.parse(json.dumps(document).encode())


@pytest.mark.parametrize("frames", ["1e999", "3.0", "true", '"3"', "null"])
def test_frames_are_a_whole_number(frames: str) -> None:
    document = json.dumps({**json.loads(ENTRY.to_bytes()), "frames": "?"}).replace('"?"', frames)
    with pytest.raises(IntegrityError, match="lacks its parts"):
        SealEntry.parse(document.encode())


def test_receipts_are_a_list() -> None:
    document = {**json.loads(ENTRY.to_bytes()), "receipts": 5}
    with pytest.raises(IntegrityError, match="lacks its parts"):
        SealEntry.parse(json.dumps(document).encode())


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b"\xff", b'{"kind": "consent.granted"}'])
def test_other_entries_are_no_seals(data: bytes) -> None:
    with pytest.raises(AssentError):
        SealEntry.parse(data)


@pytest.mark.parametrize("asset", ["0" * 15, "0" * 17, "G" * 16, "0x" + "0" * 14, " " + "0" * 15])
def test_what_is_no_identifier_is_refused(asset: str) -> None:
    document = json.loads(ENTRY.to_bytes())
    with pytest.raises(IntegrityError, match="lacks its parts"):
        SealEntry.parse(json.dumps(document | {"asset": asset}).encode())
