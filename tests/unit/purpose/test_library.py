"""Signed packs: only from pinned publishers, never older, never hidden from the log."""

import base64
import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from studios import CutLog, PowerCut, Scene, brief_with

from assent.kit.canonical import canonical
from assent.kit.errors import (
    ForbiddenPurposeError,
    InputError,
    IntegrityError,
    NotFoundError,
    RefusedError,
)
from assent.kit.passkey import Passkey
from assent.kit.signing import SigningKey, new_key, public_of, sign, thumbprint, to_jwk
from assent.kit.store.tables import PublisherRow, RulePackRow
from assent.purpose.library import (
    check_set,
    distrust,
    installed_packs,
    list_publishers,
    packs_of,
    sign_pack,
    trust,
    update,
)
from assent.purpose.pack import LARGEST, Pack, load_packs, parse_pack
from assent.purpose.projects import create_project, find_project

KIND = "assent-rule-pack+jws"


@pytest.fixture
def key(scene: Scene) -> SigningKey:
    """The key of a publisher whom the studio trusts."""
    made = new_key()
    trust(scene.studio, public_of(made), name="Rules & Co")
    return made


def pack_of(version: str = "2026.12", name: str = "fr", **rule: Any) -> Pack:  # noqa: ANN401 - fields of many kinds
    fields = {"id": f"{name}-one", "effect": "refuse", "text": "No.", "source": "Here.", **rule}
    return parse_pack(
        {
            "name": name, "title": "Made up", "version": version, "date": "2026-12-01",
            "source": "Here.", "jurisdictions": ["CH"], "rule": [fields],
        },
        name=name,
    )  # fmt: skip


def shipped(name: str) -> Pack:
    return next(pack for pack in load_packs() if pack.name == name)


def newer(pack: Pack, version: str = "2027.1", **changes: Any) -> Pack:  # noqa: ANN401 - fields of many kinds
    return parse_pack({**pack.to_json(), "version": version, **changes}, name=pack.name)


def changes_in_log(scene: Scene) -> list[dict[str, Any]]:
    entries = [json.loads(entry) for _, entry in scene.studio.log.reader().entries()]
    return [entry for entry in entries if entry["kind"] == "rules.changed"]


def test_without_updates_the_packs_are_those_that_ship(scene: Scene) -> None:
    assert packs_of(scene.studio) == load_packs()
    assert installed_packs(scene.studio) == ()
    check_set(scene.studio)


def test_a_signed_pack_holds_at_once_and_for_projects_begun(scene: Scene, key: SigningKey) -> None:
    purpose = create_project(scene.studio, brief_with(title="Swiss work", jurisdictions=["CH"]))
    done = update(scene.studio, sign_pack(pack_of(), key))
    assert (done.before, done.added, done.looser, done.already) == (None, ("fr-one",), (), False)
    assert [pack.name for pack in packs_of(scene.studio)][:4] == ["base", "cn", "dk", "eu"]
    with pytest.raises(ForbiddenPurposeError, match="fr-one"):
        find_project(scene.studio, purpose.slug)
    # A project elsewhere is none the wiser.
    assert find_project(scene.reopened(), scene.purpose.slug) == scene.purpose
    check_set(scene.studio)
    assert update(scene.studio, sign_pack(pack_of(), key)).already


def test_each_change_is_in_the_log_by_its_hash_alone(scene: Scene, key: SigningKey) -> None:
    update(scene.studio, sign_pack(pack_of(), key))
    distrust(scene.studio, thumbprint(key)[:12])
    entries = changes_in_log(scene)
    assert [entry["change"] for entry in entries] == ["trusted", "installed", "distrusted"]
    assert entries[1]["sha256"] == pack_of().digest()
    assert len({entry["state"] for entry in entries}) == 3
    assert all(set(e) == {"kind", "change", "sha256", "state", "time"} for e in entries)
    assert not any(b"Rules" in canonical(e) or thumbprint(key) in str(e) for e in entries)
    check_set(scene.studio)


def test_nobody_trusted_nothing_taken(scene: Scene) -> None:
    with pytest.raises(IntegrityError, match="no publisher of rule packs is trusted") as caught:
        update(scene.studio, sign_pack(pack_of(), new_key()))
    assert "assent rules trust" in caught.value.advice


