"""Give every face of a clip its owner, or say why that can't be done.

>>> spans([(0.0, 2.0), (1.0, 3.0), (5.0, 5.2)])
'0:00.0 to 0:03.0 (2 faces), 0:05.0 to 0:05.2'
"""

from collections.abc import Iterable, Sequence

from assent.data.look import clock_time
from assent.kit.errors import MediaError, UnlistedFaceError
from assent.kit.faces.calibration import explain
from assent.kit.faces.identity import Assignment, Gallery, TrackIdentity, Verdict, assign
from assent.kit.faces.tracks import Track

__all__ = ["account_for", "spans"]

_TOLD = 5

Named = list[tuple[str, Track]]
"""Every track with the id of the person whose it is."""


def account_for(tracks: Sequence[Track], gallery: Gallery, name: str) -> Named:
    """Return every track with its person.

    Raises `MediaError` if there is no face, `UnlistedFaceError` if one has nobody's.
    """
    if not tracks:
        raise MediaError(
            f"{name} shows no face",
            advice="Use footage in which the face is seen from the front for a while.",
        )
    assignment = assign(tracks, gallery)
    _refuse_strangers(assignment, tracks, name)
    if unsure := [one for one in assignment.unlisted if one.verdict is Verdict.UNSURE]:
        raise UnlistedFaceError(
            f"{name} shows a face of which it isn't sure whose it is, at "
            f"{_when(unsure, tracks)}: {explain(max(one.farthest for one in unsure))}"
        )
    return [(str(assignment.names[track.id]), track) for track in tracks]


def _refuse_strangers(assignment: Assignment, tracks: Sequence[Track], name: str) -> None:
    strangers = [one for one in assignment.unlisted if one.verdict is not Verdict.UNSURE]
    if not strangers:
        return
    nearest = min(one.farthest for one in strangers)
    raise UnlistedFaceError(
        f"{name} shows someone who has not consented, at {_when(strangers, tracks)}; the nearest "
        f"to an enrolment: {explain(nearest)}",
        advice="Ask everyone in the frame for consent, use footage without them, or hide the faces "
        "of others: --bystanders blur.",
    )


def _when(identities: Iterable[TrackIdentity], tracks: Sequence[Track]) -> str:
    wanted = {one.track for one in identities}
    return spans(
        [
            (track.points[0].seconds, track.points[-1].seconds)
            for track in tracks
            if track.id in wanted
        ]
    )


def spans(runs: Iterable[tuple[float, float]]) -> str:
    """Say when runs (seconds) are: those that overlap together, with how many they are."""
    found: list[tuple[float, float, int]] = []
    for begins, ends in sorted(runs):
        if found and begins <= found[-1][1]:
            since, until, faces = found[-1]
            found[-1] = since, max(until, ends), faces + 1
        else:
            found.append((begins, ends, 1))
    told = [
        f"{clock_time(begins)} to {clock_time(ends)}" + (f" ({faces} faces)" if faces > 1 else "")
        for begins, ends, faces in found
    ]
    shown = ", ".join(told[:_TOLD])
    return shown if len(told) <= _TOLD else f"{shown} and {len(told) - _TOLD} more"
