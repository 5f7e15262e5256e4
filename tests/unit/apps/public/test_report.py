"""The report form as anybody meets it: by requests, with and without good intentions."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from asgi import Told as Answer
from corner import VALID, Told, make_corner

from assent.apps.public.pace import Pace
from assent.apps.public.report import OFFERED
from assent.apps.public.taking import Reports
from assent.apps.public.words import LANGUAGES
from assent.monitor.cases.case import find_case, list_cases, notice_of
from assent.monitor.cases.decision import Decision, decide
from assent.monitor.cases.talk import answer as write

FILLED = {
    "kind": "mislabelled", "reasons": "The label is cut off at the top.",
    "places": "https://videos.example.org/a\n\n https://videos.example.org/b ", "asset": VALID,
    "relation": "other", "name": "Rosa", "email": "rosa@example.org", "good_faith": "yes",
}  # fmt: skip


@pytest.fixture
def told(tmp_path: Path) -> Iterator[Told]:
    made = make_corner(tmp_path)
    yield made
    made.corner.checks.close()


def post(told: Told, path: str, fields: dict[str, Any], **headers: str) -> Answer:
    sent = {"Content-Type": "application/x-www-form-urlencoded", **headers}
    body = urlencode(fields).encode()
    return told.client.request("POST", f"/assent/en{path}", iter([body]), headers=sent)


def report(told: Told, **changes: str) -> Answer:
    return post(told, "/report/", {**FILLED, **changes})


def receipt(page: Answer) -> tuple[str, str]:
    number, pin = re.findall(r"<dd><code>([^<]+)</code></dd>", page.text)
    return number, pin


def test_the_kinds_are_offered_in_three_languages(told: Told) -> None:
    for language in LANGUAGES:
        page = told.client.get(f"/assent/{language}/report/?asset={VALID}").text
        for kind in OFFERED:
            assert f"?kind={kind}&amp;asset={VALID}" in page
            form = told.client.get(f"/assent/{language}/report/?kind={kind}&asset={VALID}")
            assert form.status_code == 200
            assert f'value="{VALID}"' in form.text
            assert form.headers["cache-control"] == "no-store"
            assert "set-cookie" not in form.headers


def test_a_report_is_taken_and_looked_at_with_its_receipt(told: Told) -> None:
    page = report(told)
    assert page.status_code == 201
    number, pin = receipt(page)
    (case,) = list_cases(told.studio)
    assert (case.number, case.channel, case.asset_id) == (number, "public", VALID)
    notice = notice_of(told.studio, case.id)
    assert notice.places == ("https://videos.example.org/a", "https://videos.example.org/b")
    seen = post(told, "/report/state/", {"number": number.lower(), "pin": pin})
    assert (seen.status_code, number in seen.text) == (200, True)
    wrong = post(told, "/report/state/", {"number": number, "pin": "1" * 12})
    assert (wrong.status_code, "belong together" in unescape(wrong.text)) == (403, True)


def test_what_the_studio_decides_can_be_read_answered_and_complained_about(told: Told) -> None:
    number, pin = receipt(report(told))
    case = find_case(told.studio, number)
    write(told.studio, case.id, "Where exactly is <it>?", by="cleo")
    seen = post(told, "/report/state/", {"number": number, "pin": pin})
    assert "Where exactly is &lt;it&gt;?" in seen.text
    (ticket,) = set(re.findall(r'name="ticket" value="([^"]+)"', seen.text))
    more = post(told, "/report/reply/", {"ticket": ticket, "text": "In the <b>third</b> row."})
    assert "In the &lt;b&gt;third&lt;/b&gt; row." in more.text
    early = post(told, "/report/complain/", {"ticket": ticket, "text": "I complain at once."})
    assert early.status_code == 422
    decision = Decision(outcome="rejected", facts="The label is there.", ground="Art. 50 <4>")
    decide(told.studio, case, decision, by="cleo")
    seen = post(told, "/report/state/", {"number": number, "pin": pin})
    assert "Art. 50 &lt;4&gt;" in seen.text
    done = post(told, "/report/complain/", {"ticket": ticket, "text": "It is cropped on phones."})
    assert "Another person" in done.text
    for wrong in ("", "x", ticket[:-1] + ("0" if ticket[-1] != "0" else "1"), ticket[1:]):
        refused = post(told, "/report/reply/", {"ticket": wrong, "text": "hello"})
        assert refused.status_code == 403


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"reasons": "short"}, "What is wrong?"),
        ({"places": "", "asset": ""}, "Where is it?"),
        ({"email": "a@b.c\r\nBcc: x@y.z"}, "E-mail"),
        ({"good_faith": ""}, "last tick"),
        ({"kind": "intimate"}, "Signature"),
        ({"hashes": "nothing"}, "SHA-256"),
        ({"reasons": "x" * 9000}, "What is wrong?"),
        ({"asset": "12"}, "Number of the release"),
    ],
)
def test_what_is_missing_is_named_and_nothing_typed_is_lost(
    told: Told, change: dict[str, str], named: str
) -> None:
    page = report(told, **{"shown": "", "law": "", **change})
    assert page.status_code == 422
    problem = page.text.split('role="alert"')[1].split("</div>")[0]
    assert named in unescape(problem)
    assert "rosa@example.org" in page.text or "email" in change
    assert list_cases(told.studio) == ()


def test_markup_stays_text(told: Told) -> None:
    evil = '"><script>alert(1)</script><img src=x onerror=alert(1)>'
    page = report(told, reasons=evil, name=evil, email="no", places=f"javascript:alert(1)\n{evil}")
    assert "<script>alert" not in page.text
    assert "<img" not in page.text
    assert "javascript:" not in re.sub(r"<textarea.*?</textarea>", "", page.text, flags=re.DOTALL)
    for query in (f"kind={evil}", f"asset={evil}", f"kind=other&asset={evil}"):
        page = told.client.get(f"/assent/en/report/?{urlencode({'x': evil})}&{query}")
        assert "<script>alert" not in page.text


def test_a_second_press_makes_no_second_report(told: Told) -> None:
    form = told.client.get("/assent/en/report/?kind=mislabelled").text
    (once,) = re.findall(r'name="once" value="([^"]+)"', form)
    assert receipt(report(told, once=once)) == receipt(report(told, once=once))
    assert len(list_cases(told.studio, joined=True)) == 1


def test_a_form_gone_back_to_and_changed_is_another_report(told: Told) -> None:
    one = report(told, once="a" * 32)
    other = report(told, once="a" * 32, places="https://elsewhere.example/2")
    assert receipt(one) != receipt(other)
    assert len(list_cases(told.studio, joined=True)) == 2


def test_another_sites_page_can_not_report(told: Told) -> None:
    for header in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        assert post(told, "/report/", FILLED, **header).status_code == 403
    assert post(told, "/report/", {"reasons": "x" * 70_000}).status_code == 413
    assert list_cases(told.studio) == ()


def test_floods_are_refused_aloud_with_the_form_as_it_was(tmp_path: Path) -> None:
    made = make_corner(tmp_path)
    slow = Pace(burst=2, every_s=60, monotonic=lambda: 0.0)
    object.__setattr__(made.corner, "reports", Reports(pace=slow))
    pages = [report(made, places=f"https://a.example/{number}") for number in range(4)]
    assert [page.status_code for page in pages] == [201, 201, 429, 429]
    assert "rosa@example.org" in pages[3].text
    assert int(pages[3].headers["retry-after"]) > 0
    assert len(list_cases(made.studio, joined=True)) == 2
    object.__setattr__(made.corner, "reports", Reports(at_once=1))
    with made.corner.reports.place():
        full = report(made)
    assert (full.status_code, full.headers["retry-after"]) == (503, "60")
    assert report(made).status_code == 201
    made.corner.checks.close()


def test_without_keys_the_page_says_whom_to_write_to(tmp_path: Path) -> None:
    made = make_corner(tmp_path, with_studio=False)
    page = made.client.get("/assent/en/report/?kind=intimate")
    assert "reports@films.example" in page.text
    assert "<form" not in page.text
    assert report(made).status_code == 403
    assert made.client.get("/assent/en/report/state/").status_code == 403
    made.corner.checks.close()


def test_the_hash_is_computed_by_the_pages_own_script(told: Told) -> None:
    for name in ("report.js", "sha256.js"):
        answer = told.client.get(f"/assent/static/{name}")
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/javascript")
    form = told.client.get("/assent/en/report/?kind=other")
    assert "script-src 'self'" in form.headers["content-security-policy"]
    assert 'src="/assent/static/report.js"' in form.text
    assert 'type="file" id="hash-file"' in form.text
    assert 'name="hash-file"' not in form.text, "a file is never part of the form"
