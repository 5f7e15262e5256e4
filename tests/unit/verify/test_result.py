from datetime import UTC, datetime

import pytest

from assent import __version__
from assent.kit.errors import InputError, IntegrityError
from assent.kit.signing import new_key, public_of, sign
from assent.verify.findings import Findings, Source, Verdict
from assent.verify.page.result import HINTS, TONES, to_page
from assent.verify.result import open_result, result_of, sign_result

NOW = datetime(2026, 11, 23, 13, 0, tzinfo=UTC)


def document(**changes: object) -> dict[str, object]:
    findings = Findings(
        file="a.mp4",
        sha256="ab" * 32,
        size=7,
        verdict=Verdict.NOTHING_FOUND,
        summary="Nothing.",
        asset_id=None,
        consent_withdrawn=False,
        layers=(),
        source=Source(studio="S", origin="o", size=3, key_from="k", as_of=None),
    )
    return {**result_of(findings.to_json(), now=NOW), **changes}


def test_a_result_says_of_which_bytes_by_what_and_when() -> None:
    made = document()
    assert (made["sha256"], made["checked"]) == ("ab" * 32, "2026-11-23T13:00:00Z")
    assert made["verifier"] == {"name": "assent", "version": __version__}


def test_a_signed_result_is_checked_with_its_own_key_or_a_known_one() -> None:
    key = new_key()
    token = sign_result(document(), key)
    assert {**document(), "signed_by": open_result(token)["signed_by"]} == open_result(token)
    assert open_result(token + "\n", key=public_of(key))["verdict"] == "nothing-found"
    with pytest.raises(IntegrityError, match="another key"):
        open_result(token, key=public_of(new_key()))


def test_a_changed_result_is_refused() -> None:
    token = sign_result(document(), new_key())
    head, payload, signature = token.split(".")
    other = sign_result(document(verdict="sealed"), new_key()).split(".")[1]
    for forged in (f"{head}.{other}.{signature}", f"{head}.{payload}.{signature[:-4]}AAAA"):
        with pytest.raises(IntegrityError):
            open_result(forged)


@pytest.mark.parametrize("payload", [{"format": "x"}, {"a": 1}])
def test_what_is_no_result_is_refused(payload: dict[str, object]) -> None:
    with pytest.raises(InputError, match="no result"):
        open_result(sign(payload, new_key(), kind="assent-verification+jwt"))


def test_a_result_that_names_no_key_is_refused() -> None:
    with pytest.raises(IntegrityError, match="names no key"):
        open_result(sign(document(), new_key(), kind="assent-verification+jwt"))


def test_every_verdict_has_its_tone_and_hint() -> None:
    assert set(TONES) == set(HINTS) == {verdict.value for verdict in Verdict}


def test_what_a_file_is_called_runs_nothing_on_the_page() -> None:
    evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
    page = to_page(document(file=evil, summary=evil))
    assert "<script" not in page
    assert "<img" not in page
    assert "default-src 'none'; style-src 'sha256-" in page
    assert "http://" not in page
    assert "https://" not in page


def test_the_page_gives_the_signed_result_and_says_when_there_is_none() -> None:
    assert "Download the signed result" in to_page(document(), token=".".join("abc"))
    assert "This page is not signed" in to_page(document())
    assert 'class="answer bad"' in to_page(document(consent_withdrawn=True))
    assert 'class="answer bad"' in to_page(document(ended="revoked"))