def forged(key: SigningKey) -> dict[str, str]:
    good = sign_pack(pack_of(), key)
    head, body, tail = good.split(".")
    none = base64.urlsafe_b64encode(b'{"alg":"none","typ":"assent-rule-pack+jws"}').rstrip(b"=")
    other = sign_pack(pack_of("2027.3"), new_key()).split(".")[1]
    return {
        "stranger": sign_pack(pack_of(), new_key()),
        "other kind": sign(pack_of().to_json(), key, kind="assent-consent+jws"),
        "other body": f"{head}.{other}.{tail}",
        "no algorithm": f"{none.decode()}.{body}.",
        "cut": good[:-8],
    }


@pytest.mark.parametrize("how", ["stranger", "other kind", "other body", "no algorithm", "cut"])
def test_a_forged_pack_is_refused(scene: Scene, key: SigningKey, how: str) -> None:
    with pytest.raises(IntegrityError):
        update(scene.studio, forged(key)[how])
    assert packs_of(scene.studio) == load_packs()


@pytest.mark.parametrize("text", ["", "nonsense", "a.b.c", "{}"])
def test_what_is_no_signed_pack(scene: Scene, key: SigningKey, text: str) -> None:
    with pytest.raises((InputError, IntegrityError)):
        update(scene.studio, text)


def test_a_huge_file_is_refused_before_it_is_read(scene: Scene, key: SigningKey) -> None:
    with pytest.raises(InputError, match="too large"):
        update(scene.studio, "a" * (2 * LARGEST + 1))


def test_a_signed_thing_that_is_no_pack(scene: Scene, key: SigningKey) -> None:
    with pytest.raises(InputError, match="what was signed is no rule pack"):
        update(scene.studio, sign({"name": "fr"}, key, kind=KIND))


def test_one_spelling_only(scene: Scene, key: SigningKey) -> None:
    padded = {**pack_of().to_json(), "title": " Made up "}
    with pytest.raises(IntegrityError, match="canonical form"):
        update(scene.studio, sign(padded, key, kind=KIND))


def test_the_base_pack_is_not_replaced(scene: Scene, key: SigningKey) -> None:
    base = newer(
        shipped("base"), rule=[{"id": "x", "effect": "note", "text": "No.", "source": "H."}]
    )
    with pytest.raises(InputError, match="takes the place of Assent's own"):
        update(scene.studio, sign_pack(base, key))


def test_older_versions_are_refused(scene: Scene, key: SigningKey) -> None:
    update(scene.studio, sign_pack(pack_of("2026.12"), key))
    for version in ("2026.11", "2026.2", "2025.12.9"):
        with pytest.raises(RefusedError, match=r"older than 2026\.12"):
            update(scene.studio, sign_pack(pack_of(version), key))
    with pytest.raises(RefusedError, match=r"differs from the 2026\.12"):
        update(scene.studio, sign_pack(pack_of("2026.12", effect="note"), key))
    old = newer(shipped("eu"), "2025.1")
    with pytest.raises(RefusedError, match=r"eu 2025\.1 is older"):
        update(scene.studio, sign_pack(old, key))


def looser_rules() -> list[tuple[str, dict[str, Any]]]:
    return [
        ("weaker", {"effect": "warn"}),
        ("later", {"from": "2027-01-01"}),
        ("until", {"until": "2027-01-01"}),
        ("narrower", {"when": {"risk": {"satire": True}}}),
        ("words", {"words": ["only this"]}),
        ("renamed", {"id": "fr-two"}),
    ]


@pytest.mark.parametrize(("what", "change"), looser_rules())
def test_what_asks_for_less_must_be_accepted(
    scene: Scene, key: SigningKey, what: str, change: dict[str, Any]
) -> None:
    update(scene.studio, sign_pack(pack_of("2026.12"), key))
    token = sign_pack(pack_of("2027.1", **change), key)
    with pytest.raises(RefusedError, match=r"asks for less than 2026\.12 in: fr-one") as caught:
        update(scene.studio, token)
    assert "--accept-looser" in caught.value.advice
    assert update(scene.studio, token, accept_looser=True).looser == ("fr-one",)


def test_a_place_that_is_left_out_is_less(scene: Scene, key: SigningKey) -> None:
    with pytest.raises(RefusedError, match="in: GB"):
        update(scene.studio, sign_pack(newer(shipped("uk"), jurisdictions=["UK"]), key))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"effect": "warn"}, {"effect": "refuse"}),
        ({"from": "2027-01-01"}, {"from": "2026-12-01"}),
        ({"from": "2027-01-01"}, {}),
        ({"until": "2027-01-01"}, {"until": "2028-01-01"}),
        ({"until": "2027-01-01"}, {}),
        ({"words": ["one"]}, {"words": ["one", "two"]}),
        ({"words": ["one"]}, {}),
    ],
)
def test_what_asks_for_more_is_taken(
    scene: Scene, key: SigningKey, before: dict[str, Any], after: dict[str, Any]
) -> None:
    update(scene.studio, sign_pack(pack_of("2026.12", **before), key))
    done = update(scene.studio, sign_pack(pack_of("2027.1", **after), key))
    assert (done.before, done.looser) == ("2026.12", ())


