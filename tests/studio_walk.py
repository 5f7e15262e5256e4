"""Every page of the studio, with addresses that lead to something in a studio where all is done.

Whoever adds a page whose path names something besides the project says in `FILL` how to find one.
"""

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from _changes import blurred as soft
from scenes import pictures, write_clip
from studios import brief_with

from assent.apps.access.accounts import add_account
from assent.apps.access.permissions import Role
from assent.apps.access.who import Membership
from assent.apps.studio.page import Page
from assent.apps.studio.routes import PAGES
from assent.consent.people import find_person
from assent.data.doubts import Doubt, list_doubts
from assent.data.ingest import ingest
from assent.kit.clock import stamp
from assent.kit.errors import SignOffError
from assent.kit.store.case_tables import ActRow, CaseRow
from assent.kit.store.studio import Studio
from assent.kit.store.tables import (
    Base,
    ConsentRow,
    DoubtRow,
    DraftRow,
    FootageRow,
    ModelRow,
    ReleaseRow,
    SightingRow,
)
from assent.kit.store.watch_tables import SeenRow, WatchSourceRow
from assent.kit.store.work_tables import JobRow, UploadRow
from assent.monitor.cases.acts import propose
from assent.monitor.cases.handling import check_step
from assent.monitor.cases.intake import open_case
from assent.monitor.cases.notice import Notice
from assent.monitor.watch.sources import add_source, note_look
from assent.monitor.watch.standing import Standing
from assent.purpose.projects import Purpose, create_project

__all__ = ["FILL", "address_of", "blur_ada", "leave_a_doubt", "looked_at", "prepare"]

Finds = Callable[[Studio, Purpose], str]


def first(table: type[Base], column: str) -> Finds:
    """Return what finds the first row of `table`, by one of its columns."""

    def find(studio: Studio, purpose: Purpose) -> str:
        with studio.database.session() as session:
            row = session.query(table).first()
        return "none" if row is None else str(getattr(row, column))

    return find


FILL: Mapping[str, Finds] = {
    "project": lambda studio, purpose: purpose.slug,
    "handle": lambda studio, purpose: "ada",
    "number": lambda studio, purpose: "1",
    "index": lambda studio, purpose: "0",
    "secret": lambda studio, purpose: "no-such-link",
    "draft": first(DraftRow, "id"),
    "model": first(ModelRow, "id"),
    "footage": first(FootageRow, "id"),
    "clip": first(FootageRow, "id"),
    "asset": first(ReleaseRow, "asset_id"),
    "doubt": first(DoubtRow, "id"),
    "viewing": lambda studio, purpose: "0" * 16,
    "frame": lambda studio, purpose: "0.jpg",
    "release": first(ReleaseRow, "asset_id"),
    "source": first(WatchSourceRow, "id"),
    "job": first(JobRow, "id"),
    "upload": first(UploadRow, "id"),
    "what": lambda studio, purpose: "pause",
    "case": first(CaseRow, "id"),
    "act": first(ActRow, "id"),
}
"""How a part of a path is filled in."""

ELSEWHERE: Mapping[str, str] = {
    "/p/{project}/brief/claims/{number}": "with-claims",
    "/p/{project}/people/{handle}/recording": "waits",
}
"""Pages that only another project than the one with everything done has."""

NOT_PAGES = frozenset({"/enter", "/welcome/{secret}"})
"""What shows no page here: to who is signed in already."""


def blur_ada(folder: Path) -> Path:
    """Make a clip in which Ada is so blurred that she might be somebody else."""
    shown = [soft(rgb, 6.0) for rgb in pictures("scene1_ada", 0, 6)]
    return write_clip(folder / "blurred.mp4", shown)


def leave_a_doubt(studio: Studio, purpose: Purpose, folder: Path) -> Doubt:
    """Bring a clip in which Ada might be somebody else."""
    path = blur_ada(folder)
    with pytest.raises(SignOffError, match="isn't sure whose"):
        ingest(studio, purpose, path, [find_person(studio, "ada")], rights="contract")
    (doubt,) = list_doubts(studio, purpose)
    return doubt


