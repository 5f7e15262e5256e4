"""The decision whether something may be done: pure, from what is known to allowed or refused.

Asked when a project is made, and again by the desk at every clearance, so that a rule that begins
on a date, or one of a place that a consent record names, counts at render and release too.

>>> from assent.purpose.brief import EXAMPLE, Brief
>>> from assent.purpose.pack import load_packs
>>> decision = decide(Brief.from_mapping(EXAMPLE), load_packs(), day=date(2026, 11, 22))
>>> decision.refusal, decision.level.name
(None, 'medium')
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from assent.kit.errors import ForbiddenPurposeError
from assent.purpose.blocks import BLOCKS, NO_CONSENT, wording_of
from assent.purpose.brief import Brief
from assent.purpose.levels import LEVELS, Level, highest
from assent.purpose.pack import CODE, EFFECTS, Pack, Rule
from assent.purpose.places import WORLD, overlap, read_places
from assent.purpose.wording import Wording

__all__ = ["Assessment", "Decision", "RecordTerms", "Ruling", "assess", "concerned", "decide"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordTerms:
    """What the rules want to know of a consent record.

    `modalities` and `acts` are by their values, `face` or `train`; `territory` is as written.
    """

    use: str
    territory: str
    starts: date
    ends: date
    acts: frozenset[str]
    modalities: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """A rule that speaks of what was asked.

    `because` names what it rests on: answers, words, a place, an act. `effect` is as in the pack.
    """

    rule: str
    pack: str
    effect: str
    text: str
    source: str
    because: tuple[str, ...]
    begins: date | None = None
    weak: bool = False
    status: str = "in force"
    met: str = "yes"
    how: str = "This is part of the program and can't be turned off."

    @property
    def id(self) -> str:
        """The rule's id."""
        return self.rule

    @property
    def advice(self) -> str:
        """What to do, with the source."""
        return f"This can't be worked on in Assent (source: {self.source})."


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What the rules say on a day.

    `rulings` are those that apply, the strictest first; `upcoming` are those that will before the
    project ends; `packs` are those that were asked, with their versions.
    """

    day: date
    rulings: tuple[Ruling, ...]
    upcoming: tuple[Ruling, ...]
    level: Level
    packs: tuple[str, ...]
    without_pack: tuple[str, ...]

    @property
    def refusal(self) -> Ruling | None:
        """The first rule that refuses, or None: then it's allowed."""
        first = self.rulings[0] if self.rulings else None
        return first if first is not None and first.effect == "refuse" else None

    def require(self) -> None:
        """Raise `ForbiddenPurposeError` with rule, source and advice if a rule refuses."""
        if self.refusal is not None:
            raise ForbiddenPurposeError(
                f"refused by rule '{self.refusal.rule}': {self.refusal.text}",
                advice=self.refusal.advice,
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """What the rules say of a brief that they allow."""

    level: Level
    applied: tuple[Ruling, ...]
    packs: tuple[str, ...]


def decide(
    brief: Brief,
    packs: Iterable[Pack],
    *,
    day: date,
    terms: RecordTerms | None = None,
    act: str | None = None,
    modalities: Collection[str] | None = None,
    places: Collection[str] = (),
) -> Decision:
    """Hold what is asked against the hard blocks and `packs`.

    Args:
        brief: what it is for; its jurisdictions always count.
        packs: the rules.
        day: on which it is asked.
        terms: the consent record's, if one is asked about; places that it names count too.
        act: what is about to be done (`train`, `release`, ...); needs `terms`.
        modalities: what of the person is used; all that `terms` names unless told.
        places: codes of further places where it will be shown.
    """
    asked = _Asked(
        brief=brief,
        terms=terms,
        act=act,
        modalities=_used(terms, modalities),
        places=frozenset({*brief.places, *places, *_named(terms)}),
    )
    relevant = [pack for pack in packs if concerned(pack, asked.places)]
    found = [*_blocked(asked), *_found(asked, relevant)]
    now = [ruling for ruling, rule in found if rule is None or rule.holds_on(day)]
    later = [
        ruling
        for ruling, rule in found
        if rule is not None and rule.begins is not None and day < rule.begins <= brief.ends
    ]
    return Decision(
        day=day,
        rulings=tuple(sorted(now, key=lambda ruling: -EFFECTS.index(ruling.effect))),
        upcoming=tuple(later),
        level=highest(ruling.effect for ruling in now if ruling.effect in LEVELS),
        packs=tuple(f"{pack.name} {pack.version}" for pack in relevant),
        without_pack=tuple(_unspoken_for(asked.places, relevant)),
    )


def assess(brief: Brief, packs: Iterable[Pack], *, day: date) -> Assessment:
    """Hold `brief` against `packs`; raises `ForbiddenPurposeError` if a rule refuses it."""
    decision = decide(brief, packs, day=day)
    decision.require()
    return Assessment(level=decision.level, applied=decision.rulings, packs=decision.packs)


def concerned(pack: Pack, places: Iterable[str]) -> bool:
    """Tell whether `pack` speaks of one of `places`."""
    listed = pack.jurisdictions
    return any(overlap(place, spoken_of) for place in places for spoken_of in listed)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    brief: Brief
    terms: RecordTerms | None
    act: str | None
    modalities: frozenset[str]
    places: frozenset[str]


def _used(terms: RecordTerms | None, modalities: Collection[str] | None) -> frozenset[str]:
    if modalities is not None:
        return frozenset(modalities)
    return terms.modalities if terms else frozenset()


def _named(terms: RecordTerms | None) -> frozenset[str]:
    # "Worldwide" is no place of its own: where the work is shown, the brief says.
    return read_places(terms.territory).codes - {WORLD} if terms else frozenset()


def _blocked(asked: _Asked) -> Iterator[tuple[Ruling, None]]:
    for block in BLOCKS:
        reason = block.finds(asked.brief)
        if reason is not None:
            yield _block_ruling(block.id, block.text, block.source, reason), None
    if asked.act is not None and (asked.terms is None or asked.act not in asked.terms.acts):
        why = f"no consent to '{asked.act}'"
        yield _block_ruling(NO_CONSENT.id, NO_CONSENT.text, NO_CONSENT.source, why), None


def _block_ruling(rule: str, text: str, source: str, reason: str) -> Ruling:
    return Ruling(
        rule=rule, pack=CODE, effect="refuse", text=text, source=source, because=(reason,)
    )  # fmt: skip


def _found(asked: _Asked, packs: Iterable[Pack]) -> Iterator[tuple[Ruling, Rule]]:
    for pack in packs:
        place = next(
            (p for p in sorted(asked.places) for j in pack.jurisdictions if overlap(p, j)), WORLD
        )
        for rule in pack.rules:
            because = _because(rule, asked)
            if because is not None:
                where = () if WORLD in pack.jurisdictions else (_shown(place),)
                yield _ruling(rule, pack, (*because, *where)), rule


def _shown(place: str) -> str:
    return "shown worldwide" if place == WORLD else f"shown in {place}"


def _ruling(rule: Rule, pack: Pack, because: tuple[str, ...]) -> Ruling:
    return Ruling(
        rule=rule.id,
        pack=pack.name,
        effect=rule.effect,
        text=rule.text,
        source=rule.source,
        because=because,
        begins=rule.begins,
        weak=rule.weak,
        status="draft" if pack.status == "draft" else rule.status,
        met=rule.met,
        how=rule.how,
    )


def _because(rule: Rule, asked: _Asked) -> tuple[str, ...] | None:
    """Return what makes `rule` speak, or None if it doesn't."""
    reasons: list[str] = []
    for holds, reason in (*_of_brief(rule, asked.brief), *_of_record(rule, asked)):
        if not holds:
            return None
        reasons.append(reason)
    if rule.words:
        found = wording_of(asked.brief).find(rule.words)
        if found is None:
            return None
        reasons.append(f"the words '{found}'")
    return tuple(reasons)


def _of_brief(rule: Rule, brief: Brief) -> Iterator[tuple[bool, str]]:
    when = rule.when
    for answer, wanted in when.risk.items():
        given = getattr(brief.risk, answer)
        yield given == wanted, f"{answer} = {'yes' if given else 'no'}"
    if when.category:
        yield brief.category in when.category, f"category = {brief.category.value}"
    if when.claims is not None:
        yield bool(brief.claims) == (when.claims == "some"), f"claims: {when.claims}"


def _of_record(rule: Rule, asked: _Asked) -> Iterator[tuple[bool, str]]:
    when, terms = rule.when, asked.terms
    if when.act:
        yield asked.act in when.act, f"act = {asked.act}"
    if not when.of_record:
        return
    if terms is None:
        yield False, ""
        return
    if when.modality:
        yield not asked.modalities.isdisjoint(when.modality), f"uses {', '.join(when.modality)}"
    if when.longer_than_days is not None:
        days = (terms.ends - terms.starts).days
        yield days > when.longer_than_days, f"a term of {days} days"
    if when.use_words:
        found = _prepared(terms.use).find(when.use_words)
        yield found is not None, f"the use '{found}'"


@lru_cache(maxsize=256)
def _prepared(text: str) -> Wording:
    return Wording.of(text)


def _unspoken_for(places: Iterable[str], packs: Iterable[Pack]) -> Iterator[str]:
    known = [code for pack in packs for code in pack.jurisdictions if code != WORLD]
    for place in sorted(places):
        if not any(overlap(place, code) for code in known):
            yield place
