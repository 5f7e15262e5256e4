from pathlib import Path

import pytest
from corner import CORRECTED, UNTOLD, VALID, WITHDRAWN, make_corner, seal, tell

from assent.apps.public.source import Source
from assent.kit.errors import IntegrityError, NotFoundError
from assent.verify.ended import entry_of_end, entry_of_return

TIME = "2026-11-23T09:00:00Z"


def test_a_release_is_told_with_all_its_seals(tmp_path: Path) -> None:
    state = make_corner(tmp_path).source.now()
    found = state.release(VALID)
    assert found is not None
    assert [each.entry.media for each in found.seals] == ["video", "image"]
    assert (found.main.index, found.state, found.since) == (1, "valid", None)
    assert found.told is not None
    assert found.told.category == "education"
    untold = state.release(UNTOLD)
    assert untold is not None
    assert untold.told is None
    assert state.release("0" * 16) is None
    assert state.assets == (VALID, UNTOLD, WITHDRAWN, CORRECTED)


def test_how_a_release_stands_is_read_from_the_log(tmp_path: Path) -> None:
    told = make_corner(tmp_path, monotonic=iter(range(0, 1000, 5)).__next__)

    def state_of(asset: str) -> str:
        found = told.source.now().release(asset)
        assert found is not None
        return found.state

    assert [state_of(each) for each in (WITHDRAWN, CORRECTED)] == ["withdrawn", "corrected"]
    told.note(entry_of_end(VALID, "suspended", time=TIME))
    assert state_of(VALID) == "suspended"
    told.note(entry_of_return(VALID, time=TIME))
    assert state_of(VALID) == "valid"
    # Nothing undoes a revocation, and it says more than a withdrawal.
    told.note(entry_of_end(WITHDRAWN, "revoked", time=TIME), entry_of_return(WITHDRAWN, time=TIME))
    assert state_of(WITHDRAWN) == "revoked"


def test_a_new_state_is_seen_after_a_second_and_not_read_before(tmp_path: Path) -> None:
    now = [0.0]
    told = make_corner(tmp_path, monotonic=lambda: now[0])
    before = told.source.now()
    told.studio.log.append([seal("ab" * 8, 7, ())])
    assert told.source.now() is before
    now[0] += 2
    after = told.source.now()
    assert after.release("ab" * 8) is not None
    now[0] += 2
    assert told.source.now() is after


def test_what_was_typed_leads_to_a_release(tmp_path: Path) -> None:
    state = make_corner(tmp_path).source.now()
    for typed in (
        VALID,
        f"  {VALID.upper()} ",
        "ae45 8e06 b13e 8f75",
        "ae45-8e06-b13e-8f75",
        f"https://films.example/assent/r/{VALID}",
        f"https://films.example/assent/de/r/{VALID}/card/?x=1#y",
        f"{1:064x}",
        VALID[-8:],
    ):
        assert state.find(typed) == VALID, typed
    for typed in ("", "0" * 16, "../../etc/passwd", "f" * 64, "00000000", "x" * 10_000, "/r/"):
        assert state.find(typed) is None, typed


def test_a_record_that_is_not_the_studios_counts_as_none(tmp_path: Path) -> None:
    told = make_corner(tmp_path)
    for changes in ({"asset": VALID}, {"format": "x"}, {"version": 2}):
        tell(told.studio, UNTOLD, **changes)
        found = told.source.now().release(UNTOLD)
        assert found is not None
        assert found.told is None
    path = tell(told.studio, UNTOLD)
    found = told.source.now().release(UNTOLD)
    assert found is not None
    assert found.told is not None
    for token in (b"\xff\xfe", b"a.b.c", path.read_bytes()[:-8] + b"AAAAAAAA"):
        path.write_bytes(token)
        found = told.source.now().release(UNTOLD)
        assert found is not None
        assert found.told is None


def test_no_log_and_a_changed_log_are_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no log in"):
        Source(tmp_path / "nothing").now()
    told = make_corner(tmp_path)
    bundle = next((told.studio.log_folder / "tile" / "entries").iterdir())
    file = next(bundle.iterdir()) if bundle.is_dir() else bundle
    file.write_bytes(file.read_bytes().replace(VALID.encode(), UNTOLD.encode()))
    with pytest.raises(IntegrityError):
        told.source.now()
