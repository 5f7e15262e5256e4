"""Every way in which a seal can fail leaves nothing readable, and can be run again to the end."""

import gc
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest
from casts import Cast, Stage, clear_traces
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from studios import PowerCut

from assent.consent.clearance import Clearance
from assent.disclose.check import check_mark, check_media
from assent.disclose.entry import SealEntry
from assent.disclose.seal import seal
from assent.kit.c2pa.certificates import make_chain
from assent.kit.c2pa.read import read
from assent.kit.disk import Disk
from assent.kit.errors import FaultError, NotClearedError, SealError, StorageError
from assent.kit.imaging.label import Corner
from assent.kit.media.notice import Speech
from assent.kit.media.probe import probe
from assent.kit.media.read import read_pictures
from assent.kit.store.tables import ReleaseRow
from assent.kit.tlog._disk import Disk as LogDisk
from assent.kit.tlog.log import Log
from assent.kit.tlog.note import NoteSigner
from assent.kit.tlog.receipt import verify_receipt
from assent.kit.watermark.key import KeyStream, ReadingKey
from assent.safeguard.approved import Approved
from assent.safeguard.review import recall


class FullDisk(Disk):
    """A disk that is full from the n-th write to a scratch file on; `writes` counts them."""

    def __init__(self, fail_at: int = 1 << 30) -> None:
        self.fail_at = fail_at
        self.writes = 0

    def write_at(self, file: BinaryIO, offset: int, data: bytes) -> None:
        self.writes += 1
        if self.writes > self.fail_at:
            raise StorageError("vault: No space left on device")
        super().write_at(file, offset, data)


class StoppedDisk(LogDisk):
    """A log's disk whose n-th rename raises."""

    def __init__(self, fail_at: int, error: BaseException) -> None:
        self.left = fail_at
        self.error = error

    def rename(self, old: Path, new: Path) -> None:
        if self.left == 0:
            raise self.error
        self.left -= 1
        super().rename(old, new)


class FleetingKey(ReadingKey):
    """A key that no longer reads what it marked once it is lost."""

    def __init__(self, value: bytes, lost: list[bool]) -> None:
        super().__init__(value)
        object.__setattr__(self, "_lost", lost)

    def stream(self, label: str) -> KeyStream:
        return super().stream(f"lost/{label}" if self.__dict__["_lost"] else label)


@pytest.fixture
def stage(rendered: Cast, tmp_path: Path) -> Stage:
    return rendered.open_copy(tmp_path / "studio")


def readable(stage: Stage) -> list[str]:
    """What lies in the studio's folder in clear: of a failed seal, nothing."""
    scene = (stage.clips / "scene.mp4").read_bytes()
    return clear_traces(stage.studio.folder, scene)


def with_log(stage: Stage, disk: LogDisk) -> Stage:
    """The same studio, whose log writes to `disk`."""
    key = Ed25519PrivateKey.from_private_bytes(stage.studio.secrets.get("log"))
    signer = NoteSigner(stage.studio.log_verifier.name, key)
    return stage.on(log=Log.open(stage.studio.log_folder, signer=signer, disk=disk))


def ends_well(stage: Stage) -> None:
    """Sealing again, as the advice says, ends in a release."""
    made = stage.finish()
    assert stage.released().sha256 == made.sha256
    assert stage.reopened().released().path.is_file()


def test_what_comes_out_carries_all_layers(stage: Stage) -> None:
    video = stage.seal()
    with video.media as media:
        entry = SealEntry.parse(video.entry)
        check_media(
            media, entry, chain=stage.studio.chain, key=stage.studio.reading_key,
            corner=Corner.TOP_RIGHT,
        )  # fmt: skip
        credential = read(media, mime="video/mp4", anchors_pem=stage.studio.chain.root_pem)
        clip = probe(media, name="sealed")
    assert credential.state == "trusted"
    assert credential.digital_source_type == "compositeWithTrainedAlgorithmicMedia"
    assert credential.asset_id == video.asset_id == entry.asset_id
    assert (
        set(credential.receipts)
        == set(entry.receipts)
        == {clearance.receipt_hash for clearance in stage.to_release()}
    )
    assert credential.fingerprint == entry.fingerprint
    assert (clip.width, clip.height, clip.sound is not None) == (256, 256, True)
    place = verify_receipt(video.receipt, video.entry, stage.studio.log_verifier)
    assert place.index == video.log_index
    assert readable(stage) == []


