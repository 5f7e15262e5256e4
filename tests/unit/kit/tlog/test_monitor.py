import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from assent.kit.clock import fixed
from assent.kit.errors import FetchError, IntegrityError, RewrittenError
from assent.kit.tlog.asking import cosign
from assent.kit.tlog.checkpoint import Checkpoint
from assent.kit.tlog.files import Files, Folder, Site
from assent.kit.tlog.log import Log
from assent.kit.tlog.monitor import Monitor, Sight
from assent.kit.tlog.note import NoteSigner
from assent.kit.tlog.policy import Policy
from assent.kit.tlog.witness import Witness

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def log(tmp_path: Path, signer: NoteSigner) -> Log:
    log = Log.create(tmp_path / "log", signer=signer)
    log.append([b"a", b"b"])
    return log


@pytest.fixture
def look(tmp_path: Path, signer: NoteSigner) -> Callable[..., Sight]:
    def look_at(*sources: Path | Files, wait: Callable[[], None] | None = None) -> Sight:
        monitor = Monitor(tmp_path / "monitor", log=signer.verifier, clock=fixed(NOON))
        places = [Folder(each) if isinstance(each, Path) else each for each in sources]
        return monitor.look(places, wait=wait)

    return look_at


def copy(source: Path, target: Path) -> Path:
    return Path(shutil.copytree(source, target))


def evidence(tmp_path: Path) -> list[str]:
    return [each.read_text() for each in (tmp_path / "monitor/evidence").iterdir()]


def test_a_log_that_grows(tmp_path: Path, log: Log, look: Callable[..., Sight]) -> None:
    first = look(tmp_path / "log")
    assert first == Sight(size=2, grown=2, first=True, witnessed=None, problems=())
    assert look(tmp_path / "log") == Sight(
        size=2, grown=0, first=False, witnessed=None, problems=()
    )
    for count in (1, 600):
        log.append([b"c"] * count)
        assert look(tmp_path / "log").grown == count
    assert evidence(tmp_path) == []


def test_a_log_that_was_rolled_back(
    tmp_path: Path, log: Log, look: Callable[..., Sight], signer: NoteSigner
) -> None:
    backup = copy(tmp_path / "log", tmp_path / "backup")
    log.append([b"c"])
    newer = log.checkpoint()
    look(tmp_path / "log")
    for _ in range(2):
        with pytest.raises(RewrittenError, match="was rolled back to 2 entries") as caught:
            look(backup)
        assert caught.value.exit_code == 4
    (found,) = evidence(tmp_path)
    assert newer in found
    assert (backup / "checkpoint").read_text() in found
    assert signer.vkey in found
    # What was seen stays seen: it isn't forgotten by looking again, nor by growing on elsewhere.
    restored = Log.open(backup, signer=signer)
    for number in range(3):
        restored.append([b"C"])
        with pytest.raises(RewrittenError, match=r"histories|rewritten"):
            look(backup)
        assert len(evidence(tmp_path)) == 2 + number
    assert look(tmp_path / "log").size == 3


def test_a_copy_on_the_way_may_be_old(tmp_path: Path, log: Log, look: Callable[..., Sight]) -> None:
    backup = copy(tmp_path / "log", tmp_path / "backup")
    log.append([b"c"])
    look(tmp_path / "log")

    def refresh() -> None:
        shutil.rmtree(backup)
        copy(tmp_path / "log", backup)

    assert look(backup, wait=refresh).size == 3
    assert evidence(tmp_path) == []
    # Nobody waits for what can't be mended.
    assert look(backup, wait=lambda: pytest.fail("waited")).size == 3


def test_two_histories_shown_at_once(
    tmp_path: Path, log: Log, look: Callable[..., Sight], signer: NoteSigner
) -> None:
    """A split view: each looks sound alone."""
    fork = Log.create(tmp_path / "fork", signer=signer)
    fork.append([b"a", b"B"])
    with pytest.raises(RewrittenError, match="shows two histories"):
        look(tmp_path / "log", tmp_path / "fork")
    fork.append([b"c", b"d"])
    with pytest.raises(RewrittenError, match="was rewritten"):
        look(tmp_path / "log", tmp_path / "fork")
    assert "consistency proof from 2 to 4" in "".join(evidence(tmp_path))
    # Neither was believed.
    assert not (tmp_path / "monitor/checkpoint").exists()


def test_a_mirror_may_be_behind(tmp_path: Path, log: Log, look: Callable[..., Sight]) -> None:
    mirror = copy(tmp_path / "log", tmp_path / "mirror")
    log.append([b"c"])
    sight = look(mirror, tmp_path / "log")
    assert sight.size == 3
    assert sight.problems == (f"{mirror} is behind: 2 of 3 entries",)


