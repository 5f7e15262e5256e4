"""The letters of a case: to its reporter, to channels, to the person concerned.

Each is text filled into a form; what a reporter wrote goes into a letter to a channel only where a
member of the studio put it there.
"""

import re
from collections.abc import Mapping
from typing import Any

from assent.kit.clock import stamp
from assent.kit.errors import InputError
from assent.kit.mail import Attachment, Message, check_address, one_line
from assent.kit.store.studio import Studio
from assent.monitor.cases.case import Case, notice_of
from assent.monitor.cases.desk import load_desk
from assent.monitor.cases.notice import LANGUAGES, Notice, clean
from assent.monitor.cases.outbox import queue_mail
from assent.monitor.cases.paper import letter
from assent.monitor.cases.rules import care
from assent.monitor.cases.words import say

__all__ = ["channel_notice", "notify_channels", "tell_reporter", "tell_subject"]

_MOST = 20
_LONGEST = 8000


def tell_reporter(studio: Studio, case: Case, what: str, *, by: str, statement: str = "") -> bool:
    """Write to who reported, if they gave an address: `receipt`, `decision` or `complaint`."""
    notice = notice_of(studio, case.id)
    if notice.email is None:
        return False
    language = case.language
    values = {
        "number": case.number, "due": case.due or "", "statement": statement,
        "page": load_desk(studio).page(f"/{language}/report/state"),
        "studio": studio.name, "contact": studio.contact,
    }  # fmt: skip
    message = Message(
        to=(notice.email,),
        subject=say(language, f"{what}_subject", number=case.number),
        body=say(language, what, **values),
    )
    return queue_mail(studio, case.id, message, purpose=what, by=by, stranger=True)


def channel_notice(
    studio: Studio, case: Case, arguments: Mapping[str, Any]
) -> tuple[str, str, bytes]:
    """Return subject, text and PDF of the notice to a channel, to be read before it is sent.

    `arguments` give the `reasons`, and may give `places` (else those that were reported),
    `signature` and `language`.
    """
    notice = notice_of(studio, case.id)
    language = str(arguments.get("language") or case.language)
    if language not in LANGUAGES:
        raise InputError(f"there is no letter in '{language[:10]}'", advice="It is en, de or es.")
    places = _lines(arguments.get("places")) or notice.places
    values = {
        "number": case.number,
        "places": "\n".join(f"- {each}" for each in places) or "-",
        "reasons": clean(str(arguments["reasons"]))[:_LONGEST],
        "hashes": "\n".join(f"- {each}" for each in _hashes(notice)) or "-",
        "release": _release(studio, case, language),
        "signature": one_line(str(arguments.get("signature") or studio.name)),
        "studio": studio.name,
        "contact": studio.contact,
    }
    subject = say(language, "channel_subject", number=case.number)
    body = say(language, "channel", **values)
    return subject, body, letter(subject, body, dated=stamp(studio.clock())[:10])


def notify_channels(
    studio: Studio, case: Case, arguments: Mapping[str, Any], by: str
) -> dict[str, Any]:
    """Queue the filled notice to each address of `to`."""
    to = _addresses(arguments)
    subject, body, printed = channel_notice(studio, case, arguments)
    name = f"notice-{case.number}.pdf"
    pdf = Attachment(name=name, kind="application/pdf", data=printed)
    for address in to:
        message = Message(to=(address,), subject=subject, body=body, attachments=(pdf,))
        queue_mail(studio, case.id, message, purpose="notice", by=by)
    return {"letters": len(to)}


def tell_subject(
    studio: Studio, case: Case, arguments: Mapping[str, Any], by: str
) -> dict[str, Any]:
    """Queue the studio's own words to the person concerned, with care contacts."""
    to = _addresses(arguments)
    language = str(arguments.get("language") or case.language)
    if language not in LANGUAGES:
        raise InputError(f"there is no letter in '{language[:10]}'", advice="It is en, de or es.")
    body = say(
        language, "subject", greeting=one_line(str(arguments.get("greeting") or "")),
        words=clean(str(arguments["words"]))[:_LONGEST], care=care().text(language),
        studio=studio.name, contact=studio.contact, number=case.number,
    )  # fmt: skip
    subject = say(language, "subject_subject", number=case.number)
    for address in to:
        message = Message(to=(address,), subject=subject, body=body)
        queue_mail(studio, case.id, message, purpose="subject", by=by)
    return {"letters": len(to)}


def _release(studio: Studio, case: Case, language: str) -> str:
    if case.asset_id is None:
        return ""
    page = load_desk(studio).page(f"/r/{case.asset_id}")
    return say(language, "release_text", asset=case.asset_id, studio=studio.name, verify=page)


def _hashes(notice: Notice) -> tuple[str, ...]:
    return notice.sha256


def _addresses(arguments: Mapping[str, Any]) -> tuple[str, ...]:
    given = arguments.get("to")
    listed = _lines(given) if isinstance(given, str) else tuple(str(each) for each in given or ())
    found = tuple(dict.fromkeys(check_address(each) for each in listed))
    if not 0 < len(found) <= _MOST:
        raise InputError("a letter goes to between 1 and 20 addresses", advice="Give --to.")
    return found


def _lines(given: object) -> tuple[str, ...]:
    listed = given if isinstance(given, (list, tuple)) else re.split(r"[\n,]", str(given or ""))
    return tuple(text for each in listed if (text := one_line(str(each)).strip()))
