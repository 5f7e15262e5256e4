from dataclasses import replace
from typing import Any

import pytest

from assent.kit.c2pa.manifest import (
    CONSENT,
    FINGERPRINT_ALGORITHM,
    PARENT,
    SOUND_MARK_ALGORITHM,
    Action,
    ListEntry,
    Plan,
    Scope,
    to_manifest,
)
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
    place = {"statusPurpose": "revocation", "statusListCredential": "urn:uuid:2"}
    assert assertions(plan, CONSENT) == [
        {
            "version": 1,
            "receipts": ["ab" * 32, "cd" * 32],
            "scope": {
                "acts": ["portray", "release"],
                "modalities": ["face"],
                "places": ["EU"],
                "ends": "2027-01-01",
            },
            "status": [
                place | {"statusListIndex": "4", "path": "status/1.jwt"},
                place | {"statusListIndex": "70", "path": "status/1.jwt"},
            ],
            "log": "studio.example/log",
        }
    ]
    bare = replace(plan, scope=Scope(acts=(), modalities=()), status=(), log=None)
    scope: dict[str, list[str]] = {"acts": [], "modalities": [], "places": []}
    assert assertions(bare, CONSENT)[0]["scope"] == scope
    assert set(assertions(replace(bare, scope=None), CONSENT)[0]) == {"version", "receipts"}


def test_a_list_does_not_tell_whose_index_is_whose(plan: Plan) -> None:
    """The receipts are in the order of their hashes, the places in the order of the list."""
    turned = replace(plan, receipts=plan.receipts[::-1], status=plan.status[::-1])
    assert assertions(turned, CONSENT) == assertions(plan, CONSENT)


def test_metadata_tells_what_other_programs_show(plan: Plan) -> None:
    (told,) = assertions(plan, "cawg.metadata")
    assert told.pop("@context").keys() == {"Iptc4xmpExt", "dc", "xmp"}
    assert told == {
        "dc:identifier": plan.asset_id,
        "xmp:CreatorTool": "Assent 0.1.0",
        "xmp:CreateDate": "2026-11-02T10:30:00Z",
        "Iptc4xmpExt:DigitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/"
        "compositeWithTrainedAlgorithmicMedia",
    }
    (less,) = assertions(replace(plan, when=None, digital_source_type=None), "cawg.metadata")
    assert less.keys() == {"@context", "dc:identifier", "xmp:CreatorTool"}


def test_sound_names_its_own_mark_and_no_other(plan: Plan) -> None:
    sound = replace(plan, marked=False, sound_mark="beef0123", digital_source_type=None)
    algorithms = [each["alg"] for each in assertions(sound, "c2pa.soft-binding")]
    assert algorithms == [SOUND_MARK_ALGORITHM, FINGERPRINT_ALGORITHM]
    actions = assertions(sound, "c2pa.actions.v2")[0]["actions"]
    assert not any("digitalSourceType" in action for action in actions)
    assert {action["when"] for action in actions} == {"2026-11-02T10:30:00Z"}
    assert {action["softwareAgent"]["version"] for action in actions} == {"0.1.0"}


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
        {"log": ""},
        {"log_url": "line\nbreak"},
        {"sound_mark": "beef!"},
        {"status": (ListEntry(id="two words", path="status/1.jwt", index=4),)},
        {"status": (ListEntry(id="urn:uuid:2", path="status /1.jwt", index=4),)},
        {"scope": Scope(acts=(), modalities=(), places=("at Ada's",))},
    ],
)
def test_senseless_plans_are_refused(plan: Plan, change: dict[str, Any]) -> None:
    with pytest.raises(BriefError):
        replace(plan, **change)
