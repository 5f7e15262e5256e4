"""What a content credential of ours says, and its form as a C2PA manifest definition.

A manifest names the system, what was done, the mark in the picture and the consent that covers
it. It never names a person: consent appears as salted hashes of receipts only.

>>> plan = Plan(
...     title="advert.mp4", generator_name="Assent", generator_version="0.1.0",
...     digital_source_type="compositeWithTrainedAlgorithmicMedia",
...     actions=(Action(name="c2pa.opened"), Action(name="c2pa.edited", description="Face")),
...     asset_id="00" * 8, receipts=("ab" * 32,),
... )
>>> to_manifest(plan)["claim_generator_info"]
[{'name': 'Assent', 'version': '0.1.0'}]
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from assent.kit.errors import BriefError

__all__ = [
    "CONSENT",
    "FINGERPRINT_ALGORITHM",
    "PARENT",
    "SOUND_MARK_ALGORITHM",
    "SOURCE_TYPES",
    "THUMBNAIL",
    "WATERMARK_ALGORITHM",
    "Action",
    "ListEntry",
    "Plan",
    "Scope",
    "iptc_term",
    "to_manifest",
]

WATERMARK_ALGORITHM = "org.assent.watermark.2"
SOUND_MARK_ALGORITHM = "org.assent.watermark.sound.1"
# The name under which ISCC codes are registered in C2PA's list of soft-binding algorithms.
FINGERPRINT_ALGORITHM = "io.iscc.v0"
CONSENT = "org.assent.consent"
# The version of that assertion's schema: docs/specs/consent-assertion.md.
_CONSENT_SCHEMA = 1
# The name by which the definition refers to the thumbnail's bytes.
THUMBNAIL = "thumbnail.jpg"
# The label by which the opening action refers to the parent ingredient.
PARENT = "parent"
SOURCE_TYPES = frozenset({"compositeWithTrainedAlgorithmicMedia", "trainedAlgorithmicMedia"})

_SOURCE_TYPE_BASE = "http://cv.iptc.org/newscodes/digitalsourcetype/"
_HEX = re.compile(r"(?:[0-9a-f]{2})+")
_REFERENCE = re.compile(r"[!-~]{1,512}")
_PLACE = re.compile(r"[A-Z]{2}(?:-[A-Z0-9]{1,3})?")
# The actions that make what is seen, and so carry the digital source type.
_MAKING = frozenset({"c2pa.converted", "c2pa.created", "c2pa.edited"})
_FIRST = frozenset({"c2pa.opened", "c2pa.created"})
# CAWG training and data mining assertion 1.1: every entry that it defines.
_MINING = (
    "cawg.ai_generative_training",
    "cawg.ai_inference",
    "cawg.ai_training",
    "cawg.data_mining",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One step of the making: a C2PA action `name` such as c2pa.edited, and what it did."""

    name: str
    description: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What all the consents together cover: words of the product, never words about people.

    `acts` and `modalities` as consent records name them, `places` codes such as EU or US-CA, `ends`
    the last day.
    """

    acts: tuple[str, ...]
    modalities: tuple[str, ...]
    places: tuple[str, ...] = ()
    ends: date | None = None

    def as_json(self) -> dict[str, Any]:
        """Return it as the assertion holds it, sorted."""
        told: dict[str, Any] = {
            "acts": sorted(self.acts),
            "modalities": sorted(self.modalities),
            "places": sorted(self.places),
        }
        return told if self.ends is None else told | {"ends": self.ends.isoformat()}


@dataclass(frozen=True, slots=True, kw_only=True)
class ListEntry:
    """A receipt's place in a status list: the list's `id`, its `path` beside the log, the index."""

    id: str
    path: str
    index: int

    def as_json(self) -> dict[str, Any]:
        """Return it as the assertion holds it, in the words of Bitstring Status List."""
        return {
            "statusPurpose": "revocation",
            "statusListCredential": self.id,
            "statusListIndex": str(self.index),
            "path": self.path,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All that a credential will say.

    `title` is a neutral name: file names and names of people stay out of manifests.
    `digital_source_type` is one of SOURCE_TYPES (IPTC terms), None for what no model made.
    `actions` begins with c2pa.opened (something that existed was changed: give an ingredient when
    signing) or c2pa.created. `asset_id` is the watermark's payload and each of `receipts` a salted
    hash, all lower-case hex; `sound_mark` is the number in the sound, likewise. `marked` tells
    whether the picture carries the watermark. `fingerprint` is an ISCC; `log` is a reference
    (address or origin) without spaces, `log_url` where its copy lies. `when` (aware) is the moment
    of the making. Raises BriefError when a field isn't so.
    """

    title: str
    generator_name: str
    generator_version: str
    digital_source_type: str | None
    actions: tuple[Action, ...]
    asset_id: str
    marked: bool = True
    sound_mark: str | None = None
    receipts: tuple[str, ...] = ()
    scope: Scope | None = None
    status: tuple[ListEntry, ...] = ()
    fingerprint: str | None = None
    log: str | None = None
    log_url: str | None = None
    when: datetime | None = None

    def __post_init__(self) -> None:
        """Refuse a plan that would make a false or indiscreet manifest."""
        if self.digital_source_type not in {None, *SOURCE_TYPES}:
            raise _senseless("digital source type", str(self.digital_source_type))
        if not self.actions or self.actions[0].name not in _FIRST:
            raise _senseless("first action", self.actions[0].name if self.actions else "none")
        listed = [part for entry in self.status for part in (entry.id, entry.path)]
        places = self.scope.places if self.scope else ()
        _check_all("hexadecimal value", _HEX, (self.asset_id, self.sound_mark, *self.receipts))
        _check_all("reference", _REFERENCE, (self.fingerprint, self.log, self.log_url, *listed))
        _check_all("place", _PLACE, places)


