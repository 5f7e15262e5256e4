"""The page for everybody is written whole, or not at all."""

import json
import shutil
from pathlib import Path

import pytest

from assent.kit.errors import InputError, IntegrityError, NotFoundError
from assent.verify.page.site import PACKAGE, find_package, write_site

ROOT = Path(__file__).parents[3]
INSTALLED = ROOT / "web" / "node_modules" / PACKAGE
needs_package = pytest.mark.skipif(
    not INSTALLED.is_dir(), reason="no c2pa-wasm here: `npm ci` in web/"
)


@needs_package
def test_the_package_is_looked_for_beside_and_above(tmp_path: Path) -> None:
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    # A checkout brings its own; one that lies nearer comes first.
    assert find_package(None, beside=deep) == INSTALLED
    near = tmp_path / "node_modules" / PACKAGE
    shutil.copytree(INSTALLED, near)
    assert find_package(None, beside=deep) == near
    assert find_package(INSTALLED, beside=deep) == INSTALLED


def test_a_package_that_is_missing_is_told_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="c2pa-wasm is not in") as told:
        find_package(tmp_path, beside=tmp_path)
    assert "npm install --ignore-scripts @contentauth/c2pa-wasm@0.13.3" in told.value.advice


@needs_package
@pytest.mark.parametrize("name", ["c2pa.js", "c2pa_bg.wasm"])
def test_a_package_that_is_another_is_refused(tmp_path: Path, name: str) -> None:
    shutil.copytree(INSTALLED, tmp_path / "p")
    with (tmp_path / "p" / "pkg" / name).open("ab") as file:
        file.write(b"\n")
    with pytest.raises(IntegrityError, match="is not that of version"):
        find_package(tmp_path / "p", beside=tmp_path)
    (tmp_path / "p" / "pkg" / name).unlink()
    with pytest.raises(IntegrityError):
        find_package(tmp_path / "p", beside=tmp_path)


@needs_package
def test_the_page_is_written_again_but_over_nothing_else(tmp_path: Path) -> None:
    made = write_site(tmp_path / "p", [b"one", b"two"], package=INSTALLED)
    names = {path.name for path in (tmp_path / "p").iterdir()}
    assert len(names) == made
    assert json.loads((tmp_path / "p" / "bundles.json").read_text()) == [
        "bundle-1.txt", "bundle-2.txt",
    ]  # fmt: skip
    kept = json.loads((tmp_path / "p" / "verify-page.json").read_text())["files"]
    assert set(kept) == names - {"verify-page.json"}
    assert write_site(tmp_path / "p", [b"one"], package=INSTALLED) == made - 1
    (tmp_path / "q").mkdir()
    (tmp_path / "q" / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="holds something else"):
        write_site(tmp_path / "q", [b"one"], package=INSTALLED)
    with pytest.raises(InputError, match="needs a trust bundle"):
        write_site(tmp_path / "r", [], package=INSTALLED)


def test_the_pages_own_files_lead_to_no_other_server() -> None:
    static = ROOT / "src" / "assent" / "verify" / "page" / "static"
    for path in static.iterdir():
        text = path.read_text().replace("http://www.w3.org/2000/svg", "")
        assert "http://" not in text, path.name
        assert "https://" not in text, path.name
        assert "innerHTML" not in text, path.name
