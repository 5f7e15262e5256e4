"""Throw bytes at everything that parses strangers' files, led by what they make run (atheris).

    .venv/bin/python tests/fuzz/fuzz.py --minutes 10
    .venv/bin/python tests/fuzz/fuzz.py --minutes 1 note proof

Each target runs in a process of its own, since a fault ends it. What made one fail is kept in
`cases/<target>/`, where a test finds it from then on.
"""

import argparse
import importlib
import subprocess
import sys
import time
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fuzz_targets import Target

HERE = Path(__file__).parent
CASES = HERE / "cases"
MEMORY_MB = 2048
SECONDS_EACH = 10
PLAIN = 0.6


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="for all targets together")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("targets", nargs="*")
    given = parser.parse_args()
    if given.one:
        fuzz(given.one, given.minutes * 60)
        return 0
    names = given.targets or list(load_targets())
    each = given.minutes / len(names)
    failed = [name for name in names if not run(name, each)]
    print(f"{len(names)} targets, {len(failed)} failed: {' '.join(failed) or 'none'}")  # noqa: T201
    return 1 if failed else 0


def load_targets() -> "dict[str, Target]":
    """Import the targets, which lie with the tests."""
    sys.path.insert(0, str(HERE.parent))
    targets: dict[str, Target] = importlib.import_module("fuzz_targets").TARGETS
    return targets


def run(name: str, minutes: float) -> bool:
    """Fuzz one target in a process of its own, and tell how it went."""
    began = time.monotonic()
    command = [sys.executable, __file__, "--one", name, "--minutes", str(minutes)]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    lines = done.stderr.splitlines()
    tried = next((line.split()[1] for line in reversed(lines) if "stat::number_of" in line), "?")
    print(  # noqa: T201 - it is a program
        f"{name:20} {'held' if done.returncode == 0 else 'FAILED'}  {tried} tried in "
        f"{time.monotonic() - began:.0f} s",
        flush=True,
    )
    if done.returncode:
        print("\n".join(lines[-40:]), flush=True)  # noqa: T201
    return done.returncode == 0


def fuzz(name: str, seconds: float) -> None:
    """Fuzz one target in this process; it doesn't return."""
    import atheris

    with atheris.instrument_imports(include=["assent", "opentimestamps"]):
        from assent.kit.errors import AssentError

        targets = load_targets()
    twist = importlib.import_module("twists").twist
    target = targets[name]

    def once(data: bytes) -> None:
        try:
            target.parse(data)
        except AssentError as error:
            # What is shown to people must be writable anywhere.
            str(error).encode("utf-8", "backslashreplace")

    def mutate(data: bytes, most: int, seed: int) -> bytes:
        rng = Random(seed)  # noqa: S311 - no secret
        if rng.random() < PLAIN:
            return bytes(atheris.Mutate(data, most))
        return bytes(twist(data, rng)[:most])

    kept = CASES / name
    kept.mkdir(parents=True, exist_ok=True)
    corpus = HERE / ".corpus" / name
    corpus.mkdir(parents=True, exist_ok=True)
    for number, example in enumerate(target.examples()):
        (corpus / f"example-{number}").write_bytes(example)
    options = [
        f"-max_total_time={int(seconds)}", f"-max_len={target.longest}",
        f"-rss_limit_mb={MEMORY_MB}", f"-timeout={SECONDS_EACH}", "-print_final_stats=1",
        f"-artifact_prefix={kept}/", f"-dict={HERE / 'words.dict'}",
    ]  # fmt: skip
    atheris.Setup([sys.argv[0], *options, str(corpus), str(kept)], once, custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