def test_nobody_is_named_in_what_leaves(stage: Stage) -> None:
    video = stage.seal()
    with video.media as media:
        media.seek(0)
        data = media.read()
    for member in (stage.ada, stage.ben):
        for name in (member.person.name, member.person.handle, member.id, member.person.key_id):
            # Case is kept: "Ada" by chance within 200 kB of H.264 is likely, so word by word.
            assert f'"{name}"'.encode() not in data
            assert f'"{name}"'.encode() not in video.entry
    assert b"scene.mp4" not in data
    assert b"scene.mp4" not in video.entry


def test_a_second_seal_keeps_the_asset_id(stage: Stage) -> None:
    ids = []
    for _ in range(2):
        video = stage.seal()
        video.media.close()
        ids.append(video.asset_id)
    assert ids[0] == ids[1]
    with stage.studio.database.session() as session:
        assert session.query(ReleaseRow).count() == 1


def test_the_cap_on_the_resolution_is_kept(stage: Stage) -> None:
    stage = stage.stricter(replace(stage.purpose.assessment.level, shortest_side=192))
    with stage.seal().media as media:
        clip = probe(media, name="sealed")
    assert (clip.width, clip.height) == (192, 192)


def test_a_high_risk_takes_a_stronger_mark(stage: Stage) -> None:
    level = stage.purpose.assessment.level
    seen = []
    for strong in (False, True):
        with stage.stricter(replace(level, strong_mark=strong)).seal().media as media:
            pictures = read_pictures(media, name="sealed")
            asset_id = str(read(media, mime="video/mp4", anchors_pem=None).asset_id)
            seen.append(check_mark(pictures, key=stage.studio.reading_key, asset_id=asset_id).z)
    assert seen[1] > 1.03 * seen[0]


def test_a_spoken_notice_is_laid_over_the_sound(stage: Stage) -> None:
    beep = np.sin(np.arange(8000) / 8).astype(np.float32)
    with stage.seal(notice=Speech(samples=(beep * 20000).astype(np.int16), rate=16000)).media as m:
        sound = probe(m, name="sealed").sound
    assert sound is not None


def test_progress_is_told_and_the_desk_is_asked_again(stage: Stage) -> None:
    told: list[tuple[str, int, int]] = []
    asked = []
    needs = stage.draft.needs(to_release=True)

    def ask() -> Sequence[Clearance]:
        asked.append(1)
        return stage.asking(needs)()

    stage.seal(progress=lambda *state: told.append(state), ask_again=ask).media.close()
    assert ("labelling, marking, encoding", 40, 40) in told
    # Once a segment and pass, and for the footage itself.
    assert len(asked) >= 2 * 2


@pytest.mark.parametrize("who", ["ada", "ben"])
def test_who_withdraws_meanwhile_stops_it(stage: Stage, who: str) -> None:
    def withdraw(stage_name: str, done: int, total: int) -> None:
        if done == 5:
            stage.withdraw(getattr(stage, who))

    with pytest.raises(NotClearedError):
        stage.seal(progress=withdraw)
    assert readable(stage) == []
    assert stage.seals() == 0


@pytest.mark.parametrize("who", ["ada", "ben"])
def test_who_withdraws_after_the_last_frame_stops_it_too(stage: Stage, who: str) -> None:
    def withdraw(stage_name: str, done: int, total: int) -> None:
        if stage_name == "signing":
            stage.withdraw(getattr(stage, who))

    with pytest.raises(NotClearedError):
        stage.seal(progress=withdraw)
    assert readable(stage) == []
    assert stage.seals() == 0


def test_clearances_of_both_are_needed(stage: Stage) -> None:
    clearances = stage.to_release()
    approved = recall(stage.studio, stage.purpose, stage.draft, clearances)
    for missing in clearances:
        rest = [each for each in clearances if each is not missing]
        with pytest.raises(NotClearedError):
            seal_with(stage, approved, rest)
    weaker = stage.asking(stage.draft.needs(to_release=False))()
    with pytest.raises(NotClearedError, match="release"):
        seal_with(stage, approved, weaker)


def seal_with(stage: Stage, approved: Approved, clearances: Sequence[Clearance]) -> None:
    seal(stage.studio, stage.purpose, approved, clearances, ask_again=lambda: clearances)


