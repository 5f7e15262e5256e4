import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from studios import Member, Prepared, Scene, add_member, agree, brief_with, draw_up, take_in

from assent.consent.clearance import Act, Clearance, Modality
from assent.consent.desk import GOOD_FOR, Need, clear, clear_all
from assent.consent.receipt import countersign, hash_receipt, sign_record
from assent.consent.record import ConsentRecord, Forbidden
from assent.consent.withdrawal import withdraw
from assent.kit.errors import ForbiddenPurposeError, NotClearedError, NotFoundError
from assent.kit.signing import new_key, public_of, to_jwk
from assent.kit.store.studio import Studio, create_studio
from assent.kit.store.tables import (
    ConsentRow,
    DraftRow,
    FootageRow,
    ModelRow,
    PersonRow,
    ReleaseRow,
)
from assent.purpose.library import sign_pack, trust, update
from assent.purpose.pack import parse_pack
from assent.purpose.projects import Purpose, create_project


def ask(
    scene: Scene,
    who: Member,
    *acts: Act,
    purpose: Purpose | None = None,
    modality: Modality = Modality.FACE,
) -> Clearance:
    return clear(
        scene.studio,
        purpose or scene.purpose,
        person_id=who.id,
        acts=acts or (Act.TRAIN,),
        modalities=(modality,),
    )


def row_of(scene: Scene, who: Member) -> ConsentRow:
    """The person's newest row."""
    with scene.studio.database.session() as session:
        rows = session.query(ConsentRow).filter_by(person_id=who.id)
        return rows.order_by(ConsentRow.created.desc(), ConsentRow.version.desc()).all()[0]


def edit(scene: Scene, who: Member, **values: object) -> None:
    """Change the person's newest row as someone with a database tool would."""
    row = row_of(scene, who)
    with scene.studio.database.session() as session:
        for name, value in values.items():
            setattr(session.get_one(ConsentRow, row.id), name, value)


def paste(scene: Scene, who: Member, receipt: str) -> None:
    """Put a receipt into the person's newest row, with the hash that fits it."""
    edit(scene, who, receipt=receipt, receipt_hash=hash_receipt(receipt, row_of(scene, who).salt))


def test_what_was_agreed_to_is_cleared(scene: Scene) -> None:
    clearance = ask(scene, scene.ada, *Act)
    assert clearance.person_id == scene.ada.id
    assert clearance.project_id == scene.purpose.project_id
    assert clearance.acts == frozenset(Act)
    assert clearance.modalities == {Modality.FACE}
    assert clearance.expires == scene.clock() + GOOD_FOR
    assert clearance.receipt_hash == row_of(scene, scene.ada).receipt_hash


def test_a_clearance_covers_no_more_than_was_asked(scene: Scene) -> None:
    assert ask(scene, scene.ada, Act.INGEST).acts == {Act.INGEST}


def test_all_needs_are_cleared_or_none(scene: Scene) -> None:
    needs = [Need(person_id=who.id, acts=frozenset({Act.TRAIN})) for who in (scene.ada, scene.ben)]
    cleared = clear_all(scene.studio, scene.purpose, needs)
    assert [each.person_id for each in cleared] == [scene.ada.id, scene.ben.id]
    withdraw(scene.studio, row_of(scene, scene.ben).record_id)
    with pytest.raises(NotClearedError, match="ben withdrew"):
        clear_all(scene.studio, scene.purpose, needs)


def test_nobody_by_that_id(scene: Scene) -> None:
    with pytest.raises(NotFoundError, match="no such person"):
        clear(scene.studio, scene.purpose, person_id="nobody", acts=[Act.TRAIN])


# Each refusal: what is done, whom the desk is then asked about and how, and what it answers.


def never(scene: Scene) -> None:
    """Cleo was never asked."""


def only_offered(scene: Scene) -> None:
    draw_up(scene.studio, scene.purpose, scene.cleo)


def withdrawn(scene: Scene) -> None:
    withdraw(scene.studio, row_of(scene, scene.ada).record_id)


def withdrawn_and_offered_anew(scene: Scene) -> None:
    withdrawn(scene)
    draw_up(scene.studio, scene.purpose, scene.ada)


def key_destroyed(scene: Scene) -> None:
    scene.studio.keyring.destroy(row_of(scene, scene.ada).record_id)