def test_a_source_may_be_down(
    tmp_path: Path, log: Log, look: Callable[..., Sight], make_signer: Callable[..., NoteSigner]
) -> None:
    def down(url: str, limit: int) -> bytes | None:
        raise FetchError(f"{url} can't be reached")

    site = Site("https://log.example/", down)
    sight = look(site, tmp_path / "log")
    assert len(sight.problems) == 1
    assert sight.problems[0].startswith("https://log.example: ")
    Log.create(tmp_path / "foreign", signer=make_signer(2)).append([b"a"])
    for sources in ((site,), (tmp_path / "foreign",), (tmp_path / "nothing", site)):
        with pytest.raises(IntegrityError, match=r"no source of .* can be read") as caught:
            look(*sources)
        assert not isinstance(caught.value, RewrittenError)


def test_over_the_web(tmp_path: Path, log: Log, look: Callable[..., Sight]) -> None:
    asked: list[tuple[str, int]] = []

    def get(url: str, limit: int) -> bytes | None:
        asked.append((url, limit))
        path = tmp_path / "log" / url.removeprefix("https://log.example/a/")
        return path.read_bytes() if path.is_file() else None

    log.append([b"c"] * 300)
    assert look(Site("https://log.example/a/", get)).size == 302
    paths = {url.removeprefix("https://log.example/a/"): limit for url, limit in asked}
    assert paths["tile/0/000"] == 8192
    assert paths["tile/entries/001.p/46"] == 256 * 65_537
    assert paths["checkpoint"] == 128 << 10


@pytest.mark.parametrize("path", ["tile/0/001.p/46", "tile/entries/000", "tile/0/000"])
def test_damaged_files_are_no_fork(
    tmp_path: Path, log: Log, look: Callable[..., Sight], path: str
) -> None:
    look(tmp_path / "log")
    log.append([b"c"] * 300)
    file = tmp_path / "log" / path
    file.write_bytes(bytes(40) + file.read_bytes()[40:])
    with pytest.raises(IntegrityError) as caught:
        look(tmp_path / "log")
    assert not isinstance(caught.value, RewrittenError)
    assert evidence(tmp_path) == []
    # What couldn't be checked is not what is kept.
    assert (tmp_path / "monitor/checkpoint").read_text().split("\n")[1] == "2"


def test_hidden_entries_are_noticed(tmp_path: Path, log: Log, look: Callable[..., Sight]) -> None:
    look(tmp_path / "log")
    log.append([b"c"])
    (tmp_path / "log/tile/entries/000.p/3").unlink()
    with pytest.raises(IntegrityError, match=r"entries/000\.p/3 is missing"):
        look(tmp_path / "log")


def test_files_without_end(tmp_path: Path, log: Log, look: Callable[..., Sight]) -> None:
    """A sparse file of a terabyte is not read whole."""
    for name in ("checkpoint", "cosigned", "tile/0/000.p/2"):
        file = tmp_path / "log" / name
        before = file.read_bytes() if file.exists() else None
        with file.open("ab") as out:
            os.ftruncate(out.fileno(), 1 << 40)
        with pytest.raises(IntegrityError, match="longer than such a file can be"):
            look(tmp_path / "log")
        file.unlink() if before is None else file.write_bytes(before)


def test_an_absurd_size_is_refused_soon(
    tmp_path: Path, log: Log, look: Callable[..., Sight], signer: NoteSigner
) -> None:
    state = Checkpoint(origin=signer.name, size=10**19 - 1, root=bytes(32))
    (tmp_path / "log/checkpoint").write_text(signer.sign(state.body()))
    with pytest.raises(IntegrityError):
        look(tmp_path / "log")


class Watched:
    """A log, one witness, and a monitor that wants it seen."""

    def __init__(self, tmp_path: Path, log: Log, signer: NoteSigner) -> None:
        self.folder, self.log, self.signer, self.now = tmp_path, log, signer, NOON
        self.witness = Witness.create(
            tmp_path / "witness", name="one.example", clock=lambda: self.now
        )
        self.witness.accept(signer.vkey)
        text = f"witness one {self.witness.vkey} https://one\nquorum one\n"
        self.policy = Policy.parse(text)

    def cosign(self) -> None:
        def send(url: str, body: bytes) -> tuple[int, bytes]:
            answer = self.witness.add_checkpoint(body)
            return answer.status, answer.body.encode()

        assert cosign(self.log, self.policy, send=send, clock=lambda: self.now).enough

    def look(self) -> Sight:
        return Monitor(
            self.folder / "monitor",
            log=self.signer.verifier,
            clock=lambda: self.now,
            policy=self.policy,
            fresh=timedelta(hours=1),
        ).look([Folder(self.folder / "log")])


