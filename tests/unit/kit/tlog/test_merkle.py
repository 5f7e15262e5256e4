from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.kit.errors import IntegrityError
from assent.kit.tlog import merkle

# Inputs and roots of the reference tree of the Certificate Transparency project.
LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657"]
LEAVES += ["606162636465666768696a6b6c6d6e6f"]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
SIZES = st.integers(1, 70)


def hashes_of(count: int) -> list[bytes]:
    return [merkle.leaf_hash(str(i).encode()) for i in range(count)]


def slow_root(hashes: list[bytes]) -> bytes:
    """The recursion of RFC 6962, section 2.1, word for word."""
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    return sha256(b"\x01" + slow_root(hashes[:k]) + slow_root(hashes[k:])).digest()


def flip(data: bytes) -> bytes:
    return bytes([data[0] ^ 1]) + data[1:]


def test_known_roots() -> None:
    hashes = [merkle.leaf_hash(bytes.fromhex(leaf)) for leaf in LEAVES]
    assert [merkle.root(hashes[: i + 1]).hex() for i in range(8)] == ROOTS
    assert merkle.root([]).hex() == sha256().hexdigest()


def test_known_proofs() -> None:
    hashes = [merkle.leaf_hash(bytes.fromhex(leaf)) for leaf in LEAVES]
    inner = [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ]
    assert [each.hex() for each in merkle.inclusion_proof(hashes, 0)] == inner


@given(SIZES)
def test_root_is_that_of_the_recursion(size: int) -> None:
    hashes = hashes_of(size)
    assert merkle.root(hashes) == slow_root(hashes)


@given(SIZES)
def test_folding_perfect_subtrees_gives_the_root(size: int) -> None:
    hashes = hashes_of(size)
    parts = [merkle.root(hashes[s : s + (1 << h)]) for s, h in merkle.subtrees(0, size)]
    assert merkle.fold(parts) == merkle.root(hashes)


def test_nothing_folds_to_the_empty_root() -> None:
    assert merkle.fold([]) == merkle.EMPTY_ROOT
    assert list(merkle.subtrees(4, 4)) == []


@given(st.data(), SIZES)
def test_inclusion_proofs_verify_for_their_entry_alone(data: st.DataObject, size: int) -> None:
    index = data.draw(st.integers(0, size - 1))
    hashes = hashes_of(size)
    top = merkle.root(hashes)
    proof = merkle.inclusion_proof(hashes, index)
    merkle.verify_inclusion(hashes[index], index=index, size=size, proof=proof, root=top)
    lies: list[dict[str, Any]] = [
        {"leaf": flip(hashes[index])},
        {"root": flip(top)},
        {"proof": [*proof, top]},
        {"index": size},
        {"index": -1},
    ]
    lies += [{"proof": [*proof[:i], flip(proof[i]), *proof[i + 1 :]]} for i in range(len(proof))]
    lies += [{"proof": proof[:-1]}] if proof else []
    lies += [{"index": other} for other in range(size) if other != index]
    for lie in lies:
        claim: dict[str, Any] = {
            "leaf": hashes[index],
            "index": index,
            "size": size,
            "proof": proof,
            "root": top,
        }
        with pytest.raises(IntegrityError):
            merkle.verify_inclusion(**(claim | lie))


@given(st.data(), SIZES)
def test_consistency_proofs_verify_for_their_history_alone(data: st.DataObject, new: int) -> None:
    old = data.draw(st.integers(0, new))
    hashes = hashes_of(new)
    claim: dict[str, Any] = {
        "old_size": old,
        "old_root": merkle.root(hashes[:old]),
        "new_size": new,
        "new_root": merkle.root(hashes),
        "proof": merkle.consistency_proof(hashes, old),
    }
    merkle.verify_consistency(**claim)
    proof: list[bytes] = claim["proof"]
    lies: list[dict[str, Any]] = [
        {"old_root": bytes(32)},
        {"old_size": new + 1},
        {"old_size": -1},
        {"proof": [*proof, bytes(32)]},
    ]
    # From the empty tree every log is a continuation.
    lies += [{"new_root": bytes(32)}] if old else []
    lies += [{"proof": [*proof[:i], flip(proof[i]), *proof[i + 1 :]]} for i in range(len(proof))]
    lies += [{"proof": proof[:-1]}] if proof else []
    for lie in lies:
        with pytest.raises(IntegrityError):
            merkle.verify_consistency(**(claim | lie))


@given(st.data(), st.integers(2, 70))
def test_a_fork_is_caught_with_any_proof(data: st.DataObject, new: int) -> None:
    """The proof is honest for the forked log; only the old root is of the other history."""
    old = data.draw(st.integers(1, new))
    changed = data.draw(st.integers(0, old - 1))
    hashes = hashes_of(new)
    forked = [*hashes[:changed], flip(hashes[changed]), *hashes[changed + 1 :]]
    for proof in (
        merkle.consistency_proof(hashes, old),
        merkle.consistency_proof(forked, old),
    ):
        with pytest.raises(IntegrityError, match="rewritten"):
            merkle.verify_consistency(
                old_size=old,
                old_root=merkle.root(hashes[:old]),
                new_size=new,
                new_root=merkle.root(forked),
                proof=proof,
            )
