from dataclasses import replace
from typing import Any

import pytest

from assent.kit.c2pa.manifest import CONSENT, PARENT, Action, Plan, to_manifest
from assent.kit.errors import BriefError


def assertions(plan: Plan, label: str) -> list[dict[str, Any]]:
    return [a["data"] for a in to_manifest(plan)["assertions"] if a["label"] == label]


def test_opening_action_points_at_the_footage(plan: Plan) -> None:
    (data,) = assertions(plan, "c2pa.actions.v2")
    assert [action["action"] for action in data["actions"]] == [
        "c2pa.opened",
        "c2pa.edited",
        "c2pa.watermarked.bound",
    ]
    assert data["actions"][0]["parameters"] == {"ingredientIds": [PARENT]}


def test_the_making_action_carries_the_source_type(plan: Plan) -> None:
    (data,) = assertions(plan, "c2pa.actions.v2")
    edited = data["actions"][1]
    assert edited["digitalSourceType"].endswith("/compositeWithTrainedAlgorithmicMedia")
    assert edited["description"] == "Face replaced"
    assert edited["parameters"] == {"model": "model-1"}


def test_mark_and_fingerprint_are_soft_bindings(plan: Plan) -> None:
    bindings = assertions(plan, "c2pa.soft-binding")
    values = {binding["alg"]: binding["blocks"][0]["value"] for binding in bindings}
    assert values == {"org.assent.watermark.2": plan.asset_id, "io.iscc.v0": plan.fingerprint}
    assert len(assertions(replace(plan, fingerprint=None), "c2pa.soft-binding")) == 1


def test_consent_holds_hashes_and_references_only(plan: Plan) -> None:
    assert assertions(plan, CONSENT) == [
        {"receipts": ["ab" * 32, "cd" * 32], "status": plan.status, "log": "5"}
    ]
    assert assertions(replace(plan, status=None, log=None), CONSENT) == [
        {"receipts": ["ab" * 32, "cd" * 32]}
    ]


def test_nobody_may_train_on_it(plan: Plan) -> None:
    (data,) = assertions(plan, "cawg.training-mining")
    assert len(data["entries"]) == 4
    assert all(entry == {"use": "notAllowed"} for entry in data["entries"].values())


@pytest.mark.parametrize(
    "change",
    [
        {"digital_source_type": "digitalCapture"},
        {"actions": ()},
        {"actions": (Action(name="c2pa.edited"),)},
        {"asset_id": "Asset 7"},
        {"asset_id": ""},
        {"receipts": ("Ada Example",)},
        {"receipts": ("ABCD",)},
        {"fingerprint": "two words"},
        {"status": "line\nbreak"},
        {"log": ""},
    ],
)
def test_senseless_plans_are_refused(plan: Plan, change: dict[str, Any]) -> None:
    with pytest.raises(BriefError):
        replace(plan, **change)
