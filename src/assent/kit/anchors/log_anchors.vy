# pragma version 0.4.3
# pragma evm-version london
# @license Apache-2.0
"""
@title Anchors of transparency logs
@notice Keeps, for each sender and log, the sizes and roots that the sender gave, with the block in
        which they came. A list only grows, and each size is larger than the one before, so that
        what was anchored can neither be taken back nor be replaced. Nobody owns the contract.
"""

struct Anchor:
    size: uint64
    root: bytes32
    number: uint64
    time: uint64


event Anchored:
    sender: indexed(address)
    log_id: indexed(bytes32)
    index: uint256
    size: uint64
    root: bytes32


PAGE: constant(uint256) = 64
LOW: constant(uint256) = 2**64 - 1

counts: HashMap[address, HashMap[bytes32, uint256]]
roots: HashMap[address, HashMap[bytes32, HashMap[uint256, bytes32]]]
# Size, block number and time in one word, 64 bits each: a word less is 20,000 gas less.
words: HashMap[address, HashMap[bytes32, HashMap[uint256, uint256]]]


@external
def anchor(log_id: bytes32, size: uint64, root: bytes32):
    """
    @notice Put the log's state at the end of the sender's list.
    @param log_id SHA-256 of the log's public key line.
    @param size How many entries the log has; larger than in the list's last anchor.
    @param root The root over them.
    """
    index: uint256 = self.counts[msg.sender][log_id]
    last: uint256 = 0
    if index > 0:
        last = self.words[msg.sender][log_id][index - 1] >> 128
    assert convert(size, uint256) > last, "not newer"
    self.counts[msg.sender][log_id] = index + 1
    self.roots[msg.sender][log_id][index] = root
    self.words[msg.sender][log_id][index] = (
        (convert(size, uint256) << 128) | (block.number << 64) | block.timestamp
    )
    log Anchored(sender=msg.sender, log_id=log_id, index=index, size=size, root=root)


@external
@view
def count(sender: address, log_id: bytes32) -> uint256:
    """
    @notice How many anchors a sender's list for a log has.
    """
    return self.counts[sender][log_id]


@external
@view
def read(sender: address, log_id: bytes32, start: uint256) -> DynArray[Anchor, PAGE]:
    """
    @notice Up to 64 anchors of a sender's list for a log, from the one at `start` on.
    """
    page: DynArray[Anchor, PAGE] = []
    end: uint256 = self.counts[sender][log_id]
    for offset: uint256 in range(PAGE):
        index: uint256 = start + offset
        if index >= end:
            break
        word: uint256 = self.words[sender][log_id][index]
        page.append(
            Anchor(
                size=convert(word >> 128, uint64),
                root=self.roots[sender][log_id][index],
                number=convert((word >> 64) & LOW, uint64),
                time=convert(word & LOW, uint64),
            )
        )
    return page