def database_put_back(scene: Scene) -> None:
    scene.studio.database.close()
    kept = scene.studio.folder / "studio.db"
    shutil.copy(kept, kept.with_suffix(".kept"))
    withdrawn(scene)
    scene.studio.database.close()
    shutil.copy(kept.with_suffix(".kept"), kept)


def before_its_term(scene: Scene) -> None:
    agree(scene.studio, scene.purpose, scene.cleo, starts=date(2026, 12, 1))


def expired(scene: Scene) -> None:
    scene.clock.to("2027-11-01")


def only_two_acts(scene: Scene) -> None:
    acts = frozenset({Act.INGEST, Act.PERFORM})
    agree(scene.studio, scene.purpose, scene.cleo, acts=acts)


def other_channels(scene: Scene) -> None:
    agree(scene.studio, scene.purpose, scene.cleo, channels=frozenset({"cinema"}))


@pytest.mark.parametrize(
    ("before", "name", "acts", "told"),
    [
        (never, "cleo", [Act.INGEST], "cleo has given no consent for 'a-lesson-in-two-faces'"),
        (
            only_offered,
            "cleo",
            [Act.INGEST],
            "cleo has not signed the consent record for 'a-lesson-in-two-faces' yet",
        ),
        (withdrawn, "ada", [Act.INGEST], "ada withdrew consent for 'a-lesson-in-two-faces'"),
        (withdrawn_and_offered_anew, "ada", [Act.INGEST], "ada withdrew consent for"),
        (key_destroyed, "ada", [Act.INGEST], "ada's key was destroyed; consent was withdrawn"),
        (database_put_back, "ada", [Act.INGEST], "ada's key was destroyed; consent was withdrawn"),
        (before_its_term, "cleo", [Act.INGEST], "cleo's consent begins on 2026-12-01"),
        (expired, "ada", [Act.INGEST], "ada's consent expired on 2027-10-31"),
        (
            only_two_acts,
            "cleo",
            [Act.INGEST, Act.TRAIN, Act.RELEASE],
            "cleo has not agreed to: train, release",
        ),
        (
            other_channels,
            "cleo",
            [Act.RELEASE],
            "cleo has not agreed to the channels: classroom",
        ),
    ],
)
def test_refusals(
    scene: Scene, before: Callable[[Scene], None], name: str, acts: list[Act], told: str
) -> None:
    before(scene)
    with pytest.raises(NotClearedError, match=f"^{re.escape(told)}") as caught:
        ask(scene, getattr(scene, name), *acts)
    assert caught.value.exit_code == 3
    assert caught.value.advice


def test_advice_fits_the_refusal(scene: Scene) -> None:
    only_offered(scene)
    with pytest.raises(NotClearedError) as caught:
        ask(scene, scene.cleo)
    assert "assent consent accept" in caught.value.advice
    withdrawn(scene)
    with pytest.raises(NotClearedError) as caught:
        ask(scene, scene.ada)
    assert "assent consent offer" in caught.value.advice


def test_the_term_counts_both_its_days(scene: Scene) -> None:
    for day in ("2026-11-01", "2027-10-31"):
        scene.clock.to(day)
        ask(scene, scene.ada)
    for day in ("2026-10-31", "2027-11-01"):
        scene.clock.to(day)
        with pytest.raises(NotClearedError):
            ask(scene, scene.ada)


def test_another_modality(scene: Scene) -> None:
    with pytest.raises(NotClearedError, match="ada has not agreed to: voice"):
        ask(scene, scene.ada, modality=Modality.VOICE)


def test_another_project(scene: Scene) -> None:
    other = create_project(scene.studio, brief_with(title="Another film"))
    with pytest.raises(NotClearedError, match="ada has given no consent for 'another-film'"):
        ask(scene, scene.ada, purpose=other)


def test_consent_for_another_project_pasted_in(scene: Scene) -> None:
    """Moving the row in the database to another project isn't consent for that project."""
    other = create_project(scene.studio, brief_with(title="Another film"))
    edit(scene, scene.ada, project_id=other.project_id)
    with pytest.raises(NotClearedError, match="ada consented to another project"):
        ask(scene, scene.ada, purpose=other)


def test_a_brief_that_changed(scene: Scene) -> None:
    changed = replace(scene.purpose, brief=brief_with(audience="Everyone on the internet"))
    with pytest.raises(NotClearedError, match="the brief has changed since ada agreed to it"):
        ask(scene, scene.ada, purpose=changed)


