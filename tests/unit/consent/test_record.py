import copy
import re
from collections.abc import Callable
from typing import Any

import pytest
from studios import Scene, draw_up

from assent.consent.record import parse_record
from assent.kit.canonical import canonical
from assent.kit.errors import BriefError


@pytest.fixture
def document(scene: Scene) -> dict[str, Any]:
    return draw_up(scene.studio, scene.purpose, scene.cleo).to_json()


def test_a_record_survives_its_json(document: dict[str, Any]) -> None:
    record = parse_record(document)
    assert record.to_json() == document
    assert len(record.digest()) == 64


def test_equal_records_have_one_spelling(document: dict[str, Any]) -> None:
    turned = copy.deepcopy(document)
    turned["scope"]["acts"] = turned["scope"]["acts"][::-1]
    turned = dict(reversed(turned.items()))
    assert parse_record(turned).digest() == parse_record(document).digest()
    assert canonical(parse_record(turned).to_json()) == canonical(document)


def change(*path: str | int, to: object) -> Callable[[dict[str, Any]], None]:
    def apply(document: dict[str, Any]) -> None:
        inner: Any = document
        for part in path[:-1]:
            inner = inner[part]
        inner[path[-1]] = to

    return apply


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (change("principal", "adult", to=False), "principal.adult: Input should be True"),
        (change("scope", "acts", to=[]), "scope.acts: Frozenset should have at least 1 item"),
        (change("scope", "acts", to=["clone"]), "scope.acts.0: Input should be 'ingest'"),
        (change("scope", "modalities", to=[]), "scope.modalities: Frozenset should have"),
        (change("scope", "channels", to=[]), "scope.channels: Frozenset should have"),
        (change("scope", "sublicence", to=True), "scope.sublicence: Input should be False"),
        (change("scope", "most_releases", to=0), "scope.most_releases: Input should be greater"),
        (change("scope", "ends", to="2026-11-01"), "scope: Value error, ends must lie after"),
        (change("scope", "territory", to="Mars"), "scope: Value error, the territory 'Mars' can't"),
        (change("scope", "territory", to=", ,"), "scope: Value error, the territory"),
        (change("scope", "ends", to="2036-11-04"), "scope: Value error, the term is longer"),
        (change("forbidden", to=["anything"]), "forbidden.0: Input should be 'political'"),
        (change("biometrics", "face_matching", to=False), "biometrics.face_matching: Input"),
        (change("evidence", to=[]), "evidence: Tuple should have at least 1 item"),
        (change("evidence", 0, "sha256", to="XYZ"), "evidence.0.sha256: String should match"),
        (change("nonce", to="1"), "nonce: String should match"),
        (change("version", to=0), "version: Input should be greater"),
        (change("schema_version", to="assent-consent/2"), "schema_version: Input should be"),
        (change("extra", to=1), "extra: Extra inputs are not permitted"),
    ],
)
def test_senseless_records_are_refused(
    document: dict[str, Any], changed: Callable[[dict[str, Any]], None], told: str
) -> None:
    changed(document)
    with pytest.raises(BriefError, match=re.escape(told)) as caught:
        parse_record(document)
    assert str(caught.value).startswith("the consent record can't be used: ")


@pytest.mark.parametrize("document", [None, 3, [], "record", {}])
def test_something_else_is_refused(document: object) -> None:
    with pytest.raises(BriefError, match="the consent record can't be used"):
        parse_record(document)
