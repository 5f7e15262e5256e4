"""What the fuzzer found stays found; and a few hundred changed examples on every run."""

import resource
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from random import Random
from zlib import crc32

import pytest
from fuzz_targets import TARGETS
from twists import twist

from assent.kit.errors import AssentError

HERE = Path(__file__).parent
CASES = sorted(path for path in (HERE / "cases").glob("*/*") if path.is_file())
# Decoders and the library of manifests are slower by far than what is only text.
CHANGED = {"container": 25, "manifest": 25, "manifest-beside": 25, "tile": 60, "entry": 60}
SECONDS, MEGABYTES = 5.0, 300


@pytest.fixture(autouse=True)
def bounded() -> Iterator[None]:
    """No bytes may take long or much memory, each test by itself."""
    spent, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024 < MEGABYTES
    assert time.process_time() - spent < SECONDS * 4


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}-{path.name[:18]}")
def test_a_found_case_is_refused_or_read(path: Path) -> None:
    with suppress(AssentError):
        TARGETS[path.parent.name].parse(path.read_bytes())


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_an_example_is_read_or_refused_whatever_is_changed(name: str) -> None:
    target, rng = TARGETS[name], Random(crc32(name.encode()))  # noqa: S311 - no secret
    examples = target.examples()
    for _ in range(CHANGED.get(name, 300)):
        with suppress(AssentError):
            target.parse(twist(rng.choice(examples), rng))


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_the_examples_themselves_get_to_the_end(name: str) -> None:
    """An example that is refused at the door would let the fuzzer look at the door alone."""
    for example in TARGETS[name].examples():
        if name == "bitcoin-headers":
            with pytest.raises(AssentError, match="Bitcoin header"):
                TARGETS[name].parse(example)
        else:
            TARGETS[name].parse(example)


def test_every_kind_of_file_that_strangers_make_is_tried() -> None:
    wanted = {"manifest", "note", "tile", "proof", "status-list", "container"}
    assert wanted <= set(TARGETS)
    assert {path.parent.name for path in CASES} <= set(TARGETS)
