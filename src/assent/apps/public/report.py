"""Report a concern, and look what became of it: no account, no cookie, no script needed.

First the kind is chosen, since each asks for other things; then one form. The answer to it shows
number and PIN, once. With both, the reporter looks in, adds something, or complains.
"""

import hmac
import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from starlette.background import BackgroundTask
from starlette.responses import Response

from assent.apps.public.guest import Guest, TooOftenError
from assent.apps.public.taking import FullError
from assent.kit.clock import stamp
from assent.kit.errors import AssentError, FaultError, NotClearedError
from assent.kit.store.case_tables import CaseRow
from assent.kit.store.studio import Studio
from assent.monitor.cases.decision import complain
from assent.monitor.cases.intake import Opened, open_case
from assent.monitor.cases.notice import Notice, read_notice
from assent.monitor.cases.receipt import find_by_receipt
from assent.monitor.cases.rules import care, kind_of
from assent.monitor.cases.sealing import blind
from assent.monitor.cases.talk import look_in, say_more

__all__ = [
    "OFFERED",
    "complain_now",
    "report_page",
    "report_send",
    "state_look",
    "state_page",
    "write_more",
]

OFFERED = ("intimate", "child", "impersonation", "not-agreed", "mislabelled", "rights", "other")
"""The kinds that the page offers, the gravest first; authorities choose `order` by its link."""

_KNOWN = (*OFFERED, "order")
_FIELDS = ("reasons", "places", "asset", "hashes", "relation", "shown", "law", "name", "email")
_TICKET = timedelta(minutes=15)
_CREATED, _BAD, _WRONG, _LATER, _FULL = 201, 422, 403, 429, 503


def report_page(guest: Guest) -> Response:
    """Show the kinds of reports, or the form of one."""
    if guest.studio is None:
        return guest.page(guest.corner.pages.report(guest.language))
    kind = guest.query("kind")
    asset = guest.query("asset")[:16]
    if kind not in _KNOWN:
        return _show(guest, "report.html", "/report/", kinds=OFFERED, release=asset)
    return _form(guest, kind, {"asset": asset})


def report_send(guest: Guest) -> Response:
    """Take a report; what is wrong with it is told beside what was written."""
    studio = _studio(guest)
    kind = guest.field("kind")
    if kind not in _KNOWN:
        return _show(guest, "report.html", "/report/", status=_BAD, kinds=OFFERED, release="")
    filled = {name: guest.field(name) for name in (*_FIELDS, "signature", "good_faith")}
    reports = guest.corner.reports
    try:
        with reports.place():
            _limit(guest)
            notice = _notice(guest, kind, filled)
            once = guest.field("once")[:64]
            opened = reports.once(once, notice, lambda: _take(studio, notice))
    except (FaultError, TooOftenError) as error:
        # A disk that fails or a database that is busy: nothing was taken, and that is said.
        status = _LATER if isinstance(error, TooOftenError) else _FULL
        full = error if isinstance(error, TooOftenError) else FullError(FullError.says)
        made = _form(guest, kind, filled, problem=full, status=status)
        made.headers["Retry-After"] = str(full.after_s)
        return made
    except AssentError as error:
        return _form(guest, kind, filled, problem=error, status=_BAD)
    shown = _show(guest,
        "report_done.html", "/report/", status=_CREATED, number=opened.number, pin=opened.pin,
        due=(opened.case.due or "")[:16].replace("T", " "), grave=opened.case.severity < 3,
        care=_care(guest),
    )  # fmt: skip
    shown.background = BackgroundTask(reports.settle, studio)
    return shown


def _take(studio: Studio, notice: Notice) -> Opened:
    return open_case(studio, notice, channel="public", later=True)


def state_page(guest: Guest) -> Response:
    """Ask for number and PIN."""
    _studio(guest)
    return _show(guest, "report_state.html", "/report/state/", problem=None, number="")


def state_look(guest: Guest) -> Response:
    """Show a report to whoever has its number and PIN."""
    studio = _studio(guest)
    number = guest.field("number")[:40]
    try:
        _limit(guest)
        row = find_by_receipt(studio, number, guest.field("pin"))
    except (NotClearedError, TooOftenError) as error:
        status = _LATER if isinstance(error, TooOftenError) else _WRONG
        return _show(guest,
            "report_state.html", "/report/state/", status=status, problem=_said(guest, error),
            number=number,
        )  # fmt: skip
    return _seen(guest, studio, row)


def write_more(guest: Guest) -> Response:
    """Add something to a report."""
    return _with_ticket(guest, say_more)


def complain_now(guest: Guest) -> Response:
    """Complain about a decision."""
    return _with_ticket(guest, complain)


