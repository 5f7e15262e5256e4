"""Fact check: a tick is a reviewer's own signature over one claim of one project."""

import pytest
from browser_signs import signature
from studios import Member, Scene, add_member, brief_with

from assent.kit.canonical import digest
from assent.kit.errors import IntegrityError, NotFoundError, SignOffError
from assent.kit.signing import attach, new_key, peek, public_of, sign
from assent.kit.store.tables import ProjectRow, TickRow
from assent.purpose.brief import Brief
from assent.safeguard.claims import (
    CheckedClaim,
    check_claims,
    keep_tick,
    list_claims,
    reviewers_of,
    tick,
    tick_to_sign,
)

CLAIMS = [
    {"text": "It rained in May.", "source": "https://example.org/rain"},
    {"text": "It snowed in June.", "source": "https://example.org/snow"},
]
PROJECT = "p1"


@pytest.fixture
def brief() -> Brief:
    """A brief with two claims that Cleo and Dan may check."""
    return brief_with(claims=CLAIMS, reviewer="cleo", second_reviewer="dan")


@pytest.fixture
def dan(scene: Scene) -> Member:
    """The second reviewer."""
    return add_member(scene.studio, "dan")


@pytest.fixture(autouse=True)
def project(scene: Scene) -> None:
    """Ticks belong to a project that there is."""
    for name in (PROJECT, "p2"):
        with scene.studio.database.session() as session:
            session.add(ProjectRow(id=name, slug=name, brief={}, created="t"))


def ticked(scene: Scene, brief: Brief, number: int, by: Member | None = None) -> CheckedClaim:
    who = by or scene.cleo
    return tick(scene.studio, PROJECT, brief, number, reviewer=who.person.handle, key=who.key)


def put(scene: Scene, token: str, claim: int = 0, by: Member | None = None) -> None:
    row = TickRow(
        project_id=PROJECT, claim=digest(CLAIMS[claim]), person_id=(by or scene.cleo).id,
        token=token, created="t",
    )  # fmt: skip
    with scene.studio.database.session() as session:
        session.merge(row)


def said(brief: Brief, **changes: str) -> dict[str, str]:
    statement = {"project": PROJECT, "claim": digest(CLAIMS[0]), "decision": "checked"}
    return {**statement, **changes}


def test_claims_are_listed_with_their_ticks(scene: Scene, brief: Brief, dan: Member) -> None:
    assert reviewers_of(brief) == ("cleo", "dan")
    assert reviewers_of(brief_with()) == ()
    done = ticked(scene, brief, 2)
    assert (done.number, done.ticked_by) == (2, ("cleo",))
    assert ticked(scene, brief, 2).ticked_by == ("cleo",)
    assert ticked(scene, brief, 2, dan).people == tuple(sorted([scene.cleo.id, dan.id]))
    first, second = list_claims(scene.studio, PROJECT, brief)
    assert (first.number, first.claim.text, first.ticked_by) == (1, "It rained in May.", ())
    assert set(second.ticked_by) == {"cleo", "dan"}
    assert list_claims(scene.studio, "p2", brief)[1].ticked_by == ()


def test_each_must_be_ticked_by_somebody_outside(scene: Scene, brief: Brief) -> None:
    ticked(scene, brief, 1)
    with pytest.raises(SignOffError, match=r"^claim 2 has not been ticked off"):
        check_claims(scene.studio, PROJECT, brief, shown=())
    ticked(scene, brief, 2)
    check_claims(scene.studio, PROJECT, brief, shown=[scene.ada.id])
    with pytest.raises(SignOffError, match=r"^claim 1 has not been ticked off"):
        check_claims(scene.studio, PROJECT, brief, shown=[scene.cleo.id])
    check_claims(scene.studio, PROJECT, brief_with(), shown=())


@pytest.mark.parametrize("number", [0, 3, -1])
def test_there_must_be_such_a_claim(scene: Scene, brief: Brief, number: int) -> None:
    with pytest.raises(NotFoundError, match=f"no claim {number}"):
        ticked(scene, brief, number)


