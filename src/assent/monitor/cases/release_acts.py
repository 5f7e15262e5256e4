"""What the acts of a case do to its release, and what taking one back leaves standing.

Cases of the same release know nothing of each other's acts: what another case has suspended or
taken down stays so until that act is taken back too.
"""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import select

from assent.disclose import standing
from assent.kit.errors import InputError, NotFoundError, RefusedError
from assent.kit.store.case_tables import ActRow, CaseRow
from assent.kit.store.studio import Studio
from assent.kit.tlog.receipt import SUFFIX
from assent.monitor.cases.case import Case
from assent.monitor.cases.evidence import freeze_release, list_evidence, open_evidence

__all__ = ["correct", "put_back", "revoke", "suspend", "take_back", "take_down"]

_STANDING = ("take-down", "suspend", "correct")


def suspend(studio: Studio, case: Case, arguments: Mapping[str, Any], by: str) -> dict[str, Any]:
    """Say that the release should not be shown for the time being."""
    return {"release": standing.suspend(studio, _asset(case)).state}


def correct(studio: Studio, case: Case, arguments: Mapping[str, Any], by: str) -> dict[str, Any]:
    """Name the release that takes its place."""
    told = standing.correct(studio, _asset(case), str(arguments["successor"]))
    return {"release": told.state, "successor": str(arguments["successor"])}


def revoke(studio: Studio, case: Case, arguments: Mapping[str, Any], by: str) -> dict[str, Any]:
    """Revoke its credential for good."""
    return {"release": standing.revoke(studio, _asset(case)).state}


def take_down(studio: Studio, case: Case, arguments: Mapping[str, Any], by: str) -> dict[str, Any]:
    """Remove its files, once there are copies of which the case knows."""
    asset = _asset(case)
    if any(done.act == "take-down" for done in _done(studio, asset)):
        # Only the case that did it has the copies to put back.
        raise RefusedError(f"release {asset} was taken down already")
    freeze_release(studio, case, by=by)
    return {"removed": len(standing.take_down(studio, asset))}


def take_back(name: str) -> Callable[[Studio, Case, Mapping[str, Any], str], None]:
    """Return what takes the act of this name back, as far as no other act stands in the way."""

    def undo(studio: Studio, case: Case, arguments: Mapping[str, Any], by: str) -> None:
        asset = _asset(case)
        left = _done(studio, asset)
        left.remove(next(each for each in left if _is(each, case, name, arguments)))
        heavier = ("take-down", "suspend")[: 1 if name == "take-down" else 2]
        if any(each.act in heavier for each in left):
            return
        if name == "take-down":
            put_back(studio, case, by)
        else:
            standing.restore(studio, asset)
        if any(each.act == "suspend" for each in left):
            standing.suspend(studio, asset)
        elif left:
            standing.correct(studio, asset, str(left[-1].result["successor"]))

    return undo


def put_back(studio: Studio, case: Case, by: str) -> None:
    """Put the release's film back out of the evidence; raises `NotFoundError` if it isn't there."""
    kept = {each.name: each for each in list_evidence(studio, case) if each.name}
    video = next((n for n in kept if n.endswith(f"-{_asset(case)}.mp4")), None)
    proof = video and kept.get(f"{video.removesuffix('.mp4')}{SUFFIX}")
    if video is None or not proof:
        raise NotFoundError("the files of this release are not among the evidence")
    with open_evidence(studio, case, proof.id, by=by) as file:
        text = file.readall().decode()
    with open_evidence(studio, case, kept[video].id, by=by) as media:
        standing.put_back(studio, _asset(case), media, text)  # type: ignore[arg-type] # it is read alone


def _done(studio: Studio, asset: str) -> list[ActRow]:
    """Return the acts of all cases that stand on a release and can be taken back, oldest first."""
    with studio.database.session() as session:
        rows = session.scalars(
            select(ActRow)
            .join(CaseRow, CaseRow.id == ActRow.case_id)
            .where(CaseRow.asset_id == asset, ActRow.state == "done", ActRow.act.in_(_STANDING))
            .order_by(ActRow.done, ActRow.id)
        )
        return list(rows)


def _is(done: ActRow, case: Case, name: str, arguments: Mapping[str, Any]) -> bool:
    same = done.result.get("successor") == arguments.get("successor")
    return (done.case_id, done.act) == (case.id, name) and same


def _asset(case: Case) -> str:
    if case.asset_id is None:
        raise InputError(
            "this case names no release", advice="Say which it is: `assent case set --asset`."
        )
    return case.asset_id
