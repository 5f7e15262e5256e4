"""Only the modules listed here may put bytes on a disk or a wire.

Everything else passes streams on. The scan knows calls by their names: it is there to make a new
way out visible in a review, not to stop somebody who hides one.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SRC = Path(__file__).parents[1] / "src" / "assent"

DOORS = {
    ("apps/web/serving.py", "uvicorn.run"): "what each server of Assent's has to say, see there",
    ("apps/studio/pages/jobs.py", "StreamingResponse"): "how far jobs are: ids, names and figures",
    ("apps/work/machine.py", "_AUTOGROUP.write_text"): "tells the kernel to let others go first",
    ("apps/work/workers.py", "os.write"): "hands the passphrase to a worker, by a pipe",
    ("apps/work/workers.py", "subprocess.Popen"): "starts workers: this Python, this package",
    ("apps/web/log_site.py", "serve_app"): "the public log's files, and nothing else",
    ("apps/public/build.py", "replace_file"): "the public pages as files, for any web server",
    ("apps/public/place.py", "replace_file"): "where the public pages are",
    ("apps/public/publish.py", "replace_file"): "signed public records, QR codes, the trust bundle",
    ("apps/public/server.py", "serve_app"): "the public pages: the log, and what it tells",
    ("apps/studio/pages/release.py", "StreamingResponse"): "releases, whose bytes the log knows",
    ("verify/page/site.py", "replace_file"): "a page for everybody, with a studio's public bundle",
    ("apps/api/resources/jobs.py", "StreamingResponse"): "changes of jobs: ids, states, figures",
    ("apps/api/resources/releases.py", "StreamingResponse"): "sealed videos, verified just before",
    ("apps/api/wire.py", "HTTPConnection"): "the client's requests, to this machine alone",
    (
        "apps/api/wire.py",
        "HTTPSConnection",
    ): "the client's requests, to the studio that it is given",
    ("apps/web/server.py", "serve_app"): "subjects' own records and receipts; sealed previews",
    ("apps/studio/server.py", "serve_app"): "the studio's pages, to who may see them",
    ("apps/web/witness_site.py", "serve_app"): "cosignatures and signed checkpoints",
    ("apps/cli/files.py", "replace_file"): "offers, receipts and keys that a person asked for",
    ("apps/cli/vault.py", "export"): "a backup, encrypted to those who may restore it",
    ("consent/status_list.py", "replace_file"): "the list of receipts that ended, beside the log",
    ("consent/versions.py", "replace_file"): "a record's id and version, signed, beside its key",
    ("disclose/forms.py", "replace_file"): "forms of a release, once their bytes are checked",
    ("disclose/release.py", "replace_file"): "sealed videos, once their bytes are checked again",
    ("disclose/standing.py", "replace_file"): "tombstones; a release, once it is checked again",
    ("disclose/still.py", "replace_file"): "sealed stills, once their bytes are checked again",
    ("disclose/witnessing.py", "replace_file"): "the log's policy, and log proofs of releases",
    ("kit/anchors/folder.py", "replace_file"): "proofs about checkpoints, for everyone",
    ("kit/c2pa/sign.py", "c2pa.Signer.from_callback"): "asks the time-stamp authority, if named",
    ("kit/disk.py", "FileIO"): "makes the studio's files, for their owner alone",
    ("kit/disk.py", "os.ftruncate"): "scratch files, whose content is encrypted",
    ("kit/disk.py", "os.open"): "locks; and makes the files of FileIO with their rights",
    ("kit/disk.py", "os.pwrite"): "scratch files, whose content is encrypted",
    ("kit/disk.py", "path.open"): "overwrites a key in place when it is destroyed",
    ("kit/disk.py", "written_file"): "what replace_file is made of",
    ("kit/fetch/wire.py", "socket.create_connection"): "requests to addresses that were checked",
    (
        "kit/mail.py",
        "smtplib.SMTP",
    ): "letters of the studio, by TLS, to addresses that were checked",
    ("kit/mail.py", "smtplib.SMTP_SSL"): "the same, TLS from the first byte",
    ("monitor/cases/evidence.py", "replace_file"): "evidence, encrypted under its case's own key",
    ("monitor/cases/handout.py", "written_file"): "a case, encrypted to those who may read it",
    ("kit/media/_encode.py", "av.open"): "the encoder; into what the seals and hiding give it",
    ("kit/media/_encode.py", "cv2.imencode"): "the still encoder; only the seals may import it",
    ("kit/media/_repack.py", "av.open"): "films into other containers, into what forms.py gives",
    ("kit/media/_repack.py", "wave.open"): "sound as WAV, into what disclose/forms.py gives",
    ("kit/media/notice.py", "subprocess.run"): "hands the words of a notice to espeak-ng",
    ("kit/store/backup.py", "written_file"): "the studio without people's keys, encrypted by age",
    ("kit/store/database.py", "create_engine"): "the studio's database: names and records",
    ("kit/store/escrow.py", "replace_file"): "where copies of keys are, by name of folder",
    ("kit/store/restore.py", "replace_file"): "what a backup held, into a fresh studio folder",
    ("kit/store/studio.py", "replace_file"): "studio.toml and the log's public key",
    ("kit/tlog/_disk.py", "os.open"): "the log's lock",
    ("kit/tlog/_disk.py", "path.write_bytes"): "the log's files: public, and of hashes only",
    ("kit/tlog/log.py", "replace_file"): "the log's checkpoints",
    ("kit/tlog/monitor.py", "replace_file"): "signed checkpoints, and what contradicts them",
    ("kit/tlog/witness.py", "replace_file"): "a witness's key and what it cosigned last",
    ("kit/vault/guard.py", "subprocess.run"): "hands the root key to the owner's key program",
    ("kit/vault/keyring.py", "replace_file"): "keys, wrapped under the studio's master key",
    (
        "kit/vault/secrets.py",
        "replace_file",
    ): "the studio's secrets and their root key",
    ("kit/vault/vault.py", "written_file"): "ciphertext",
    ("monitor/watch/asking.py", "imaplib.IMAP4_SSL"): "reads the mail box that the owner named",
    ("monitor/watch/codes.py", "replace_file"): "the index of codes of what was released",
}
"""Each (module, call) that puts bytes somewhere, and what for."""

_FROM_VAULT = "reads out of the vault, under clearances"
HARMLESS = {
    ("apps/cli/commands.py", "import_module"): "the command line's own modules, by a fixed list",
    ("disclose/viewing/of_clip.py", "self.clip.open"): "reads footage under clearances",
    ("apps/cli/witness.py", "Witness.open"): "opens a witness by its folder",
    ("kit/tlog/witness.py", "cls.open"): "opens a witness by its folder",
    ("apps/public/checks.py", "tempfile.gettempdir"): "where a file without a name may lie",
    ("apps/public/place.py", "urlsplit"): "takes an address apart",
    ("apps/api/app.py", "urlsplit"): "takes an address apart",
    ("apps/api/wire.py", "quote"): "writes an address",
    ("apps/api/wire.py", "ssl.create_default_context"): "what certificates are checked with",
    ("apps/api/wire.py", "urlencode"): "writes an address",
    ("apps/api/wire.py", "urlsplit"): "takes an address apart",
    ("apps/web/guard.py", "urlsplit"): "takes an address apart",
    ("apps/studio/answering.py", "quote"): "spells a path in an address",
    ("apps/web/reading.py", "parse_qs"): "takes a form apart",
    ("consent/enrolment.py", "np.save"): "into memory; the locker encrypts it",
    ("consent/enrolment.py", "locker.open"): _FROM_VAULT,
    ("consent/locker.py", "self._vault.open"): _FROM_VAULT,
    ("consent/locker.py", "self.open"): _FROM_VAULT,
    ("create/_frames.py", "draft.clip.open"): _FROM_VAULT,
    ("create/render.py", "clip.open"): _FROM_VAULT,
    ("create/placing.py", "clip.open"): _FROM_VAULT,
    ("create/one_frame.py", "self._clip.open"): _FROM_VAULT,
    ("create/one_frame.py", "shot.model.open"): _FROM_VAULT,
    ("create/repair/whose.py", "clip.open"): _FROM_VAULT,
    ("create/staging.py", "model.open"): _FROM_VAULT,
    ("data/clips.py", "locker.open"): _FROM_VAULT,
    ("data/doubts.py", "np.save"): "into memory; the locker encrypts it",
    ("data/tracks.py", "np.savez_compressed"): "into memory; the locker encrypts it",
    ("disclose/viewing/of_clip.py", "clip.open"): _FROM_VAULT,
    ("disclose/seal.py", "draft.clip.open"): _FROM_VAULT,
    ("kit/faces/face_set.py", "np.savez"): "into a stream that is passed in",
    ("verify/apart.py", "subprocess.Popen"): "examines files in a process that may write none",
    ("verify/examining.py", "os.fdopen"): "the answers of that process, to who started it",
    ("verify/remote.py", "tempfile.gettempdir"): "where a file without a name may lie",
    ("monitor/watch/asking.py", "ssl.create_default_context"): "what certificates are checked with",
    ("monitor/watch/asking.py", "unquote"): "reads the names in a mail box's address",
    ("monitor/watch/asking.py", "urlsplit"): "takes an address apart",
    ("monitor/watch/codes.py", "ClusteredIndex.open"): "connects to the owner's own database",
    ("monitor/watch/finds.py", "urljoin"): "finds where a link leads",
    ("monitor/watch/polite.py", "urlsplit"): "takes an address apart",
    ("monitor/watch/rounds.py", "tempfile.gettempdir"): "where a file without a name may lie",
    ("monitor/watch/sources.py", "urlsplit"): "takes an address apart",
    ("verify/remote.py", "unquote"): "reads what a file at an address is called",
    ("verify/remote.py", "urlsplit"): "takes an address apart",
    ("kit/addresses.py", "socket.getaddrinfo"): "asks the system for a name's addresses",
    ("kit/fetch/exchange.py", "HTTPResponse"): "reads an answer",
    ("kit/fetch/wire.py", "ssl.create_default_context"): "what certificates are checked with",
    ("kit/fetch/urls.py", "urljoin"): "finds where a redirect leads",
    ("kit/fetch/urls.py", "urlsplit"): "takes an address apart",
    ("kit/anchors/calendars.py", "urlsplit"): "takes an address apart",
    ("kit/imaging/qr.py", "_code(text).save"): "an address as a picture, into memory",
    ("kit/likeness/portrait.py", "cv2.imencode"): "into memory; the locker encrypts it",
    ("kit/likeness/portrait.py", "np.savez"): "into memory; the locker encrypts it",
    ("kit/media/notice.py", "shutil.which"): "looks for espeak-ng",
    ("kit/store/studio.py", "Log.open"): "opens the log by its folder",
    ("kit/vault/secrets.py", "self._guard.open"): "the root key, in memory",
    ("kit/vault/vault.py", "self.open"): "decrypts for reading",
    ("safeguard/review.py", "draft.clip.open"): _FROM_VAULT,
    ("train/checkpoint.py", "save"): "safetensors, into memory; the locker encrypts it",
    ("train/export.py", "torch.onnx.export"): "into memory; the locker encrypts it",
    ("train/fit.py", "keeper.save"): "puts a checkpoint into the locker",
    ("train/portraits.py", "np.savez"): "into memory; the locker encrypts it",
    ("train/run.py", "save"): "calls what keeps a checkpoint",
    ("kit/mail.py", "ssl.create_default_context"): "what certificates are checked with",
    ("monitor/cases/acts.py", "key_of(studio, row.case_id).open"): "decrypts, in memory",
    ("monitor/cases/decision.py", "key_of(studio, case_id).open"): "decrypts, in memory",
    ("monitor/cases/decision.py", "key_of(studio, row.id).open"): "decrypts, in memory",
    ("monitor/cases/outbox.py", "key_of(studio, row.case_id).open"): "decrypts, in memory",
    ("monitor/dossier/data_part.py", "clip.open"): _FROM_VAULT,
    ("monitor/dossier/pdf.py", "super().save"): "into memory; the command writes it",
}
"""Each (module, call) that only looks like one, and why it is none."""

# Calls that count whatever they are called on.
BY_NAME = frozenset(
    """
    write_bytes write_text touch symlink_to hardlink_to FileIO copyfile
    FileResponse StreamingResponse urlopen create_engine from_callback from_info
    imwrite imencode VideoWriter tofile savetxt save savez savez_compressed save_file memmap export
    replace_file written_file import_module serve_app
    """.split()  # noqa: SIM905 - easier to read than a list
)

BUILTINS = frozenset({"exec", "eval", "__import__"})

# Modules of which every call counts.
MODULES = frozenset(
    """
    tempfile shutil subprocess multiprocessing pty mmap sqlite3
    socket ssl requests httpx aiohttp urllib http ftplib smtplib imaplib uvicorn
    """.split()  # noqa: SIM905 - easier to read than a list
)

# Functions of `os` that count, besides those that start programs.
OS_CALLS = frozenset(
    """
    write writev pwrite pwritev truncate ftruncate sendfile copy_file_range fdopen memfd_create
    link symlink mkfifo mknod system popen
    """.split()  # noqa: SIM905 - easier to read than a list
)

READING_FLAGS = frozenset({"O_RDONLY", "O_CLOEXEC", "O_NOFOLLOW", "O_DIRECTORY"})


def sinks(tree: ast.AST) -> Iterator[str]:
    """Yield the callee, as written, of each call in `tree` that can put bytes somewhere."""
    names = imported(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and is_sink(node, names):
            yield ast.unparse(node.func)


def imported(tree: ast.AST) -> dict[str, str]:
    """Return what each imported name stands for, dotted."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                root = alias.name if alias.asname else alias.name.split(".")[0]
                names[alias.asname or root] = root
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return names


