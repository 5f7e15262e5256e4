import copy
import io
import multiprocessing.reduction

import pytest

from assent.disclose._key import KEY, Key
from assent.disclose.sealed import SealedVideo
from assent.kit.imaging.label import Corner


def made(key: object) -> SealedVideo:
    return SealedVideo(
        asset_id="00" * 8, draft_id="1", corner=Corner.TOP_RIGHT, media=io.BytesIO(), sha256="",
        entry=b"", log_index=0, receipt="", key=key,  # type: ignore[arg-type] # whatever is tried
    )  # fmt: skip


@pytest.mark.parametrize("key", [None, Key(), "KEY", object()])
def test_nobody_else_makes_one(key: object) -> None:
    with pytest.raises(TypeError, match=r"disclose\.seal"):
        made(key)


def test_it_stays_in_its_process() -> None:
    for leave in (multiprocessing.reduction.ForkingPickler.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="reopen"):
            leave(made(KEY))
