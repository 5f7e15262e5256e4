"""E-mails of a case: written down first, sent later, tried again until the server takes them.

A request never waits for a mail server. What was sent is known by a keyed hash of its recipient, so
that a form can't be used to flood somebody else's inbox.
"""

import base64
import uuid
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import func, select

from assent.kit.clock import stamp
from assent.kit.errors import AssentError, FetchError
from assent.kit.mail import Attachment, MailServer, Message, load_mail, send
from assent.kit.store.case_tables import CaseMailRow
from assent.kit.store.studio import Studio
from assent.monitor.cases.case import add_event, key_of
from assent.monitor.cases.sealing import blind

__all__ = ["Delivered", "Send", "deliver", "queue_mail", "waiting_mails"]

_FIRST_RETRY = timedelta(minutes=5)
_MOST_TRIES = 12
_MOST_TO_A_STRANGER = 3
"""Unasked messages of one purpose to one address in a day."""

Send = Callable[..., str]
Delivered = tuple[int, int]
"""How many messages were sent, and how many wait for another try."""


def queue_mail(
    studio: Studio, case_id: str, message: Message, *, purpose: str, by: str, stranger: bool = False
) -> bool:
    """Write a message down to be sent; return whether that was done.

    To a `stranger`, whose address somebody typed into a form, no more than a few a day are.
    """
    now = studio.clock()
    recipient = blind(studio, "mail", " ".join(sorted(each.lower() for each in message.to)))
    if stranger and _flooded(studio, recipient, purpose):
        return False
    sealed = key_of(studio, case_id).seal("mail", _to_json(message))
    with studio.database.session() as session:
        session.add(
            CaseMailRow(
                id=uuid.uuid4().hex, case_id=case_id, purpose=purpose, state="waiting",
                created=stamp(now), next_try=stamp(now), sealed=sealed, recipient=recipient,
            )
        )  # fmt: skip
        add_event(session, case_id, "mail", by=by, now=now, details={"purpose": purpose})
    return True


def deliver(
    studio: Studio, *, server: MailServer | None = None, transport: Send = send
) -> Delivered:
    """Send what is due; without a mail server everything waits."""
    chosen = server or load_mail(studio.secrets)
    now = studio.clock()
    with studio.database.session() as session:
        due = session.scalars(
            select(CaseMailRow)
            .where(CaseMailRow.state == "waiting", CaseMailRow.next_try <= stamp(now))
            .order_by(CaseMailRow.created, CaseMailRow.id)
        ).all()
    if chosen is None:
        return 0, len(due)
    sent = sum(_try(studio, row, chosen, transport) for row in due)
    return sent, len(due) - sent


def waiting_mails(studio: Studio) -> int:
    """Return how many messages wait."""
    with studio.database.session() as session:
        count = session.scalar(
            select(func.count()).select_from(CaseMailRow).where(CaseMailRow.state == "waiting")
        )
    return int(count or 0)


def _try(studio: Studio, row: CaseMailRow, server: MailServer, transport: Send) -> bool:
    now = studio.clock()
    problem = None
    try:
        message = _message(key_of(studio, row.case_id).open("mail", str(row.sealed)))
        transport(server, message, now=now)
    except AssentError as error:
        problem = error
    with studio.database.session() as session:
        kept = session.get_one(CaseMailRow, row.id)
        kept.tries += 1
        if problem is None:
            kept.state, kept.sent, kept.problem = "sent", stamp(now), None
        else:
            kept.problem = str(problem)
            kept.next_try = stamp(now + _FIRST_RETRY * 2 ** min(kept.tries - 1, 8))
            # What no server will ever take, or nobody has taken for days.
            if not isinstance(problem, FetchError) or kept.tries >= _MOST_TRIES:
                kept.state = "given-up"
        if kept.state != "waiting":
            details = {"purpose": row.purpose, "state": kept.state}
            add_event(session, row.case_id, "mail", by="program", now=now, details=details)
    return problem is None


def _flooded(studio: Studio, recipient: str, purpose: str) -> bool:
    since = stamp(studio.clock() - timedelta(days=1))
    with studio.database.session() as session:
        count = session.scalar(
            select(func.count())
            .select_from(CaseMailRow)
            .where(
                CaseMailRow.recipient == recipient,
                CaseMailRow.purpose == purpose,
                CaseMailRow.created > since,
            )
        )
    return int(count or 0) >= _MOST_TO_A_STRANGER


def _to_json(message: Message) -> dict[str, object]:
    return {
        "to": list(message.to),
        "subject": message.subject,
        "body": message.body,
        "attachments": [
            {"name": each.name, "kind": each.kind, "data": base64.b64encode(each.data).decode()}
            for each in message.attachments
        ],
    }


def _message(fields: dict[str, list[dict[str, str]] | list[str] | str]) -> Message:
    attachments: list[Attachment] = []
    for each in fields["attachments"]:
        assert isinstance(each, dict)  # noqa: S101 - as `_to_json` wrote it, authenticated
        data = base64.b64decode(each["data"])
        attachments.append(Attachment(name=each["name"], kind=each["kind"], data=data))
    return Message(
        to=tuple(str(each) for each in fields["to"]),
        subject=str(fields["subject"]),
        body=str(fields["body"]),
        attachments=tuple(attachments),
    )
