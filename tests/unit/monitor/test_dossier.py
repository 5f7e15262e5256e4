"""The dossier: of a whole story, half way, after a withdrawal; and what never stands in it."""

import base64
import re
from dataclasses import replace
from pathlib import Path

import pytest
from casts import Cast, Stage
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from studios import Member, Scene, brief_with

from assent.apps.cli.main import run
from assent.consent.finals import decision_to_sign, keep_decision
from assent.consent.withdrawal import withdraw
from assent.kit.signing import attach, new_key, public_of, sign
from assent.kit.store.studio import Studio
from assent.kit.store.tables import (
    ConsentRow,
    DoubtRow,
    EndingRow,
    FinalRow,
    PersonRow,
    ProjectRow,
    SightingRow,
)
from assent.monitor.dossier.assemble import assemble
from assent.monitor.dossier.document import Cell, Dossier, Facts, Section, Table, Text
from assent.monitor.dossier.html import to_html
from assent.monitor.dossier.measures import PARTS, load_measures, plain
from assent.monitor.dossier.pdf import to_pdf
from assent.monitor.dossier.reading import Names
from assent.purpose.library import trust
from assent.purpose.projects import create_project

SECTIONS = [
    "purpose", "people", "data", "models", "drafts", "decided", "releases", "ended", "gaps",
    "places", "log", "words", "sources", "limits",
]  # fmt: skip


@pytest.fixture
def told(released: Cast, tmp_path: Path) -> Stage:
    """The whole story, from a purpose to a release."""
    return released.open_copy(tmp_path / "studio")


def of(studio: Studio, slug: str, *, names: bool = False) -> Dossier:
    return assemble(studio, slug, names=names)


def points(dossier: Dossier, section: str) -> list[str]:
    return [point for of_section, point in dossier.open_points if of_section.id == section]


def shown(dossier: Dossier, section: str) -> dict[str, Cell]:
    """Return the last facts of a section, by name."""
    (found,) = (each for each in dossier.sections if each.id == section)
    blocks = [block for block in found.blocks if isinstance(block, Facts)]
    return dict(blocks[-1].rows)


def test_the_whole_story(told: Stage) -> None:
    dossier = of(told.studio, told.purpose.slug)
    assert [section.id for section in dossier.sections] == SECTIONS
    for section in ("purpose", "people", "models", "drafts", "releases", "log"):
        assert points(dossier, section) == []
    release = shown(dossier, "releases")
    assert release["File and log proof"].text == "verified"
    assert release["Manifest"].text.startswith("trusted")
    assert release["Consent today"].text == "live"
    assert shown(dossier, "drafts")["Content gate"].text == "5 frames, nothing explicit"
    assert "min" in shown(dossier, "models")["Learned from"].text
    page = to_html(dossier)
    receipts = told.released().receipts
    assert all(receipt in page for receipt in receipts)
    assert page.count('class="good">proved<') >= 3
    assert to_pdf(dossier) == to_pdf(dossier)
    assert to_pdf(dossier).startswith(b"%PDF")


def test_no_names_and_no_keys(told: Stage) -> None:
    with told.studio.database.session() as session:
        session.get_one(PersonRow, told.ada.id).name = "Ada Quillfeather"
        row = session.get_one(ProjectRow, told.purpose.project_id)
        row.brief = {**row.brief, "purpose": "Ada Quillfeather and Quillfeather's voice."}
    page = to_html(of(told.studio, told.purpose.slug))
    assert "Quillfeather" not in page
    assert "scene.mp4" not in page
    assert "[ada] and [ada]&#39;s voice." in page
    named = to_html(of(told.studio, told.purpose.slug, names=True))
    assert "Ada Quillfeather" in named
    assert "scene.mp4" in named
    for secret in ("signing", "master", "log", "watermark", "c2pa"):
        data = told.studio.secrets.get(secret)
        for text in (page, named):
            assert data.hex() not in text
            assert "PRIVATE KEY" not in text


