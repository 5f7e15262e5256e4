"""The studio, who one is in it, and the rules that work is held against."""

from datetime import date
from typing import Any

from assent import __version__
from assent.apps.access.permissions import Action
from assent.apps.api.call import Asked, get, post
from assent.apps.api.resources.projects import BriefIn, Ruling, rulings_of
from assent.apps.api.shapes import Received, Told, example
from assent.kit.store.studio import Studio
from assent.purpose.blocks import BLOCKS, NO_CONSENT
from assent.purpose.library import packs_of
from assent.purpose.rules import decide

__all__ = ["OPERATIONS"]


class StudioTold(Told):
    """The studio: who is answerable, and the key of its log."""

    model_config = example(
        id="3f0c9b1e-8f43-4f0e-9a39-0d5e2b1f7a11",
        name="Small Films",
        contact="consent@example.org",
        version="0.1.0",
        log_key="assent.local/studio/3f0c…+1a2b3c4d+AQ…",
    )
    id: str
    name: str
    contact: str
    version: str
    log_key: str


class MembershipTold(Told):
    """A role, in one project or in the whole studio."""

    role: str
    project: str | None


class Me(Told):
    """Whose token it is, and what it may do."""

    token: str
    account: str | None
    name: str
    expires: str
    scopes: list[str]
    memberships: list[MembershipTold]


class PackRule(Told):
    """A rule of a pack."""

    id: str
    effect: str
    text: str
    source: str
    in_force: bool


class PackTold(Told):
    """A rule pack as it is installed."""

    name: str
    title: str
    version: str
    date: date
    status: str
    source: str
    jurisdictions: list[str]
    sha256: str
    rules: list[PackRule]


class Packs(Told):
    """Every rule pack, and the rules that are code."""

    items: list[PackTold]
    always: list[PackRule]


class Question(Received):
    """A brief to be held against the rules; nothing is kept."""

    brief: BriefIn


class Decision(Told):
    """What the rules say of a brief today."""

    allowed: bool
    day: date
    risk: str
    demands: list[str]
    packs: list[str]
    without_pack: list[str]
    rules: list[Ruling]
    upcoming: list[Ruling]


def show_studio(call: Asked) -> StudioTold:
    """The studio that this is: its name, its contact, the public key of its log."""
    studio = call.studio
    return StudioTold(
        id=studio.id,
        name=studio.name,
        contact=studio.contact,
        version=__version__,
        log_key=studio.log_verifier.vkey,
    )


def show_me(call: Asked) -> Me:
    """Whose token was sent, what it may do, and until when."""
    return Me(
        token=call.token.id,
        account=call.who.account_id,
        name=call.who.name,
        expires=call.token.expires,
        scopes=[each.value for each in call.token.scopes],
        memberships=[
            MembershipTold(role=each.role.value, project=each.project_id)
            for each in call.who.memberships
        ],
    )


def list_packs(call: Asked) -> Packs:
    """The rule packs, each rule with its source, and what is refused whatever they say."""
    today = call.studio.clock().date()
    return Packs(
        items=[_pack(pack, today) for pack in packs_of(call.studio)],
        always=[
            PackRule(id=b.id, effect="refuse", text=b.text, source=b.source, in_force=True)
            for b in (*BLOCKS, NO_CONSENT)
        ],
    )


def check_brief(call: Asked, question: Question) -> Decision:
    """Hold a brief against the rules without making a project; a refusal is an answer here."""
    return decision_of(call.studio, question.brief)


def decision_of(studio: Studio, brief: BriefIn) -> Decision:
    """Return what the rules of today say of a brief."""
    made = decide(brief.plain(), packs_of(studio), day=studio.clock().date())
    return Decision(
        allowed=made.refusal is None,
        day=made.day,
        risk=made.level.name,
        demands=list(made.level.demands()),
        packs=list(made.packs),
        without_pack=list(made.without_pack),
        rules=rulings_of(made.rulings),
        upcoming=rulings_of(made.upcoming),
    )


def _pack(pack: Any, today: date) -> PackTold:  # noqa: ANN401 - a pack
    return PackTold(
        name=pack.name,
        title=pack.title,
        version=str(pack.version),
        date=pack.date,
        status=pack.status,
        source=pack.source,
        jurisdictions=list(pack.jurisdictions),
        sha256=pack.digest(),
        rules=[
            PackRule(
                id=rule.id,
                effect=rule.effect,
                text=rule.text,
                source=rule.source,
                in_force=rule.holds_on(today),
            )
            for rule in pack.rules
        ],
    )


OPERATIONS = (
    get("/studio", show_studio, Action.ENTER, tags=["studio"]),
    get("/me", show_me, Action.ENTER, tags=["studio"]),
    get("/rule-packs", list_packs, Action.ENTER, tags=["rules"]),
    post("/rules/check", check_brief, Action.ENTER, status=200, tags=["rules"]),
)
