"""Stills leave as videos do: labelled, marked, signed and logged, or not at all."""

import hashlib
import io
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from casts import Cast, Stage, clear_traces, resign
from numpy.typing import NDArray
from studios import FailingDisk

from assent.consent.locker import Locker
from assent.create._frames import pairs_of
from assent.disclose.entry import SealEntry
from assent.disclose.still import (
    _check_picture,
    _mark,
    _read_id,
    seal_draft_sheet,
    seal_model_sheet,
)
from assent.kit.c2pa.certificates import make_chain
from assent.kit.c2pa.read import read
from assent.kit.content.gate import ContentGate, Finding
from assent.kit.errors import (
    ContentError,
    IntegrityError,
    NotClearedError,
    NotFoundError,
    SealError,
    StorageError,
)
from assent.kit.imaging.label import burn, draw_label
from assent.kit.media._encode import encode_still
from assent.kit.media.convert import from_rgb
from assent.kit.media.picture import to_rgb
from assent.kit.media.still import read_still
from assent.kit.store.tables import ModelRow
from assent.kit.tlog.receipt import verify_receipt
from assent.kit.watermark.embed import Profile

NAME = "ben-for-ada"
GATE = ContentGate()


class Blushing(ContentGate):
    """A gate that finds something explicit everywhere."""

    def check(self, rgb: NDArray[np.uint8]) -> tuple[Finding, ...]:
        return (Finding(label="BUTTOCKS_EXPOSED", score=0.9, box=(0, 0, 9, 9)),)


@pytest.fixture
def stage(rendered: Cast, tmp_path: Path) -> Stage:
    return rendered.open_copy(tmp_path / "studio")


def sheets(stage: Stage) -> tuple[Path, Path]:
    return (
        seal_model_sheet(stage.studio, stage.purpose, NAME, gate=GATE),
        seal_draft_sheet(stage.studio, stage.purpose, stage.draft, gate=GATE),
    )


def test_both_sheets_carry_all_layers(stage: Stage) -> None:
    for path in sheets(stage):
        data = path.read_bytes()
        credential = read(
            io.BytesIO(data), mime="image/jpeg", anchors_pem=stage.studio.chain.root_pem
        )
        assert credential.state == "trusted"
        assert credential.actions == ("c2pa.created", "c2pa.watermarked.bound")
        record = stage.log.by_hash(hashlib.sha256(data).hexdigest())
        assert record is not None
        assert (record.entry.media, record.entry.fingerprint) == ("still", "")
        assert record.entry.asset_id == credential.asset_id
        assert path.stem.endswith(record.entry.asset_id)
        receipt = path.with_suffix(".tlog-proof").read_text()
        entry = stage.studio.log.reader().entry(record.index)
        assert verify_receipt(receipt, entry, stage.studio.log_verifier).index == record.index
        _check_picture(stage.studio, data, record.entry.asset_id)
    assert len(clear_traces(stage.studio.folder)) == 2


@pytest.mark.parametrize("numbers", [(3,), (30, 3, 12)], ids=str)
def test_a_sheet_of_chosen_frames(stage: Stage, numbers: tuple[int, ...]) -> None:
    seen: list[NDArray[np.uint8]] = []

    class Watching(ContentGate):
        def check(self, rgb: NDArray[np.uint8]) -> tuple[Finding, ...]:
            seen.append(rgb)
            return ()

    path = seal_draft_sheet(
        stage.studio, stage.purpose, stage.draft, gate=Watching(), frames=numbers
    )
    assert "-worst-" in path.name
    asking = stage.asking(stage.draft.needs(to_release=False))
    pairs = list(pairs_of(stage.draft, Locker(stage.studio), asking))
    wanted = [to_rgb(pairs[n][side]) for side in (0, 1) for n in sorted(numbers)]
    assert len(seen) == len(wanted)
    assert all(np.array_equal(a, b) for a, b in zip(seen, wanted, strict=True))


def test_a_draft_of_few_frames_has_a_sheet(stage: Stage) -> None:
    path = seal_draft_sheet(
        stage.studio, stage.purpose, replace(stage.draft, frames=400), gate=GATE
    )
    height, width = read_still(path.read_bytes(), name="sheet").shape[:2]
    # A single frame, before and after, in two pairs of columns.
    assert width > 4 * 256 > height


@pytest.mark.parametrize("who", ["ada", "ben"])
def test_withdrawn_consent_ends_sheets_too(stage: Stage, who: str) -> None:
    draft = stage.draft
    stage.withdraw(getattr(stage, who))
    with pytest.raises(NotClearedError):
        seal_model_sheet(stage.studio, stage.purpose, NAME, gate=GATE)
    with pytest.raises(NotClearedError):
        seal_draft_sheet(stage.studio, stage.purpose, draft, gate=GATE)
    assert list(stage.studio.previews_folder.iterdir()) == []


