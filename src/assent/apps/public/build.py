"""The public pages as a folder of files, for any static host: everything that computes nothing.

    build_folder(pages, Path("www"), checker=files)

Written again, only what changed is written, and what is no longer a part of it is removed.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from assent.apps.public.guest import FRESH
from assent.apps.public.pages import STATIC, Pages, static_file
from assent.apps.public.shield import headers_of
from assent.apps.public.words import LANGUAGES
from assent.kit.canonical import parse_object
from assent.kit.disk import Disk, replace_file
from assent.kit.errors import InputError
from assent.kit.imaging.qr import qr_png, qr_svg
from assent.kit.progress import Progress, nothing

__all__ = ["MARKER", "build_folder"]

MARKER = "assent-public.json"
_LOG_FILES = ("checkpoint", "cosigned", "vkey", "policy")


def build_folder(
    pages: Pages,
    folder: Path,
    *,
    checker: Mapping[str, bytes] | None = None,
    disk: Disk | None = None,
    progress: Progress = nothing,
) -> tuple[int, int]:
    """Write the files into `folder`; return how many there are and how many were written.

    `checker` is the page that checks in the visitor's browser. Raises `InputError` if the folder
    holds anything else, `StorageError`.
    """
    disk = disk or Disk()
    before = _before(folder, disk)
    names: set[str] = set()
    written = 0
    total = len(pages.source.now().assets)
    for done, (name, data) in enumerate(_files(pages, checker or {}, disk)):
        names.add(name)
        written += _write(disk, folder, name, data)
        progress("writing", min(total, done // (len(LANGUAGES) * 2 + 5)), total)
    for name in sorted(before - names):
        disk.remove(folder / name)
    listing = json.dumps({"format": 1, "files": sorted(names)}, indent=0).encode()
    _write(disk, folder, MARKER, listing)
    return len(names), written


def _before(folder: Path, disk: Disk) -> set[str]:
    """Return the files of an earlier run; raises `InputError` if the folder isn't one's own."""
    data = disk.read(folder / MARKER)
    if data is None:
        if disk.names(folder):
            raise InputError(f"{folder} holds something else", advice="Name a new folder.")
        return set()
    files = parse_object(data, name=MARKER).get("files")
    names = [str(name) for name in files] if isinstance(files, list) else []
    # A listing that somebody changed must not have other files removed.
    return {name for name in names if name[:1] != "/" and ".." not in Path(name).parts}


def _files(pages: Pages, checker: Mapping[str, bytes], disk: Disk) -> Iterator[tuple[str, bytes]]:
    yield from _pages(pages)
    for asset in pages.source.now().assets:
        yield from _release(pages, asset)
    for name in STATIC:
        yield f"static/{name}", static_file(name)
    for name, data in checker.items():
        yield f"check/{name}", data
    yield from _log(pages, disk)
    yield "_headers", _headers(pages).encode()


def _pages(pages: Pages) -> Iterator[tuple[str, bytes]]:
    first = pages.place.language
    for language in LANGUAGES:
        for path, make in (
            ("index.html", pages.home),
            ("verify/index.html", pages.verify),
            ("report/index.html", pages.report),
        ):
            body = make(language)
            yield f"{language}/{path}", body
            if language == first:
                yield path, body
        yield f"{language}/log/index.html", pages.log(language)
    yield "404.html", pages.missing(first, asset=True)


def _release(pages: Pages, asset: str) -> Iterator[tuple[str, bytes]]:
    for language in LANGUAGES:
        body = pages.record(language, asset)
        yield f"{language}/r/{asset}/index.html", body
        if language == pages.place.language:
            yield f"r/{asset}/index.html", body
        yield f"{language}/r/{asset}/card/index.html", pages.card(language, asset)
    address = pages.place.record(asset)
    yield f"r/{asset}.json", pages.json(asset)
    yield f"r/{asset}/qr.svg", qr_svg(address)
    yield f"r/{asset}/qr.png", qr_png(address)
    found = pages.source.now().release(asset)
    for seal in found.seals if found else ():
        yield f"r/{asset}/{seal.index}.tlog-proof", pages.proof(asset, seal.index)


def _log(pages: Pages, disk: Disk) -> Iterator[tuple[str, bytes]]:
    """Yield the log's public files; the checkpoint last, since it vouches for the others."""
    folder = pages.source.log_folder
    for part in ("tile", "status", "anchors"):
        for path in sorted((folder / part).rglob("*")):
            if path.is_file() and not path.name.startswith("."):
                yield f"log/{path.relative_to(folder).as_posix()}", disk.read(path) or b""
    for name in reversed(_LOG_FILES):
        data = disk.read(folder / name)
        if data is not None:
            yield f"log/{name}", data


def _headers(pages: Pages) -> str:
    """Return what hosts that know such a file are to send with the others."""
    rules = {
        "/*": headers_of("/", secure=pages.place.secure),
        "/check/*": {"Content-Security-Policy": headers_of("/check/", secure=False)[
            "Content-Security-Policy"]},
        "/log/*": {"Access-Control-Allow-Origin": "*"},
        "/log/tile/*": {"Cache-Control": "public, max-age=31536000, immutable",
                        "Content-Type": "application/octet-stream"},
        # A page that is kept for longer would say of what was revoked that it stands.
        **{f"{before}/r/*": {"Cache-Control": FRESH}
           for before in ("", *(f"/{language}" for language in LANGUAGES))},
    }  # fmt: skip
    lines = []
    for path, headers in rules.items():
        lines += [f"{pages.place.base}{path}", *(f"  {k}: {v}" for k, v in headers.items())]
    return "\n".join(lines) + "\n"


def _write(disk: Disk, folder: Path, name: str, data: bytes) -> int:
    path = folder / name
    if disk.read(path) == data:
        return 0
    missing = [each for each in (path.parent, *path.parent.parents) if not each.exists()]
    for each in reversed(missing):
        disk.make_folder(each)
        disk.share_folder(each)
    replace_file(disk, path, data)
    disk.share(path)
    return 1
