"""The audit: a log that was rewritten is noticed by whatever was kept of it, wherever."""

import time
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from anchoring import Calendar, LyingNode, Node, lying
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from servers import TimeStampingAuthority, time_stamping

from assent.kit.anchors.authority import load_roots
from assent.kit.anchors.bitcoin import MAINNET_DIFFICULTY, Header, parse_header
from assent.kit.anchors.calendars import read_proof
from assent.kit.anchors.folder import AnchorFolder
from assent.kit.errors import NotFoundError
from assent.kit.store.studio import Studio
from assent.kit.tlog.log import Log
from assent.kit.tlog.note import NoteSigner
from assent.monitor.anchoring import anchor
from assent.monitor.audit.audit import audit, trust_of
from assent.monitor.audit.report import Item, Report, Standing, Trust
from assent.monitor.on_chain import Patience, deploy
from assent.monitor.places import (
    AuthorityPlace,
    CalendarPlace,
    ChainPlace,
    Place,
    find_place,
    load_places,
    make_chain_place,
    save_place,
)

pytestmark = pytest.mark.enable_socket

EMPTY = Trust()


def check(studio: Studio, trust: Trust = EMPTY) -> Report:
    return audit(studio.log_folder, studio.log_verifier, trust)


def item(report: Report, what: str) -> Item:
    found = [each for each in report.items if each.what.startswith(what)]
    assert len(found) == 1, report.items
    return found[0]


def anchored(studio: Studio, node: Node | None = None) -> None:
    """Anchor in all places of the studio."""
    key = b"" if node is None else node.key.encode()
    patience = Patience(seconds=20, clock=time.monotonic, sleep=lambda _: time.sleep(0.02))
    for outcome in anchor(studio, load_places(studio), key_of=lambda _: key, patience=patience):
        assert outcome.problem is None, outcome.says


def with_authority(studio: Studio, tsa: TimeStampingAuthority) -> None:
    save_place(studio, AuthorityPlace(name="tsa", url=tsa.url, roots=tsa.root_pem.decode()))


def with_chain(studio: Studio, node: Node) -> ChainPlace:
    place = ChainPlace(
        name="main", url=node.url, chain_id=node.chain_id, sender="", contract=None,
        confirmations=1, most=10**17, key_file=None,
    )  # fmt: skip
    made = make_chain_place(studio, place, key=node.key.encode())
    patience = Patience(seconds=20, clock=time.monotonic, sleep=lambda _: time.sleep(0.02))
    return deploy(studio, made, key_of=lambda _: node.key.encode(), most=10**17, patience=patience)


def rewrite(studio: Studio, *, change: int = 1) -> None:
    """Write the whole log anew with the studio's own key, one entry changed."""
    entries = [data for _, data in studio.log.reader().entries()]
    entries[change] = b'{"kind":"something else"}'
    key = Ed25519PrivateKey.from_private_bytes(studio.secrets.get("log"))
    (studio.log_folder / "checkpoint").unlink()
    log = Log.create(studio.log_folder, signer=NoteSigner(studio.log_verifier.name, key))
    log.append(entries)


@pytest.fixture
def grown(own: Studio) -> Studio:
    own.log.append([b'{"kind":"a"}', b'{"kind":"b"}'])
    return own


def test_a_log_alone_says_what_that_is_worth(grown: Studio) -> None:
    report = check(grown)
    assert (report.holds, report.complete, report.covered, report.size) == (True, True, 0, 3)
    (only,) = report.items
    assert only.standing is Standing.GOOD
    assert "agrees with itself" in only.rests_on


def test_a_changed_entry_is_named(grown: Studio) -> None:
    (bundle,) = (grown.log_folder / "tile" / "entries").rglob("3")
    bundle.write_bytes(bundle.read_bytes().replace(b'"a"', b'"x"'))
    report = check(grown, Trust(checkpoints={"mine": grown.log.checkpoint().encode()}))
    assert not report.holds
    assert "was changed" in item(report, "entries").says
    assert not report.rewritten
    assert item(report, "checkpoint mine").standing is Standing.UNPROVEN


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        (b"nothing", "is not JSON"),
        (b'{"kind":"studio"}', "begins it again"),
        (b'{"kind":"anchor.place","chain":"1"}', "lacks its parts"),
    ],
)
def test_an_entry_that_makes_no_sense(grown: Studio, entry: bytes, says: str) -> None:
    grown.log.append([entry])
    report = check(grown)
    assert says in item(report, "entries").says
    assert not report.holds