def iptc_term(source_type: str) -> str:
    """Return the address of an IPTC digital source type."""
    return _SOURCE_TYPE_BASE + source_type


def to_manifest(plan: Plan, *, thumbnail: bool = False) -> dict[str, Any]:
    """Return `plan` as a manifest definition in JSON form, as c2pa's Builder takes it.

    With `thumbnail` it refers to a JPEG under the name THUMBNAIL.
    """
    entries = {entry: {"use": "notAllowed"} for entry in _MINING}
    assertions = [
        _assertion("c2pa.actions.v2", {"actions": [_action(plan, each) for each in plan.actions]}),
        *_bindings(plan),
        _assertion("cawg.training-mining", {"entries": entries}),
        # The library takes metadata as JSON-LD only if it is told so.
        _assertion("cawg.metadata", _metadata(plan)) | {"kind": "Json"},
        _assertion(CONSENT, _consent(plan)),
    ]
    definition = {
        "claim_version": 2,
        "title": plan.title,
        "claim_generator_info": [_generator(plan)],
        "assertions": assertions,
    }
    if thumbnail:
        definition["thumbnail"] = {"format": "image/jpeg", "identifier": THUMBNAIL}
    return definition


def _assertion(label: str, data: dict[str, Any]) -> dict[str, Any]:
    # "created": the signer vouches for it, rather than having gathered it from elsewhere.
    return {"label": label, "data": data, "created": True}


def _generator(plan: Plan) -> dict[str, str]:
    return {"name": plan.generator_name, "version": plan.generator_version}


def _action(plan: Plan, action: Action) -> dict[str, Any]:
    written: dict[str, Any] = {"action": action.name, "softwareAgent": _generator(plan)}
    if plan.when is not None:
        written["when"] = _moment(plan.when)
    parameters: dict[str, Any] = dict(action.parameters)
    if action.name == "c2pa.opened":
        parameters["ingredientIds"] = [PARENT]
    if action.description:
        written["description"] = action.description
    if parameters:
        written["parameters"] = parameters
    if action.name in _MAKING and plan.digital_source_type is not None:
        written["digitalSourceType"] = iptc_term(plan.digital_source_type)
    return written


def _metadata(plan: Plan) -> dict[str, Any]:
    """Return what other programs show of a file, as JSON-LD (CAWG metadata assertion 1.1)."""
    told: dict[str, Any] = {
        "@context": {
            "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
            "dc": "http://purl.org/dc/elements/1.1/",
            "xmp": "http://ns.adobe.com/xap/1.0/",
        },
        "dc:identifier": plan.asset_id,
        "xmp:CreatorTool": " ".join(_generator(plan).values()),
    }
    if plan.digital_source_type is not None:
        told["Iptc4xmpExt:DigitalSourceType"] = iptc_term(plan.digital_source_type)
    if plan.when is not None:
        told["xmp:CreateDate"] = _moment(plan.when)
    return told


def _consent(plan: Plan) -> dict[str, Any]:
    told: dict[str, Any] = {"version": _CONSENT_SCHEMA, "receipts": sorted(plan.receipts)}
    if plan.scope is not None:
        told["scope"] = plan.scope.as_json()
    if plan.status:
        # In the order of the places, so that no index is told to belong to a certain receipt.
        placed = sorted(plan.status, key=lambda entry: (entry.id, entry.index))
        told["status"] = [entry.as_json() for entry in placed]
    named = {"log": plan.log, "log_url": plan.log_url}
    return told | {name: value for name, value in named.items() if value is not None}


def _bindings(plan: Plan) -> Iterable[dict[str, Any]]:
    if plan.marked:
        yield _soft_binding(WATERMARK_ALGORITHM, plan.asset_id)
    if plan.sound_mark is not None:
        yield _soft_binding(SOUND_MARK_ALGORITHM, plan.sound_mark)
    if plan.fingerprint is not None:
        yield _soft_binding(FINGERPRINT_ALGORITHM, plan.fingerprint)


def _moment(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _soft_binding(algorithm: str, value: str) -> dict[str, Any]:
    """Return a soft binding of the whole asset (C2PA 2.2 section 9.3)."""
    blocks = [{"scope": {}, "value": value}]
    return _assertion("c2pa.soft-binding", {"alg": algorithm, "blocks": blocks})


def _check_all(what: str, pattern: re.Pattern[str], values: Iterable[str | None]) -> None:
    for value in values:
        if value is not None and not pattern.fullmatch(value):
            raise _senseless(what, value)


def _senseless(what: str, value: str) -> BriefError:
    return BriefError(f"a credential can't carry the {what} {value!r}")
