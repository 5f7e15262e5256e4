"""The vector on the page is what the code makes."""

import re
from pathlib import Path

from assent.kit.vault.keyring import Keyring
from assent.kit.vault.vault import Vault

PAGE = (Path(__file__).parents[4] / "docs" / "specs" / "vault.md").read_text()


def block(name: str) -> str:
    """The one fenced block of that name."""
    (text,) = re.findall(rf"^```{name}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    return str(text)


def test_making_the_vector(tmp_path: Path) -> None:
    ring = Keyring(tmp_path, master=bytes(range(32)), entropy=lambda count: b"a" * count)
    ring.create("ada")
    vault = Vault(tmp_path / "vault", ring, entropy=lambda count: b"d" * count)
    blob_id = vault.put([b"film"], key_ids=["ada"])
    assert (tmp_path / "ada.key").read_bytes() == bytes.fromhex(block("key"))
    assert blob_id == block("id").strip()
    path = tmp_path / "vault" / blob_id[:2] / blob_id
    assert path.read_bytes() == bytes.fromhex(block("blob"))


def test_reading_the_vector(tmp_path: Path) -> None:
    """From the page's bytes alone."""
    blob_id = block("id").strip()
    (tmp_path / blob_id[:2]).mkdir()
    (tmp_path / blob_id[:2] / blob_id).write_bytes(bytes.fromhex(block("blob")))
    (tmp_path / "ada.key").write_bytes(bytes.fromhex(block("key")))
    vault = Vault(tmp_path, Keyring(tmp_path, master=bytes(range(32))))
    assert vault.read(blob_id) == b"film"
