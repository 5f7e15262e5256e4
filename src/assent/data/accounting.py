"""Give every face of a clip its owner, or say why that can't be done.

>>> spans([(0.0, 2.0), (1.0, 3.0), (5.0, 5.2)])
'0:00.0 to 0:03.0 (2 faces), 0:05.0 to 0:05.2'
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from assent.data.doubts import Ruling, Span
from assent.data.look import clock_time
from assent.kit.errors import MediaError, UnlistedFaceError
from assent.kit.faces.calibration import explain
from assent.kit.faces.identity import Gallery, TrackIdentity, Verdict, assign
from assent.kit.faces.tracks import Track

__all__ = ["Accounted", "account_for", "read_spans", "spans", "tell_doubts"]

_TOLD = 5
_RUN = re.compile(r"(\d+):(\d\d\.\d) to (\d+):(\d\d\.\d)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounted:
    """Whose the faces of a clip are."""

    named: tuple[tuple[str, Track], ...]
    """The tracks whose person is known, with that person's id."""
    unsure: tuple[tuple[TrackIdentity, Track], ...]
    """Those about which somebody must decide."""


def account_for(
    tracks: Sequence[Track], gallery: Gallery, name: str, ruling: Ruling | None = None
) -> Accounted:
    """Give every track its person, or say which somebody must look at.

    Args:
        tracks: the faces of a clip.
        gallery: the enrolments of those who were named.
        name: the clip's, for messages.
        ruling: what a person decided about the clip before.

    Raises `MediaError` if there is no face, `UnlistedFaceError` if one is nobody's.
    """
    if not tracks:
        raise MediaError(
            f"{name} shows no face",
            advice="Use footage in which the face is seen from the front for a while.",
        )
    ruling = ruling or Ruling()
    assignment = assign(tracks, gallery)
    pairs = list(zip(assignment.identities, tracks, strict=True))
    _refuse_strangers([one for one, _ in pairs if _is_stranger(one)], tracks, name)
    unsure = [(one, track) for one, track in pairs if one.verdict is Verdict.UNSURE]
    _refuse_rejected(
        [one for one, track in unsure if ruling.forbids(Span.of(one, track))], tracks, name
    )
    decided = {one.track for one, track in unsure if ruling.allows(Span.of(one, track))}
    return Accounted(
        named=tuple(
            (one.nearest.name, track)
            for one, track in pairs
            if one.nearest and (one.verdict is Verdict.LISTED or one.track in decided)
        ),
        unsure=tuple(pair for pair in unsure if pair[0].track not in decided),
    )


def tell_doubts(unsure: Sequence[tuple[TrackIdentity, Track]], name: str) -> str:
    """Say which faces somebody must look at."""
    farthest = max(one.farthest for one, _ in unsure)
    when = _when([one for one, _ in unsure], [track for _, track in unsure])
    return f"{name} shows a face of which it isn't sure whose it is, at {when}: {explain(farthest)}"


def _is_stranger(one: TrackIdentity) -> bool:
    return one.verdict in (Verdict.UNLISTED, Verdict.MIXED)


def _refuse_strangers(
    strangers: Sequence[TrackIdentity], tracks: Sequence[Track], name: str
) -> None:
    if not strangers:
        return
    nearest = min(one.farthest for one in strangers)
    raise UnlistedFaceError(
        f"{name} shows someone who has not consented, at {_when(strangers, tracks)}; the nearest "
        f"to an enrolment: {explain(nearest)}",
        advice="Ask everyone in the frame for consent, use footage without them, or hide the faces "
        "of others: --bystanders blur.",
    )


def _refuse_rejected(rejected: Sequence[TrackIdentity], tracks: Sequence[Track], name: str) -> None:
    if rejected:
        raise UnlistedFaceError(
            f"{name} shows someone who has not consented, at {_when(rejected, tracks)}: a person "
            "at the studio looked at the face and said so",
            advice="Use footage without them, or hide the faces of others: --bystanders blur.",
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


def read_spans(text: str) -> tuple[tuple[float, float], ...]:
    """Return the runs, in seconds, that a refusal tells in the words of `spans`.

    >>> read_spans("shows a stranger, at 0:00.0 to 1:03.5 (2 faces), 1:05.0 to 1:05.2; nearest: .7")
    ((0.0, 63.5), (65.0, 65.2))
    """
    return tuple(
        (60 * int(a) + float(b), 60 * int(c) + float(d)) for a, b, c, d in _RUN.findall(text)
    )
