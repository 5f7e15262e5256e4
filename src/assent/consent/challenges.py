"""Challenges that were asked and not answered yet: asked -> begun -> used, each step once.

    challenge = ask(studio, record_id, language="en")     # the page shows the words
    challenge = begin(studio, challenge.nonce, record_id=record_id)   # recording; turns are shown
    challenge = use(studio, challenge.nonce, record_id=record_id)     # the recording is here

A record has one open challenge: asking again, in another tab say, closes the one before.
"""

import os
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select, update

from assent.consent.challenge import Challenge, Entropy, challenge_from_json, draw
from assent.kit.clock import stamp
from assent.kit.errors import IntegrityError, NotClearedError
from assent.kit.store.studio import Studio
from assent.kit.store.tables import ChallengeRow

__all__ = ["ARRIVES_WITHIN", "MOST_A_DAY", "ask", "begin", "use"]

ARRIVES_WITHIN: Final = timedelta(minutes=4)
"""From the turns being shown to the recording having arrived: no time to make it up."""

MOST_A_DAY: Final = 10
"""Challenges a record in 24 hours, so that nobody can wait for one that suits a ready video."""

_AGAIN = "Begin the recording again with new words."


def ask(
    studio: Studio, record_id: str, *, language: str, entropy: Entropy = os.urandom
) -> Challenge:
    """Draw a challenge for a record and close any that is open.

    Raises `InputError` for an unknown language, `NotClearedError` after too many in a day.
    """
    now = studio.clock()
    challenge = draw(record_id, language=language, now=now, entropy=entropy)
    with studio.database.session() as session:
        session.execute(
            update(ChallengeRow)
            .where(ChallengeRow.record_id == record_id, ChallengeRow.state != "used")
            .values(state="void")
        )
        lately = session.scalar(
            select(func.count())
            .select_from(ChallengeRow)
            .where(
                ChallengeRow.record_id == record_id,
                ChallengeRow.issued > stamp(now - timedelta(days=1)),
            )
        )
        if (lately or 0) >= MOST_A_DAY:
            raise NotClearedError(
                f"{MOST_A_DAY} recordings were begun for this record within a day",
                advice="Try again tomorrow, or speak with the studio.",
            )
        session.add(
            ChallengeRow(
                nonce=challenge.nonce,
                record_id=record_id,
                document=challenge.to_json(),
                state="asked",
                issued=stamp(challenge.issued),
            )
        )
    return challenge


def begin(studio: Studio, nonce: str, *, record_id: str) -> Challenge:
    """Note that the recording begins, from when on its turns may be shown.

    Raises `NotClearedError` if the challenge is unknown, another record's, expired, begun, used or
    closed by a newer one.
    """
    now = studio.clock()
    challenge, _ = _find(studio, nonce)
    challenge.check(record_id=record_id, now=now)
    _step(studio, nonce, "asked", {"state": "begun", "begun": stamp(now)})
    return challenge


def use(studio: Studio, nonce: str, *, record_id: str) -> Challenge:
    """Use a challenge up for the recording that has just arrived; raises as `begin` does.

    However the check of that recording ends, no other can be shown for the same challenge.
    """
    now = studio.clock()
    challenge, begun = _find(studio, nonce)
    challenge.check(record_id=record_id, now=now)
    since = timedelta(0) if begun is None else now - datetime.fromisoformat(begun)
    if not timedelta(0) <= since <= ARRIVES_WITHIN:
        raise NotClearedError("the recording took too long to arrive", advice=_AGAIN)
    _step(studio, nonce, "begun", {"state": "used"})
    return challenge


def _find(studio: Studio, nonce: str) -> tuple[Challenge, str | None]:
    with studio.database.session() as session:
        row = session.get(ChallengeRow, nonce)
    if row is None:
        raise NotClearedError("no such challenge was drawn", advice=_AGAIN)
    challenge = challenge_from_json(row.document)
    if (challenge.nonce, challenge.record_id) != (row.nonce, row.record_id):
        raise IntegrityError("the stored challenge is another's")
    return challenge, row.begun


def _step(studio: Studio, nonce: str, state: str, values: dict[str, str]) -> None:
    """Change the row, or refuse: of several who try at once, one succeeds."""
    with studio.database.session() as session:
        changed = session.scalars(
            update(ChallengeRow)
            .where(ChallengeRow.nonce == nonce, ChallengeRow.state == state)
            .values(**values)
            .returning(ChallengeRow.nonce)
        ).all()
    if not changed:
        raise NotClearedError(
            "this challenge was answered already, was not begun, or gave way to a newer one",
            advice=_AGAIN,
        )
