from pathlib import Path

import pytest

from assent.kit.errors import IntegrityError
from assent.kit.tlog.files import Folder, Site


def test_a_folder(tmp_path: Path) -> None:
    (tmp_path / "checkpoint").write_bytes(b"12345")
    folder = Folder(tmp_path)
    assert folder.read("checkpoint", 5) == b"12345"
    assert folder.read("tile/0/000", 5) is None
    assert folder.name("tile/0/000") == str(tmp_path / "tile/0/000")
    assert folder.name() == str(tmp_path)
    with pytest.raises(IntegrityError, match="checkpoint is longer"):
        folder.read("checkpoint", 4)


def test_a_site() -> None:
    asked = []

    def get(url: str, limit: int) -> bytes | None:
        asked.append((url, limit))
        return b"x" if url.endswith("checkpoint") else None

    site = Site("https://log.example/a/", get)
    assert site.read("checkpoint", 7) == b"x"
    assert site.read("tile/0/000", 8) is None
    place = "https://log.example/a"
    assert asked == [(f"{place}/checkpoint", 7), (f"{place}/tile/0/000", 8)]
    assert site.name() == "https://log.example/a"
