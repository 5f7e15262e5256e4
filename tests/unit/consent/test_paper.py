import re
import zlib

from assent.consent.paper import draw_receipt


def drawn(**changes: str) -> bytes:
    return draw_receipt(
        title=changes.get("title", "Receipt"),
        lead="Both have signed.",
        notice=changes.get("notice", "One line\n- and another"),
        facts=[("Of you", ["face"]), ("Allowed", ["one", "two"])],
        proof_label="The signed receipt",
        token=changes.get("token", "a.b.c"),
        language="de",
    )


def test_a_receipt_is_a_pdf_in_its_language() -> None:
    data = drawn()
    assert data.startswith(b"%PDF-")
    assert data.rstrip().endswith(b"%%EOF")
    assert b"(de)" in data


def test_a_long_token_runs_over_pages() -> None:
    short, long = drawn(), drawn(token="a" * 30_000)
    assert len(re.findall(rb"/Type /Page\b", short)) == 1
    assert len(re.findall(rb"/Type /Page\b", long)) > 1


def test_names_are_text_and_no_markup() -> None:
    """What people write must not break the paper or load anything."""
    data = drawn(title="<img src='file:///etc/passwd'/> & <b>", notice="<a href='x'>\n</para>")
    assert data.startswith(b"%PDF-")
    assert b"root:" not in data
    assert zlib.crc32(data)
