"""Places are kept in the secret store, and nothing of them is shown that proves who we are."""

from dataclasses import replace
from pathlib import Path

import pyrage
import pytest
from anchoring import Node

from assent.kit.anchors.chain import Attempt
from assent.kit.anchors.folder import KINDS, AnchorFolder
from assent.kit.errors import InputError, IntegrityError, NotFoundError
from assent.kit.store.backup import export
from assent.kit.store.restore import restore
from assent.kit.store.studio import Studio, open_studio
from assent.monitor.places import (
    AuthorityPlace,
    CalendarPlace,
    ChainPlace,
    Waiting,
    account_key,
    announce,
    find_place,
    load_places,
    make_chain_place,
    remove_place,
    save_place,
)

CONTRACT = "0x" + "ab" * 20
CHAIN = ChainPlace(
    name="main", url="https://node.example/v3/secret-of-ours", chain_id=5, sender="",
    contract=CONTRACT, confirmations=3, most=10**16, key_file=None,
)  # fmt: skip
ANVIL_KEY = b"ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"


def test_what_was_kept_is_loaded(own: Studio) -> None:
    root = own.chain.root_pem.decode()
    places = (
        CalendarPlace(name="alice", url="https://alice.example"),
        make_chain_place(own, CHAIN, key=None),
        AuthorityPlace(name="tsa", url="https://tsa.example", roots=root),
    )
    save_place(own, places[0])
    save_place(own, places[2])
    assert load_places(own) == places
    assert find_place(own, "alice") == places[0]


def test_what_waits_is_kept(own: Studio) -> None:
    place = make_chain_place(own, CHAIN, key=ANVIL_KEY)
    assert place.sender == "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
    waiting = Waiting(size=3, attempt=Attempt(nonce=1, fee=2, hash="0x12", raw="ab"))
    save_place(own, replace(place, waiting=waiting))
    assert find_place(own, "main") == replace(place, waiting=waiting)


def test_nothing_lies_open(own: Studio) -> None:
    place = make_chain_place(own, CHAIN, key=None)
    key = account_key(own, place)
    assert len(key) == 32
    for path in own.folder.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert b"secret-of-ours" not in data
            assert key not in data
            assert key.hex().encode() not in data


def test_a_key_is_made_once(own: Studio) -> None:
    first = make_chain_place(own, CHAIN, key=None)
    again = make_chain_place(own, replace(CHAIN, confirmations=9), key=None)
    assert (again.sender, again.confirmations) == (first.sender, 9)
    assert make_chain_place(own, CHAIN, key=ANVIL_KEY).sender != first.sender


def test_what_is_removed_is_gone(own: Studio) -> None:
    make_chain_place(own, CHAIN, key=None)
    remove_place(own, "main")
    assert load_places(own) == ()
    assert not [name for name in own.secrets.names() if name.startswith("anchor")]
    with pytest.raises(NotFoundError, match="no place 'main'"):
        remove_place(own, "main")


@pytest.mark.parametrize(
    ("place", "says"),
    [
        (CalendarPlace(name="A", url="https://a.example"), "can't name a place"),
        (CalendarPlace(name="a", url="ftp://a.example"), "begins with http"),
        (AuthorityPlace(name="a", url="https://a", roots="nothing"), "no PEM file"),
    ],
)
def test_what_cannot_be_a_place(own: Studio, place: CalendarPlace, says: str) -> None:
    with pytest.raises(InputError, match=says):
        save_place(own, place)


def test_a_chain_s_place_needs_good_names(own: Studio) -> None:
    with pytest.raises(InputError, match="can't name a place"):
        make_chain_place(own, replace(CHAIN, name="a.b"), key=None)
    with pytest.raises(InputError, match="is no address"):
        make_chain_place(own, replace(CHAIN, contract="0x12"), key=None)


@pytest.mark.parametrize("data", [b'{"kind":"evm"}', b"{}", b'{"kind":"evm","waiting":{}}'])
def test_damage_is_told(own: Studio, data: bytes) -> None:
    own.secrets.put("anchor.main", data)
    with pytest.raises(IntegrityError, match="what is known of place main is damaged"):
        load_places(own)


def test_places_and_anchors_come_back_with_a_backup(own: Studio, tmp_path: Path) -> None:
    place = make_chain_place(own, CHAIN, key=None)
    key, note = account_key(own, place), own.log.checkpoint()
    anchors = AnchorFolder(own.log_folder, disk=own.disk)
    with anchors.lock():
        anchors.keep(note, own.log_verifier)
    for kind in KINDS:
        anchors.write(1, "main-2", kind, kind.encode())
    identity = pyrage.x25519.Identity.generate()
    export(own, tmp_path / "backup.age", recipients=[str(identity.to_public())], escrow=None)
    own.database.close()
    with (tmp_path / "backup.age").open("rb") as file:
        restore(file, tmp_path / "new", identities=[str(identity)])
    again = open_studio(tmp_path / "new")
    assert load_places(again) == (place,)
    assert account_key(again, place) == key
    back = AnchorFolder(again.log_folder)
    kept = back.kept(1)
    assert kept is not None
    assert kept.note.decode() == note
    assert [each.data.decode() for each in back.proofs(1)] == sorted(KINDS)


def test_the_log_says_once_where_it_is_anchored(own: Studio, node: Node) -> None:
    place = make_chain_place(own, CHAIN, key=node.key.encode())
    before = own.log.size
    for _ in range(2):
        announce(own, place)
    announce(own, replace(place, chain_id=6))
    assert own.log.size == before + 2
    entry = own.log.reader().entry(before)
    assert b'"kind":"anchor.place"' in entry
    assert b"secret-of-ours" not in entry