def test_another_person(scene: Scene) -> None:
    """Ada's row given to Cleo: it isn't signed by Cleo."""
    edit(scene, scene.ada, person_id=scene.cleo.id)
    with pytest.raises(NotClearedError, match="cleo's consent record was altered: the signature"):
        ask(scene, scene.cleo)


def test_the_receipt_of_another_subject_pasted_in(scene: Scene) -> None:
    paste(scene, scene.ada, str(row_of(scene, scene.ben).receipt))
    with pytest.raises(NotClearedError, match="ada's consent record was altered") as caught:
        ask(scene, scene.ada)
    assert "backup" in caught.value.advice


def test_a_person_registered_anew_under_the_same_key(scene: Scene) -> None:
    """Same key, other id: the record names whom it is of."""
    agree(scene.studio, scene.purpose, scene.cleo)
    record = ConsentRecord.model_validate(row_of(scene, scene.cleo).document)
    other = record.model_copy(
        update={"principal": record.principal.model_copy(update={"id": scene.ben.id})}
    )
    signed = sign_record(other, scene.cleo.key)
    paste(scene, scene.cleo, countersign(signed, other, scene.studio.signing_key, moment="now"))
    with pytest.raises(NotClearedError, match="the record is not cleo's"):
        ask(scene, scene.cleo)


def test_countersigned_by_another_studio(scene: Scene) -> None:
    record = ConsentRecord.model_validate(row_of(scene, scene.ada).document)
    signed = sign_record(record, scene.ada.key)
    paste(scene, scene.ada, countersign(signed, record, new_key(), moment="now"))
    with pytest.raises(NotClearedError, match="ada's consent record was altered: the signature"):
        ask(scene, scene.ada)


def test_given_to_another_studio(scene: Scene, tmp_path: Path) -> None:
    """What a person signed for one studio is nothing that another can countersign."""
    record = ConsentRecord.model_validate(row_of(scene, scene.ada).document)
    other = create_studio(tmp_path / "other", name="Other", contact="x@example.org")
    theirs = record.model_copy(
        update={"controller": record.controller.model_copy(update={"id": other.id})}
    )
    signed = sign_record(theirs, scene.ada.key)
    paste(scene, scene.ada, countersign(signed, theirs, scene.studio.signing_key, moment="now"))
    with pytest.raises(NotClearedError, match="ada consented to work by another studio"):
        ask(scene, scene.ada)


def test_not_the_receipt_in_the_log(scene: Scene) -> None:
    record = ConsentRecord.model_validate(row_of(scene, scene.ada).document)
    signed = sign_record(record, scene.ada.key)
    again = countersign(signed, record, scene.studio.signing_key, moment="2026-01-01T00:00:00Z")
    edit(scene, scene.ada, receipt=again)
    with pytest.raises(NotClearedError, match="ada's receipt is not the one in the log"):
        ask(scene, scene.ada)


def test_a_withdrawn_record_under_the_key_of_another(scene: Scene) -> None:
    """Neither its state nor whose key is looked for can be changed in the database."""
    withdrawn(scene)
    alive = row_of(scene, scene.ben).record_id
    edit(scene, scene.ada, state="live", record_id=alive, version=2)
    with pytest.raises(NotClearedError, match="ada's receipt belongs to another record"):
        ask(scene, scene.ada)


def test_the_receipt_of_an_earlier_version_pasted_in(scene: Scene) -> None:
    earlier = str(row_of(scene, scene.ada).receipt)
    agree(scene.studio, scene.purpose, scene.ada, acts=frozenset({Act.INGEST}))
    paste(scene, scene.ada, earlier)
    with pytest.raises(NotClearedError, match="ada's receipt belongs to another record"):
        ask(scene, scene.ada, Act.TRAIN)


def test_the_newest_version_counts(scene: Scene) -> None:
    agree(scene.studio, scene.purpose, scene.ada, acts=frozenset({Act.INGEST}))
    ask(scene, scene.ada, Act.INGEST)
    with pytest.raises(NotClearedError, match="ada has not agreed to: train"):
        ask(scene, scene.ada, Act.TRAIN)


def test_an_offer_leaves_the_consent_before_it_in_force(scene: Scene) -> None:
    draw_up(scene.studio, scene.purpose, scene.ada, acts=frozenset({Act.INGEST}))
    ask(scene, scene.ada, Act.TRAIN)