def _with_ticket(guest: Guest, does: Any) -> Response:  # noqa: ANN401 - a function of the case
    studio = _studio(guest)
    row = _ticket_row(studio, guest.field("ticket"))
    if row is None:
        return _show(guest,
            "report_state.html", "/report/state/", status=_WRONG, problem=guest.t("state_old"),
            number="",
        )  # fmt: skip
    problem = None
    try:
        _limit(guest)
        does(studio, row.id, guest.field("text"))
    except AssentError as error:
        problem = _said(guest, error)
    with studio.database.session() as session:
        row = session.get_one(CaseRow, row.id)
    return _seen(guest, studio, row, problem=problem)


def _seen(guest: Guest, studio: Studio, row: CaseRow, *, problem: str | None = None) -> Response:
    try:
        seen = look_in(studio, row)
    except AssentError as error:
        return _show(guest,
            "report_state.html", "/report/state/", status=_WRONG, problem=_said(guest, error),
            number="",
        )  # fmt: skip
    return _show(guest,
        "report_seen.html", "/report/state/", status=_BAD if problem else 200, s=seen,
        problem=problem, ticket=_make_ticket(studio, row.id),
    )  # fmt: skip


def _make_ticket(studio: Studio, case_id: str) -> str:
    """Return what stands for number and PIN for a quarter of an hour."""
    ends = stamp(studio.clock() + _TICKET)
    return f"{case_id}~{ends}~{blind(studio, 'ticket', f'{case_id} {ends}')}"


def _ticket_row(studio: Studio, ticket: str) -> CaseRow | None:
    case_id, _, rest = ticket[:200].partition("~")
    ends, _, proof = rest.partition("~")
    right = blind(studio, "ticket", f"{case_id} {ends}")
    if not hmac.compare_digest(right.encode(), proof.encode()) or ends <= stamp(studio.clock()):
        return None
    with studio.database.session() as session:
        return session.get(CaseRow, case_id)


def _show(guest: Guest, template: str, path: str, *, status: int = 200, **values: Any) -> Response:  # noqa: ANN401 - of a page
    """Return a page whose forms tell where they come from: else a browser hides it from us too."""
    made = guest.show(template, path, status=status, **values)
    made.headers["Referrer-Policy"] = "same-origin"
    return made


def _form(
    guest: Guest,
    kind: str,
    filled: Mapping[str, str],
    *,
    problem: AssentError | None = None,
    status: int = 200,
) -> Response:
    rule = kind_of(kind)
    return _show(guest,
        "report_form.html", "/report/", status=status, kind=kind, key=kind.replace("-", "_"),
        rule=rule, f={name: filled.get(name, "") for name in (*_FIELDS, "signature", "good_faith")},
        problem=None if problem is None else _said(guest, problem), care=_care(guest),
        once=guest.field("once")[:64] or secrets.token_urlsafe(24),
    )  # fmt: skip


def _notice(guest: Guest, kind: str, filled: Mapping[str, str]) -> Notice:
    """Return the notice of a filled form; raises `InputError`."""
    given: dict[str, Any] = {
        "kind": kind, "language": guest.language, "reasons": filled["reasons"],
        "places": _lines(filled["places"]), "sha256": _lines(filled["hashes"]),
        "asset_id": filled["asset"].strip() or None,
        "relation": filled["relation"] or "other",
        "good_faith": filled["good_faith"] == "yes",
    }  # fmt: skip
    for name in ("shown", "law", "name", "email", "signature"):
        given[name] = filled[name].strip() or None
    notice = read_notice(given)
    notice.check_complete()
    return notice


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text[:20_000].splitlines() if line.strip())


def _limit(guest: Guest) -> None:
    wait = guest.corner.reports.wait(guest.address)
    if wait:
        raise TooOftenError("that was sent too often", after_s=int(wait) + 1)


_SAID = {
    "that was sent too often": "report_often",
    "more reports are coming": "report_full",
    "there were too many wrong PINs": "state_locked",
    "this number and this PIN": "state_wrong",
    "this report is closed": "state_closed",
    "there is nothing to complain": "state_no_complaint",
    "a complaint has between": "state_complaint_length",
    "a message has between": "state_message_length",
    "there are too many messages": "state_full",
}
"""What people may well meet, by how the program's own message begins."""


def _said(guest: Guest, error: AssentError) -> str:
    """Return an error in the words of the page; of a form, which of its fields are concerned."""
    text = str(error)
    known = next((name for begins, name in _SAID.items() if text.startswith(begins)), None)
    if known is not None:
        return str(guest.t(known))
    named = [
        name for name in ("reasons", "places", "asset_id", "sha256", "name", "email", "signature",
                          "good_faith", "shown", "law") if f"{name}" in text
    ]  # fmt: skip
    fields = ", ".join(str(guest.t(f"field_{each}")) for each in named)
    return str(guest.t("report_wrong", fields=fields or text[:200]))


def _care(guest: Guest) -> Any:  # noqa: ANN401 - words and contacts, for the page
    known = care()
    return {"text": known.texts[guest.language], "contacts": known.contact}


def _studio(guest: Guest) -> Studio:
    if guest.studio is None:
        raise NotClearedError(
            "reports are not taken here", advice="Write to the studio at its contact address."
        )
    return guest.studio
