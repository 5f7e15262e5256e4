"""After a case: what happened, what was slow, what changes; and, if it comes to that, a new rule.

A rule goes into the studio's own pack, `house`, which is signed with a key of its own, kept among
the studio's secrets, and taken like any publisher's: it can ask for more, never for less.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from assent.kit.canonical import digest
from assent.kit.errors import InputError, RefusedError
from assent.kit.signing import SigningKey, from_pem, new_key, public_of, to_pem
from assent.kit.store.studio import Studio
from assent.monitor.cases.case import Case, add_event, key_of, row_of
from assent.monitor.cases.notice import clean
from assent.purpose.library import installed_packs, sign_pack, trust, update
from assent.purpose.pack import Pack, parse_pack

__all__ = ["HOUSE", "Retrospective", "keep_retrospective", "retrospective_of"]

HOUSE = "house"
"""The name of the studio's own rule pack."""

_SECRET = "house-rules"  # noqa: S105 - the name of a secret
_LONGEST = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrospective:
    """The short form: three answers, and a rule if one is to be added."""

    happened: str
    slow: str
    change: str
    rule: Mapping[str, Any] | None = None


def keep_retrospective(
    studio: Studio, case: Case, answers: Retrospective, *, by: str
) -> Pack | None:
    """Keep the answers, sealed like the case; put the rule into the house pack and return it.

    Raises `RefusedError` before the case is decided, `InputError` for answers that are too long or
    a rule that is none.
    """
    if case.decided is None or case.lead_id is not None:
        raise RefusedError(
            "a case is looked back on once it is decided", advice="Decide it: `assent case decide`."
        )
    told = {
        name: clean(str(getattr(answers, name))) for name in ("happened", "slow", "change")
    }  # fmt: skip
    if not told["happened"] or any(len(text) > _LONGEST for text in told.values()):
        raise InputError(f"each answer has at most {_LONGEST} characters, the first one at least 1")
    pack = _add_rule(studio, answers.rule) if answers.rule else None
    sealed = key_of(studio, case.id).seal("retrospective", told)
    with studio.database.session() as session:
        row_of(session, case.id).retrospective = sealed
        details = {"rules": pack.version if pack else None}
        add_event(
            session, case.id, "retrospective", by=by, now=studio.clock(), details=details
        )  # fmt: skip
    return pack


def retrospective_of(studio: Studio, case: Case) -> dict[str, str] | None:
    """Return the answers, or None if nobody has given any."""
    with studio.database.session() as session:
        sealed = row_of(session, case.id).retrospective
    if sealed is None:
        return None
    answers: dict[str, str] = key_of(studio, case.id).open("retrospective", sealed)
    return answers


def _add_rule(studio: Studio, rule: Mapping[str, Any]) -> Pack:
    """Return the house pack with one rule more, once it is put in."""
    today = studio.clock().date()
    before = next((i.pack for i in installed_packs(studio) if i.pack.name == HOUSE), None)
    rules = list(before.to_json()["rule"]) if before else []
    text = str(rule.get("text", ""))
    rules.append(
        {
            "id": f"{HOUSE}-{digest({'text': text})[:10]}",
            "source": f"{studio.name}: retrospective of {today}",
            "status": "policy",
            **{key: value for key, value in rule.items() if value not in (None, "", [], ())},
        }
    )
    pack = parse_pack(
        {
            "name": HOUSE,
            "title": f"House rules of {studio.name}",
            "version": _next(before, today.year, today.month),
            "date": today.isoformat(),
            "source": studio.name,
            "jurisdictions": ["*"],
            "rule": rules,
        },
        name="the rule",
    )
    key = _house_key(studio)
    trust(studio, public_of(key), name=f"{studio.name}, house rules"[:80])
    update(studio, sign_pack(pack, key))
    return pack


def _next(before: Pack | None, year: int, month: int) -> str:
    """Return a version that is newer than the one before."""
    if before is None or before.order < (year, month):
        return f"{year}.{month}.1"
    number = before.order[2] if len(before.order) > 2 else 0
    return f"{before.order[0]}.{before.order[1]}.{number + 1}"


def _house_key(studio: Studio) -> SigningKey:
    if _SECRET not in studio.secrets.names():
        studio.secrets.put(_SECRET, to_pem(new_key()))
    return from_pem(studio.secrets.get(_SECRET), name="the key of the house rules")