def prepare(studio: Studio, purpose: Purpose, folder: Path) -> None:
    """Add what the pages need besides a released film: a project with claims, a case, a doubt."""
    leave_a_doubt(studio, purpose, folder)
    add_account(
        studio, handle="rosa", name="Rosa Marin",
        memberships=[Membership(Role.PRODUCER), Membership(Role.REVIEWER, purpose.project_id)],
    )  # fmt: skip
    add_account(studio, handle="max", name="Max Adler", memberships=[Membership(Role.AUDITOR)])
    today = studio.clock().date()
    brief = brief_with(
        title="A film with claims",
        starts=today.isoformat(),
        ends=today.replace(year=today.year + 1).isoformat(),
        claims=[{"text": "It rained in May.", "source": "https://example.org/rain"}],
        reviewer="cleo",
    )
    create_project(studio, brief, slug="with-claims")
    with studio.database.session() as session:
        released = session.query(ReleaseRow).first()
    opened = open_case(
        studio,
        Notice(
            kind="impersonation", reasons="It passes for a real interview.",
            places=("https://videos.example.org/1",), name="Rosa", email="rosa@example.org",
            asset_id=released.asset_id if released else None, good_faith=True,
        ),
        channel="public",
    )  # fmt: skip
    propose(studio, opened.case, "revoke", by="cleo")
    check_step(studio, opened.case, opened.case.playbook.step[0].id, by="cleo")
    _let_copies_be_seen(studio, released, opened.number)
    _let_a_recording_wait(studio, create_project(studio, brief, slug="waits"))


def _let_copies_be_seen(studio: Studio, released: ReleaseRow | None, number: str) -> None:
    """Put sources, one of which fails, and copies that stand in each of the ways."""
    if released is None:
        return
    add_source(studio, name="our films", kind="feed", address="https://films.example.org/feed.xml",
               channel="website", territory="EU")  # fmt: skip
    box = add_source(studio, name="letters", kind="mail", address="imaps://watch@mail.example/INBOX",
                     secret=b"secret")  # fmt: skip
    note_look(studio, box, problem="the mail box at mail.example can't be read", state={})
    with studio.database.session() as session:
        project = session.get_one(DraftRow, released.draft_id).project_id
    for days, (standing, reason) in enumerate(
        {
            Standing.UNLABELLED: "its label was cut off or covered",
            Standing.ENDED: "a consent under it was withdrawn",
            Standing.SCOPE: "the channel tv was not agreed to",
            Standing.UNSURE: "nothing but its picture or sound leads to the release",
            Standing.ALLOWED: "",
        }.items()
    ):
        moment = stamp(studio.clock() - timedelta(days=9 * days))
        part = {"begin": 0.0, "end": 4.0, "at": 12.0, "length": 4.0, "view": "cut",
                "mirrored": True, "window": [0, 0, 1, 1], "nats": 30.1, "bits": 40}  # fmt: skip
        row = SeenRow(
            asset_id=released.asset_id, source="our films", standing=standing.value,
            place=f"https://videos.example.org/watch/{days}/{'a-long-address-' * 6}", first=moment,
            project_id=project, last=moment, sha256="0" * 64,
            reasons=[reason] if reason else [], verdict="copy", label="missing",
            layers={"label": "missing", "watermark": "found"}, confirmed=True,
            parts={"pictures": [part], "sound": [], "how": "the watermark"},
            context={"title": "A clip of the lesson", "published": "2026-11-20"},
            reach=1200 * (days + 1), case_number=number if not days else None,
        )  # fmt: skip
        sighting = SightingRow(
            asset_id=row.asset_id, place=row.place, sha256=row.sha256, seen=moment
        )
        with studio.database.session() as session:
            session.add_all([row, sighting])


def _let_a_recording_wait(studio: Studio, purpose: Purpose) -> None:
    """Put the row of a consent that somebody has to look at, with nothing behind it."""
    finding = {"check": "dark", "verdict": "look", "value": 31, "limit": 40}
    brief = purpose.brief
    scope = {
        "acts": ["ingest"], "modalities": ["face"], "channels": ["website"], "most_releases": 1,
        "territory": "EU", "starts": str(brief.starts), "ends": str(brief.ends),
    }  # fmt: skip
    with studio.database.session() as session:
        session.add(
            ConsentRow(
                id="waits",
                record_id="waits",
                version=1,
                project_id=purpose.project_id,
                person_id=find_person(studio, "ada").id,
                state="waiting",
                document={"principal": {"authority": None}, "scope": scope},
                salt="",
                created=stamp(studio.clock()),
                findings={"face": "new", "findings": [finding]},
            )
        )


def looked_at() -> list[Page]:
    """Return every page that is looked at, and is no stream and no file."""
    return [
        page for page in PAGES if page.method == "GET" and page.shows and page.path not in NOT_PAGES
    ]


def address_of(page: Page, studio: Studio, purpose: Purpose) -> str:
    """Return an address of `page`, without `/studio`; raises `KeyError` for an unknown part."""
    path = page.path
    if path in ELSEWHERE:
        path = path.replace("{project}", ELSEWHERE[path])
    return re.sub(r"\{(\w+)(?::\w+)?\}", lambda part: FILL[part.group(1)](studio, purpose), path)
