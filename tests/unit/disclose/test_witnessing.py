"""Releases wait for the witnesses that a studio asks for; and only for those."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from casts import Cast, Stage
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from assent.disclose._key import KEY
from assent.disclose.release import release, released_already
from assent.disclose.sealed import SealedVideo
from assent.disclose.witnessing import (
    POLICY,
    Renewal,
    cosign_log,
    policy_of,
    renew_receipts,
    require_witnesses,
    set_policy,
    witnessed_receipt,
)
from assent.kit.errors import FetchError, InputError, RewrittenError, SealError
from assent.kit.store.studio import Studio, create_studio
from assent.kit.store.tables import ReleaseRow
from assent.kit.tlog.cosignature import Cosigner
from assent.kit.tlog.note import VerifierKey
from assent.kit.tlog.policy import Policy
from assent.kit.tlog.receipt import make_receipt, verify_receipt
from assent.kit.tlog.witness import Witness

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


class Witnesses:
    """Witnesses by name, of which some can't be reached."""

    def __init__(self, folder: Path, studio: Studio, *names: str) -> None:
        self.down: set[str] = set()
        self.all = {
            name: Witness.create(folder / name, name=f"{name}.example", clock=studio.clock)
            for name in names
        }
        for each in self.all.values():
            each.accept(studio.log_verifier.vkey)

    def policy(self, quorum: str = "group g all {}\nquorum g\n") -> str:
        lines = [f"witness {name} {each.vkey} https://{name}" for name, each in self.all.items()]
        return "\n".join([*lines, quorum.format(" ".join(self.all))])

    def send(self, url: str, body: bytes) -> tuple[int, bytes]:
        name = url.removeprefix("https://").removesuffix("/add-checkpoint")
        if name in self.down:
            raise FetchError(f"https://{name} can't be reached")
        answer = self.all[name].add_checkpoint(body)
        return answer.status, answer.body.encode()


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return create_studio(tmp_path / "studio", name="Small", contact="a@b.c", clock=lambda: NOON)


@pytest.fixture
def witnesses(tmp_path: Path, studio: Studio) -> Witnesses:
    return Witnesses(tmp_path, studio, "one", "two")


def nobody(url: str, body: bytes) -> tuple[int, bytes]:
    pytest.fail("nobody is to be asked")


def test_without_a_policy_nobody_is_asked(studio: Studio) -> None:
    assert policy_of(studio) == Policy()
    require_witnesses(studio, send=nobody)
    assert cosign_log(studio, send=nobody).enough
    receipt = witnessed_receipt(studio, 0, send=nobody)
    assert receipt == make_receipt(studio.log.reader(), 0)
    assert renew_receipts(studio) == Renewal(renewed=0, lacking=0)


def test_a_quorum_is_waited_for(studio: Studio, witnesses: Witnesses) -> None:
    policy = set_policy(studio, witnesses.policy())
    assert policy_of(studio).text() == policy.text()
    require_witnesses(studio, send=witnesses.send)
    studio.log.append([b'{"kind":"x"}'])
    receipt = witnessed_receipt(studio, 1, send=witnesses.send)
    found = verify_receipt(receipt, b'{"kind":"x"}', studio.log_verifier, policy=policy, now=NOON)
    assert [each.name for each in found.cosignatures] == ["one", "two"]
    public = [studio.log_folder / name for name in (POLICY, "cosigned")]
    assert {path.stat().st_mode & 0o777 for path in public} == {0o644}
    witnesses.down = {"two"}
    studio.log.append([b'{"kind":"y"}'])
    for ask in (require_witnesses, lambda studio, send: witnessed_receipt(studio, 2, send=send)):
        with pytest.raises(SealError, match="two: https://two can't be reached") as caught:
            ask(studio, send=witnesses.send)
        assert "`assent log policy`" in caught.value.advice


def test_witnesses_that_aren_t_needed_are_asked_all_the_same(
    studio: Studio, witnesses: Witnesses
) -> None:
    set_policy(studio, witnesses.policy("quorum none\n"))
    require_witnesses(studio, send=nobody)
    witnesses.down = {"one"}
    receipt = witnessed_receipt(studio, 0, send=witnesses.send)
    entry = studio.log.reader().entry(0)
    policy = policy_of(studio)
    found = verify_receipt(receipt, entry, studio.log_verifier, policy=policy, now=NOON)
    assert [each.name for each in found.cosignatures] == ["two"]


def other_history(url: str, body: bytes) -> tuple[int, bytes]:
    return 422, b""


