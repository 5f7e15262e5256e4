"""What follows from a copy that isn't as it should be: a case, and an e-mail to who watches."""

import json
from collections.abc import Sequence
from datetime import datetime

from assent.kit.canonical import canonical
from assent.kit.mail import Message, check_address, load_mail, one_line, send
from assent.kit.store.studio import Studio
from assent.monitor.cases.intake import open_case
from assent.monitor.cases.notice import Notice
from assent.monitor.watch.rounds import Problem
from assent.monitor.watch.seen import Seen, keep_case, list_seen, mark_told
from assent.monitor.watch.standing import Standing

__all__ = ["load_readers", "open_cases", "save_readers", "tell"]

_READERS = "watch.readers"
_MOST = 50  # copies that one letter names
_LONGEST_PLACE = 2000  # as a report takes it; a path can be longer
_KINDS = {
    Standing.UNLABELLED: "unlabelled-copy",
    Standing.SCOPE: "scope-breach",
    Standing.ENDED: "scope-breach",
}


def save_readers(studio: Studio, addresses: Sequence[str]) -> None:
    """Keep who is written to; an empty list writes to nobody. Raises `InputError`."""
    checked = [check_address(each) for each in addresses]
    studio.secrets.put(_READERS, canonical(checked))


def load_readers(studio: Studio) -> tuple[str, ...]:
    """Return who is written to."""
    if _READERS not in studio.secrets.names():
        return ()
    return tuple(str(each) for each in json.loads(studio.secrets.get(_READERS)))


def open_cases(studio: Studio, seen: Sequence[Seen]) -> tuple[Seen, ...]:
    """Open a case for each copy without its label, outside its scope or ended; once for each.

    What only its picture leads to is told in the case as what it is.
    """
    opened = []
    for each in seen:
        kind = _KINDS.get(each.standing)
        if kind is None or each.case_number is not None:
            continue
        notice = Notice(
            kind=kind,
            reasons=_reasons(each),
            places=(each.place[:_LONGEST_PLACE],),
            asset_id=each.asset_id,
            sha256=(each.sha256,),
        )
        keep_case(studio, each, open_case(studio, notice, channel="monitor").number)
        opened.append(each)
    return tuple(opened)


def _reasons(seen: Seen) -> str:
    said = "; ".join(seen.reasons)
    how = seen.parts["how"]
    return f"The monitor saw a copy of release {seen.asset_id}: {said}. It rests on {how}."


def tell(studio: Studio, *, now: datetime, problems: Sequence[Problem] = ()) -> int:
    """Write one letter about all copies that aren't as they should be, and of which nobody heard.

    Returns how many it names; without readers or a mail server, nothing is sent. Raises as `send`;
    what couldn't be sent is told the next time.
    """
    readers, server = load_readers(studio), load_mail(studio.secrets)
    news = [s for s in list_seen(studio, untold=True) if s.standing is not Standing.ALLOWED]
    if not readers or server is None or not news:
        return 0
    send(server, _letter(studio, readers, news[:_MOST], problems), now=now)
    for each in news[:_MOST]:
        mark_told(studio, each)
    return min(len(news), _MOST)


def _letter(
    studio: Studio, readers: tuple[str, ...], news: Sequence[Seen], problems: Sequence[Problem]
) -> Message:
    lines = [f"{studio.name}: copies of releases were seen that aren't as they should be.", ""]
    for each in news:
        lines += [
            one_line(each.place),
            f"  release {each.asset_id}, first seen {each.first}",
            *(f"  - {one_line(reason)}" for reason in each.reasons),
            *([f"  case {each.case_number}"] if each.case_number else []),
            "",
        ]
    if problems:
        lines += [f"{len(problems)} addresses could not be looked at.", ""]
    lines.append("See `assent monitor sightings`, or the monitor's page of the studio.")
    count = "a copy" if len(news) == 1 else f"{len(news)} copies"
    return Message(
        to=readers, subject=f"{one_line(studio.name)}: {count} seen", body="\n".join(lines)
    )