def test_a_shipped_pack_that_is_newer_counts(scene: Scene, key: SigningKey) -> None:
    """As after an update of Assent itself."""
    pack = newer(shipped("eu"), "2027.1")
    update(scene.studio, sign_pack(pack, key))
    assert pack in packs_of(scene.studio)
    old = newer(shipped("eu"), "2026.1")
    with scene.studio.database.session() as session:
        session.get_one(RulePackRow, "eu").token = sign_pack(old, key)
    assert packs_of(scene.studio) == load_packs()


def test_an_update_can_make_a_rule_stricter_on_a_day(scene: Scene, key: SigningKey) -> None:
    purpose = create_project(scene.studio, brief_with(title="Swiss work", jurisdictions=["CH"]))
    update(scene.studio, sign_pack(pack_of(**{"from": "2026-12-01"}), key))
    find_project(scene.studio, purpose.slug)
    scene.clock.to("2026-12-01")
    with pytest.raises(ForbiddenPurposeError):
        find_project(scene.studio, purpose.slug)


# --- the publisher ------------------------------------------------------------------------------


def test_a_publisher_is_pinned_once(scene: Scene, key: SigningKey) -> None:
    again = trust(scene.studio, key, name="Another name")
    assert list_publishers(scene.studio) == (again,)
    assert again.name == "Rules & Co"
    assert "d" not in to_jwk(again.key)
    assert len(changes_in_log(scene)) == 1


def test_the_studio_is_no_publisher_of_its_own(scene: Scene) -> None:
    with pytest.raises(InputError, match="studio's own key"):
        trust(scene.studio, public_of(scene.studio.signing_key), name="Us")


def test_a_passkey_signs_no_packs(scene: Scene) -> None:
    passkey = Passkey(credential_id="x", public_key=b"x", rp_id="a", origin="b")
    with pytest.raises(InputError, match="not with a passkey"):
        trust(scene.studio, passkey, name="Rules & Co")


@pytest.mark.parametrize("name", ["", "x", " a ", "y" * 81, "Evil\x1b[2J", "left\u202eright"])
def test_names_of_publishers(scene: Scene, name: str) -> None:
    with pytest.raises(InputError, match="needs a name"):
        trust(scene.studio, public_of(new_key()), name=name)


def test_who_is_no_longer_trusted(scene: Scene, key: SigningKey) -> None:
    other = new_key()
    trust(scene.studio, other, name="Others")
    update(scene.studio, sign_pack(pack_of(), key))
    update(scene.studio, sign_pack(pack_of(name="es"), other))
    assert distrust(scene.studio, thumbprint(key)) == ("fr",)
    assert [publisher.name for publisher in list_publishers(scene.studio)] == ["Others"]
    assert [each.pack.name for each in installed_packs(scene.studio)] == ["es"]
    check_set(scene.studio)
    with pytest.raises(IntegrityError, match="no publisher that the studio trusts"):
        update(scene.studio, sign_pack(pack_of("2027.1"), key))


@pytest.mark.parametrize("start", ["", "nobody"])
def test_there_must_be_such_a_publisher(scene: Scene, key: SigningKey, start: str) -> None:
    with pytest.raises(NotFoundError, match="no publisher"):
        distrust(scene.studio, start)


# --- somebody edits the database ----------------------------------------------------------------


def put(scene: Scene, row: object) -> None:
    with scene.studio.database.session() as session:
        session.merge(row)


def test_a_publisher_put_into_the_database_is_refused(scene: Scene) -> None:
    key = new_key()
    statement = {"name": "Evil", "key": to_jwk(public_of(key)), "time": "t"}
    for token in (sign(statement, key, kind="assent-publisher+jws"), "nonsense"):
        put(scene, PublisherRow(key_id=thumbprint(key), statement=token, log_index=1))
        with pytest.raises(IntegrityError, match="publisher of rule packs was altered"):
            update(scene.studio, sign_pack(pack_of(), key))