def test_a_witness_that_saw_another_history(studio: Studio, witnesses: Witnesses) -> None:
    set_policy(studio, witnesses.policy())
    with pytest.raises(RewrittenError, match="has seen another history"):
        require_witnesses(studio, send=other_history)

    def one_lies(url: str, body: bytes) -> tuple[int, bytes]:
        return other_history(url, body) if "one" in url else witnesses.send(url, body)

    # One that lies doesn't stop a studio that has enough without it; it is told by `log cosign`.
    set_policy(studio, witnesses.policy("group g any {}\nquorum g\n"))
    require_witnesses(studio, send=one_lies)
    assert [each.alarming for each in cosign_log(studio, send=one_lies).asked] == [True, False]


def test_policies_that_a_studio_can_t_have(studio: Studio, witnesses: Witnesses) -> None:
    before = witnesses.policy()
    set_policy(studio, before)
    own = VerifierKey("self.example", 4, studio.log_verifier.public).text
    other = Cosigner("w", Ed25519PrivateKey.generate()).verifier
    foreign = VerifierKey("other.example/log", 1, other.public).text
    for text, says in (
        (f"witness me {own}\nquorum me\n", "can't be its own witness"),
        (f"log {foreign}\nquorum none\n", "for other logs"),
        ("nothing", "no kind of line"),
    ):
        with pytest.raises(InputError, match=says):
            set_policy(studio, text)
    assert policy_of(studio).text() == Policy.parse(before).text()
    assert set_policy(studio, f"log {studio.log_verifier.vkey}\nquorum none\n").logs


def test_proofs_are_renewed_once_witnesses_have_seen_them(
    studio: Studio, witnesses: Witnesses
) -> None:
    for index, name in enumerate(("a", "b", "c"), start=1):
        studio.log.append([name.encode()])
        with closing(sqlite3.connect(studio.folder / "studio.db")) as database, database:
            database.execute(
                "INSERT INTO release"
                " (asset_id, draft_id, state, created, name, log_index, receipts)"
                " VALUES (?, ?, 'released', '', ?, ?, '[]')",
                (name, name, f"{name}.mp4", index),
            )
        proof = studio.releases_folder / f"{name}.tlog-proof"
        if name != "c":
            proof.write_text(make_receipt(studio.log.reader(), index))
    set_policy(studio, witnesses.policy())
    # Not cosigned yet, cosigned by too few, and by all.
    assert renew_receipts(studio) == Renewal(renewed=0, lacking=0)
    witnesses.down = {"two"}
    cosign_log(studio, send=witnesses.send)
    assert renew_receipts(studio) == Renewal(renewed=0, lacking=2)
    witnesses.down = set()
    cosign_log(studio, send=witnesses.send)
    assert renew_receipts(studio) == Renewal(renewed=2, lacking=0)
    assert renew_receipts(studio) == Renewal(renewed=0, lacking=0)
    policy = policy_of(studio)
    for index, name in ((1, "a"), (2, "b")):
        path = studio.releases_folder / f"{name}.tlog-proof"
        found = verify_receipt(
            path.read_text(), name.encode(), studio.log_verifier, policy=policy, now=NOON
        )
        assert (found.index, found.enough, len(found.cosignatures)) == (index, True, 2)
    # A file that the owner removed stays away.
    assert not (studio.releases_folder / "c.tlog-proof").exists()
    # And one that was logged after the newest cosigned checkpoint has to wait.
    studio.log.append([b"d"])
    with studio.database.session() as session:
        session.get_one(ReleaseRow, "a").log_index = 4
    (studio.releases_folder / "a.tlog-proof").write_text(make_receipt(studio.log.reader(), 4))
    assert renew_receipts(studio) == Renewal(renewed=0, lacking=1)


def test_a_release_with_its_witnesses(rendered: Cast, tmp_path: Path) -> None:
    stage: Stage = rendered.open_copy(tmp_path / "studio")
    witnesses = Witnesses(tmp_path, stage.studio, "one", "two")
    set_policy(stage.studio, witnesses.policy())
    witnesses.down = {"one"}
    seals = stage.seals()
    with pytest.raises(SealError, match="not enough witnesses"):
        stage.seal(send=witnesses.send)
    assert stage.seals() == seals
    witnesses.down = set()
    video = stage.seal(send=witnesses.send)
    with video.media:
        # Bytes whose proof lacks the witnesses don't leave.
        lines = video.receipt.splitlines(keepends=True)
        bare = "".join(line for line in lines if "two.example" not in line)
        fields = {name: getattr(video, name) for name in SealedVideo.__slots__}
        lacking = SealedVideo(**{**fields, "receipt": bare}, key=KEY)
        with pytest.raises(SealError, match="lacks witnesses"):
            release(stage.studio, stage.purpose, lacking)
        assert list(stage.studio.releases_folder.iterdir()) == []
        made = release(stage.studio, stage.purpose, video)
    assert made.proof.name.endswith(".tlog-proof")
    assert made.proof.read_text().count("\u2014") == 3
    assert released_already(stage.studio, stage.draft) is not None
