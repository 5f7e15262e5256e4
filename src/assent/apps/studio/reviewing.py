"""How far a draft is on its way to a release: what was found, who signed, who still must."""

from dataclasses import dataclass

from assent.consent.desk import live_record
from assent.consent.finals import decision_on as final_of
from assent.consent.people import person_by_id
from assent.create.draft import Draft
from assent.disclose.made import Preview, sheets_of
from assent.disclose.release import released_already
from assent.kit.errors import RefusedError
from assent.kit.store.studio import Studio
from assent.purpose.projects import Purpose
from assent.safeguard.claims import list_claims, reviewers_of
from assent.safeguard.review import Signed, decision_on, sign_offs_of

__all__ = ["Missing", "Progress", "progress_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """Something that has to be done before a draft may leave, and who must do it."""

    what: str
    who: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A draft on its way."""

    draft: Draft
    looked_at: int | None
    """How many frames the content gate saw; None: it has not looked."""
    level: str
    shortest_side: int
    signed: tuple[Signed, ...]
    missing: tuple[Missing, ...]
    sheets: tuple[Preview, ...]
    asset_id: str | None

    @property
    def word(self) -> str:
        """Return where it is, in a word or two."""
        if self.asset_id is not None:
            return "Released"
        if not self.missing:
            return "May be released"
        return "Not looked at" if self.looked_at is None else "Waits"

    @property
    def kind(self) -> str:
        """Return how that is coloured."""
        return {"Released": "good", "May be released": "good", "Waits": "warn"}.get(self.word, "")


def progress_of(studio: Studio, purpose: Purpose, draft: Draft) -> Progress:
    """Return how far a draft is; raises `IntegrityError` if what was signed of it was altered."""
    decision = decision_on(studio, draft)
    level = purpose.assessment.level
    signed = sign_offs_of(studio, purpose, draft) if reviewers_of(purpose.brief) else ()
    released = released_already(studio, draft)
    missing = [] if decision else [Missing(what="The content gate has not looked.", who="producer")]
    missing += _signatures(purpose, {each.handle for each in signed})
    missing += _claims(studio, purpose)
    missing += _finals(studio, purpose, draft)
    return Progress(
        draft=draft,
        looked_at=None if decision is None else int(decision["looked_at"]),
        level=level.name,
        shortest_side=level.shortest_side,
        signed=signed,
        missing=() if released else tuple(missing),
        sheets=sheets_of(studio, draft.id),
        asset_id=None if released is None else released.asset_id,
    )


def _signatures(purpose: Purpose, signed: set[str]) -> list[Missing]:
    level, brief = purpose.assessment.level, purpose.brief
    asked = [
        *([brief.reviewer] if level.sign_off else []),
        *([brief.second_reviewer] if level.second_reviewer else []),
    ]
    return [
        Missing(what="A signature is missing.", who=who)
        if who
        else Missing(
            what="The brief names nobody who may sign; this project can't be released.",
            who="producer",
        )
        for who in asked
        if who not in signed
    ]


def _claims(studio: Studio, purpose: Purpose) -> list[Missing]:
    if not purpose.assessment.level.ticks:
        return []
    return [
        Missing(what=f"Claim {each.number} is not ticked off.", who=purpose.brief.reviewer or "")
        for each in list_claims(studio, purpose.project_id, purpose.brief)
        if not each.ticked_by
    ]


def _finals(studio: Studio, purpose: Purpose, draft: Draft) -> list[Missing]:
    found = []
    for person_id in sorted({draft.donor_id, *draft.clip.people}):
        person = person_by_id(studio, person_id)
        try:
            _, record = live_record(studio, purpose, person)
        except RefusedError:
            found.append(Missing(what="The consent is not in force.", who=person.handle))
            continue
        if not record.final_approval:
            continue
        said = final_of(studio, person, draft_id=draft.id, draft=draft.digest)
        if said == "decline":
            found.append(Missing(what="They declined this draft.", who=person.handle))
        elif said is None:
            found.append(Missing(what="They keep the last word.", who=person.handle))
    return found
