"""A member of the studio looks at a recording before they decide about it."""

from starlette.responses import Response

from assent.apps.web.site import Visit
from assent.consent.challenge import advice_on
from assent.consent.reviewing import find_waiting, watch_statement
from assent.kit.errors import NotClearedError

__all__ = ["watch_page", "watched"]


def watch_page(visit: Visit) -> Response:
    """Show the recording, and what the check found."""
    row = find_waiting(visit.studio, _watching(visit))
    findings = row.findings or {}
    return visit.show(
        "watch.html",
        record=row.record_id,
        found=[
            advice_on(each["check"], visit.language)[0].format(
                value=each["value"], limit=each["limit"]
            )
            for each in findings.get("findings", ())
            if each["verdict"] != "passed"
        ],
        face=str(findings.get("face", "new")),
        authority=row.document["principal"]["authority"],
    )


def watched(visit: Visit) -> Response:
    """Play the recording."""
    data = watch_statement(visit.studio, _watching(visit), visit.person)
    # The two kinds that browsers record; an MP4 says what it is in its fifth byte.
    kind = "video/mp4" if data[4:8] == b"ftyp" else "video/webm"
    return Response(data, media_type=kind)


def _watching(visit: Visit) -> str:
    if visit.session.watching is None:
        raise NotClearedError(
            "you are not signed in", advice="Make a link: `assent consent review --watch`."
        )
    return visit.session.watching