def test_after_a_withdrawal(told: Stage) -> None:
    told.withdraw(told.ben)
    dossier = of(told.studio, told.purpose.slug)
    assert any("ben" in point and "withdrawn" in point for point in points(dossier, "people"))
    assert any("consent that has ended: ben withdrawn" in p for p in points(dossier, "releases"))
    release = shown(dossier, "releases")
    assert release["File and log proof"].text == "verified"
    assert release["Consent today"].state == "bad"
    assert "can't be read" in shown(dossier, "drafts")["Quality"].text
    assert "can't be read any more" in shown(dossier, "models")["Learned from"].text
    assert to_pdf(dossier).startswith(b"%PDF")


def tables(dossier: Dossier, section: str) -> dict[str, list[list[str]]]:
    """Return the texts of a section's tables, by caption."""
    (found,) = (each for each in dossier.sections if each.id == section)
    return {
        block.caption: [[cell.text for cell in row] for row in block.rows]
        for block in found.blocks
        if isinstance(block, Table)
    }


def test_who_decided_what(told: Stage) -> None:
    decided = tables(of(told.studio, told.purpose.slug), "decided")["About recorded statements"]
    assert sorted(row[0] for row in decided) == ["ada, version 1", "ben, version 1"]
    assert {row[3] for row in decided} == {"approved"}
    with told.studio.database.session() as session:
        ada, ben = (
            session.query(ConsentRow).filter_by(person_id=who.id).one()
            for who in (told.ada, told.ben)
        )
        # Somebody else's decision, and one that is not signed by whom it names.
        ada.ground = f"{str(ada.ground)[:-4]}AAAA"
        ben.state = "waiting"
    said = " ".join(points(of(told.studio, told.purpose.slug), "decided"))
    assert "The decision about ada's statement doesn't hold" in said
    assert "statement of ben waits for a decision" in said


def test_faces_that_were_decided_about(scene: Scene) -> None:
    spans = {"spans": [{"person_id": scene.ada.id}]}
    with scene.studio.database.session() as session:
        for number, state in enumerate(("waiting", "approved")):
            session.add(
                DoubtRow(
                    id=f"doubt{number}", project_id=scene.purpose.project_id, name="x.mp4",
                    sha256=f"{number}" * 64, people=[scene.ada.id], receipts=[], spans=spans,
                    state=state, created="2026-11-20T12:00:00Z", salt="0", binding="",
                    decision="no.such.token" if number else None, decided_by=scene.ada.id,
                )
            )  # fmt: skip
    told = " ".join(points(of_scene(scene), "decided"))
    assert "Faces in clip 000000000000 wait for a decision" in told
    assert "The decision about clip 111111111111 doesn't hold" in told
    kim = scene.ada
    token = sign(
        {"by": kim.id, "outcome": "same", "reason": "it is Ada", "time": "2026-11-20T12:00:00Z"},
        kim.key,
        kind="assent-face+jws",
    )
    with scene.studio.database.session() as session:
        session.get_one(DoubtRow, "doubt1").decision = token
    (row,) = tables(of_scene(scene), "decided")["About faces that no distance tells"]
    assert row[:4] == [
        "ada in clip 111111111111", "ada", "2026-11-20 12:00", "the same person",
    ]  # fmt: skip
    assert row[4] == "it is [ada]"


def test_the_last_word(told: Stage) -> None:
    draft = told.draft
    for decision in ("decline", "approve"):
        text = decision_to_sign(
            told.studio, draft=draft.digest, decision=decision, preview="0" * 64,
            key=told.ada.person.key,
        )  # fmt: skip
        seed = told.ada.key.as_dict(private=True)["d"]
        private = Ed25519PrivateKey.from_private_bytes(base64.urlsafe_b64decode(f"{seed}="))
        signature = base64.urlsafe_b64encode(private.sign(text.encode())).rstrip(b"=").decode()
        keep_decision(
            told.studio, told.ada.person, draft_id=draft.id, draft=draft.digest,
            token=attach(text, {"signature": signature}, told.ada.person.key),
        )  # fmt: skip
        (row,) = tables(of(told.studio, told.purpose.slug), "decided")[
            "The last word of subjects who kept it"
        ]
        assert row[3] == f"{decision}d"
    with told.studio.database.session() as session:
        session.query(FinalRow).one().token += "x"
    assert "doesn't hold" in " ".join(points(of(told.studio, told.purpose.slug), "decided"))


