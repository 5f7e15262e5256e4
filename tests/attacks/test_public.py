"""The public pages against who means harm: hostile files, floods, smuggled headers, markup."""

import json
import re
import socket
import subprocess
import threading
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from asgi import Client
from corner import TIME, VALID, Told, make_corner, tell

from assent.apps.public.checks import Limits
from assent.apps.public.place import place_of
from assent.apps.public.server import build, corner_of

STINGY = Limits(
    largest=8 << 20, places=4, scratch=16 << 20, each=4, seconds=30.0, memory=1 << 30, arrive_s=5.0
)
MARKUP = '"><script>alert(1)</script>'


@pytest.fixture
def told(tmp_path: Path) -> Iterator[Told]:
    made = make_corner(tmp_path, limits=STINGY)
    yield made
    made.corner.checks.close()


@contextmanager
def served(told: Told) -> Iterator[int]:
    """Serve on a free port, with addresses that are all one neighbour's."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen(512)
    port = listening.getsockname()[1]
    corner = corner_of(
        told.source, place_of(f"http://localhost:{port}", contact="x"), limits=STINGY
    )
    config = uvicorn.Config(
        build(corner), log_level="error", access_log=False, server_header=False,
        limit_concurrency=1000, proxy_headers=False, timeout_keep_alive=5,
    )  # fmt: skip
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        while not server.started:
            time.sleep(0.02)
        yield port
    finally:
        server.should_exit = True
        thread.join()
        listening.close()


def talk(port: int, request: bytes, *, wait: float = 20) -> bytes:
    """Send bytes as they are and return all that comes back."""
    with socket.create_connection(("127.0.0.1", port), timeout=wait) as line:
        line.sendall(request)
        came = b""
        while piece := line.recv(65536):
            came += piece
        return came


def seat_request(size: int, name: str = "a.mp4") -> bytes:
    body = json.dumps({"size": size, "name": name}).encode()
    return (
        b"POST /verify/seat HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Connection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    )


def examine(client: Client, data: bytes, name: str = "a.mp4") -> tuple[str, str]:
    """Send a file; return its ticket and how it ended."""
    body = json.dumps({"size": len(data), "name": name}).encode()
    kind = {"Content-Type": "application/json"}
    answer = client.request("POST", "/assent/verify/seat", iter([body]), headers=kind)
    ticket = json.loads(answer.text)["ticket"]
    assert client.request("PUT", f"/assent/verify/{ticket}/file", iter([data])).status_code == 202
    until = time.monotonic() + 240
    while True:
        stage = json.loads(client.get(f"/assent/verify/{ticket}/state").text)["stage"]
        if stage in ("done", "failed"):
            return ticket, stage
        assert time.monotonic() < until
        time.sleep(0.1)


@pytest.mark.enable_socket
def test_two_hundred_at_once_are_served_or_told_when_to_come_back(told: Told) -> None:
    with served(told) as port:
        with ThreadPoolExecutor(200) as crowd:
            answers = list(crowd.map(lambda _: talk(port, seat_request(1000)), range(200)))
        codes = [int(answer.split(b" ", 2)[1]) for answer in answers]
        assert set(codes) <= {201, 429, 503}
        assert 1 <= codes.count(201) <= STINGY.places
        for code, answer in zip(codes, answers, strict=True):
            if code == 503:
                assert re.search(rb"\r\nretry-after: [1-9]\d*\r\n", answer, re.IGNORECASE)
        # The pages are there as before.
        assert b" 200 " in talk(port, b"GET /en/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")


@pytest.mark.enable_socket
def test_who_begins_and_stays_silent_holds_nobody_up(told: Told) -> None:
    with served(told) as port:
        silent = []
        for _ in range(40):
            line = socket.create_connection(("127.0.0.1", port))
            line.sendall(b"GET /en/ HTTP/1.1\r\nHost: a\r\nX-Slow: ")
            silent.append(line)
        page = talk(port, b"GET /en/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert b" 200 " in page
        for line in silent:
            line.close()


@pytest.mark.enable_socket
@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        b"Content-Length: 5\r\nContent-Length: 6\r\n",
        b"Content-Length: +5\r\n",
        b"Content-Length: 5, 6\r\n",
        b"Transfer-Encoding: xchunked\r\n",
        b"Content-Length : 5\r\n",
        b"X-A: b\r\n X-Folded: c\r\nContent-Length: 99\r\n",
    ],
)
def test_a_second_request_is_never_smuggled_behind_the_first(told: Told, head: bytes) -> None:
    hidden = b"GET /en/r/%s/ HTTP/1.1\r\nHost: a\r\n\r\n" % VALID.encode()
    body = b"0\r\n\r\n" + hidden
    with served(told) as port:
        came = talk(
            port,
            b"POST /verify/seat HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
            b"Connection: close\r\n" + head + b"\r\n" + body,
        )
        assert came.count(b"HTTP/1.1 ") <= 1
        assert b"This release stands" not in came


def test_nothing_of_a_request_gets_into_what_caches_keep(told: Told) -> None:
    plain = told.client.get(f"/assent/en/r/{VALID}")
    evil = "evil.example"
    for name, value in {
        "Host": evil,
        "X-Forwarded-Host": evil,
        "X-Forwarded-Proto": "gopher",
        "X-Original-URL": f"/{evil}",
        "X-Rewrite-URL": f"/{evil}",
        "Forwarded": f"host={evil}",
        "Referer": f"https://{evil}/",
        "Accept-Language": "de",
        "Cookie": "lang=de",
        "Range": "bytes=0-9",
        "X-HTTP-Method-Override": "DELETE",
        "User-Agent": MARKUP,
    }.items():
        answer = told.client.get(f"/assent/en/r/{VALID}", {name: value})
        assert (answer.status_code, answer.content) == (200, plain.content), name
        assert answer.headers == plain.headers, name
    assert told.client.get(f"/assent/en/r/{VALID}?x={MARKUP}").content == plain.content


def test_markup_in_names_and_words_stays_text(tmp_path: Path) -> None:
    told = make_corner(tmp_path, name=MARKUP, limits=STINGY)
    tell(told.studio, VALID, words={"en": MARKUP}, label=MARKUP, category=MARKUP)
    for path in ("/en/", f"/en/r/{VALID}", f"/de/r/{VALID}/card", "/en/log/", "/es/report/",
                 f"/en/find?id={MARKUP}", "/en/verify/"):  # fmt: skip
        text = told.client.get(f"/assent{path}").text
        assert "<script>alert" not in text, path
    ticket, stage = examine(told.client, b"nothing at all", name=MARKUP)
    assert stage == "failed"
    assert "<script>alert" not in told.client.get(f"/assent/en/verify/{ticket}/").text
    told.corner.checks.close()


def test_a_lookup_tells_no_more_by_its_time(told: Told) -> None:
    """Known or unknown, the same work is done: one look into a table."""
    state = told.source.now()
    took: dict[str, float] = {}
    for name, asset in (("known", "0123456789abcdef"), ("unknown", "f" * 16)):
        began = time.thread_time()
        for _ in range(2000):
            state.find(asset)
        took[name] = time.thread_time() - began
    assert 0.2 < took["known"] / took["unknown"] < 5


def _zip_bomb(folder: Path) -> bytes:
    path = folder / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("a", bytes(64 << 20))
    return path.read_bytes()


def _huge_picture(folder: Path) -> bytes:
    """A PNG that says it has 60,000 x 60,000 pixels."""
    import zlib

    def chunk(kind: bytes, data: bytes) -> bytes:
        checked = kind + data
        return len(data).to_bytes(4, "big") + checked + zlib.crc32(checked).to_bytes(4, "big")

    size = (60_000).to_bytes(4, "big") * 2
    body = zlib.compress(bytes(1 << 20))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size + bytes([8, 2, 0, 0, 0])) + chunk(b"IDAT", body)
        + chunk(b"IEND", b"")
    )  # fmt: skip


def _playlist(folder: Path) -> bytes:
    return (
        b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n"
    )


def _concat(folder: Path) -> bytes:
    return b"ffconcat version 1.0\nfile /etc/passwd\n"


def _markup(folder: Path) -> bytes:
    return b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>"


@pytest.mark.parametrize("make", [_zip_bomb, _huge_picture, _playlist, _concat, _markup])
def test_hostile_files_are_refused_in_words(told: Told, make: Any, tmp_path: Path) -> None:  # noqa: ANN401
    ticket, stage = examine(told.client, make(tmp_path))
    assert stage == "failed"
    page = told.client.get(f"/assent/en/verify/{ticket}/").text
    assert "can&#39;t be examined" in page
    assert "root:" not in page
    assert "/proc" not in page
    # And the next one is served.
    assert told.corner.checks.seat(name="b", size=9, address="c").stage == "seated"


def test_no_file_of_a_stranger_lies_about(told: Told, tmp_path: Path) -> None:
    before = set(Path("/tmp").iterdir())  # noqa: S108 - where the system's scratch is
    examine(told.client, b"a secret of somebody")
    made = set(Path("/tmp").iterdir()) - before  # noqa: S108
    found = subprocess.run(
        ["grep", "-rl", "a secret of somebody", str(told.studio.folder), *map(str, made)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.stdout == ""


def test_times_in_records_cannot_be_markup(tmp_path: Path) -> None:
    told = make_corner(tmp_path)
    told.note({"kind": "consent.withdrawn", "receipt": "22" * 32, "time": MARKUP})
    text = told.client.get(f"/assent/en/r/{VALID}").text
    assert "<script>alert" not in text
    assert TIME not in MARKUP
