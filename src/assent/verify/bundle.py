"""The trust bundle: one signed file with which anyone can check a studio's releases, offline.

    text = make_bundle(studio.log_folder, verifier, studio.signing_key, now=stamp(clock()))
    log = open_bundle(text, vkey=published_key, now=clock())

It holds the log's checkpoint, its entries, and the status lists. Entries that are left out stand
as hashes of their subtree, so the signed root is computed anew from the bundle alone: every entry
in it is proven. The bundle itself is signed by the studio's signing key, which the first entry
names.

Format: `docs/specs/trust-bundle.md`.
"""

import base64
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from assent.consent.status_list import list_path
from assent.kit.canonical import parse_object
from assent.kit.clock import stamp
from assent.kit.disk import Disk
from assent.kit.errors import InputError, IntegrityError
from assent.kit.signing import SigningKey, from_jwk, peek, sign, verify
from assent.kit.tlog.checkpoint import Checkpoint, open_checkpoint
from assent.kit.tlog.merkle import HASH_SIZE, leaf_hash, node_hash, verify_consistency
from assent.kit.tlog.note import NoteVerifier, decode_base64
from assent.kit.tlog.reader import LogReader
from assent.kit.tlog.tiles import ENTRY_LIMIT
from assent.verify.public import GIVEN, Proven, PublicLog, assemble, cosigned_note

__all__ = ["IN_BUNDLE", "LARGEST", "is_bundle", "make_bundle", "open_bundle"]

IN_BUNDLE = "the key in the trust bundle, not confirmed elsewhere"
LARGEST = 32 << 20
"""Bytes in the largest bundle that is read."""

_KIND = "assent-trust+jwt"
_FORMAT = "assent-trust-bundle"
_VERSION = 1
_MOST_LISTS = 1000
_MOST_LEVELS = 40
# How far the clock that made a bundle may be ahead of the reader's.
_AHEAD = timedelta(days=1)
# Entries of these kinds are looked up; others can be left out of a smaller bundle.
_NEEDED = frozenset(
    """
    studio consent.granted consent.withdrawn status.list
    credentials.changed credentials.revoked credentials.clock
    release.ended release.restored
    """.split()  # noqa: SIM905 - easier to read than a list
)
# What files are held against, and may be too old for that to matter.
_SHOWN = frozenset({"seal", "viewing.opened"})
_ADVICE = "Fetch the bundle again from where the studio publishes it."
_Item = str | list[Any]


def is_bundle(head: bytes) -> bool:
    """Tell whether a file that begins so may be a trust bundle."""
    return head.startswith(b"eyJ")


def make_bundle(
    folder: Path,
    verifier: NoteVerifier,
    key: SigningKey,
    *,
    now: datetime,
    since: datetime | None = None,
) -> str:
    """Return the trust bundle of the log in `folder`, signed by the studio's `key`.

    With `since`, releases and viewings before then are left out, and all that is not needed to
    check the others. Raises `IntegrityError` if the log was changed.
    """
    reader = LogReader(folder, verifier=verifier)
    numbers: set[int] = set()
    items: list[_Item] = []
    hidden = 0
    for index, data in reader.entries():
        fields = parse_object(data, name="a log entry")
        if fields.get("kind") == "status.list" and isinstance(fields.get("list"), int):
            numbers.add(int(str(fields["list"])))
        if since is not None and not _is_kept(fields, stamp(since)):
            hidden += 1
            continue
        items += _hidden(reader, index - hidden, index)
        hidden = 0
        items.append(data.decode())
    items += _hidden(reader, reader.size - hidden, reader.size)
    lists = {str(n): Disk().read(list_path(folder, n)) for n in sorted(numbers)}
    payload = {
        "format": _FORMAT,
        "version": _VERSION,
        "issued": stamp(now),
        "vkey": verifier.vkey,
        "checkpoint": reader.checkpoint,
        **_cosigned(folder, reader),
        "entries": items,
        "status_lists": {n: token.decode() for n, token in lists.items() if token is not None},
    }
    return sign(payload, key, kind=_KIND) + "\n"


def open_bundle(
    text: bytes, *, now: datetime, vkey: str | None = None, key_from: str = GIVEN
) -> PublicLog:
    """Return what a trust bundle tells, once all of it has been checked.

    `vkey` is the studio's log key as published elsewhere, and `key_from` says where; without it the
    bundle's own key is used, which proves only that the bundle agrees with itself.

    Raises `InputError` if it is no bundle or of an unknown version, `IntegrityError` if it was
    changed, is of another log, or says what can't be.
    """
    if len(text) > LARGEST:
        raise InputError(f"a trust bundle has at most {LARGEST >> 20} MiB", advice=_ADVICE)
    try:
        token = text.decode("ascii").strip()
    except UnicodeDecodeError as error:
        raise InputError("this is no trust bundle", advice=_ADVICE) from error
    payload = peek(token)
    _check_format(payload)
    try:
        return _open(token, payload, now, vkey, key_from)
    except IntegrityError as error:
        raise IntegrityError(f"the trust bundle is refused: {error}", advice=_ADVICE) from error
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise IntegrityError("the trust bundle lacks its parts", advice=_ADVICE) from error


