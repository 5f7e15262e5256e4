from typing import Any

import pytest

from assent.consent.certificate import (
    LIMITS,
    _translate,
    _words,
    hash_certificate,
    read_certificate,
    render_page,
    sign_certificate,
)
from assent.consent.notice import LANGUAGES
from assent.kit.errors import IntegrityError
from assent.kit.signing import new_key, sign

KEY = new_key()
HOSTILE = "</td><script>alert(1)</script>"


def fields(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {
        "studio": {"id": "1", "name": "Nord & Co", "contact": "a@b.example"},
        "record": "4fb0",
        "receipts": ["ab"],
        "ended": {"how": "withdrawn", "time": "2026-11-20T12:00:00Z", "log_entries": [7]},
        "destroyed": [{"what": "wrapped key", "sha256": "cd", "how": "overwritten"}],
        "closed": [
            {"what": "footage", "sha256": "ef", "shared": 2},
            {"what": "face set", "sha256": "01", "shared": 0},
        ],
        "remains": [],
        "issued": "2026-11-20T12:00:00Z",
        **changes,
    }


def test_it_is_the_studios_word_with_its_limits() -> None:
    token = sign_certificate(fields(), KEY)
    read = read_certificate(token, KEY)
    assert {name: read[name] for name in fields()} == fields()
    assert read["limits"] == list(LIMITS)
    assert "flash drive" in read["limits"][0]
    assert len(hash_certificate(token)) == 64


def test_nobody_else_signs_one() -> None:
    with pytest.raises(IntegrityError, match="does not match"):
        read_certificate(sign_certificate(fields(), new_key()), KEY)
    with pytest.raises(IntegrityError, match="not a assent-deletion"):
        read_certificate(sign(fields(), KEY, kind="vc+jwt"), KEY)
    with pytest.raises(IntegrityError, match="another form"):
        read_certificate(sign(fields(), KEY, kind="assent-deletion+jws"), KEY)


@pytest.mark.parametrize(("how", "told"), [("withdrawn", "was withdrawn"), ("expired", "ran out")])
def test_the_page_says_the_same(how: str, told: str) -> None:
    ended = {"how": how, "time": "2026-11-20T12:00:00Z", "log_entries": []}
    token = sign_certificate(fields(ended=ended), KEY)
    page = render_page(read_certificate(token, KEY), token)
    for part in (told, "4fb0", "Nord &amp; Co", "2 other(s)", "nobody", "none", token, "Nothing."):
        assert part in page
    assert hash_certificate(token) in page
    assert all(limit[:40] in page for limit in LIMITS)


def test_no_word_breaks_out_of_the_page() -> None:
    """Names of files and studios are whatever somebody chose."""
    remains = [{"what": HOSTILE, "where": HOSTILE, "sha256": "", "why": HOSTILE}]
    studio = {"id": "1", "name": HOSTILE, "contact": '"><img src=x onerror=alert(1)>'}
    token = sign_certificate(fields(remains=remains, studio=studio, record=HOSTILE), KEY)
    page = render_page(read_certificate(token, KEY), token)
    assert "<script" not in page
    assert "<img" not in page


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("de", ("Bescheinigung der Löschung", "widerrufen wurde", "Gesichtsmerkmale", "2 weiteren",
                "hinterlegter Schlüssel in /media/stick", "gesehen am 2026-11-01",
                "Flash-Speicher")),
        ("es", ("Certificado de eliminación", "fue retirado", "plantillas de la cara", "2 más",
                "clave en custodia en /media/stick", "visto el 2026-11-01", "memoria flash")),
    ],
)  # fmt: skip
def test_the_page_speaks_the_subjects_language(language: str, said: tuple[str, ...]) -> None:
    gone = [{"what": "escrow key in /media/stick", "sha256": "", "how": "removed"}]
    seen = {
        "what": "sighting of ab12", "where": "https://x.example", "sha256": "",
        "why": "seen on 2026-11-01; ask for it to be taken down",
    }  # fmt: skip
    other = {"what": "something new", "where": "", "sha256": "", "why": "{0} is no gap"}
    closed = [{"what": "face templates", "sha256": "ef", "shared": 2}]
    told = fields(destroyed=gone, closed=closed, remains=[seen, other])
    token = sign_certificate(told, KEY)
    page = render_page(read_certificate(token, KEY), token, language=language)
    assert f'<html lang="{language}">' in page
    for each in said:
        assert each in page
    # What nobody foresaw stays as it was signed.
    assert "something new" in page
    assert "{0} is no gap" in page


def test_every_phrase_is_in_every_language() -> None:
    words = {language: _words(language) for language in LANGUAGES}
    for told in words.values():
        assert told.keys() == words["en"].keys()
        assert told["phrases"].keys() == words["en"]["phrases"].keys()
        for name, phrase in told["phrases"].items():
            assert phrase.count("{}") == words["en"]["phrases"][name].count("{}")
    assert set(LIMITS) <= set(words["en"]["phrases"].values())


def test_phrases_are_told_apart_by_their_ends() -> None:
    """A file may be called like another phrase."""
    assert _translate("sheet backup", _words("de")["phrases"]) == "Bogen backup"
    assert _translate("backup", _words("de")["phrases"]) == "Sicherung"
