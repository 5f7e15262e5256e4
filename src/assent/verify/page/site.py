"""A page that checks files in the visitor's own browser, written as a folder of static files.

    write_site(Path("public"), [bundle], package=find_package(None, beside=Path.cwd()))

Content credentials are read by the npm package `@contentauth/c2pa-wasm`, which is not a part of
Assent: it is installed beside it, and taken only if it is the very version that was tested.
"""

import hashlib
import json
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from assent.kit.disk import Disk, replace_file
from assent.kit.errors import InputError, IntegrityError, NotFoundError

__all__ = ["PACKAGE", "find_package", "site_files", "write_site"]

PACKAGE = "@contentauth/c2pa-wasm"
_VERSION = "0.13.3"
_FILES = {
    "c2pa.js": "1d98e170931617bc051899a20b33f349005df5091919459df095bd3836429da5",
    "c2pa_bg.wasm": "01b8e25f637aaa3fe197bc5646ce114810db4789db19af7e1f6bfebe9e9858df",
}
"""What is taken of the package's folder `pkg`, with the SHA-256 of what was tested."""
_OWN = ("check.js", "icon.svg", "index.html", "offline.js", "page.js", "sha256.js", "trust.js")
_MARKER = "verify-page.json"
_ADVICE = (
    f"Run `npm install --ignore-scripts {PACKAGE}@{_VERSION}` in this folder, or name the folder "
    "of the package with --package."
)


def find_package(given: Path | None, *, beside: Path) -> Path:
    """Return the folder of the installed npm package.

    It is `given`, or looked for in `node_modules` of `beside` and the folders above, and in the
    checkout that Assent itself is run from. Raises `NotFoundError` if it is nowhere,
    `IntegrityError` if it is another version than the one that was tested.
    """
    checkout = Path(__file__).parents[4] / "web"
    places = [given] if given else [
        folder / "node_modules" / PACKAGE for folder in (beside, *beside.parents, checkout)
    ]  # fmt: skip
    found = next((place for place in places if (place / "package.json").is_file()), None)
    if found is None:
        where = given or "node_modules of this folder or of one above"
        raise NotFoundError(f"{PACKAGE} is not in {where}", advice=_ADVICE)
    for name, digest in _FILES.items():
        data = Disk().read(found / "pkg" / name)
        if data is None or hashlib.sha256(data).hexdigest() != digest:
            raise IntegrityError(
                f"{found / 'pkg' / name} is not that of version {_VERSION}", advice=_ADVICE
            )
    return found


def write_site(folder: Path, bundles: Sequence[bytes], *, package: Path) -> int:
    """Write the page with these trust bundles into `folder`; return how many files it has.

    A folder that holds such a page is written anew. Raises `InputError` if it holds anything else,
    `StorageError`.
    """
    disk = Disk()
    files = site_files(bundles, package=package)
    if disk.names(folder) and not (folder / _MARKER).is_file():
        raise InputError(f"{folder} holds something else", advice="Name a new folder.")
    disk.make_folder(folder)
    disk.share_folder(folder)
    for name, data in files.items():
        replace_file(disk, folder / name, data)
        disk.share(folder / name)
    return len(files)


def site_files(bundles: Sequence[bytes], *, package: Path) -> dict[str, bytes]:
    """Return the page's files by name, with these trust bundles; `InputError` for no bundle."""
    if not bundles:
        raise InputError("the page needs a trust bundle", advice="Give one with --trust.")
    disk = Disk()
    names = [f"bundle-{number}.txt" for number in range(1, len(bundles) + 1)]
    static = resources.files("assent.verify.page") / "static"
    style = resources.files("assent.verify.page") / "style.css"
    files: dict[str, bytes] = {name: (static / name).read_bytes() for name in _OWN}
    files |= {name: disk.read(package / "pkg" / name) or b"" for name in _FILES}
    files |= dict(zip(names, bundles, strict=True))
    files |= {
        "style.css": style.read_bytes(),
        "LICENSE-c2pa-wasm.txt": disk.read(package / "LICENSE") or b"",
        "bundles.json": json.dumps(names).encode(),
    }
    files[_MARKER] = json.dumps(
        {"package": f"{PACKAGE}@{_VERSION}", "files": sorted(files)}
    ).encode()
    return files
