"""Reports for tests: what strangers, victims and the monitor send."""

from typing import Any

from assent.kit.store.studio import Studio
from assent.monitor.cases.case import Case, find_case
from assent.monitor.cases.intake import Opened, open_case
from assent.monitor.cases.notice import Notice, read_notice

__all__ = ["CLIP", "notice", "report", "reread"]

CLIP = "https://videos.example.org/watch?v=1"


def notice(kind: str = "mislabelled", **changes: Any) -> Notice:  # noqa: ANN401 - its fields
    """Return a complete report."""
    usual = {
        "kind": kind, "reasons": "The label is cut off at the top of the picture.",
        "places": (CLIP,), "name": "Rosa Reporter", "email": "rosa@example.org",
        "good_faith": True, "signature": "Rosa Reporter",
    }  # fmt: skip
    return read_notice({**usual, **changes})


def report(studio: Studio, kind: str = "mislabelled", **changes: Any) -> Opened:  # noqa: ANN401
    """Send one, from the public page unless told otherwise."""
    channel = changes.pop("channel", "public")
    return open_case(studio, notice(kind, **changes), channel=channel)


def reread(studio: Studio, case: Case) -> Case:
    """Return a case as it is now."""
    return find_case(studio, case.id)