def test_only_a_reviewer_of_the_brief_ticks(scene: Scene, brief: Brief) -> None:
    with pytest.raises(SignOffError, match="ada is not a reviewer of this brief"):
        ticked(scene, brief, 1, scene.ada)
    with pytest.raises(NotFoundError):
        tick(scene.studio, PROJECT, brief, 1, reviewer="nobody", key=new_key())
    with pytest.raises(IntegrityError, match="not cleo's"):
        tick(scene.studio, PROJECT, brief, 1, reviewer="cleo", key=scene.ada.key)
    with pytest.raises(IntegrityError, match="not cleo's"):
        tick(scene.studio, PROJECT, brief, 1, reviewer="cleo", key=scene.studio.signing_key)


def test_a_claim_that_is_worded_anew_is_unchecked(scene: Scene, brief: Brief) -> None:
    ticked(scene, brief, 1)
    other = [{**CLAIMS[0], "source": "https://example.org/elsewhere"}, CLAIMS[1]]
    changed = brief_with(claims=other, reviewer="cleo")
    assert list_claims(scene.studio, PROJECT, changed)[0].ticked_by == ()


def test_the_tick_of_somebody_who_is_no_reviewer_counts_for_nothing(
    scene: Scene, brief: Brief
) -> None:
    ticked(scene, brief, 1)
    assert list_claims(scene.studio, PROJECT, brief_with(claims=CLAIMS))[0].ticked_by == ()


@pytest.mark.parametrize("how", ["stranger", "studio", "other kind", "garbage"])
def test_a_tick_put_into_the_database_is_verified(scene: Scene, brief: Brief, how: str) -> None:
    token = {
        "stranger": sign(said(brief), new_key(), kind="assent-claim+jws"),
        "studio": sign(said(brief), scene.studio.signing_key, kind="assent-claim+jws"),
        "other kind": sign(said(brief), scene.cleo.key, kind="assent-sign-off+jws"),
        "garbage": "nonsense",
    }[how]
    put(scene, token)
    with pytest.raises(IntegrityError, match="tick at a claim was altered"):
        list_claims(scene.studio, PROJECT, brief)


@pytest.mark.parametrize("change", [{"project": "p2"}, {"claim": "0" * 64}, {"decision": "no"}])
def test_a_tick_of_something_else_is_refused(
    scene: Scene, brief: Brief, change: dict[str, str]
) -> None:
    put(scene, sign(said(brief, **change), scene.cleo.key, kind="assent-claim+jws"))
    with pytest.raises(IntegrityError, match="belongs to another claim"):
        list_claims(scene.studio, PROJECT, brief)


def test_a_tick_signed_in_a_browser(scene: Scene, brief: Brief) -> None:
    cleo = scene.cleo
    text = tick_to_sign(scene.studio, PROJECT, brief, 1, reviewer=cleo.person)
    token = attach(text, signature(text, cleo.key), public_of(cleo.key))
    done = keep_tick(scene.studio, PROJECT, brief, 1, reviewer=cleo.person, token=token)
    assert done.ticked_by == ("cleo",)
    with pytest.raises(IntegrityError, match="belongs to another claim"):
        keep_tick(scene.studio, PROJECT, brief, 2, reviewer=cleo.person, token=token)
    earlier = sign(peek(text) | {"time": "2020-01-01T00:00:00Z"}, cleo.key, kind="assent-claim+jws")
    with pytest.raises(IntegrityError, match="not of today"):
        keep_tick(scene.studio, PROJECT, brief, 1, reviewer=cleo.person, token=earlier)
    with pytest.raises(IntegrityError, match="altered"):
        keep_tick(scene.studio, PROJECT, brief, 1, reviewer=cleo.person, token=f"{text}.AAAA")
    with pytest.raises(SignOffError, match="ada is not a reviewer"):
        tick_to_sign(scene.studio, PROJECT, brief, 1, reviewer=scene.ada.person)
    with pytest.raises(SignOffError, match="ada is not a reviewer"):
        keep_tick(scene.studio, PROJECT, brief, 1, reviewer=scene.ada.person, token=token)
