import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from asgi import Told as Answer
from clips import Clips
from corner import CORRECTED, UNTOLD, VALID, WITHDRAWN, Told, make_corner

from assent.apps.public.checks import Limits
from assent.apps.public.place import place_of
from assent.apps.public.server import build, corner_of
from assent.apps.public.source import Source
from assent.apps.public.words import LANGUAGES

PATHS = ("/", "/verify", "/report", "/find?id=" + VALID, f"/r/{VALID}", f"/r/{VALID}/card")


@pytest.fixture
def told(tmp_path: Path) -> Iterator[Told]:
    made = make_corner(tmp_path, limits=Limits(largest=1 << 20, places=3, each=2))
    yield made
    made.corner.checks.close()


def at(told: Told, path: str, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return told.client.get(f"/assent{path}", headers=named)


def seat(told: Told, size: object = 9, **headers: str) -> Answer:
    body = json.dumps({"size": size, "name": "a.mp4"}).encode()
    sent = {"Content-Type": "application/json", **headers}
    return told.client.request("POST", "/assent/verify/seat", iter([body]), headers=sent)


def send(told: Told, ticket: str, data: bytes, **headers: str) -> Answer:
    return told.client.request(
        "PUT", f"/assent/verify/{ticket}/file", iter([data]), headers=headers
    )


@pytest.mark.parametrize("path", PATHS[:3] + PATHS[4:])
def test_pages_are_there_in_three_languages(told: Told, path: str) -> None:
    for language in LANGUAGES:
        for end in ("", "/"):
            page = at(told, f"/{language}{path.rstrip('/')}{end}")
            assert page.status_code == 200
            assert f'<html lang="{language}">' in page.text
            assert page.headers["content-language"] == language
            assert "vary" not in page.headers
    asked = at(told, path, Accept_Language="de-AT,de;q=0.9")
    assert asked.content == at(told, f"/de{path}").content
    assert asked.headers["vary"] == "Accept-Language"
    assert at(told, path).headers["content-language"] == "en"


def test_a_record_says_what_stands_and_what_does_not(told: Told) -> None:
    page = at(told, f"/en/r/{VALID}").text
    for words in (
        "This release stands",
        "A lesson about &lt;faces&gt;.",
        "Education",
        "22 November 2026",
        "Small &lt;Films&gt;",
        f"https://films.example/assent/r/{VALID}",
        f"{1:064x}",
        "Report a concern",
    ):
        assert words in page
    assert "no longer agrees" in at(told, f"/en/r/{WITHDRAWN}").text
    corrected = at(told, f"/de/r/{CORRECTED}").text
    assert "berichtigte Veröffentlichung" in corrected
    assert f"/assent/de/r/{VALID}/" in corrected
    assert "published no more about it" in at(told, f"/en/r/{UNTOLD}").text
    # Words in a language that the studio didn't write are marked as what they are.
    assert '<dd lang="en">A lesson' in at(told, f"/es/r/{VALID}").text


def test_programs_get_the_record_and_its_proof(told: Told) -> None:
    answer = at(told, f"/r/{VALID}.json")
    fields = json.loads(answer.text)
    assert (fields["state"], fields["category"]) == ("valid", "education")
    assert [each["index"] for each in fields["seals"]] == [1, 5]
    assert answer.headers["access-control-allow-origin"] == "*"
    proof = at(told, f"/r/{VALID}/1.tlog-proof")
    assert proof.text.startswith("c2sp.org/tlog-proof@v1\nindex 1\n")
    # Of another release, or of none.
    for path in (f"/r/{VALID}/2.tlog-proof", f"/r/{VALID}/99.tlog-proof"):
        assert at(told, path).status_code == 404
    assert json.loads(at(told, f"/r/{CORRECTED}.json").text)["successor"] == VALID


def test_codes_lead_to_the_record(told: Told) -> None:
    assert at(told, f"/r/{VALID}/qr.svg").headers["content-type"] == "image/svg+xml"
    assert at(told, f"/r/{VALID}/qr.png").content.startswith(b"\x89PNG")
    assert at(told, f"/r/{'0' * 16}/qr.png").status_code == 404


def test_what_was_typed_leads_to_the_record_and_nowhere_else(told: Told) -> None:
    found = at(told, f"/de/find?id=https://evil.example/r/{VALID}")
    assert (found.status_code, found.headers["location"]) == (303, f"/assent/de/r/{VALID}/")
    for typed in ("", "//evil.example", "%0d%0aSet-Cookie:a=b", "0" * 16):
        missed = at(told, f"/en/find?id={typed}")
        assert missed.status_code == 404
        assert "location" not in missed.headers
        assert "No such release" in missed.text


def test_caches_are_told_what_they_may_keep(told: Told) -> None:
    page = at(told, f"/en/r/{VALID}")
    assert page.headers["cache-control"] == "public, max-age=30, must-revalidate"
    for tag in (
        page.headers["etag"],
        f"W/{page.headers['etag']}",
        "*",
        f'"x", {page.headers["etag"]}',
    ):
        again = at(told, f"/en/r/{VALID}", If_None_Match=tag)
        assert (again.status_code, again.content) == (304, b"")
    assert at(told, f"/en/r/{VALID}", If_None_Match='"x"').status_code == 200
    size = told.studio.log.size
    tile = at(told, f"/log/tile/entries/000.p/{size}")
    assert "immutable" in tile.headers["cache-control"]
    assert (
        at(told, "/log/checkpoint").headers["cache-control"] == "public, max-age=5, must-revalidate"
    )
    link = at(told, "/en/").text.partition('rel="stylesheet" href="/assent')[2].partition('"')[0]
    assert "immutable" in at(told, link).headers["cache-control"]
    assert (
        "immutable" not in at(told, "/static/page.css?v=0123456789abcdef").headers["cache-control"]
    )


def test_a_withdrawal_is_told_at_once(tmp_path: Path) -> None:
    now = [0.0]
    told = make_corner(tmp_path, monotonic=lambda: now[0])
    before = at(told, f"/en/r/{VALID}")
    told.note({"kind": "consent.withdrawn", "receipt": "22" * 32, "time": "2026-11-23T10:00:00Z"})
    now[0] += 2
    after = at(told, f"/en/r/{VALID}")
    assert "Consent was withdrawn" in after.text
    assert after.headers["etag"] != before.headers["etag"]


def test_nothing_is_found_that_is_not_public(told: Told) -> None:
    for path in (
        "/nothing",
        "/static/nothing.css",
        "/static/../server.py",
        "/static/%2e%2e/server.py",
        "/log/.lock",
        "/log/../studio.toml",
        "/log/%2e%2e/keys/id",
        "/log/tile/entries/000.p/99",
        f"/r/{VALID.upper()}",
        "/r/../../etc/passwd",
        "/fr/",
        "/EN/",
        f"/verify/{'a' * 32}",
        f"/verify/{'a' * 32}/state",
        f"/verify/{'a' * 32}/result.json",
    ):
        assert at(told, path).status_code == 404, path
    assert told.client.get("/").status_code == 404


def test_every_answer_carries_the_headers(told: Told) -> None:
    for path in ("/", f"/r/{VALID}", f"/r/{VALID}.json", "/log/checkpoint", "/nothing"):
        headers = at(told, path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["strict-transport-security"]
        assert "set-cookie" not in headers
    assert "sandbox" in at(told, "/log/checkpoint").headers["content-security-policy"]


def test_a_file_is_sent_and_its_answer_shown(told: Told, clips: Clips) -> None:
    data = clips.plain().read_bytes()
    answer = seat(told, len(data))
    assert answer.status_code == 201
    ticket = json.loads(answer.text)["ticket"]
    assert "Please wait" in at(told, f"/en/verify/{ticket}").text
    assert at(told, f"/verify/{ticket}/result.json").status_code == 400
    assert send(told, ticket, data).status_code == 202
    until = time.monotonic() + 120
    while (stage := json.loads(at(told, f"/verify/{ticket}/state").text)["stage"]) != "done":
        assert stage != "failed"
        assert time.monotonic() < until
        time.sleep(0.1)
    for language, words in (
        ("en", "found. That proves nothing."),
        ("de", "Das beweist nichts."),
        ("es", "Eso no prueba nada."),
    ):
        page = at(told, f"/{language}/verify/{ticket}/")
        assert words in page.text
        assert page.headers["cache-control"] == "no-store"
    document = json.loads(at(told, f"/verify/{ticket}/result.json").text)
    assert (document["verdict"], document["size"]) == ("nothing-found", len(data))
    assert send(told, ticket, data).status_code == 404


def test_what_cannot_be_read_is_told_in_words(told: Told) -> None:
    ticket = json.loads(seat(told, 9).text)["ticket"]
    assert send(told, ticket, b"no film..").status_code == 202
    until = time.monotonic() + 120
    while json.loads(at(told, f"/verify/{ticket}/state").text)["stage"] != "failed":
        assert time.monotonic() < until
        time.sleep(0.1)
    assert "can&#39;t be examined" in at(told, f"/en/verify/{ticket}").text
    assert at(told, f"/verify/{ticket}/result.json").status_code == 400


@pytest.mark.parametrize(
    ("size", "status"),
    [(0, 400), (-5, 400), ("9", 400), (True, 400), (None, 400), (2 << 20, 413), (1 << 70, 413)],
)
def test_sizes_that_are_refused(told: Told, size: object, status: int) -> None:
    assert seat(told, size).status_code == status


def test_files_of_another_size_than_was_said(told: Told) -> None:
    for data, headers in ((b"x" * 10, {}), (b"x" * 8, {}), (b"x" * 9, {"Content-Length": "10"})):
        ticket = json.loads(seat(told, 9).text)["ticket"]
        assert send(told, ticket, data, **headers).status_code == 400
        assert at(told, f"/verify/{ticket}/state").status_code == 404


def test_places_and_tries_end_with_a_word_on_when_to_come_back(tmp_path: Path) -> None:
    told = make_corner(tmp_path, limits=Limits(largest=1 << 20, places=1, each=1))
    assert seat(told).status_code == 201
    many = seat(told)
    assert (many.status_code, "retry-after" in many.headers) == (429, False)
    for _ in range(8):
        seat(told)
    often = seat(told)
    assert often.status_code == 429
    assert 0 < int(often.headers["retry-after"]) <= 31


def test_all_places_taken_is_503(tmp_path: Path) -> None:
    told = make_corner(tmp_path, limits=Limits(largest=1 << 20, places=1, each=9))
    seat(told)
    busy = seat(told)
    assert busy.status_code == 503
    assert int(busy.headers["retry-after"]) >= 5


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_other_sites_cannot_have_their_visitors_ask(told: Told, headers: dict[str, str]) -> None:
    assert seat(told, 9, **headers).status_code == 403
    assert seat(told, 9, Origin="https://films.example").status_code == 201


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b'{"size":' + b"9" * 5000 + b"}"])
def test_bodies_that_are_no_objects(told: Told, body: bytes) -> None:
    answer = told.client.request(
        "POST", "/assent/verify/seat", iter([body]), headers={"Content-Type": "application/json"}
    )
    assert answer.status_code in (400, 413)


