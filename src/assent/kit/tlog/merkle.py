"""The Merkle tree of RFC 6962 and RFC 9162: roots, proofs and their verification, and no I/O.

A hash is 32 bytes of SHA-256. A proof is a sequence of hashes, from the leaf's side up.

>>> hashes = [leaf_hash(entry) for entry in (b"a", b"b", b"c")]
>>> proof = inclusion_proof(hashes, 2)
>>> verify_inclusion(leaf_hash(b"c"), index=2, size=3, proof=proof, root=root(hashes))
"""

from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256

from assent.kit.errors import IntegrityError

__all__ = [
    "EMPTY_ROOT",
    "HASH_SIZE",
    "consistency_proof",
    "consistency_ranges",
    "fold",
    "inclusion_proof",
    "inclusion_ranges",
    "leaf_hash",
    "node_hash",
    "root",
    "subtrees",
    "verify_consistency",
    "verify_inclusion",
]

HASH_SIZE = 32
"""Bytes in a hash."""

EMPTY_ROOT = sha256().digest()
"""Root of the tree without entries (RFC 6962, section 2.1)."""

Range = tuple[int, int]
"""Entries `start` up to, not including, `end`."""


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of an entry: SHA-256(0x00 ‖ entry)."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node: SHA-256(0x01 ‖ left ‖ right)."""
    return sha256(b"\x01" + left + right).digest()


def root(hashes: Sequence[bytes]) -> bytes:
    """Return the root over leaf hashes (RFC 6962, section 2.1)."""
    if not hashes:
        return EMPTY_ROOT
    row = list(hashes)
    while len(row) > 1:
        pairs = [node_hash(row[i], row[i + 1]) for i in range(0, len(row) - 1, 2)]
        # A node without a sibling rises as it is: the same tree as the RFC's recursion.
        row = pairs + row[2 * len(pairs) :]
    return row[0]


def fold(roots: Sequence[bytes]) -> bytes:
    """Return the root over the roots of perfect subtrees that shrink from left to right.

    `roots` are those of `subtrees(0, size)`; without any, the result is `EMPTY_ROOT`.
    """
    if not roots:
        return EMPTY_ROOT
    total = roots[-1]
    for left in reversed(roots[:-1]):
        total = node_hash(left, total)
    return total


def subtrees(start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield `(start, height)` of the perfect subtrees that make up a range of a proof."""
    while start < end:
        height = (end - start).bit_length() - 1
        yield start, height
        start += 1 << height


def _split(size: int) -> int:
    """Return the largest power of two below `size` (at least 2)."""
    return 1 << ((size - 1).bit_length() - 1)


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """Return the ranges whose roots prove entry `index` in a tree of `size`, leaf's side first.

    RFC 9162, section 2.1.3.1. Needs `0 <= index < size`.
    """
    ranges: list[Range] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    return ranges[::-1]


def consistency_ranges(old: int, new: int) -> list[Range]:
    """Return the ranges whose roots prove that a tree of size `new` extends one of size `old`.

    RFC 9162, section 2.1.4.1. Needs `0 <= old <= new`; nothing is to prove from 0 or between equal
    sizes.
    """
    if old in (0, new):
        return []
    ranges: list[Range] = []
    start, end = 0, new
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    # The old tree's own left subtree is known to the verifier and isn't repeated.
    if start:
        ranges.append((start, end))
    return ranges[::-1]


def inclusion_proof(hashes: Sequence[bytes], index: int) -> list[bytes]:
    """Return the proof that leaf `index` is in the tree over all the leaf `hashes`."""
    return [root(hashes[a:b]) for a, b in inclusion_ranges(index, len(hashes))]


def consistency_proof(hashes: Sequence[bytes], old: int) -> list[bytes]:
    """Return the proof that the tree over leaf `hashes` extends that over the first `old`."""
    return [root(hashes[a:b]) for a, b in consistency_ranges(old, len(hashes))]


def verify_inclusion(
    leaf: bytes, *, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Check that the leaf hash stands at `index` in the tree of `size` and `root`.

    RFC 9162, section 2.1.3.2.

    Raises:
        IntegrityError: it doesn't, or the proof has the wrong length.
    """
    if not 0 <= index < size:
        raise IntegrityError(f"no entry {index} in a log of {size}")
    ranges = inclusion_ranges(index, size)
    if len(ranges) != len(proof):
        raise IntegrityError(f"the inclusion proof of entry {index} has the wrong length")
    total = leaf
    for (start, _), sibling in zip(ranges, proof, strict=True):
        total = node_hash(total, sibling) if start > index else node_hash(sibling, total)
    if total != root:
        raise IntegrityError(f"entry {index} is not the one in the log")


def verify_consistency(
    *, old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]
) -> None:
    """Check that the tree of `new_root` starts with all entries of the tree of `old_root`.

    RFC 9162, section 2.1.4.2.

    Raises:
        IntegrityError: it doesn't (a rollback or a fork), or the proof has the wrong length.
    """
    if not 0 <= old_size <= new_size:
        raise IntegrityError(f"the log shrank from {old_size} to {new_size} entries")
    ranges = consistency_ranges(old_size, new_size)
    if len(ranges) != len(proof):
        raise IntegrityError("the consistency proof has the wrong length")
    if not ranges:
        known = EMPTY_ROOT if old_size == 0 else new_root
        _match(known, old_root, old_size)
        return
    known_hashes = dict(zip(ranges, proof, strict=True))
    if all(end != old_size for _, end in ranges):
        # The old tree is itself a subtree of the new one, so its root is a part of the proof.
        known_hashes[0, old_size] = old_root
    _match(_assemble(0, old_size, known_hashes.get), old_root, old_size)
    _match(_assemble(0, new_size, known_hashes.get), new_root, new_size)


def _assemble(start: int, end: int, known: Callable[[Range], bytes | None]) -> bytes:
    """Return the root over a range out of the known roots of ranges within it."""
    here = known((start, end))
    if here is not None:
        return here
    middle = start + _split(end - start)
    return node_hash(_assemble(start, middle, known), _assemble(middle, end, known))


def _match(computed: bytes, stated: bytes, size: int) -> None:
    """Raise `IntegrityError` unless both roots of the tree of `size` are the same."""
    if computed != stated:
        raise IntegrityError(f"the log was rewritten: its root at {size} entries is another one")
