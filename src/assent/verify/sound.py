"""What the sound of a file says: the marks heard in it, and the records that they lead to."""

from dataclasses import dataclass
from pathlib import Path

from assent.kit.errors import MediaError
from assent.kit.media.listen import listen
from assent.kit.watermark.sound.read import SoundMark, SoundSearch, read_sound
from assent.verify.findings import Layer, Status
from assent.verify.public import PublicLog, Record

__all__ = ["Heard", "hear", "sound_layer"]

_RATE = 16000
# A search of half a minute takes about so long; longer sound is listened to as far as it goes.
_BUDGET_SECONDS = 6.0
# Less sound than this holds no whole mark.
_LEAST_SECONDS = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What was heard in a file's sound, and the record of each mark if the log has one."""

    search: SoundSearch
    marks: tuple[tuple[SoundMark, Record | None], ...]

    @property
    def assets(self) -> set[str]:
        """The assets that the marks name; of an unknown one, the end of its id."""
        return {
            record.entry.asset_id if record else f"{mark.number:08x}" for mark, record in self.marks
        }

    @property
    def record(self) -> Record | None:
        """The record of the mark that is heard longest."""
        known = [(_seconds(mark), record) for mark, record in self.marks if record]
        return max(known, key=lambda pair: pair[0])[1] if known else None


def hear(path: Path, log: PublicLog, *, sha256: str, name: str) -> Heard | None:
    """Look for the studio's marks in a file's sound; None if there is no sound to be read."""
    try:
        search = read_sound(
            listen(path, name=name, rate=_RATE),
            rate=_RATE,
            key=log.reading_key,
            budget_s=_BUDGET_SECONDS,
        )
    except MediaError:
        return None
    if search.heard == 0:
        return None
    marks = tuple((mark, log.by_sound(mark.number, sha256)) for mark in search.marks)
    return Heard(search=search, marks=marks)


def sound_layer(heard: Heard, log: PublicLog) -> Layer:
    """Return what the sound says, in words."""
    search = heard.search
    rests_on = (
        f"{search.heard:.0f} s of sound, searched {search.seconds:.1f} s "
        f"({'; '.join(search.searched)})"
    )
    if not heard.marks:
        if search.broad < _LEAST_SECONDS:
            says = "There is too little sound to hold a mark."
            return Layer(name="sound", status=Status.UNKNOWN, says=says, rests_on=rests_on)
        says = "No mark of this studio heard in what was searched."
        return Layer(name="sound", status=Status.MISSING, says=says, rests_on=rests_on)
    chance = max(mark.log10_false for mark, _ in heard.marks)
    rests_on += f"; chance makes such a mark in less than one of 10^{-chance:.0f} files"
    unknown = any(record is None for _, record in heard.marks)
    return Layer(
        name="sound",
        status=Status.BAD if unknown else Status.GOOD,
        says=" ".join(_told(mark, record, log) for mark, record in heard.marks),
        rests_on=rests_on,
        facts={
            "marks": [
                {
                    "ends": f"{mark.number:08x}",
                    "asset_id": record.entry.asset_id if record else None,
                    "spans": [[int(begin), int(end)] for begin, end in mark.spans],
                }
                for mark, record in heard.marks
            ]
        },
    )


def _told(mark: SoundMark, record: Record | None, log: PublicLog) -> str:
    where = ", ".join(f"{begin:.0f}-{end:.0f} s" for begin, end in mark.spans) or "throughout"
    if mark.tempo != 1 or mark.pitch != 1:
        where += f"; played at {mark.tempo:.1%} of its speed, {mark.pitch:.1%} of its pitch"
    if record is None:
        return (
            f"It carries an id that ends in {mark.number:08x} ({where}), of which {log.origin} "
            "knows nothing."
        )
    return (
        f"It carries the end of {record.entry.asset_id} ({where}). A mark copied from the release "
        "can't be ruled out."
    )


def _seconds(mark: SoundMark) -> float:
    return sum(end - begin for begin, end in mark.spans)
