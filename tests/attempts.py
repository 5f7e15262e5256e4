"""What the attempts share: every one must be refused, in words.

The docstring of each test in `attacks/` says what is tried, and the text that `refused` expects is
what the attacker is told; `docs/make_attacks.py` writes `docs/attacks.md` from both.
"""

import base64
import html
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from studios import Member, Scene

from assent.consent.clearance import Act, Clearance, Modality
from assent.consent.desk import clear
from assent.consent.receipt import hash_receipt
from assent.consent.recording import RecordingFindings, Verdict
from assent.kit.errors import AssentError
from assent.kit.store.tables import ConsentRow
from assent.purpose.projects import Purpose

if TYPE_CHECKING:
    from requests_to import Answer

__all__ = [
    "ask", "edit", "forged", "paste", "payload_of", "refused", "row_of", "shut", "turned_away",
]  # fmt: skip


@contextmanager
def refused(message: str, kind: type[BaseException] = AssentError) -> Iterator[None]:
    """Expect an error whose message holds `message`."""
    with pytest.raises(kind, match=re.escape(message)):
        yield


def ask(
    scene: Scene,
    who: Member,
    *acts: Act,
    purpose: Purpose | None = None,
    modality: Modality = Modality.FACE,
) -> Clearance:
    """Ask the desk for permission to work on somebody; by default, to train on them."""
    return clear(
        scene.studio,
        purpose or scene.purpose,
        person_id=who.id,
        acts=acts or (Act.TRAIN,),
        modalities=(modality,),
    )


def row_of(scene: Scene, who: Member) -> ConsentRow:
    """The person's newest row."""
    with scene.studio.database.session() as session:
        rows = session.query(ConsentRow).filter_by(person_id=who.id)
        return rows.order_by(ConsentRow.created.desc(), ConsentRow.version.desc()).all()[0]


def edit(scene: Scene, row: ConsentRow, **values: object) -> None:
    """Change a row as someone with a database tool would."""
    with scene.studio.database.session() as session:
        for name, value in values.items():
            setattr(session.get_one(ConsentRow, row.id), name, value)


def paste(scene: Scene, who: Member, receipt: str) -> None:
    """Put a receipt into the person's newest row, with the hash that fits it."""
    row = row_of(scene, who)
    edit(scene, row, receipt=receipt, receipt_hash=hash_receipt(receipt, row.salt))


def payload_of(token: str) -> dict[str, Any]:
    """What a token says."""
    part = token.split(".")[1]
    payload: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return payload


def forged(header: dict[str, Any], payload: dict[str, Any], signature: str = "") -> str:
    """A token of any header, content and signature."""
    parts = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
        for part in (header, payload)
    ]
    return ".".join([*parts, signature])


def turned_away(findings: RecordingFindings, *checks: str) -> None:
    """Expect a recording to fail, for each of these reasons among others."""
    failed = {each.check.value for each in findings.findings if each.verdict is Verdict.FAILED}
    assert findings.verdict is Verdict.FAILED
    assert failed >= set(checks), findings.to_json()
    assert all(each.tell("en") for each in findings.findings)


def shut(answer: "Answer", status: int, message: str) -> None:
    """Expect a page to refuse, with this status and message."""
    assert answer.status == status, (answer.status, answer.text[:500])
    assert message in html.unescape(answer.text), answer.text[:500]
