"""Recordings between camera and signature: in encrypted scratch, checked, gone if nobody signs."""

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Literal

from assent.consent.sitting import Checked
from assent.kit.errors import AssentError, InputError, NotClearedError
from assent.kit.store.studio import Studio
from assent.kit.vault.scratch import Scratch

__all__ = ["LARGEST", "Recording", "Recordings"]

LARGEST = 96 << 20
"""Bytes of a recording."""
LIFETIME = timedelta(hours=1)
_MOST = 40
_WORKERS = 2

State = Literal["arriving", "checking", "passed", "failed", "broken"]


@dataclass(slots=True, kw_only=True)
class Recording:
    """One recording of one invitation."""

    scratch: Scratch
    nonce: str
    """Of the challenge that it answers."""
    expires: datetime
    state: State = "arriving"
    sha256: str = ""
    checked: Checked | None = None
    told: str = ""
    """Why it could not be checked at all."""
    findings: tuple[str, ...] = ()
    """What did not pass, in the subject's words."""
    stranger: bool = False
    """The face is not the subject's, as far as the studio knows."""
    to_person: bool = False
    """The subject asked for a person to look at it."""

    @property
    def ready(self) -> bool:
        """Tell whether it may be signed for."""
        return self.state == "passed" or (self.state == "failed" and self.to_person)


class Recordings:
    """At most one recording for each invitation; a new one takes the place of the one before."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._held: dict[str, Recording] = {}
        self._lock = Lock()
        self._workers = ThreadPoolExecutor(_WORKERS, thread_name_prefix="check")

    def begin(self, invitation_id: str, *, nonce: str) -> Recording:
        """Return a recording to be filled; raises `NotClearedError` if too many lie here."""
        recording = Recording(
            scratch=Scratch(self._studio.vault_folder, disk=self._studio.disk),
            nonce=nonce,
            expires=self._studio.clock() + LIFETIME,
        )
        with self._lock:
            self._sweep()
            if len(self._held) >= _MOST:
                recording.scratch.close()
                raise NotClearedError("the studio is busy", advice="Try again in a few minutes.")
            self._put(invitation_id, recording)
        return recording

    def check(self, recording: Recording, check: Callable[[Recording], Checked]) -> None:
        """Have a recording that has arrived checked, in a thread of its own."""
        recording.state = "checking"
        self._workers.submit(self._run, recording, check)

    def find(self, invitation_id: str) -> Recording | None:
        """Return the recording of an invitation, if there is one."""
        with self._lock:
            self._sweep()
            return self._held.get(invitation_id)

    def need(self, invitation_id: str) -> Recording:
        """Return the recording of an invitation; raises `InputError` if there is none."""
        recording = self.find(invitation_id)
        if recording is None:
            raise InputError("there is no recording yet", advice="Record your statement first.")
        return recording

    def forget(self, invitation_id: str) -> None:
        """Discard the recording of an invitation."""
        with self._lock:
            recording = self._held.pop(invitation_id, None)
        if recording is not None:
            _close(recording)

    def close(self) -> None:
        """Discard everything and stop."""
        self._workers.shutdown(wait=True, cancel_futures=True)
        for invitation_id in list(self._held):
            self.forget(invitation_id)

    def _run(self, recording: Recording, check: Callable[[Recording], Checked]) -> None:
        try:
            recording.scratch.seek(0)
            digest = hashlib.sha256()
            while piece := recording.scratch.read(1 << 20):
                digest.update(piece)
            recording.sha256 = digest.hexdigest()
            recording.checked = check(recording)
            recording.state = "passed" if recording.checked.passed else "failed"
        except (AssentError, ValueError) as error:
            recording.told = str(error)
            recording.state = "broken"

    def _put(self, invitation_id: str, recording: Recording) -> None:
        before = self._held.pop(invitation_id, None)
        if before is not None:
            _close(before)
        self._held[invitation_id] = recording

    def _sweep(self) -> None:
        now = self._studio.clock()
        for invitation_id in [key for key, held in self._held.items() if now >= held.expires]:
            _close(self._held.pop(invitation_id))


def _close(recording: Recording) -> None:
    """Discard one, unless it is being read: then its thread's end lets go of it."""
    if recording.state != "checking":
        recording.scratch.close()
