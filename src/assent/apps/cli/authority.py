"""By what somebody answers for another person, as the command line tells it."""

from pathlib import Path

from assent.consent.record import Authority
from assent.kit.errors import InputError, NotFoundError
from assent.kit.hashing import hash_file

__all__ = ["authority_of", "hash_of"]


def authority_of(
    estate: Path | None, guardian: Path | None, relation: str | None
) -> Authority | None:
    """Return by what somebody answers for the person; None if nobody does."""
    if estate is None and guardian is None and relation is None:
        return None
    if (estate is None) == (guardian is None) or relation is None:
        raise InputError(
            "who answers for somebody is their estate or their guardian, by a document",
            advice="Give --estate FILE or --guardian FILE, and --relation.",
        )
    document = estate if estate is not None else guardian
    return Authority(
        kind="guardian" if estate is None else "estate",
        relation=relation,
        document_sha256=hash_of(Path(str(document))),
    )


def hash_of(path: Path) -> str:
    """Return the SHA-256 of a file; raises `NotFoundError`."""
    if not path.is_file():
        raise NotFoundError(f"there is no file {path}", advice="Check the path.")
    with path.open("rb") as file:
        return hash_file(file)