def is_sink(call: ast.Call, names: dict[str, str]) -> bool:
    written = ast.unparse(call.func)
    root, *rest = written.split(".")
    parts = [*names.get(root, root).split("."), *rest]
    if parts[-1] in BY_NAME or parts[0] in MODULES or written in BUILTINS:
        return True
    if parts[0] == "os" and parts[-1] != "open":
        return parts[-1] in OS_CALLS or parts[-1].startswith(("exec", "spawn", "posix_spawn"))
    return parts[-1] == "open" and not only_reads(call, parts)


def only_reads(call: ast.Call, parts: list[str]) -> bool:
    """Tell whether an `open` of any kind surely opens for reading only."""
    named = {keyword.arg: keyword.value for keyword in call.keywords}
    if parts[0] == "os":
        flags = {n.attr for n in ast.walk(call.args[1]) if isinstance(n, ast.Attribute)}
        return bool(flags) and flags <= READING_FLAGS
    # A path's own method takes the mode first, a function after the file.
    place = 1 if len(parts) == 1 or parts[0] in {"io", "av", "codecs", "gzip", "builtins"} else 0
    mode = named.get("mode", call.args[place] if len(call.args) > place else None)
    if mode is None:
        return True
    return isinstance(mode, ast.Constant) and not set(str(mode.value)) & set("wax+")