@pytest.fixture(scope="module")
def writes(rendered: Cast, tmp_path_factory: pytest.TempPathFactory) -> int:
    """How many writes to scratch files a seal takes."""
    disk = FullDisk()
    stage = rendered.open_copy(tmp_path_factory.mktemp("counted") / "studio", disk)
    stage.seal().media.close()
    return disk.writes


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_a_full_disk(stage: Stage, writes: int, share: float) -> None:
    with pytest.raises(FaultError, match="No space left"):
        stage.on(disk=FullDisk(int(writes * share))).seal()
    assert readable(stage) == []
    assert stage.seals() == 0
    ends_well(stage)


def test_there_is_no_scratch_file_to_be_found(stage: Stage) -> None:
    seen: list[list[str]] = []

    def look(what: str, done: int, total: int) -> None:
        if done in (0, 20, total):
            seen.append(readable(stage))

    stage.seal(progress=look).media.close()
    assert seen == [[], [], []]
    assert not list(stage.studio.vault_folder.glob("*.tmp"))


def break_chain(stage: Stage) -> Stage:
    """The chain of another studio, which this one's files don't lead to."""
    other = make_chain(organisation="Another", not_before=stage.clock.now)
    return stage.on(chain=replace(other, root_pem=stage.studio.chain.root_pem))


def mismatch_key(stage: Stage) -> Stage:
    """A key that is not the certificate's."""
    other = make_chain(organisation="Another", not_before=stage.clock.now)
    return stage.on(chain=replace(stage.studio.chain, leaf_key_pem=other.leaf_key_pem))


@pytest.mark.parametrize("wrong", [break_chain, mismatch_key])
def test_signing_with_a_wrong_chain(stage: Stage, wrong: Callable[[Stage], Stage]) -> None:
    with pytest.raises(SealError):
        wrong(stage).seal()
    assert readable(stage) == []
    assert stage.seals() == 0
    ends_well(stage)


def test_a_time_stamp_that_cannot_be_had(stage: Stage) -> None:
    with pytest.raises(SealError, match="could not be signed"):
        stage.seal(tsa_url="http://127.0.0.1:9/")
    assert readable(stage) == []
    assert stage.seals() == 0
    ends_well(stage)


def test_a_mark_that_cannot_be_read_back(stage: Stage) -> None:
    lost: list[bool] = []
    key = FleetingKey(stage.studio.reading_key.value, lost)

    def lose(what: str, done: int, total: int) -> None:
        if what == "signing":
            lost.append(True)

    with pytest.raises(SealError, match="watermark can't be read"):
        stage.on(reading_key=key).seal(progress=lose)
    assert readable(stage) == []
    assert stage.seals() == 0
    ends_well(stage)


@pytest.mark.parametrize(
    ("fail_at", "error"),
    [
        (0, StorageError("log: No space left on device")),
        (1, PowerCut()),
        (2, StorageError("log: No space left on device")),
    ],
)
def test_the_log_cannot_be_written(stage: Stage, fail_at: int, error: BaseException) -> None:
    broken = with_log(stage, StoppedDisk(fail_at, error))
    with pytest.raises(type(error)):
        broken.seal()
    assert readable(stage) == []
    assert stage.reopened().seals() == 0
    ends_well(stage.reopened())


def test_killed_between_the_log_and_the_release(stage: Stage) -> None:
    video = stage.seal()
    # Nobody releases it.
    video.media.close()
    assert stage.seals() == 1
    assert readable(stage) == []
    again = stage.reopened()
    ends_well(again)
    assert again.log.by_asset(again.released().asset_id) == again.log.records[-1]


def test_an_encoder_that_fails(stage: Stage) -> None:
    def fail(what: str, done: int, total: int) -> None:
        if done == 30:
            raise OSError("the encoder gave up")

    with pytest.raises(OSError, match="gave up"):
        stage.seal(progress=fail)
    assert readable(stage) == []
    ends_well(stage)


def test_no_file_is_left_open(stage: Stage) -> None:
    broken = break_chain(stage)
    gc.collect()
    before = set(Path("/proc/self/fd").iterdir())
    with pytest.raises(SealError):
        broken.seal()
    assert set(Path("/proc/self/fd").iterdir()) <= before
