"""The transparency log: a million appends, and proofs whose tiles are read from the disk.

    python benchmarks/log.py [--entries 1000000] [--batch 10000] [--proofs 300] [--folder DIR]

Prints the time of the appends beside that of the bare hashing that any such log has to do, and the
time of an inclusion and a consistency proof by a reader that holds nothing yet: with the files in
the system's cache, and with the log's files thrown out of it. Assent promises: a million appends
under 15 s, either proof under 2 ms.
"""

import argparse
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from assent.kit.tlog.log import Log
from assent.kit.tlog.merkle import leaf_hash, verify_consistency, verify_inclusion
from assent.kit.tlog.note import NoteSigner, NoteVerifier
from assent.kit.tlog.reader import LogReader

SIZE = 64


def entry(index: int) -> bytes:
    """Return an entry as long as two hashes in hexadecimal."""
    return b"%064d" % index


def fill(log: Log, entries: int, batch: int) -> None:
    """Append so many entries, a batch at a time, each batch durable when it is done."""
    for start in range(0, entries, batch):
        log.append([entry(i) for i in range(start, min(entries, start + batch))])


def bare(entries: int) -> None:
    """Hash as often as a tree of so many leaves has nodes."""
    for i in range(entries):
        sha256(b"\x00" + entry(i)).digest()
        sha256(b"\x01" + bytes(SIZE)).digest()


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Return seconds by the clock and of the processor."""
    clock, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - clock, time.process_time() - processor


def prove_inclusion(folder: Path, verifier: NoteVerifier, index: int) -> None:
    """Prove one entry with nothing read before."""
    reader = LogReader(folder, verifier=verifier)
    reader.inclusion_proof(index)


def prove_consistency(folder: Path, verifier: NoteVerifier, size: int) -> None:
    """Prove that the log continues its state at `size`, with nothing read before."""
    LogReader(folder, verifier=verifier).consistency_proof(size)


def check(folder: Path, verifier: NoteVerifier, index: int) -> None:
    """Verify both proofs once, so that what is timed is right."""
    reader = LogReader(folder, verifier=verifier)
    root, size = reader.state.root, reader.size
    verify_inclusion(
        leaf_hash(entry(index)),
        index=index,
        size=size,
        proof=reader.inclusion_proof(index),
        root=root,
    )
    old = LogReader(folder, verifier=verifier).tree.range_root(0, index + 1)
    verify_consistency(
        old_size=index + 1,
        old_root=old,
        new_size=size,
        new_root=root,
        proof=reader.consistency_proof(index + 1),
    )


def forget(folder: Path) -> None:
    """Ask the system to drop the log's files from its cache."""
    for path in folder.rglob("*"):
        if path.is_file():
            file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(file)


def report(name: str, times: list[tuple[float, float]]) -> None:
    """Print median and 95th percentile by the clock, and the processor's median."""
    clock = sorted(each[0] for each in times)
    processor = statistics.median(each[1] for each in times)
    late = clock[int(len(clock) * 0.95)]
    print(
        f"{name:34} median {statistics.median(clock) * 1e3:6.2f} ms   95 % {late * 1e3:6.2f} ms"
        f"   processor {processor * 1e3:6.2f} ms"
    )


def main() -> None:
    """Fill a log and time it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--batch", type=int, default=10_000)
    parser.add_argument("--proofs", type=int, default=300)
    parser.add_argument("--folder", type=Path, help="on the disk to be measured")
    asked = parser.parse_args()
    chance = random.Random(1)  # noqa: S311 - which entries are asked for
    signer = NoteSigner("log.example/benchmark", Ed25519PrivateKey.generate())
    with tempfile.TemporaryDirectory(dir=asked.folder) as place:
        folder = Path(place) / "log"
        log = Log.create(folder, signer=signer)
        clock, processor = timed(lambda: fill(log, asked.entries, asked.batch))
        floor = timed(lambda: bare(asked.entries))[1]
        print(
            f"{asked.entries} appends, {asked.batch} at once: {clock:.2f} s, processor "
            f"{processor:.2f} s, {processor / floor:.2f} x the bare hashing ({floor:.2f} s)"
        )
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        print(f"on disk: {size / 1e6:.1f} MB")
        indices = [chance.randrange(asked.entries) for _ in range(asked.proofs)]
        check(folder, signer.verifier, indices[0])
        for name, prove in (("inclusion", prove_inclusion), ("consistency", prove_consistency)):
            report(
                f"{name}, nothing held",
                [timed(lambda i=i, p=prove: p(folder, signer.verifier, i)) for i in indices],  # type: ignore[misc]
            )
            cold = []
            for index in indices[:20]:
                forget(folder)
                cold.append(timed(lambda i=index, p=prove: p(folder, signer.verifier, i)))  # type: ignore[misc]
            report(f"{name}, files out of the cache", cold)


if __name__ == "__main__":
    main()