def test_consent_can_be_given_again_after_withdrawal(scene: Scene) -> None:
    before = row_of(scene, scene.ada).record_id
    withdrawn(scene)
    scene.clock.now += timedelta(minutes=1)
    agree(scene.studio, scene.purpose, scene.ada)
    assert ask(scene, scene.ada).record_id != before


def test_a_document_edited_after_signing_changes_nothing(scene: Scene) -> None:
    agree(scene.studio, scene.purpose, scene.cleo, acts=frozenset({Act.INGEST}))
    document = row_of(scene, scene.cleo).document
    document["scope"]["acts"] = [act.value for act in Act]
    document["scope"]["ends"] = "2099-01-01"
    edit(scene, scene.cleo, document=dict(document))
    with pytest.raises(NotClearedError, match="cleo has not agreed to: train"):
        ask(scene, scene.cleo, Act.TRAIN)
    scene.clock.to("2027-11-01")
    with pytest.raises(NotClearedError, match="expired on 2027-10-31"):
        ask(scene, scene.cleo, Act.INGEST)


def test_a_row_without_a_receipt(scene: Scene) -> None:
    edit(scene, scene.ada, receipt=None)
    with pytest.raises(NotClearedError, match="ada's consent record was altered"):
        ask(scene, scene.ada)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_a_receipt_with_any_character_changed(scene: Scene, data: st.DataObject) -> None:
    """Also with the hash that fits it; bits of base64 that mean nothing don't matter."""
    intact = str(row_of(scene, scene.ada).receipt)
    place = data.draw(st.integers(0, len(intact) - 1))
    other = data.draw(st.characters(codec="utf-8").filter(lambda c: c != intact[place]))
    altered = intact[:place] + other + intact[place + 1 :]
    try:
        paste(scene, scene.ada, altered)
        if place < intact.rindex(".") + 80:
            with pytest.raises(NotClearedError, match="ada's consent record was altered"):
                ask(scene, scene.ada)
    finally:
        paste(scene, scene.ada, intact)
    ask(scene, scene.ada)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(text=st.text(alphabet=st.characters(codec="utf-8")))
def test_any_text_for_a_receipt(scene: Scene, text: str) -> None:
    intact = str(row_of(scene, scene.ada).receipt)
    try:
        paste(scene, scene.ada, text)
        with pytest.raises(NotClearedError, match="ada's consent record was altered"):
            ask(scene, scene.ada)
    finally:
        paste(scene, scene.ada, intact)


def test_another_key_for_a_person(scene: Scene) -> None:
    """Whoever puts a key of their own into the database has signed nothing yet."""
    stranger = add_member(scene.studio, "stranger")
    record = row_of(scene, scene.ada).document
    with scene.studio.database.session() as session:
        session.get_one(PersonRow, scene.ada.id).public_key = to_jwk(public_of(stranger.key))
    assert record["principal"]["key_thumbprint"] == scene.ada.person.key_id
    with pytest.raises(NotClearedError, match="ada's consent record was altered"):
        ask(scene, scene.ada)


FORBIDDEN: dict[str, dict[str, Any]] = {
    "political": {"risk": {"political": True}},
    "advertising": {"risk": {"advertising": True}},
    "health-or-money": {"risk": {"health": True}},
    "satire": {"category": "satire"},
    "news": {"category": "news"},
}


@pytest.mark.parametrize("content", get_args(Forbidden))
def test_content_that_the_subject_rules_out(scene: Scene, content: Forbidden) -> None:
    purpose = create_project(scene.studio, brief_with(title="New work", **FORBIDDEN[content]))
    agree(scene.studio, purpose, scene.ada, forbidden=frozenset({content}))
    with pytest.raises(NotClearedError, match=f"^ada does not allow {content} content$"):
        ask(scene, scene.ada, purpose=purpose)
    others = frozenset(get_args(Forbidden)) - {content}
    agree(scene.studio, purpose, scene.ben, forbidden=others)
    ask(scene, scene.ben, purpose=purpose)


def test_a_rule_that_begins_on_a_day_counts_from_then_on(scene: Scene) -> None:
    """A pack put in later refuses what was allowed when the project was made."""
    key = new_key()
    trust(scene.studio, key, name="Rules & Co")
    rule = {
        "id": "zz-one", "effect": "refuse", "text": "No release.", "source": "Here.",
        "from": "2026-12-02", "when": {"act": ["release"]},
    }  # fmt: skip
    pack = {
        "name": "zz", "title": "Zz", "version": "2026.12", "date": "2026-11-20",
        "source": "Here.", "jurisdictions": ["EU"], "rule": [rule],
    }  # fmt: skip
    update(scene.studio, sign_pack(parse_pack(pack, name="zz"), key))
    ask(scene, scene.ada, Act.RELEASE)
    scene.clock.to("2026-12-02")
    with pytest.raises(ForbiddenPurposeError, match="refused by rule 'zz-one': No release"):
        ask(scene, scene.ada, Act.RELEASE)
    ask(scene, scene.ada, Act.TRAIN)


