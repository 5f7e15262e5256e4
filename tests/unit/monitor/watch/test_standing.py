from datetime import date

import pytest

from assent.monitor.watch.standing import Scope, Standing, judge

TODAY = date(2026, 11, 20)
SCOPE = Scope(
    project_id="p", channels=frozenset({"website"}), territories=("EU", "worldwide"),
    ends=date(2027, 1, 1),
)  # fmt: skip


def standing(**changes: object) -> Standing:
    usual: dict[str, object] = {
        "channel": "Website", "territory": "DE", "label": "seen", "confirmed": True, "today": TODAY,
    }  # fmt: skip
    return judge(SCOPE, **{**usual, **changes})[0]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, Standing.ALLOWED),
        ({"territory": "FR, DE"}, Standing.ALLOWED),
        ({"territory": "US"}, Standing.SCOPE),
        ({"territory": ""}, Standing.SCOPE),
        ({"territory": "Atlantis"}, Standing.SCOPE),
        ({"channel": "television"}, Standing.SCOPE),
        ({"channel": ""}, Standing.SCOPE),
        ({"label": "missing"}, Standing.UNLABELLED),
        ({"label": "partly"}, Standing.UNLABELLED),
        ({"label": "unknown"}, Standing.ALLOWED),
        ({"confirmed": False}, Standing.UNSURE),
        ({"confirmed": False, "label": "missing"}, Standing.UNLABELLED),
        ({"today": date(2027, 1, 2)}, Standing.ENDED),
        ({"revoked": "the release was revoked"}, Standing.ENDED),
    ],
)
def test_the_worst_counts(changes: dict[str, object], expected: Standing) -> None:
    assert standing(**changes) is expected


def test_every_reason_is_told() -> None:
    _, reasons = judge(
        SCOPE, channel="tv", territory="US", label="missing", confirmed=False, today=TODAY
    )
    assert len(reasons) == 4
