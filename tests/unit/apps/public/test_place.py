from pathlib import Path

import pytest

from assent.apps.public.place import keep_place, kept_place, place_of
from assent.kit.disk import Disk
from assent.kit.errors import InputError


def test_the_address_is_taken_apart_once() -> None:
    place = place_of("https://Films.example/assent/", contact="a@b.example")
    assert (place.url, place.base) == ("https://films.example/assent", "/assent")
    assert (place.origin, place.secure) == ("https://films.example", True)
    assert place.record("ab" * 8) == f"https://films.example/assent/r/{'ab' * 8}"
    assert place_of("http://localhost:8768", contact="x").base == ""


@pytest.mark.parametrize(
    "url",
    [
        "",
        "films.example",
        "ftp://films.example",
        "https://user:secret@films.example",
        "https://films.example/?a=b",
        "https://films.example/#a",
        "https://films.example/a b",
        'https://films.example/"onload=',
        "https://films.example:99999/",
        "https://films.example/" + "a" * 300,
        "javascript:alert(1)//films.example",
        "https://fílms.example",
    ],
)
def test_what_is_no_plain_address_is_refused(url: str) -> None:
    with pytest.raises(InputError, match="can't be where"):
        place_of(url, contact="x")


def test_a_language_without_words_is_refused() -> None:
    with pytest.raises(InputError, match="no words in"):
        place_of("https://films.example", contact="x", language="tlh")


def test_a_place_is_kept(tmp_path: Path) -> None:
    disk = Disk()
    assert kept_place(tmp_path) is None
    place = place_of("https://films.example", contact="a@b.example", language="de")
    keep_place(tmp_path, place, disk)
    assert kept_place(tmp_path) == place
    (tmp_path / "public" / "site.json").write_text('{"url": "https://films.example"}')
    with pytest.raises(InputError, match="damaged"):
        kept_place(tmp_path)