def test_endings_and_copies(told: Stage) -> None:
    asset = told.released().asset_id
    with told.studio.database.session() as session:
        session.add(
            SightingRow(
                asset_id=asset, place="https://x.example/1", sha256="0" * 64,
                seen="2026-11-20T12:00:00Z",
            )
        )  # fmt: skip
    told.withdraw(told.ben)
    dossier = of(told.studio, told.purpose.slug)
    assert points(dossier, "ended") == []
    ended = tables(dossier, "ended")
    (row,) = ended["Certificates of deletion"]
    assert row[:2] == ["ben", "withdrawn"]
    assert len(row[4]) == 64
    assert ended["Copies seen elsewhere"][0][:2] == [asset, "https://x.example/1"]


def test_endings_that_are_not_complete(scene: Scene) -> None:
    record = withdraw(scene.studio, _record_of(scene, scene.ada)).record_id
    for change, told in (
        ({"log_index": 0}, "the log doesn't hold its certificate"),
        ({"certificate": "no.such.token"}, "its certificate doesn't hold"),
        ({"certificate": None}, "there is no certificate"),
    ):
        with scene.studio.database.session() as session:
            row = session.get_one(EndingRow, record)
            for name, value in change.items():
                setattr(row, name, value)
        assert told in " ".join(points(of_scene(scene), "ended"))
    with scene.studio.database.session() as session:
        session.get_one(EndingRow, record).record_id = _record_of(scene, scene.ben)
    assert "the key is still there" in " ".join(points(of_scene(scene), "ended"))


def _record_of(scene: Scene, who: Member) -> str:
    with scene.studio.database.session() as session:
        return session.query(ConsentRow).filter_by(person_id=who.id).one().record_id


def test_a_release_that_was_changed_or_is_gone(told: Stage) -> None:
    path = told.released().path
    path.write_bytes(path.read_bytes() + b"\0")
    assert len(points(of(told.studio, told.purpose.slug), "releases")) == 1
    path.unlink()
    gone = points(of(told.studio, told.purpose.slug), "releases")
    assert ["not in the releases folder" in point for point in gone] == [True]


def test_half_way(scene: Scene) -> None:
    dossier = of(scene.studio, scene.purpose.slug)
    assert points(dossier, "people") == []
    assert points(dossier, "data") == ["No footage has been added yet."]
    assert points(dossier, "models") == ["No model has been trained yet."]
    assert points(dossier, "drafts") == ["Nothing has been rendered yet."]
    assert points(dossier, "releases") == ["Nothing has been released yet."]
    assert any("eu-wrong-labels" in point for point in points(dossier, "places"))


def test_with_nothing_but_a_purpose(scene: Scene) -> None:
    create_project(
        scene.studio,
        brief_with(
            title="Vote", jurisdictions=["NZ", "US-CA"],
            risk={"election": True, "realistic": False},
            claims=[{"text": "It rained.", "source": "example.org"}],
        ),
    )  # fmt: skip
    dossier = of(scene.studio, "vote")
    told = " ".join(points(dossier, "purpose"))
    assert "names no reviewer" in told
    assert "second reviewer" in told
    assert "Claim 1 has not been ticked off" in told
    assert "No rule pack speaks for NZ" in told
    assert points(dossier, "people") == ["Nobody has been asked for consent yet."]
    assert any("us-ca-election" in point for point in points(dossier, "places"))


def test_a_project_that_is_refused_today_still_has_one(scene: Scene) -> None:
    with scene.studio.database.session() as session:
        brief = brief_with(title="Nudes").to_json()
        session.add(ProjectRow(id="old", slug="old", brief=brief, created="2020-01-01T00:00:00Z"))
    dossier = of(scene.studio, "old")
    assert any("no-intimate-content" in point for point in points(dossier, "purpose"))
    assert dict(dossier.facts)["By the rules of that day"].state == "bad"


def test_what_was_altered_by_hand_is_told(scene: Scene) -> None:
    with scene.studio.database.session() as session:
        row = session.query(ConsentRow).filter_by(person_id=scene.ada.id).one()
        row.receipt_hash = "0" * 64
    trust(scene.studio, public_of(new_key()), name="Rules & Co")
    told = " ".join(points(of(scene.studio, scene.purpose.slug), "people"))
    assert "A receipt of ada can't be relied on: the receipt is not the one" in told


