from pathlib import Path

from marks.false_positives import A_PICTURE, KINDS, Tally, count, derived_tail, render, report


def test_decodes_of_every_kind_are_counted(film: Path) -> None:
    found = report(1, [film], 1)
    assert found["decodes"] == len(KINDS) * A_PICTURE
    assert {row["decodes"] for row in found["by_kind"].values()} == {A_PICTURE}
    assert found["reported"] == 0
    assert "reported" in render(found)


def test_the_same_number_gives_the_same_statistics(film: Path) -> None:
    first, second = (count(1, [film], 1).statistics for _ in range(2))
    assert first == second


def test_a_tail_falls_and_stays_a_probability() -> None:
    tail = [derived_tail(nats) for nats in (1.0, 4.0, 5.0, 6.0)]
    assert tail == sorted(tail, reverse=True)
    assert 0 < tail[-1] < tail[0] <= 1


def test_tallies_add_up() -> None:
    one, other = Tally(), Tally()
    other.decodes[KINDS[0]] = 3
    other.reported[KINDS[1]] = 1
    one.statistics["near"], other.statistics["near"] = [1.0], [5.0, 2.0]
    one.add(other)
    assert one.decodes[KINDS[0]] == 3
    assert one.reported[KINDS[1]] == 1
    assert one.share_above("near", 2.0) == 2 / 3
