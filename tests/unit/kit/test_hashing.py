import hashlib
import io

import pytest

from assent.kit.hashing import chunks_of, hash_file

MEBIBYTE = 1 << 20


@pytest.mark.parametrize("size", [0, 1, MEBIBYTE - 1, MEBIBYTE, 2 * MEBIBYTE + 1])
def test_a_file_is_read_from_its_start_in_pieces(size: int) -> None:
    data = hashlib.shake_128(b"").digest(size)
    file = io.BytesIO(data)
    file.seek(size // 2)
    pieces = list(chunks_of(file))
    assert b"".join(pieces) == data
    assert all(0 < len(piece) <= MEBIBYTE for piece in pieces)
    assert hash_file(file) == hashlib.sha256(data).hexdigest()
