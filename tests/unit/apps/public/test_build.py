import re
from pathlib import Path

import pytest
from corner import CORRECTED, VALID, Told, make_corner, seal

from assent.apps.public.build import MARKER, build_folder
from assent.apps.public.pages import Pages
from assent.apps.public.words import LANGUAGES
from assent.kit.errors import InputError
from assent.kit.tlog.receipt import verify_receipt
from assent.verify.public import open_log


@pytest.fixture
def told(tmp_path: Path) -> Told:
    return make_corner(
        tmp_path, url="https://films.example", monotonic=iter(range(0, 9999, 5)).__next__
    )


def pages_of(told: Told) -> Pages:
    return Pages(place=told.place, source=told.source)


def test_a_folder_holds_all_that_is_static(told: Told, tmp_path: Path) -> None:
    www = tmp_path / "www"
    files, written = build_folder(pages_of(told), www, checker={"index.html": b"<p>"})
    assert files == written
    assert len([each for each in www.rglob("*") if each.is_file()]) == files + 1
    for language in LANGUAGES:
        for path in ("", "verify/", "report/", "log/", f"r/{VALID}/", f"r/{VALID}/card/"):
            assert f'lang="{language}"' in (www / language / path / "index.html").read_text()
    assert (www / "r" / VALID / "index.html").read_bytes() == (
        www / "en" / "r" / VALID / "index.html"
    ).read_bytes()
    assert (www / "r" / CORRECTED / "qr.png").read_bytes().startswith(b"\x89PNG")
    log = open_log(www / "log", vkey=told.studio.log_verifier.vkey)
    proof = (www / "r" / VALID / "1.tlog-proof").read_text()
    entry = told.studio.log.reader().entry(1)
    assert verify_receipt(proof, entry, told.studio.log_verifier).index == 1
    assert log.by_asset(VALID) is not None
    assert (
        "/log/tile/*\n  Cache-Control: public, max-age=31536000, immutable"
        in (www / "_headers").read_text()
    )
    for before in ("", "/en", "/de", "/es"):
        kept = f"{before}/r/*\n  Cache-Control: public, max-age=30, must-revalidate"
        assert kept in (www / "_headers").read_text(), "what was revoked stands in no cache"
    assert not list(www.rglob(".*"))


def test_no_page_leads_nowhere(told: Told, tmp_path: Path) -> None:
    www = tmp_path / "www"
    build_folder(pages_of(told), www)
    for page in www.rglob("*.html"):
        for link in re.findall(r'(?:href|src)="(/[^"?#]*)', page.read_text()):
            path = www / link.lstrip("/")
            assert path.is_file() or (path / "index.html").is_file(), (page, link)


def test_written_again_only_what_changed_is_new(told: Told, tmp_path: Path) -> None:
    www = tmp_path / "www"
    build_folder(pages_of(told), www, checker={"a.js": b"1"})
    assert build_folder(pages_of(told), www, checker={"a.js": b"1"})[1] == 0
    other = "ab" * 8
    told.studio.log.append([seal(other, 9, ())])
    build_folder(pages_of(told), www)
    assert (www / "r" / f"{other}.json").is_file()
    assert not (www / "check" / "a.js").exists()


def test_a_folder_with_something_else_is_left_alone(told: Told, tmp_path: Path) -> None:
    www = tmp_path / "www"
    www.mkdir()
    (www / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="something else"):
        build_folder(pages_of(told), www)
    assert [each.name for each in www.iterdir()] == ["mine.txt"]


def test_a_listing_that_was_changed_removes_nothing_of_others(told: Told, tmp_path: Path) -> None:
    www = tmp_path / "www"
    build_folder(pages_of(told), www)
    mine = tmp_path / "mine.txt"
    mine.write_text("mine")
    (www / MARKER).write_text(f'{{"files": ["../mine.txt", "{mine}", 3]}}')
    build_folder(pages_of(told), www)
    assert mine.read_text() == "mine"
    (www / MARKER).write_text("{")
    with pytest.raises(InputError, match="not JSON"):
        build_folder(pages_of(told), www)
