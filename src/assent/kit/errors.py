"""Every error that Assent raises on purpose.

    AssentError                 exit code
    ├── InputError              2  what was given can't be used
    │   ├── MediaError             a clip that can't be read or holds nothing to work on
    │   ├── BriefError             a brief or record with missing or senseless fields
    │   ├── ConflictError          somebody else changed it in between
    │   └── NotFoundError          no such studio, project, person, record, clip, model or draft
    ├── RefusedError            3  a rule says no
    │   ├── ForbiddenPurposeError  the purpose itself
    │   ├── NotClearedError        nobody agreed to this, or no longer
    │   ├── UnlistedFaceError      someone in the frame has not consented
    │   ├── ContentError           explicit content
    │   ├── SignOffError           a person must decide first
    │   ├── TooOftenError          more was asked for than is given in a while
    │   └── UnsafeAddressError     an address that leads where a stranger's may not
    ├── StoppedError            1  told to stop; what was done is kept
    └── FaultError              1  the machine or the data failed
        ├── StorageError           the disk is full, or a file can't be written
        ├── FetchError             an address on the network gave no useful answer
        ├── IntegrityError         stored bytes are not what was stored
        │   └── RewrittenError  4     a log shows another history than before
        └── SealError              a seal could not be completed; nothing was left behind

>>> try:
...     raise MediaError("empty.mp4 is empty", advice="Export the clip again.")
... except AssentError as error:
...     print(error, "-", error.advice, error.exit_code)
empty.mp4 is empty - Export the clip again. 2
"""

__all__ = [
    "AssentError",
    "BriefError",
    "ConflictError",
    "ContentError",
    "FaultError",
    "FetchError",
    "ForbiddenPurposeError",
    "InputError",
    "IntegrityError",
    "MediaError",
    "NotClearedError",
    "NotFoundError",
    "RefusedError",
    "RewrittenError",
    "SealError",
    "SignOffError",
    "StoppedError",
    "StorageError",
    "TooOftenError",
    "UnlistedFaceError",
    "UnsafeAddressError",
]


class AssentError(Exception):
    """Base of all Assent errors: the message says what happened, `advice` what to do next."""

    advice = "Run the command again; if it fails again, report it with its message."
    exit_code = 1

    def __init__(self, message: str, *, advice: str | None = None) -> None:
        super().__init__(message)
        if advice is not None:
            self.advice = advice


class InputError(AssentError):
    """What was given can't be used."""

    advice = "Check the command's arguments with --help."
    exit_code = 2


class MediaError(InputError):
    """A clip that can't be read, or that holds nothing to work on."""

    advice = "Play the file in a video player; if it doesn't play, export it again as MP4 (H.264)."


class BriefError(InputError):
    """A brief or record with missing or senseless fields."""

    advice = "Correct the fields named above and run the command again."


class ConflictError(InputError):
    """Somebody else changed the same thing in between; nothing was overwritten."""

    advice = "Look at what it is now, and make your change again."


class NotFoundError(InputError):
    """No such studio, project, person, record, clip, model or draft."""

    advice = "List what there is with the command's `list`."


class RefusedError(AssentError):
    """A rule says no; no option changes that."""

    advice = "Change the work so that the rule no longer applies."
    exit_code = 3


class ForbiddenPurposeError(RefusedError):
    """The purpose is one that Assent never serves."""


class NotClearedError(RefusedError):
    """A subject has not agreed to this use, or no longer does."""

    advice = "Ask the subject for consent that covers this action: `assent consent offer`."


class UnlistedFaceError(RefusedError):
    """Someone in the frame has not consented."""

    advice = "Ask everyone in the frame for consent, or use footage without them."


class ContentError(RefusedError):
    """Explicit content: never accepted, never rendered."""

    advice = "Assent doesn't work on intimate content. Use other footage."


class SignOffError(RefusedError):
    """A person named in the brief must decide before this can go on."""

    advice = "Ask the reviewer to sign: `assent sign-off`."


class TooOftenError(RefusedError):
    """More was asked for than is given in a while."""

    advice = "Wait a moment and try again."


class UnsafeAddressError(RefusedError):
    """An address that leads into a private network, or where else a stranger's may not lead."""

    advice = "Download the file yourself if you trust the address, and give the file."


class StoppedError(AssentError):
    """Whoever started the work told it to stop; what can be kept of it is."""

    advice = "Start it again; it goes on where it stopped, or begins anew."


class FaultError(AssentError):
    """The machine or the stored data failed; nothing is lost."""

    exit_code = 1


class StorageError(FaultError):
    """The disk is full, or a file can't be read or written."""

    advice = "Free some space or check the folder's permissions, then run the command again."


class FetchError(FaultError):
    """An address on the network that gave no answer, too much of one, or none in time."""

    advice = "Try again later, or download the file yourself and give the file."


class IntegrityError(FaultError):
    """Stored bytes are not what was stored."""

    advice = "The file was changed outside Assent. Restore the studio folder from a backup."


class RewrittenError(IntegrityError):
    """A log was rolled back, or shows different people different histories."""

    advice = "Keep the evidence and tell everyone who relies on the log; no run makes this good."
    exit_code = 4


class SealError(FaultError):
    """A seal could not be completed; no readable file was left."""

    advice = "Run the command again; the draft is safe in the vault."