def found() -> set[tuple[str, str]]:
    return {
        (path.relative_to(SRC).as_posix(), callee)
        for path in SRC.rglob("*.py")
        for callee in sinks(ast.parse(path.read_text("utf-8")))
    }


def test_sinks_are_where_they_are_listed() -> None:
    """A new place must be listed with its reason; one that is gone must be struck off."""
    listed = DOORS.keys() | HARMLESS.keys()
    assert sorted(found() - listed) == [], "new ways out"
    assert sorted(listed - found()) == [], "listed, but no longer there"


def test_every_listing_has_its_reason() -> None:
    assert not DOORS.keys() & HARMLESS.keys()
    assert all(len(reason) > 8 for reason in [*DOORS.values(), *HARMLESS.values()])


@pytest.mark.parametrize(
    "line",
    [
        "Path('x').write_bytes(b'')",
        "path.write_text('')",
        "open('x', 'w')",
        "open('x', mode='ab')",
        "open('x', mode)",
        "path.open('wb')",
        "path.open('r+b')",
        "path.open(mode)",
        "io.open('x', 'x')",
        "os.open('x', os.O_WRONLY)",
        "os.open('x', os.O_RDONLY | os.O_CREAT)",
        "os.open('x', flags)",
        "os.fdopen(3, 'w')",
        "os.write(3, b'')",
        "os.execv('x', [])",
        "import tempfile as t\nt.mkstemp()",
        "from tempfile import NamedTemporaryFile as N\nN()",
        "from shutil import copy\ncopy(a, b)",
        "cv2.imwrite('x', a)",
        "np.save('x', a)",
        "numpy.savez('x', a=a)",
        "a.tofile('x')",
        "av.open('x', 'w')",
        "av.open(sink, mode='w')",
        "FileResponse('x')",
        "starlette.responses.StreamingResponse(x)",
        "import socket\nsocket.socket()",
        "import requests as r\nr.post(u)",
        "from httpx import post\npost(u)",
        "import urllib.request\nurllib.request.urlopen(u)",
        "import subprocess\nsubprocess.run([])",
        "__import__('socket')",
    ],
)
def test_the_scan_finds(line: str) -> None:
    assert list(sinks(ast.parse(line)))


@pytest.mark.parametrize(
    "line",
    [
        "open('x')",
        "open('x', 'rb')",
        "path.open()",
        "path.open('rb')",
        "path.open(mode='r')",
        "os.open('x', os.O_RDONLY | os.O_CLOEXEC)",
        "av.open(file)",
        "av.open(file, 'r')",
        "path.read_bytes()",
        "np.load(file)",
        "text.replace('a', 'b')",
        "stream.write(b'')",
    ],
)
def test_the_scan_passes(line: str) -> None:
    assert not list(sinks(ast.parse(line)))
