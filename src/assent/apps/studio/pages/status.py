"""How the studio itself stands: vault, credentials, backups, log. Looked at; nothing is changed."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select
from starlette.responses import Response

from assent import __version__
from assent.apps.access.permissions import Action
from assent.apps.studio.page import Visit, get
from assent.consent.locker import Locker
from assent.disclose.witnessing import policy_of
from assent.kit.store.studio import Studio
from assent.kit.store.tables import ConsentRow, ExportRow, OpeningRow

__all__ = ["PAGES"]

_SOON = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fact:
    name: str
    value: str
    state: str = ""
    hash: bool = False


def status_page(visit: Visit) -> Response:
    """Show how the studio stands."""
    studio = visit.studio
    with studio.database.session() as session:
        exports = session.scalars(select(ExportRow).order_by(ExportRow.created.desc())).all()
        counted = session.execute(
            select(ConsentRow.state, func.count()).group_by(ConsentRow.state)
        ).all()
        openings = session.scalar(select(func.count()).select_from(OpeningRow)) or 0
    return visit.show(
        "status.html",
        vault=[
            _Fact(name="Objects", value=f"{sum(1 for _ in Locker(studio).ids()):,}, all encrypted"),
            _Fact(name="Openings noted", value=f"{openings:,}"),
            *(_Fact(name=f"Consents, {state}", value=f"{count:,}") for state, count in counted),
        ],
        credentials=_credentials(studio),
        backups=[(each.created, each.sha256) for each in exports[:20]],
        log=_log(studio),
        version=__version__,
    )


def _credentials(studio: Studio) -> list[_Fact]:
    chain, now = studio.chain, studio.clock()
    left = chain.not_after - now
    state = "bad" if left < timedelta() else "warn" if left < _SOON else "good"
    stamps = studio.profile.tsa_url
    return [
        _Fact(name="Signs as", value=chain.organisation),
        _Fact(name="Certificate", value=chain.fingerprint, hash=True),
        _Fact(name="Valid until", value=f"{chain.not_after:%d %B %Y}".lstrip("0"), state=state),
        _Fact(
            name="On a public trust list",
            value="no, of the studio's own making" if chain.local else "as its authority says",
            state="warn" if chain.local else "good",
        ),
        _Fact(name="Key", value="in a token" if chain.token else "in the studio's secret store"),
        _Fact(
            name="Time stamps",
            value="by an RFC 3161 service" if stamps else "none",
            state="good" if stamps else "warn",
        ),
    ]


def _log(studio: Studio) -> list[_Fact]:
    reader, policy = studio.log.reader(), policy_of(studio)
    return [
        _Fact(name="Entries", value=f"{reader.size:,}"),
        _Fact(name="Root hash", value=reader.state.root.hex(), hash=True),
        _Fact(
            name="Witnesses",
            value=f"{len(policy.witnesses)} asked" if policy.witnesses else "none asked",
            state="good" if policy.witnesses else "warn",
        ),
    ]


PAGES = (get("/status", status_page, Action.READ_STATUS),)