def test_witnesses_that_should_have_seen_it(tmp_path: Path, log: Log, signer: NoteSigner) -> None:
    watched = Watched(tmp_path, log, signer)
    assert watched.look().problems == (
        "not as many witnesses have seen it as the policy asks for",
        "no witness has seen it since ever",
    )
    watched.cosign()
    seen = watched.look()
    assert seen.problems == ()
    assert seen.witnessed is not None
    assert seen.witnessed.enough
    watched.log.append([b"c"])
    watched.now += timedelta(hours=2)
    assert watched.look().problems == ("no witness has seen it since 2026-11-20T12:00:00Z",)
    watched.cosign()
    assert watched.look().problems == ()


def test_a_cosigned_checkpoint_is_a_view_too(tmp_path: Path, log: Log, signer: NoteSigner) -> None:
    """The log goes back behind what it published as cosigned, before any monitor ever looked."""
    watched = Watched(tmp_path, log, signer)
    older = copy(tmp_path / "log", tmp_path / "older")
    watched.log.append([b"c"])
    watched.cosign()
    shutil.copy(older / "checkpoint", tmp_path / "log/checkpoint")
    with pytest.raises(RewrittenError, match="was rolled back to 2 entries"):
        watched.look()


def test_a_wrong_cosignature_is_told(tmp_path: Path, log: Log, signer: NoteSigner) -> None:
    watched = Watched(tmp_path, log, signer)
    watched.cosign()
    file = tmp_path / "log/cosigned"
    head, _, tail = file.read_text().rpartition("one.example ")
    file.write_text(f"{head}one.example {tail[:40]}AAAA{tail[44:]}")
    log.append([b"c"])
    (problem, *_) = watched.look().problems
    assert "the cosignature of one.example doesn't fit" in problem


def test_what_is_too_much_to_read_is_told(tmp_path: Path, log: Log, signer: NoteSigner) -> None:
    told: list[tuple[str, int, int]] = []
    monitor = Monitor(tmp_path / "monitor", log=signer.verifier, clock=fixed(NOON), most=5)
    log.append([b"c"] * 6)
    (tmp_path / "log/tile/entries/000.p/8").unlink()
    with pytest.raises(IntegrityError):
        monitor.look([Folder(tmp_path / "log")])
    log = Log.create(tmp_path / "other", signer=signer)
    log.append([b"c"] * 8)
    sight = monitor.look([Folder(tmp_path / "other")], progress=lambda *what: told.append(what))
    assert sight.problems == ("the newest 3 entries were not read",)
    assert told[-1] == ("reading entries", 5, 5)


class Shown:
    """What a witness answers when it's asked for what it cosigned last."""

    def __init__(self, witness: Witness, origin: str) -> None:
        self._witness, self._hash = witness, sha256(origin.encode()).hexdigest()

    def read(self, path: str, limit: int) -> bytes | None:
        note = self._witness.latest(self._hash)
        return note.encode() if note is not None and path == "checkpoint" else None

    def name(self, path: str = "") -> str:
        return "the witness"


def test_what_a_witness_saw_is_compared(tmp_path: Path, log: Log, signer: NoteSigner) -> None:
    """The log shows others another history than it showed its witness."""
    watched = Watched(tmp_path, log, signer)
    shown = Shown(watched.witness, signer.name)
    monitor = Monitor(tmp_path / "monitor", log=signer.verifier, clock=fixed(NOON))
    sight = monitor.look([Folder(tmp_path / "log")], witnesses=[shown])
    assert len(sight.problems) == 1
    assert sight.problems[0].startswith("the witness: ")
    watched.cosign()
    assert monitor.look([Folder(tmp_path / "log")], witnesses=[shown]).problems == ()
    fork = copy(tmp_path / "log", tmp_path / "fork")
    (fork / "cosigned").unlink()
    log.append([b"c"])
    watched.cosign()
    other = Log.open(fork, signer=signer)
    # It is behind what the witness saw, then beside it, then past it.
    for match in ("was rolled back to 2", "shows two histories", "was rewritten"):
        with pytest.raises(RewrittenError, match=match):
            monitor.look([Folder(fork)], witnesses=[shown])
        other.append([b"C"])
