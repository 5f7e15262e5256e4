"""What lies in a log's folder of anchors: time stamps and proofs of OpenTimestamps."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from cryptography import x509

from assent.kit.anchors.authority import Stamp, verify_stamp
from assent.kit.anchors.bitcoin import MAINNET_DIFFICULTY, Header
from assent.kit.anchors.calendars import Block, read_proof
from assent.kit.anchors.folder import AnchorFolder, Kept, Proof
from assent.kit.clock import stamp
from assent.kit.errors import AssentError, IntegrityError
from assent.monitor.audit.history import History, open_note_of
from assent.monitor.audit.report import Item, Standing, Trust

__all__ = ["check_proofs"]

_STAMPED = "the time-stamp authority: its word, its clock and its key"
_WORK = "the header that you gave, if Bitcoin's chain has it: compare its hash with an explorer's"


def check_proofs(history: History, folder: AnchorFolder, trust: Trust) -> Iterator[Item]:
    """Yield one item for each kept checkpoint that is wrong, and one for each proof."""
    for size in folder.sizes():
        kept = folder.kept(size)
        proofs = [each for each in folder.proofs(size) if each.kind != "json"]
        if kept is None:
            if proofs:
                yield _item(f"anchors/{size}", Standing.BAD, "the anchored checkpoint is gone")
            continue
        wrong = _compare(history, kept)
        if wrong is not None:
            yield wrong
        for proof in proofs:
            check = _check_stamp if proof.kind == "tsr" else _check_ots
            try:
                yield check(kept, proof, trust, wrong)
            except AssentError as error:
                yield _item(_name(proof), Standing.BAD, str(error))


def _compare(history: History, kept: Kept) -> Item | None:
    what = f"anchors/{kept.size}/checkpoint"
    try:
        state = open_note_of(kept.note, history.reader)
    except AssentError as error:
        return _item(what, Standing.BAD, str(error))
    if state.size != kept.size:
        return _item(what, Standing.BAD, f"it is of {state.size} entries, not of {kept.size}")
    return history.compare(what, state.size, state.root)


def _check_stamp(kept: Kept, proof: Proof, trust: Trust, wrong: Item | None) -> Item:
    if not trust.roots:
        says = "its authority's root was not given (--tsa-root)"
        return _item(_name(proof), Standing.UNPROVEN, says, _STAMPED)
    found = _stamped(kept, proof, trust.roots)
    says = f"the checkpoint was there at {stamp(found.time)}, says {found.authority}"
    return _vouched(proof, says, _STAMPED, wrong)


def _stamped(kept: Kept, proof: Proof, roots: Sequence[x509.Certificate]) -> Stamp:
    """Verify under one root after the other, so that none lends its trust to another."""
    problem: IntegrityError | None = None
    for each in roots:
        try:
            return verify_stamp(proof.data, kept.note, [each])
        except IntegrityError as error:
            problem = error
    raise problem or IntegrityError("no root was given")


def _check_ots(kept: Kept, proof: Proof, trust: Trust, wrong: Item | None) -> Item:
    claims = read_proof(proof.data, kept.note)
    if not claims.blocks:
        says = f"promised by {', '.join(claims.calendars)[:120] or 'nobody'}; shows nothing yet"
        return _item(_name(proof), Standing.PENDING, says, "the calendar's promise")
    known = [
        (each, trust.headers[each.height]) for each in claims.blocks if each.height in trust.headers
    ]
    for block, header in known:
        if header.merkle_root != block.merkle_root:
            says = f"Bitcoin's block {block.height} has another root than the proof leads to"
            return _item(_name(proof), Standing.BAD, says, _WORK)
    if not known:
        return _unknown_header(proof, claims.blocks[0])
    return _worked(proof, *known[0], wrong)


def _unknown_header(proof: Proof, block: Block) -> Item:
    says = (
        f"leads to Bitcoin's block {block.height}, whose header was not given (--bitcoin-headers); "
        f"its Merkle root must be {block.merkle_root[::-1].hex()}"
    )
    return _item(_name(proof), Standing.UNPROVEN, says, "nothing but the calendar's word, so far")


def _worked(proof: Proof, block: Block, header: Header, wrong: Item | None) -> Item:
    if header.difficulty < MAINNET_DIFFICULTY:
        says = (
            f"the header given for block {block.height} took too little work (difficulty "
            f"{header.difficulty:.3g}): anyone can make one"
        )
        return _item(_name(proof), Standing.UNPROVEN, says, _WORK)
    says = (
        f"the checkpoint was there at {stamp(header.time)}: Bitcoin's block {block.height}, "
        f"{header.hash}"
    )
    return _vouched(proof, says, _WORK, wrong)


def _vouched(proof: Proof, says: str, rests_on: str, wrong: Item | None) -> Item:
    """Return the item of a proof that holds: of the log's own past, or against it."""
    if wrong is not None:
        return replace(
            wrong, what=_name(proof), says=f"{says}; but {wrong.says}", rests_on=rests_on
        )
    return Item(
        what=_name(proof), standing=Standing.GOOD, says=says, rests_on=rests_on, size=proof.size
    )


def _name(proof: Proof) -> str:
    return f"anchors/{proof.size}/{proof.place}.{proof.kind}"


def _item(what: str, standing: Standing, says: str, rests_on: str = "what lies before you") -> Item:
    return Item(what=what, standing=standing, says=says, rests_on=rests_on)
