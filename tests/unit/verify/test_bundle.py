"""A trust bundle gives what the log gives, or is refused."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from casts import Cast, Stage
from studios import SetClock

from assent.kit.errors import AssentError, InputError, IntegrityError
from assent.kit.signing import new_key, peek, sign
from assent.kit.store.studio import create_studio
from assent.kit.tlog.merkle import leaf_hash
from assent.verify.bundle import IN_BUNDLE, LARGEST, is_bundle, make_bundle, open_bundle
from assent.verify.public import GIVEN

KIND = "assent-trust+jwt"


@pytest.fixture
def stage(released: Cast, tmp_path: Path) -> Stage:
    return released.open_copy(tmp_path / "studio")


def bundle_of(stage: Stage, *, since: datetime | None = None) -> str:
    studio = stage.studio
    now = stage.clock.now
    return make_bundle(
        studio.log_folder, studio.log_verifier, studio.signing_key, now=now, since=since
    )


def changed(stage: Stage, change: Callable[[dict[str, Any]], object]) -> bytes:
    """Return a bundle that the studio itself signed, after `change`."""
    payload = peek(bundle_of(stage))
    change(payload)
    return sign(payload, stage.studio.signing_key, kind=KIND).encode()


def test_a_bundle_tells_what_the_log_tells(stage: Stage) -> None:
    stage.withdraw(stage.ada)
    text = bundle_of(stage)
    assert is_bundle(text.encode())
    log, own = open_bundle(text.encode(), now=stage.clock.now), stage.log
    for name in (
        "studio", "studio_id", "origin", "vkey", "root_pem", "reading_key", "records", "granted",
        "withdrawn", "status_lists", "size", "cosigned", "certificates",
    ):  # fmt: skip
        assert getattr(log, name) == getattr(own, name), name
    assert len(log.withdrawn) == 1
    assert log.status_lists
    assert (log.unseen, own.unseen) == (0, 0)
    assert (log.key_from, own.issued) == (IN_BUNDLE, None)
    assert log.issued == stage.clock.now.strftime("%Y-%m-%dT%H:%M:%SZ")


def test_the_key_published_elsewhere_is_held_against_it(stage: Stage, tmp_path: Path) -> None:
    text = bundle_of(stage).encode()
    log = open_bundle(text, now=stage.clock.now, vkey=stage.studio.log_verifier.vkey + "\n")
    assert log.key_from == GIVEN
    other = create_studio(tmp_path / "other", name="Other", contact="o@o.example", clock=SetClock())
    with pytest.raises(IntegrityError):
        open_bundle(text, now=stage.clock.now, vkey=other.log_verifier.vkey)


def test_what_is_left_out_still_counts_under_the_signed_root(stage: Stage) -> None:
    for number in range(5):
        stage.studio.log.append([b'{"kind":"other","n":%d}' % number])
    soon = stage.clock.now + timedelta(days=1)
    whole = open_bundle(bundle_of(stage).encode(), now=stage.clock.now)
    small = open_bundle(bundle_of(stage, since=soon).encode(), now=stage.clock.now)
    assert (whole.unseen, len(whole.records)) == (0, 1)
    assert (small.size, small.records) == (whole.size, ())
    assert small.unseen > 5
    assert small.granted == whole.granted
    near = bundle_of(stage, since=stage.clock.now - timedelta(days=2))
    assert open_bundle(near.encode(), now=stage.clock.now).records == whole.records


@pytest.mark.parametrize("size", range(2, 40, 3))
def test_any_number_of_entries_can_be_left_out(stage: Stage, size: int) -> None:
    while stage.studio.log.size < size + 20:
        stage.studio.log.append([b'{"kind":"other"}'] * (size % 3 + 1))
    soon = stage.clock.now + timedelta(days=1)
    log = open_bundle(bundle_of(stage, since=soon).encode(), now=stage.clock.now)
    assert log.size == stage.studio.log.size


def flip(text: str, place: float) -> bytes:
    at = int(len(text) * place)
    return (text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]).encode()


@pytest.mark.parametrize("place", [0.0, 0.01, 0.2, 0.5, 0.8, 0.99])
def test_one_changed_character_is_refused(stage: Stage, place: float) -> None:
    with pytest.raises(AssentError):
        open_bundle(flip(bundle_of(stage).strip(), place), now=stage.clock.now)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"eyJ",
        b"a.b.c",
        b"\xff\xfe",
        b"eyJhIjoxfQ.W10.x",
        b"eyJhIjoxfQ.eyJhIjoxfQ.x",
        b"." + base64.urlsafe_b64encode(b"[" * 200_000) + b".",
        b"." + base64.urlsafe_b64encode(b'{"a":' + b"9" * 9000 + b"}") + b".",
    ],
)
def test_what_is_no_bundle_is_refused(text: bytes) -> None:
    with pytest.raises(InputError):
        open_bundle(text, now=datetime(2026, 11, 23, tzinfo=UTC))


def test_a_bundle_too_large_to_be_one_is_refused_unread() -> None:
    with pytest.raises(InputError, match="at most 32 MiB"):
        open_bundle(b"e" * (LARGEST + 1), now=datetime(2026, 11, 23, tzinfo=UTC))


def test_a_bundle_of_a_later_version_says_what_to_do(stage: Stage) -> None:
    with pytest.raises(InputError) as told:
        open_bundle(changed(stage, lambda p: p.update(version=2)), now=stage.clock.now)
    assert "newer Assent" in told.value.advice


def at(place: int, value: object) -> Callable[[dict[str, Any]], object]:
    return lambda payload: payload["entries"].__setitem__(place, value)


HASH = base64.b64encode(bytes(32)).decode()


@pytest.mark.parametrize(
    "change",
    [
        lambda p: p.pop("vkey"),
        lambda p: p.pop("entries"),
        lambda p: p.pop("issued"),
        lambda p: p.update(entries=[]),
        lambda p: p.update(entries="x"),
        lambda p: p.update(entries={"0": "x"}),
        lambda p: p["entries"].pop(),
        lambda p: p["entries"].append("{}"),
        lambda p: p["entries"].reverse(),
        lambda p: p.update(checkpoint=""),
        lambda p: p.update(checkpoint=7),
        lambda p: p.update(checkpoint=p["checkpoint"].replace("\n", "\n\n", 1)),
        lambda p: p.update(vkey="a+b+c"),
        lambda p: p.update(issued="2999-01-01T00:00:00Z"),
        lambda p: p.update(issued="2026-01-01T00:00:00"),
        lambda p: p.update(issued="0001-01-01T00:00:00+23:59"),
        lambda p: p.update(issued="yesterday"),
        lambda p: p.update(status_lists=[]),
        lambda p: p.update(status_lists={str(n): "x" for n in range(2000)}),
        lambda p: p.update(status_lists={"1": 7}),
        lambda p: p.update(status_lists={"1": "x.y.z"}),
        at(0, "{}"),
        at(0, "x"),
        at(0, "x" * 70_000),
        at(1, None),
        at(1, 7),
        at(1, [0]),
        at(1, [0, "x"]),
        at(1, [0, HASH]),
        at(1, [1, HASH]),
        at(1, [True, HASH]),
        at(1, [-1, HASH]),
        at(1, [63, HASH]),
        at(1, [10**9, HASH]),
        at(1, [0, HASH[:-4]]),
        at(0, [0, HASH]),
        at(1, {"height": 0}),
    ],
)
def test_a_hostile_bundle_is_refused_though_it_is_signed(
    stage: Stage, change: Callable[[dict[str, Any]], object]
) -> None:
    with pytest.raises((IntegrityError, InputError)):
        open_bundle(changed(stage, change), now=stage.clock.now)


def test_a_bundle_that_hides_the_first_entry_is_refused(stage: Stage) -> None:
    def hide(payload: dict[str, Any]) -> None:
        first = leaf_hash(payload["entries"][0].encode())
        payload["entries"][0] = [0, base64.b64encode(first).decode()]

    with pytest.raises(IntegrityError, match="refused"):
        open_bundle(changed(stage, hide), now=stage.clock.now)


def test_somebody_elses_signature_is_refused(stage: Stage) -> None:
    payload = peek(bundle_of(stage))
    forged = sign(payload, new_key(), kind=KIND).encode()
    with pytest.raises(IntegrityError, match="signature"):
        open_bundle(forged, now=stage.clock.now)


def test_something_else_that_the_studio_signed_is_no_bundle(stage: Stage) -> None:
    other = sign(peek(bundle_of(stage)), stage.studio.signing_key, kind="vc+jwt").encode()
    with pytest.raises(IntegrityError, match="not a assent-trust"):
        open_bundle(other, now=stage.clock.now)


def test_a_status_list_put_back_is_refused(stage: Stage) -> None:
    before = peek(bundle_of(stage))["status_lists"]
    stage.withdraw(stage.ada)
    with pytest.raises(IntegrityError, match="status list 1 is version"):
        open_bundle(changed(stage, lambda p: p.update(status_lists=before)), now=stage.clock.now)


def test_a_log_whose_entries_are_nonsense_is_refused(tmp_path: Path) -> None:
    studio = create_studio(tmp_path / "s", name="Other", contact="o@o.example", clock=SetClock())
    studio.log.append([json.dumps({"kind": "seal", "asset": "x"}).encode()])
    text = make_bundle(
        studio.log_folder, studio.log_verifier, studio.signing_key, now=studio.clock()
    )
    with pytest.raises(IntegrityError, match="refused"):
        open_bundle(text.encode(), now=studio.clock())