def test_there_is_no_sheet_of_what_there_is_not(stage: Stage) -> None:
    with pytest.raises(NotFoundError):
        seal_model_sheet(stage.studio, stage.purpose, "nobody", gate=GATE)


def test_a_sheet_of_the_wrong_size_is_refused(stage: Stage) -> None:
    clearances = stage.to_release()
    short = Locker(stage.studio).put([(64).to_bytes(4, "big") * 2 + b"pixels"], clearances)
    with stage.studio.database.session() as session:
        session.query(ModelRow).one().sheet_blob = short
    with pytest.raises(IntegrityError, match="the studio's database was changed"):
        seal_model_sheet(stage.studio, stage.purpose, NAME, gate=GATE)
    resign(stage)
    with pytest.raises(IntegrityError, match="wrong size"):
        seal_model_sheet(stage.studio, stage.purpose, NAME, gate=GATE)


def test_a_chain_that_is_not_the_studios(stage: Stage) -> None:
    other = make_chain(organisation="Another", not_before=stage.clock.now)
    broken = stage.on(chain=replace(other, root_pem=stage.studio.chain.root_pem))
    with pytest.raises(SealError, match="credential is"):
        sheets(broken)
    assert list(stage.studio.previews_folder.iterdir()) == []
    assert stage.seals() == 0
    assert clear_traces(stage.studio.folder) == []


def test_explicit_sheets_are_refused(stage: Stage) -> None:
    with pytest.raises(ContentError, match="explicit"):
        seal_model_sheet(stage.studio, stage.purpose, NAME, gate=Blushing())
    with pytest.raises(ContentError, match="explicit"):
        seal_draft_sheet(stage.studio, stage.purpose, stage.draft, gate=Blushing())
    assert clear_traces(stage.studio.folder) == []


def test_a_disk_that_fails_at_any_step(stage: Stage) -> None:
    counted = FailingDisk()
    first = seal_model_sheet(stage.on(disk=counted).studio, stage.purpose, NAME, gate=GATE)
    for path in (first, first.with_suffix(".tlog-proof")):
        path.unlink()
    for number in range(len(counted.steps)):
        with pytest.raises(StorageError):
            seal_model_sheet(
                stage.on(disk=FailingDisk(number)).studio, stage.purpose, NAME, gate=GATE
            )
        for path in stage.studio.previews_folder.glob("*.jpg"):
            data = path.read_bytes()
            record = stage.log.by_hash(hashlib.sha256(data).hexdigest())
            assert record is not None
            assert path.with_suffix(".tlog-proof").is_file()
    assert seal_model_sheet(stage.studio, stage.purpose, NAME, gate=GATE).is_file()


def test_a_still_without_label_or_mark_is_found(stage: Stage) -> None:
    path = seal_draft_sheet(stage.studio, stage.purpose, stage.draft, gate=GATE)
    asset_id = path.stem[-16:]
    rgb = read_still(path.read_bytes(), name="sheet")
    with pytest.raises(SealError, match="watermark"):
        _check_picture(stage.studio, path.read_bytes(), "0" * 16)
    height, width = rgb.shape[:2]
    label = draw_label(width, height)
    box = (slice(label.y, label.y + label.alpha.shape[0]), slice(label.x, None))
    rgb[box] = 24
    with pytest.raises(SealError, match="label"):
        _check_picture(stage.studio, jpeg(rgb), asset_id)
    plain = to_rgb(burn(from_rgb(np.full_like(rgb, 90)), label))
    with pytest.raises(SealError, match="watermark"):
        _check_picture(stage.studio, jpeg(plain), asset_id)


def jpeg(rgb: NDArray[np.uint8]) -> bytes:
    sink = io.BytesIO()
    encode_still(rgb, sink, kind="jpeg")
    return sink.getvalue()


def test_the_entry_names_everyones_receipt(stage: Stage) -> None:
    for path in sheets(stage):
        record = stage.log.by_asset(path.stem[-16:])
        assert record is not None
        entry = SealEntry.parse(stage.studio.log.reader().entry(record.index))
        assert set(entry.receipts) == {c.receipt_hash for c in stage.to_release()}


def test_a_sheet_that_does_not_read_back_is_marked_more_strongly(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    strengths: list[Profile] = []
    looks = iter([None])

    def mark(*arguments: object) -> io.BytesIO:
        strengths.append(cast("Profile", arguments[-1]))
        return _mark(*arguments)  # type: ignore[arg-type]

    def read_id(*arguments: object) -> int | None:
        return next(looks) if len(strengths) == 1 else _read_id(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr("assent.disclose.still._mark", mark)
    monkeypatch.setattr("assent.disclose.still._read_id", read_id)
    path = seal_model_sheet(stage.studio, stage.purpose, NAME, gate=GATE)
    assert strengths == [Profile(), Profile.stronger()]
    assert path.exists()