def test_rules_of_the_places_that_the_record_names_count(scene: Scene) -> None:
    """The brief speaks of the EU alone; California's rule on vague clauses counts all the same."""
    purpose = create_project(scene.studio, brief_with(title="New work"))
    vague = {"use": "any and all media", "territory": "EU, California"}
    agree(scene.studio, purpose, scene.ada, **vague)
    with pytest.raises(ForbiddenPurposeError, match="us-ca-vague-clause"):
        ask(scene, scene.ada, purpose=purpose)
    agree(scene.studio, purpose, scene.ben, **{**vague, "territory": "EU"})
    ask(scene, scene.ben, purpose=purpose)


@pytest.mark.parametrize(
    ("territory", "outside"), [("DE, FR", "EU"), ("US", "EU"), ("EU", None), ("worldwide", None)]
)
def test_release_stays_within_the_territory(
    scene: Scene, territory: str, outside: str | None
) -> None:
    purpose = create_project(scene.studio, brief_with(title="New work"))
    agree(scene.studio, purpose, scene.ada, territory=territory)
    ask(scene, scene.ada, Act.TRAIN, purpose=purpose)
    if outside is None:
        ask(scene, scene.ada, Act.RELEASE, purpose=purpose)
        return
    with pytest.raises(NotClearedError, match=f"release in: {outside} ") as caught:
        ask(scene, scene.ada, Act.RELEASE, purpose=purpose)
    assert f"(only {territory})" in str(caught.value)


def add_release(scene: Scene, number: int, donor: Member, performer: Member, state: str) -> None:
    """Store what a release leaves in the database."""
    common: dict[str, Any] = {
        "project_id": scene.purpose.project_id,
        "created": "2026-11-20T12:00:00Z",
    }
    rows: list[Any] = [
        ModelRow(
            id=f"m{number}",
            name=f"m{number}",
            donor_id=donor.id,
            performer_id=performer.id,
            state="ready",
            config={},
            **common,
        ),
        FootageRow(
            id=f"f{number}",
            name="f",
            sha256=str(number),
            rights="own",
            people=[performer.id],
            keep_sound=True,
            blob="",
            tracks_blob="",
            frames=1,
            binding="",
            **common,
        ),
        DraftRow(
            id=f"d{number}",
            model_id=f"m{number}",
            footage_id=f"f{number}",
            model_blob="",
            state="complete",
            **common,
        ),
        ReleaseRow(
            asset_id=str(number), draft_id=f"d{number}", state=state, created=common["created"]
        ),
    ]
    for row in rows:
        with scene.studio.database.session() as session:
            session.add(row)


def test_no_more_releases_than_agreed_to(scene: Scene) -> None:
    agree(scene.studio, scene.purpose, scene.cleo, most_releases=2)
    add_release(scene, 1, scene.cleo, scene.ada, "released")
    add_release(scene, 2, scene.ada, scene.ben, "released")
    add_release(scene, 3, scene.cleo, scene.ada, "sealing")
    ask(scene, scene.cleo, Act.RELEASE)
    add_release(scene, 4, scene.ada, scene.cleo, "released")
    with pytest.raises(NotClearedError, match=r"^cleo agreed to 2 release\(s\), all used$"):
        ask(scene, scene.cleo, Act.RELEASE)
    ask(scene, scene.cleo, Act.TRAIN)
    ask(scene, scene.ada, Act.RELEASE)


def test_a_consent_taken_in_by_another_process_is_seen(prepared: Prepared, tmp_path: Path) -> None:
    scene = prepared.open_copy(tmp_path / "studio")
    other: Studio = scene.reopened()
    record = draw_up(other, scene.purpose, scene.cleo)
    take_in(other, scene.cleo, record, sign_record(record, scene.cleo.key))
    ask(scene, scene.cleo)
    withdraw(other, record.record_id)
    with pytest.raises(NotClearedError, match="cleo withdrew"):
        ask(scene, scene.cleo)