def test_one_publisher_in_anothers_place_is_refused(scene: Scene, key: SigningKey) -> None:
    (row,) = rows(scene)
    put(scene, PublisherRow(key_id=thumbprint(new_key()), statement=row.statement, log_index=1))
    with pytest.raises(IntegrityError, match="exchanged for another"):
        list_publishers(scene.studio)


def rows(scene: Scene) -> list[PublisherRow]:
    with scene.studio.database.session() as session:
        return session.query(PublisherRow).all()


def test_a_pack_put_into_the_database_is_refused(scene: Scene, key: SigningKey) -> None:
    put(
        scene,
        RulePackRow(
            name="fr", token=sign_pack(pack_of(), new_key()), key_id=thumbprint(key), log_index=1
        ),
    )
    with pytest.raises(IntegrityError, match="signature does not match"):
        find_project(scene.studio, scene.purpose.slug)


def test_a_pack_of_an_unknown_publisher_is_refused(scene: Scene, key: SigningKey) -> None:
    update(scene.studio, sign_pack(pack_of(), key))
    with scene.studio.database.session() as session:
        session.get_one(PublisherRow, thumbprint(key)).log_index = None
    with pytest.raises(IntegrityError, match="publisher of rule pack 'fr' is not known"):
        packs_of(scene.studio)


def test_one_pack_in_anothers_place_is_refused(scene: Scene, key: SigningKey) -> None:
    update(scene.studio, sign_pack(pack_of(), key))
    put(
        scene,
        RulePackRow(
            name="eu", token=sign_pack(pack_of(), key), key_id=thumbprint(key), log_index=1
        ),
    )
    with pytest.raises(IntegrityError, match="rule pack 'eu' was exchanged"):
        packs_of(scene.studio)


def test_an_older_pack_put_back_is_found(scene: Scene, key: SigningKey) -> None:
    first = sign_pack(pack_of("2026.12", effect="note"), key)
    update(scene.studio, first)
    update(scene.studio, sign_pack(pack_of("2027.1"), key))
    with scene.studio.database.session() as session:
        session.get_one(RulePackRow, "fr").token = first
    with pytest.raises(IntegrityError, match="not those that the log tells of"):
        check_set(scene.studio)


@pytest.mark.parametrize("table", [RulePackRow, PublisherRow])
def test_what_was_taken_out_is_found(scene: Scene, key: SigningKey, table: Any) -> None:  # noqa: ANN401 - fields of many kinds
    update(scene.studio, sign_pack(pack_of(), key))
    with scene.studio.database.session() as session:
        session.query(RulePackRow).delete()
        session.query(table).delete()
    with pytest.raises(IntegrityError, match="not those that the log tells of") as caught:
        check_set(scene.studio)
    assert "backup" in caught.value.advice


def test_a_place_in_the_log_that_was_made_up_is_found(scene: Scene, key: SigningKey) -> None:
    """Pointing behind the last change would hide it."""
    first = sign_pack(pack_of("2026.12", effect="note"), key)
    update(scene.studio, first)
    update(scene.studio, sign_pack(pack_of("2027.1"), key))
    with scene.studio.database.session() as session:
        row = session.get_one(RulePackRow, "fr")
        row.token, row.log_index = first, 10_000
    with pytest.raises(IntegrityError, match="not those that the log tells of"):
        check_set(scene.studio)


def test_entries_that_only_mention_the_kind_are_passed_over(scene: Scene) -> None:
    scene.studio.log.append([canonical({"kind": "other", "of": "rules.changed", "state": "x"})])
    check_set(scene.studio)


# --- the power fails ----------------------------------------------------------------------------


@pytest.mark.parametrize("done", [False, True])
def test_a_cut_update_is_finished_by_the_next(scene: Scene, key: SigningKey, done: bool) -> None:
    cut = replace(scene.studio, log=CutLog(scene.studio, done=done))
    token = sign_pack(pack_of(), key)
    with pytest.raises(PowerCut):
        update(cut, token)
    assert installed_packs(scene.studio) == ()
    assert not update(scene.studio, token).already
    check_set(scene.studio)


@pytest.mark.parametrize("done", [False, True])
def test_a_cut_pinning_is_finished_by_the_next(scene: Scene, done: bool) -> None:
    made = new_key()
    cut = replace(scene.studio, log=CutLog(scene.studio, done=done))
    with pytest.raises(PowerCut):
        trust(cut, made, name="Rules & Co")
    assert list_publishers(scene.studio) == ()
    trust(scene.studio, made, name="Rules & Co")
    check_set(scene.studio)


def test_days_are_days() -> None:
    assert pack_of().date == date(2026, 12, 1)