def _open(
    token: str, payload: dict[str, Any], now: datetime, vkey: str | None, key_from: str
) -> PublicLog:
    verifier = NoteVerifier.parse(_text(payload["vkey"] if vkey is None else vkey).strip())
    checkpoint = _text(payload["checkpoint"])
    state = open_checkpoint(checkpoint, verifier)
    entries, size, root = _proven(payload["entries"])
    if (size, root) != (state.size, state.root):
        raise IntegrityError("its entries are not those of its checkpoint")
    if not entries:
        raise IntegrityError("it holds no entry")
    _check_signature(token, entries[0][1])
    lists = payload["status_lists"]
    if not isinstance(lists, dict) or len(lists) > _MOST_LISTS:
        raise IntegrityError("its status lists are none")
    return assemble(
        entries,
        Proven(
            verifier=verifier,
            key_from=IN_BUNDLE if vkey is None else key_from,
            checkpoint=checkpoint,
            size=size,
            issued=_issued(payload["issued"], now),
            cosigned=_earlier(payload, verifier, state),
        ),
        _lists(lists),
    )


def _cosigned(folder: Path, reader: LogReader) -> dict[str, Any]:
    """Return the checkpoint that witnesses cosigned, and the proof that it is an earlier state."""
    note = cosigned_note(folder, reader)
    if not note:
        return {}
    size = open_checkpoint(note, reader.verifier).size
    proof = [base64.b64encode(each).decode() for each in reader.consistency_proof(size)]
    return {"cosigned": {"checkpoint": note, "consistency": proof}}


def _earlier(payload: Mapping[str, Any], verifier: NoteVerifier, state: Checkpoint) -> str:
    """Return the cosigned checkpoint, once it is proven to be a part of the bundle's log."""
    cosigned = payload.get("cosigned")
    if cosigned is None:
        return ""
    note = _text(cosigned["checkpoint"])
    earlier = open_checkpoint(note, verifier)
    verify_consistency(
        old_size=earlier.size,
        old_root=earlier.root,
        new_size=state.size,
        new_root=state.root,
        proof=[decode_base64(_text(each)) for each in cosigned["consistency"]],
    )
    return note


def _check_format(payload: Mapping[str, Any]) -> None:
    if payload.get("format") != _FORMAT:
        raise InputError("this is no trust bundle", advice=_ADVICE)
    if payload.get("version") != _VERSION:
        raise InputError(
            "this trust bundle is of a version that isn't known here",
            advice="Install a newer Assent, or ask the studio for a bundle of version 1.",
        )


def _check_signature(token: str, first: bytes) -> None:
    """Raise `IntegrityError` unless the key in the log's first entry signed the whole bundle."""
    try:
        jwk = parse_object(first, name="the first entry").get("signing_key")
        if not isinstance(jwk, dict):
            raise IntegrityError("its first entry names no signing key")
        key = from_jwk(jwk, name="the studio's signing key")
    except InputError as error:
        raise IntegrityError(str(error)) from error
    verify(token, key, kind=_KIND)


def _issued(value: object, now: datetime) -> str:
    """Return when the bundle was made; `IntegrityError` if that is in the future."""
    moment = datetime.fromisoformat(_text(value))
    if moment > now + _AHEAD:
        raise IntegrityError("it claims to be from the future")
    return stamp(moment)


def _lists(tokens: Mapping[str, Any]) -> Callable[[int], bytes | None]:
    def find(number: int) -> bytes | None:
        token = tokens.get(str(number))
        return None if token is None else _text(token).encode()

    return find


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not text")
    return value


def _is_kept(fields: Mapping[str, Any], since: str) -> bool:
    kind = fields.get("kind")
    return kind in _NEEDED or (kind in _SHOWN and str(fields.get("time")) >= since)


def _hidden(reader: LogReader, start: int, end: int) -> Iterator[_Item]:
    """Yield entries `start` to `end` as `[height, hash]` of perfect subtrees."""
    while start < end:
        height = (end - start).bit_length() - 1
        if start:
            height = min(height, (start & -start).bit_length() - 1)
        root = reader.tree.range_root(start, start + (1 << height))
        yield [height, base64.b64encode(root).decode()]
        start += 1 << height


def _proven(items: object) -> tuple[list[tuple[int, bytes]], int, bytes]:
    """Return the entries with their indices, and the size and root of the tree they make.

    Raises any of `TypeError`, `ValueError` and `IntegrityError` if they make none.
    """
    if not isinstance(items, list):
        raise TypeError("no list")
    entries: list[tuple[int, bytes]] = []
    # Roots of perfect subtrees that shrink from left to right, with their heights.
    stack: list[tuple[int, bytes]] = []
    size = 0
    for item in items:
        height, found = (0, b"") if isinstance(item, str) else _subtree(item)
        if isinstance(item, str):
            data = item.encode()
            if len(data) > ENTRY_LIMIT:
                raise IntegrityError("an entry is longer than any")
            entries.append((size, data))
            found = leaf_hash(data)
        if size % (1 << height):
            raise IntegrityError("a subtree is out of place")
        size += 1 << height
        _push(stack, height, found)
    return entries, size, _fold(found for _, found in stack)


def _push(stack: list[tuple[int, bytes]], height: int, root: bytes) -> None:
    while stack and stack[-1][0] == height:
        root = node_hash(stack.pop()[1], root)
        height += 1
    stack.append((height, root))


def _fold(roots: Iterable[bytes]) -> bytes:
    total = b""
    for root in reversed(list(roots)):
        total = node_hash(root, total) if total else root
    return total


def _subtree(item: object) -> tuple[int, bytes]:
    if not isinstance(item, list) or len(item) != 2:
        raise TypeError("neither an entry nor a subtree")
    height, encoded = item
    if not isinstance(height, int) or isinstance(height, bool) or not 0 <= height < _MOST_LEVELS:
        raise ValueError("no height")
    found = decode_base64(_text(encoded))
    if len(found) != HASH_SIZE:
        raise ValueError("no hash")
    return height, found
