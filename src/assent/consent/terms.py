"""What the studio asks for, what the subject chose of it, and the record that comes of both.

>>> Choices.of_everything(terms).take_from(terms) == terms  # doctest: +SKIP
True
"""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from assent.consent.clearance import Act, Modality
from assent.consent.notice import wording, write_notice
from assent.consent.people import Person
from assent.consent.record import (
    Authority,
    Biometrics,
    ConsentRecord,
    Controller,
    Evidence,
    Forbidden,
    Handling,
    Notice,
    Principal,
    ProjectReference,
    Scope,
    Withdrawal,
)
from assent.kit.canonical import digest
from assent.kit.errors import BriefError, InputError, RefusedError
from assent.kit.signing import VerifyKey, thumbprint
from assent.kit.store.studio import Studio
from assent.purpose.brief import describe_problems
from assent.purpose.projects import Purpose

__all__ = ["Choices", "Terms", "draw_up", "terms_from_json", "terms_to_json"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the studio asks for; the subject may refuse, or ask for other terms."""

    acts: frozenset[Act]
    modalities: frozenset[Modality]
    use: str
    channels: frozenset[str]
    territory: str = "worldwide"
    starts: date
    ends: date
    most_releases: int = 10
    compensation: str = "as agreed in the contract"
    forbidden: frozenset[Forbidden] = frozenset()
    language: str = "en"
    final_approval: bool = False
    """The subject keeps the last word on each result."""
    authority: Authority | None = None
    """By what somebody else answers for the subject: an estate, or a guardian."""
    likeness_sha256: str | None = None
    """Of a clip that shows the subject, if somebody else records the statement."""


class Choices(BaseModel):
    """What the subject ticked and wrote; nothing is ticked for them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    language: Literal["en", "de", "es"]
    adult: bool = False
    face_matching: bool = False
    final_approval: bool = False
    acts: frozenset[Act] = frozenset()
    modalities: frozenset[Modality] = frozenset()
    channels: frozenset[str] = frozenset()
    forbidden: frozenset[Forbidden] = frozenset()
    ends: date
    most_releases: int

    def to_json(self) -> dict[str, Any]:
        """Return them as plain JSON values, sets sorted."""
        told = self.model_dump(mode="json")
        return {k: sorted(v) if isinstance(v, list) else v for k, v in told.items()}

    def take_from(self, asked: Terms) -> Terms:
        """Return the terms that the subject chose out of `asked`: less, never more.

        Raises `RefusedError` unless they are an adult and agree to the matching of their face,
        `InputError` if nothing is left, or anything goes beyond what was asked.
        """
        if not self.adult:
            raise RefusedError(
                "minors can't be asked", advice="Only people of 18 years or older can agree."
            )
        if not self.face_matching:
            raise RefusedError(
                "without matching faces nobody could tell whose footage it is",
                advice="Agree to the matching as well, or say no to all of it.",
            )
        self._check_within(asked)
        return replace(
            asked,
            acts=self.acts,
            modalities=self.modalities,
            channels=self.channels,
            forbidden=asked.forbidden | self.forbidden,
            ends=self.ends,
            most_releases=self.most_releases,
            language=self.language,
            final_approval=self.final_approval,
        )

    def _check_within(self, asked: Terms) -> None:
        for chosen, offered, what in (
            (self.acts, asked.acts, "acts"),
            (self.modalities, asked.modalities, "modalities"),
            (self.channels, asked.channels, "channels"),
        ):
            if not chosen:
                raise InputError(
                    f"nothing is ticked under '{what}'",
                    advice="Tick what you allow, or say no to all of it.",
                )
            if not chosen <= offered:
                raise InputError(f"more was ticked under '{what}' than was asked")
        if not asked.starts < self.ends <= asked.ends:
            raise InputError(
                f"the last day must lie between {asked.starts} and {asked.ends}",
                advice="Choose a day after the first one, no later than what was asked.",
            )
        if not 1 <= self.most_releases <= asked.most_releases:
            raise InputError(f"the releases must be 1 to {asked.most_releases}")


def terms_to_json(terms: Terms) -> dict[str, Any]:
    """Return terms as plain JSON values."""
    return {
        "acts": sorted(each.value for each in terms.acts),
        "modalities": sorted(each.value for each in terms.modalities),
        "use": terms.use,
        "channels": sorted(terms.channels),
        "territory": terms.territory,
        "starts": terms.starts.isoformat(),
        "ends": terms.ends.isoformat(),
        "most_releases": terms.most_releases,
        "compensation": terms.compensation,
        "forbidden": sorted(terms.forbidden),
        "language": terms.language,
        "final_approval": terms.final_approval,
        "authority": None if terms.authority is None else terms.authority.model_dump(mode="json"),
        "likeness_sha256": terms.likeness_sha256,
    }


def terms_from_json(told: Mapping[str, Any]) -> Terms:
    """Read what `terms_to_json` wrote."""
    return Terms(
        **{
            **told,
            "acts": frozenset(Act(each) for each in told["acts"]),
            "modalities": frozenset(Modality(each) for each in told["modalities"]),
            "channels": frozenset(told["channels"]),
            "starts": date.fromisoformat(told["starts"]),
            "ends": date.fromisoformat(told["ends"]),
            "forbidden": frozenset(told["forbidden"]),
            "authority": Authority(**told["authority"]) if told["authority"] else None,
        }
    )


def draw_up(
    studio: Studio,
    purpose: Purpose,
    person: Person,
    terms: Terms,
    *,
    record_id: str,
    version: int,
    evidence: tuple[Evidence, ...],
    key: VerifyKey,
) -> ConsentRecord:
    """Return the record of these terms, for the holder of `key` to sign.

    Raises `BriefError` if the terms make no sense, `InputError` if they outlast the project.
    """
    if terms.ends > purpose.brief.ends:
        raise InputError(
            f"the consent would last until {terms.ends}, the project ends on {purpose.brief.ends}",
            advice="Ask for no longer than the project's term.",
        )
    words = wording(terms.language)
    try:
        return ConsentRecord(
            record_id=record_id,
            version=version,
            nonce=secrets.token_hex(32),
            project=ProjectReference(
                id=purpose.project_id,
                name=purpose.slug,
                title=purpose.brief.title,
                brief_sha256=digest(purpose.brief.to_json()),
            ),
            principal=Principal(
                id=person.id,
                handle=person.handle,
                key_thumbprint=thumbprint(key),
                adult=True,
                authority=terms.authority,
            ),
            controller=Controller(id=studio.id, name=studio.name, contact=studio.contact),
            notice=Notice(
                language=terms.language,
                text=write_notice(
                    language=terms.language,
                    studio=studio.name,
                    project=purpose.brief.title,
                    use=terms.use,
                    acts=terms.acts,
                    modalities=terms.modalities,
                    authority=terms.authority,
                ),
            ),
            scope=Scope(
                use=terms.use,
                modalities=terms.modalities,
                acts=terms.acts,
                channels=terms.channels,
                territory=terms.territory,
                starts=terms.starts,
                ends=terms.ends,
                most_releases=terms.most_releases,
                compensation=terms.compensation,
            ),
            forbidden=terms.forbidden,
            final_approval=terms.final_approval,
            handling=_handling(terms.modalities, words.handling),
            biometrics=Biometrics(
                face_matching=True,
                purpose=words.biometrics["purpose"],
                retention=words.biometrics["retention"],
            ),
            withdrawal=Withdrawal(contact=studio.contact, effect=words.texts["effect"]),
            evidence=evidence,
        )
    except ValidationError as error:
        raise BriefError(f"the terms can't be offered: {describe_problems(error)}") from error


def _handling(modalities: Iterable[Modality], words: Mapping[str, str]) -> Handling:
    return Handling(
        kinds=("footage", *sorted(modality.value for modality in modalities), "face template"),
        storage=words["storage"],
        retention=words["retention"],
        recipients=words["recipients"],
    )