def test_no_log_no_audit(own: Studio, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        audit(tmp_path, own.log_verifier, EMPTY)


def test_a_checkpoint_that_somebody_kept_tells_of_a_rewriting(grown: Studio) -> None:
    kept = Trust(checkpoints={"mine": grown.log.checkpoint().encode()})
    assert item(check(grown, kept), "checkpoint mine").standing is Standing.GOOD
    assert check(grown, kept).covered == 3
    grown.log.append([b'{"kind":"c"}'])
    assert check(grown, kept).holds
    rewrite(grown)
    report = check(grown, kept)
    assert item(report, "entries").standing is Standing.GOOD
    assert "was rewritten: at 3 entries" in item(report, "checkpoint mine").says
    assert (report.holds, report.rewritten) == (False, True)


def test_a_rollback_is_told(grown: Studio) -> None:
    old = (grown.log_folder / "checkpoint").read_bytes()
    grown.log.append([b'{"kind":"c"}'])
    kept = Trust(checkpoints={"mine": grown.log.checkpoint().encode()})
    (grown.log_folder / "checkpoint").write_bytes(old)
    assert "it had 4 entries and has 3" in item(check(grown, kept), "checkpoint mine").says


@pytest.mark.parametrize("note", [b"", b"\xff", b"a\n1\nb\n"])
def test_what_is_no_checkpoint(grown: Studio, note: bytes) -> None:
    report = check(grown, Trust(checkpoints={"mine": note}))
    assert item(report, "checkpoint mine").standing is Standing.BAD


def test_the_studio_s_own_copies_are_compared(grown: Studio) -> None:
    proof = f"c2sp.org/tlog-proof@v1\nindex 0\n\n{grown.log.checkpoint()}"
    (grown.releases_folder / "film-1.tlog-proof").write_text(proof)
    (grown.log_folder / "cosigned").write_text(grown.log.checkpoint())
    rewrite(grown)
    report = check(grown, trust_of(grown, EMPTY))
    assert "rewritten" in item(report, "checkpoint in film-1.tlog-proof").says
    assert "rewritten" in item(report, "checkpoint cosigned").says
    assert report.covered == 0


def test_a_time_stamp_vouches(grown: Studio, tsa: TimeStampingAuthority) -> None:
    with_authority(grown, tsa)
    anchored(grown)
    grown.log.append([b'{"kind":"c"}'])
    report = check(grown, trust_of(grown, EMPTY))
    stamped = item(report, "anchors/3/tsa.tsr")
    assert stamped.standing is Standing.GOOD
    assert stamped.says.endswith("says CN=A,O=Clock")
    assert (report.covered, report.size) == (3, 4)
    # A stranger who trusts nobody is told what is missing.
    assert item(check(grown), "anchors/3/tsa.tsr").standing is Standing.UNPROVEN


def test_a_rewritten_log_contradicts_its_time_stamp(
    grown: Studio, tsa: TimeStampingAuthority
) -> None:
    with_authority(grown, tsa)
    anchored(grown)
    rewrite(grown)
    report = check(grown, trust_of(grown, EMPTY))
    assert "rewritten" in item(report, "anchors/3/checkpoint").says
    stamped = item(report, "anchors/3/tsa.tsr")
    assert stamped.standing is Standing.BAD
    assert "but the log was rewritten" in stamped.says
    assert report.rewritten


def test_one_root_lends_its_trust_to_no_other(
    grown: Studio, tsa: TimeStampingAuthority, tmp_path: Path
) -> None:
    with_authority(grown, tsa)
    anchored(grown)
    with time_stamping(tmp_path / "other") as other:
        roots = [*load_roots(other.root_pem)]
        assert item(check(grown, Trust(roots=roots)), "anchors/3/tsa").standing is Standing.BAD
        roots += load_roots(tsa.root_pem)
        assert item(check(grown, Trust(roots=roots)), "anchors/3/tsa").standing is Standing.GOOD


@pytest.mark.parametrize("data", [b"", b"made up"])
def test_a_time_stamp_that_was_made_up(
    grown: Studio, tsa: TimeStampingAuthority, data: bytes
) -> None:
    with_authority(grown, tsa)
    anchored(grown)
    AnchorFolder(grown.log_folder).write(3, "tsa", "tsr", data)
    AnchorFolder(grown.log_folder).write(3, "alice", "ots", data)
    report = check(grown, trust_of(grown, EMPTY))
    assert item(report, "anchors/3/tsa.tsr").standing is Standing.BAD
    assert item(report, "anchors/3/alice.ots").standing is Standing.BAD


def test_an_anchored_checkpoint_that_is_gone_or_of_another_size(
    grown: Studio, tsa: TimeStampingAuthority
) -> None:
    with_authority(grown, tsa)
    anchored(grown)
    folder = grown.log_folder / "anchors"
    (folder / "3").rename(folder / "2")
    assert "it is of 3 entries, not of 2" in item(check(grown), "anchors/2/checkpoint").says
    (folder / "2" / "checkpoint").write_bytes(b"\xff")
    assert item(check(grown), "anchors/2/checkpoint").says == "it is not text"
    (folder / "2" / "checkpoint").unlink()
    assert item(check(grown), "anchors/2").says == "the anchored checkpoint is gone"
    (folder / "2" / "tsa.tsr").unlink()
    assert check(grown).holds


def test_a_proof_of_opentimestamps_needs_its_header(grown: Studio, alice: Calendar) -> None:
    save_place(grown, CalendarPlace(name="alice", url=alice.url))
    anchored(grown)
    assert item(check(grown), "anchors/3/alice").standing is Standing.PENDING
    root = alice.confirm(height=900_000)
    anchored(grown)
    unproven = item(check(grown), "anchors/3/alice")
    assert unproven.standing is Standing.UNPROVEN
    assert root[::-1].hex() in unproven.says
    header = hard_header(root)
    report = check(grown, Trust(headers={900_000: header}))
    good = item(report, "anchors/3/alice")
    assert good.standing is Standing.GOOD
    assert header.hash in good.says
    assert report.covered == 3
    rewrite(grown)
    wrong = item(check(grown, Trust(headers={900_000: header})), "anchors/3/alice")
    assert wrong.standing is Standing.BAD


def hard_header(root: bytes) -> Header:
    """Return what a header with Bitcoin's real work says; nobody makes one for a test."""
    made = parse_header(GENESIS)
    return replace(made, merkle_root=root, difficulty=MAINNET_DIFFICULTY * 2)


GENESIS = bytes.fromhex(
    "01000000" + "00" * 32 + "3ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a"
    "29ab5f49ffff001d1dac2b7c"
)


def test_a_header_of_another_block_or_of_little_work(grown: Studio, alice: Calendar) -> None:
    save_place(grown, CalendarPlace(name="alice", url=alice.url))
    anchored(grown)
    root = alice.confirm(height=7)
    anchored(grown)
    other = Trust(headers={7: hard_header(sha256(b"other").digest())})
    wrong = item(check(grown, other), "anchors/3/alice")
    assert wrong.standing is Standing.BAD
    assert "has another root" in wrong.says
    weak = replace(parse_header(GENESIS), merkle_root=root)
    too_little = item(check(grown, Trust(headers={7: weak})), "anchors/3/alice")
    assert too_little.standing is Standing.UNPROVEN
    assert "too little work (difficulty 1)" in too_little.says


def test_a_proof_that_nobody_promised(grown: Studio, alice: Calendar) -> None:
    save_place(grown, CalendarPlace(name="alice", url=alice.url))
    anchored(grown)
    proof = AnchorFolder(grown.log_folder).proof(3, "alice", "ots") or b""
    assert read_proof(proof, grown.log.checkpoint().encode()).calendars == (alice.url,)
    # The kind of the promise is changed to one that nobody knows.
    unknown = proof.replace(bytes.fromhex("83dfe30d2ef90c8e"), b"whatever")
    AnchorFolder(grown.log_folder).write(3, "alice", "ots", unknown)
    assert "promised by nobody" in item(check(grown), "anchors/3/alice").says


def test_a_chain_vouches_and_remembers(grown: Studio, node: Node) -> None:
    place = with_chain(grown, node)
    anchored(grown, node)
    report = check(grown, trust_of(grown, EMPTY))
    held = item(report, f"chain {node.chain_id}, {place.contract}")
    assert held.standing is Standing.GOOD, held
    assert "one that they run themselves adds nothing" in held.rests_on
    assert report.covered == report.size
    assert check(grown).covered == 0
    assert "no node of the chain was given" in item(check(grown), "chain").says


def test_a_rewritten_log_is_found_on_the_chain_even_without_its_anchors(
    grown: Studio, node: Node
) -> None:
    with_chain(grown, node)
    anchored(grown, node)
    rewrite(grown)
    for path in sorted((grown.log_folder / "anchors").rglob("*"), reverse=True):
        if path.is_file():
            path.unlink()
    report = check(grown, trust_of(grown, EMPTY))
    wrong = item(report, f"chain {node.chain_id}")
    assert wrong.standing is Standing.BAD
    assert "the log was rewritten: at 4 entries" in wrong.says
    assert not report.holds


def test_who_hides_the_chain_has_to_rewrite_the_log(grown: Studio, node: Node) -> None:
    """Without the entry that names the chain nobody asks it: but that entry is in the log."""
    with_chain(grown, node)
    kept = Trust(checkpoints={"mine": grown.log.checkpoint().encode()})
    rewrite(grown, change=3)
    report = check(grown, kept)
    assert not [each for each in report.items if each.what.startswith("chain")]
    assert not report.holds


def test_confirmations_count(grown: Studio, node: Node) -> None:
    place = with_chain(grown, node)
    anchored(grown, node)
    nodes = {node.chain_id: [node.url]}
    deep = Trust(nodes=nodes, confirmations=1000)
    assert item(check(grown, deep), "chain").standing is Standing.PENDING
    assert item(check(grown, Trust(nodes=nodes, confirmations=1)), "chain").size == 4
    assert place.confirmations == 1


def test_a_chain_that_holds_nothing_yet(grown: Studio, node: Node) -> None:
    with_chain(grown, node)
    found = item(check(grown, trust_of(grown, EMPTY)), "chain")
    assert found.standing is Standing.PENDING
    assert "no anchor of this log yet" in found.says


def test_an_anchor_that_is_not_on_the_chain(grown: Studio, node: Node) -> None:
    with_chain(grown, node)
    anchored(grown, node)
    folder = AnchorFolder(grown.log_folder)
    data = folder.proof(4, "main", "json") or b""
    folder.write(4, "main", "json", data.replace(b'"size":4', b'"size":3'))
    report = check(grown, trust_of(grown, EMPTY))
    assert any("is not on the chain" in each.says for each in report.items)
    assert not report.holds


@pytest.mark.parametrize(
    "data", [b"", b"{}", b'{"chain":1e999,"size":1}', b'{"chain":true,"size":1}', b"[" * 99999]
)
def test_a_record_that_is_none(grown: Studio, data: bytes) -> None:
    (grown.log_folder / "anchors" / "3").mkdir(parents=True)
    AnchorFolder(grown.log_folder).keep(grown.log.checkpoint(), grown.log_verifier)
    AnchorFolder(grown.log_folder).write(3, "main", "json", data)
    assert item(check(grown), "anchors/3/main.json").says == "is no record"


@pytest.fixture
def between(node: Node) -> Iterator[LyingNode]:
    with lying(node) as running:
        yield running


def test_a_node_that_is_down(grown: Studio, node: Node) -> None:
    with_chain(grown, node)
    anchored(grown, node)
    report = check(grown, Trust(nodes={node.chain_id: ["http://127.0.0.1:1"]}))
    assert item(report, "chain").standing is Standing.UNREACHABLE
    assert (report.holds, report.complete) == (True, False)


def test_a_node_that_lies_is_told_from_another(
    grown: Studio, node: Node, between: LyingNode
) -> None:
    with_chain(grown, node)
    anchored(grown, node)
    between.lies["eth_call"] = f"0x{0:064x}"
    nodes = {node.chain_id: [between.url, node.url]}
    report = check(grown, Trust(nodes=nodes, confirmations=1))
    assert any("one of them lies" in each.says for each in report.items)
    assert not report.holds


@pytest.mark.parametrize(
    ("method", "lie", "standing"),
    [
        ("eth_chainId", "0x1", Standing.BAD),
        ("eth_getCode", "0x00", Standing.BAD),
        ("eth_call", "0x", Standing.UNREACHABLE),
        ("eth_call", b"garbage", Standing.UNREACHABLE),
        ("eth_blockNumber", None, Standing.UNREACHABLE),
    ],
)
def test_a_node_that_is_of_no_use(
    grown: Studio, node: Node, between: LyingNode, method: str, lie: object, standing: Standing
) -> None:
    with_chain(grown, node)
    between.lies[method] = lie
    report = check(grown, Trust(nodes={node.chain_id: [between.url]}))
    assert item(report, "chain").standing is standing


def test_the_owner_s_own_node_is_not_asked_if_another_was_given(
    grown: Studio, node: Node, between: LyingNode
) -> None:
    place = with_chain(grown, node)
    places: tuple[Place, ...] = load_places(grown)
    assert find_place(grown, "main") == place == places[0]
    trust = trust_of(grown, Trust(nodes={node.chain_id: [between.url]}))
    assert trust.nodes == {node.chain_id: [between.url]}


def test_a_report_is_plain_values(grown: Studio) -> None:
    told = check(grown).to_json()
    assert told["holds"] is True
    assert told["covered"] == 0
