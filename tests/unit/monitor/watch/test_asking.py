"""What a source has that can't be read ends no round."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from assent.kit.errors import InputError
from assent.monitor.watch.asking import Asking, ask
from assent.monitor.watch.polite import Polite
from assent.monitor.watch.sources import Source

POLITE = Polite(clock=lambda: datetime(2026, 11, 20, 12, tzinfo=UTC))
BROKEN = "http://[x/clip.mp4"


def source(kind: str, address: str, **settings: object) -> Source:
    return Source(
        id="s", name="theirs", kind=kind, address=address, channel="", territory="",
        settings=settings, every=3600, next="", paused=False, failures=0, problem=None,
        looked=None, state={},
    )  # fmt: skip


def test_a_list_of_noise_names_nothing(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_bytes(bytes(range(256)) + f"\n{BROKEN}\n".encode())
    assert ask(source("list", str(tmp_path / "list.txt")), Asking(polite=POLITE)).finds == ()


def test_what_a_library_fails_at_is_told_as_what_can_not_be_read() -> None:
    # `urlsplit` raises ValueError for such an address.
    with pytest.raises(InputError, match="theirs has can't be read"):
        ask(source("mail", "imaps://user@[x/box"), Asking(polite=POLITE, secret=b"x"))


def test_an_address_that_can_not_be_read_is_refused_and_nobodys() -> None:
    with pytest.raises(InputError, match="can't be read"):
        POLITE.page(BROKEN)
    with pytest.raises(InputError, match="can't be read"):
        source("feed", "https://a.example/feed", own=True).owns(BROKEN)
