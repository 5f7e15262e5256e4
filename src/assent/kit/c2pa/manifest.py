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
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from assent.kit.errors import BriefError

__all__ = [
    "CONSENT",
    "FINGERPRINT_ALGORITHM",
    "PARENT",
    "SOURCE_TYPES",
    "WATERMARK_ALGORITHM",
    "Action",
    "Plan",
    "to_manifest",
]

WATERMARK_ALGORITHM = "org.assent.watermark.2"
# The name under which ISCC codes are registered in C2PA's list of soft-binding algorithms.
FINGERPRINT_ALGORITHM = "io.iscc.v0"
CONSENT = "org.assent.consent"
# The label by which the opening action refers to the parent ingredient.
PARENT = "parent"
SOURCE_TYPES = frozenset({"compositeWithTrainedAlgorithmicMedia", "trainedAlgorithmicMedia"})

_SOURCE_TYPE_BASE = "http://cv.iptc.org/newscodes/digitalsourcetype/"
_HEX = re.compile(r"(?:[0-9a-f]{2})+")
_REFERENCE = re.compile(r"[!-~]{1,512}")
# The actions that make pictures, and so carry the digital source type.
_MAKING = frozenset({"c2pa.created", "c2pa.edited"})
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
class Plan:
    """All that a credential will say.

    `title` is a neutral name: file names and names of people stay out of manifests.
    `digital_source_type` is one of SOURCE_TYPES (IPTC terms). `actions` begins with c2pa.opened
    (existing footage was changed: give an ingredient when signing) or c2pa.created. `asset_id`
    is the watermark's payload and each of `receipts` a salted hash, all lower-case hex.
    `fingerprint` is an ISCC; `status` and `log` are references (address, list index or log
    position) without spaces. Raises BriefError when a field isn't so.
    """

    title: str
    generator_name: str
    generator_version: str
    digital_source_type: str
    actions: tuple[Action, ...]
    asset_id: str
    receipts: tuple[str, ...] = ()
    fingerprint: str | None = None
    status: str | None = None
    log: str | None = None

    def __post_init__(self) -> None:
        """Refuse a plan that would make a false or indiscreet manifest."""
        if self.digital_source_type not in SOURCE_TYPES:
            raise _senseless("digital source type", self.digital_source_type)
        if not self.actions or self.actions[0].name not in _FIRST:
            raise _senseless("first action", self.actions[0].name if self.actions else "none")
        for value in (self.asset_id, *self.receipts):
            if not _HEX.fullmatch(value):
                raise _senseless("hexadecimal value", value)
        for reference in (self.fingerprint, self.status, self.log):
            if reference is not None and not _REFERENCE.fullmatch(reference):
                raise _senseless("reference", reference)


def to_manifest(plan: Plan) -> dict[str, Any]:
    """Return `plan` as a manifest definition in JSON form, as c2pa's Builder takes it."""
    entries = {entry: {"use": "notAllowed"} for entry in _MINING}
    assertions = [
        _assertion("c2pa.actions.v2", {"actions": _actions(plan)}),
        _soft_binding(WATERMARK_ALGORITHM, plan.asset_id),
        _assertion("cawg.training-mining", {"entries": entries}),
        _assertion(CONSENT, _consent(plan)),
    ]
    if plan.fingerprint is not None:
        assertions.append(_soft_binding(FINGERPRINT_ALGORITHM, plan.fingerprint))
    return {
        "claim_version": 2,
        "title": plan.title,
        "claim_generator_info": [{"name": plan.generator_name, "version": plan.generator_version}],
        "assertions": assertions,
    }


def _assertion(label: str, data: dict[str, Any]) -> dict[str, Any]:
    # "created": the signer vouches for it, rather than having gathered it from elsewhere.
    return {"label": label, "data": data, "created": True}


def _actions(plan: Plan) -> list[dict[str, Any]]:
    return [_action(plan, action) for action in plan.actions]


def _action(plan: Plan, action: Action) -> dict[str, Any]:
    written: dict[str, Any] = {"action": action.name}
    parameters: dict[str, Any] = dict(action.parameters)
    if action.name == "c2pa.opened":
        parameters["ingredientIds"] = [PARENT]
    if action.description:
        written["description"] = action.description
    if parameters:
        written["parameters"] = parameters
    if action.name in _MAKING:
        written["digitalSourceType"] = _SOURCE_TYPE_BASE + plan.digital_source_type
    return written


def _consent(plan: Plan) -> dict[str, Any]:
    named = {"status": plan.status, "log": plan.log}
    return {"receipts": list(plan.receipts)} | {k: v for k, v in named.items() if v is not None}


def _soft_binding(algorithm: str, value: str) -> dict[str, Any]:
    """Return a soft binding of the whole asset (C2PA 2.2 section 9.3)."""
    blocks = [{"scope": {}, "value": value}]
    return _assertion("c2pa.soft-binding", {"alg": algorithm, "blocks": blocks})


def _senseless(what: str, value: str) -> BriefError:
    return BriefError(f"a credential can't carry the {what} {value!r}")