def test_a_long_body_is_refused_while_it_comes(told: Told) -> None:
    asked = []

    def endless() -> Iterator[bytes]:
        while True:
            asked.append(1)
            yield b"x" * 4096

    answer = told.client.request(
        "POST", "/assent/verify/seat", endless(), headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 413
    assert len(asked) < 20


def test_a_damaged_log_is_no_page_and_no_traceback(told: Told) -> None:
    source = Source(told.studio.folder.parent / "nothing")
    corner = corner_of(source, place_of("https://films.example", contact="x"))
    with pytest.raises(Exception, match="no log in"):
        corner.pages.home("en")
    assert build(corner) is not None


def test_the_page_for_browsers_is_served_with_its_own_policy(tmp_path: Path) -> None:
    told = make_corner(
        tmp_path, checker=lambda: {"index.html": b"<!doctype html>", "a.wasm": b"\0asm"}
    )
    page = told.client.get("/assent/check/")
    assert (page.status_code, page.text) == (200, "<!doctype html>")
    assert "'wasm-unsafe-eval'" in page.headers["content-security-policy"]
    wasm = told.client.get("/assent/check/a.wasm")
    assert wasm.headers["content-type"] == "application/wasm"
    again = told.client.get("/assent/check/a.wasm", {"If-None-Match": wasm.headers["etag"]})
    assert again.status_code == 304
    for path in ("/assent/check/b", "/assent/check/../studio.toml"):
        assert told.client.get(path).status_code == 404
    assert told.client.post("/assent/check/").status_code in (404, 405)
