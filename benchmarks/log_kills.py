"""A log whose writer is killed again and again: nothing torn, forked or lost.

    python benchmarks/log_kills.py [--kills 2000] [--seed 1]

A process appends batches to a log, and has each new checkpoint cosigned by a witness, whose state
it keeps too; it is killed (SIGKILL) at a random moment, and another goes on. After every kill the
log is looked at by a monitor and by what the dead process had said before it died:

- every entry is the one that belongs at its place, under the signed root (nothing torn);
- the log continues what was seen after the kill before (nothing forked);
- all that was acknowledged is there (nothing lost);
- the witness remembers all that it cosigned.

At the end the whole log is read once more. Exits with 1 at the first thing that is wrong.
"""

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from assent.kit.clock import system
from assent.kit.tlog.asking import cosign
from assent.kit.tlog.files import Folder
from assent.kit.tlog.log import Log
from assent.kit.tlog.monitor import Monitor
from assent.kit.tlog.note import NoteSigner
from assent.kit.tlog.policy import Policy
from assent.kit.tlog.reader import LogReader
from assent.kit.tlog.witness import Witness

SIGNER = NoteSigner("log.example/kills", Ed25519PrivateKey.from_private_bytes(bytes(32)))
BATCHES = (1, 1, 2, 7, 40, 255, 256, 300)


def entry(index: int) -> bytes:
    """Return the one entry that belongs at this place."""
    return b"the entry at %d" % index


def write_for_ever(folder: Path, told: int, seed: int) -> None:
    """Append and have it cosigned until killed; tell of each once it's done."""
    chance = random.Random(seed)  # noqa: S311 - sizes of batches
    log = Log.open(folder / "log", signer=SIGNER)
    witness = Witness.open(folder / "witness", clock=system)
    policy = Policy.parse(f"witness w {witness.vkey} https://w\nquorum w\n")

    def send(url: str, body: bytes) -> tuple[int, bytes]:
        answer = witness.add_checkpoint(body)
        if answer.status == 200:
            note = body.decode().partition("\n\n")[2]
            os.write(told, f"cosigned {note.splitlines()[1]}\n".encode())
        return answer.status, answer.body.encode()

    while True:
        size, count = log.size, chance.choice(BATCHES)
        log.append([entry(i) for i in range(size, size + count)])
        os.write(told, f"appended {size + count}\n".encode())
        if chance.random() < 0.5 and not cosign(log, policy, send=send, clock=system).enough:
            os.write(told, b"refused 0\n")


def run_and_kill(folder: Path, wait: float, seed: int) -> dict[str, int]:
    """Let a process write for so many seconds; return the last that it told of each kind."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            write_for_ever(folder, writing, seed)
        finally:
            os._exit(3)
    os.close(writing)
    time.sleep(wait)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    with os.fdopen(reading, "rb") as pipe:
        lines = pipe.read().decode().split("\n")[:-1]
    if not os.WIFSIGNALED(status):
        raise SystemExit(f"the writer ended by itself after {lines[-3:]}")
    return {kind: int(number) for kind, _, number in (line.partition(" ") for line in lines)}


def look(folder: Path, told: dict[str, int], seen: int) -> int:
    """Return the log's size now; raises or exits if anything is wrong."""
    monitor = Monitor(folder / "monitor", log=SIGNER.verifier, clock=system)
    monitor.look([Folder(folder / "log")])
    reader = LogReader(folder / "log", verifier=SIGNER.verifier)
    for index, data in reader.entries(seen):
        if data != entry(index):
            raise SystemExit(f"entry {index} is {data!r}")
    if reader.size < told.get("appended", 0):
        raise SystemExit(f"{told['appended']} were acknowledged, the log has {reader.size}")
    (kept,) = Witness.open(folder / "witness", clock=system).logs()
    if not told.get("cosigned", 0) <= kept.state.size <= reader.size or "refused" in told:
        raise SystemExit(f"the witness has {kept.state.size}, it had told {told}")
    return reader.size


def main() -> None:
    """Kill so many writers."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--kills", type=int, default=2000)
    parser.add_argument("--longest", type=float, default=0.12, help="seconds until a kill at most")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path)
    asked = parser.parse_args()
    chance = random.Random(asked.seed)  # noqa: S311 - when to kill
    with tempfile.TemporaryDirectory(dir=asked.folder) as place:
        folder = Path(place)
        Log.create(folder / "log", signer=SIGNER)
        Witness.create(folder / "witness", name="w.example", clock=system).accept(SIGNER.vkey)
        size = during = 0
        for number in range(asked.kills):
            told = run_and_kill(folder, chance.uniform(0, asked.longest), chance.getrandbits(32))
            before, size = size, look(folder, told, size)
            # What was in the log without having been told: the kill fell into an append.
            during += size > max(before, told.get("appended", 0))
            if sys.stderr.isatty() and number % 20 == 0:
                print(f"\r{number} kills, {size} entries", end="", file=sys.stderr)
        whole = all(
            data == entry(index)
            for index, data in LogReader(folder / "log", verifier=SIGNER.verifier).entries()
        )
    print(
        f"{asked.kills} kills, {size} entries; {during} fell between an append and its word: "
        f"{'nothing torn, forked or lost' if whole else 'TORN'}"
    )
    sys.exit(0 if whole and size else 1)


if __name__ == "__main__":
    main()