def test_a_term_that_ends_soon_and_one_that_ended(scene: Scene) -> None:
    scene.clock.to("2027-10-15")
    assert any("ends on 2027-10-31" in p for p in points(of_scene(scene), "people"))
    scene.clock.to("2027-11-15")
    assert any("no live consent: expired" in p for p in points(of_scene(scene), "people"))
    assert "The project's term ended on 2027-10-31." in points(of_scene(scene), "purpose")


def of_scene(scene: Scene) -> Dossier:
    return of(scene.studio, scene.purpose.slug)


def test_nothing_hostile_gets_onto_the_page(scene: Scene) -> None:
    hostile = '<script>alert(1)</script> "><img src=x onerror=1> {{ 7*7 }} <b>&amp; \u202e'
    create_project(scene.studio, brief_with(title="Hostile", audience=hostile), slug="hostile")
    dossier = of(scene.studio, "hostile")
    page = to_html(dossier)
    assert "<script" not in page
    assert "<img" not in page
    assert "{{ 7*7 }}" in page
    assert "\u202e" not in page
    assert to_pdf(dossier).startswith(b"%PDF")


def test_the_page_fetches_nothing(scene: Scene) -> None:
    page = to_html(of_scene(scene))
    assert "default-src 'none'" in page
    assert not re.search(r"<(script|link|img|iframe|object|form)\b|url\(|@import", page)
    assert set(re.findall(r'href="(.)', page)) == {"#"}
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(ids)


def test_every_state_and_letter_is_written() -> None:
    strange = "Žluťoučký 生成 한국어 עברית \x00 end"
    blocks = (
        Text(text=strange, state="bad"),
        Facts(rows=(("name", Cell(text="a\nb", mono=True)),)),
        Table(
            caption="c", columns=("", "b"), widths=(1, 2),
            rows=((Cell(text="x", state="warn"), Cell(text=strange, state="good")),),
        ),
    )  # fmt: skip
    dossier = Dossier(
        title=strange, subtitle="s", made="t", facts=(),
        sections=(Section(id="one", title="One", blocks=blocks),),
    )  # fmt: skip
    assert "No open points were found" in to_html(dossier)
    assert "\x00" not in to_html(dossier)
    assert to_pdf(dossier).startswith(b"%PDF")
    many = replace(dossier, sections=(replace(dossier.sections[0], open=("p",) * 300),))
    assert len(to_pdf(many)) > len(to_pdf(dossier))


def test_names_are_words(scene: Scene) -> None:
    with scene.studio.database.session() as session:
        session.get_one(PersonRow, scene.cleo.id).name = "May Li (actor)"
    people = [scene.ada.person, replace(scene.cleo.person, name="May Li (actor)")]
    assert Names(people, shown=False).clean("May Li (actor) may see Mayflower, May") == (
        "[cleo] may see Mayflower, [cleo]"
    )
    assert Names(people, shown=True).clean("May Li") == "May Li"
    assert Names([], shown=False).clean("May Li") == "May Li"


def test_measures_are_whole() -> None:
    found = load_measures()
    assert {measure.part for measure in found.measures} == set(PARTS)
    assert len({measure.id for measure in found.measures}) == len(found.measures)
    assert plain("see [the mark](../specs/watermark.md), `--tsa`") == "see the mark, --tsa"


def test_the_command(
    scene: Scene,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("ASSENT_STUDIO", str(scene.studio.folder))
    out = tmp_path / "reports"
    assert run(["report", scene.purpose.slug, "--out", str(out)]) == 0
    assert "open points stand at its beginning" in capsys.readouterr().out
    names = sorted(path.suffix for path in out.iterdir())
    assert names == [".html", ".pdf"]
    assert run(["report", scene.purpose.slug, "--out", str(out), "--json"]) == 0
    assert run(["report", "nothing", "--out", str(out)]) == 2
    (tmp_path / "file").write_text("x")
    assert run(["report", scene.purpose.slug, "--out", str(tmp_path / "file")]) == 2
