"""A little web site publishes copies of a release; the monitor finds them, and what follows."""

import itertools
import json
import socket
import struct
import subprocess
import time
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from zlib import compress, crc32

import imageio_ffmpeg
import pytest
from asgi import Client
from casts import Cast, Stage
from mailboxes import mailbox
from served import Served, answer, serve

from assent.apps.public.place import place_of
from assent.apps.public.publish import publish_facts
from assent.apps.public.server import build, corner_of
from assent.apps.public.source import Source
from assent.consent.people import add_person
from assent.kit.fetch.wire import Fetch, Limits
from assent.kit.mail import save_mail
from assent.kit.signing import new_key, public_of
from assent.monitor.cases.acts import act, propose
from assent.monitor.cases.approval import approve, sign_approval
from assent.monitor.cases.case import find_case
from assent.monitor.cases.clocks import tick
from assent.monitor.watch import polite as polite_module
from assent.monitor.watch.polite import Polite
from assent.monitor.watch.reach import dashboard
from assent.monitor.watch.rounds import Result, open_round
from assent.monitor.watch.seen import Seen, list_seen
from assent.monitor.watch.sources import add_source, list_sources
from assent.monitor.watch.standing import Standing
from assent.monitor.watch.telling import open_cases, save_readers, tell
from assent.verify.examine import examine

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.enable_socket,
]

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
QUICK = Limits(size=3_000_000, seconds=20.0, silence=4.0, slowest=2000.0, redirects=3)


@dataclass
class Site:
    """What a web site answers by path, and how often each was asked for."""

    pages: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def say(self, talk: socket.socket, request: bytes) -> None:
        head = request.split(b"\r\n\r\n")[0].decode()
        path = head.split(" ")[1]
        self.asked.append(path)
        if path == "/endless":
            self._endless(talk)
        elif path == "/slow":
            self._drip(talk)
        elif path in self.pages and f'If-None-Match: "{path}"' in head:
            talk.sendall(answer(status="304 Not Modified"))
        else:
            body = self.pages.get(path)
            if body is None:
                talk.sendall(answer(status="404 Not Found"))
            elif body.startswith(b"HTTP/1.1"):
                talk.sendall(body)
            else:
                talk.sendall(answer(body, "200 OK", f'ETag: "{path}"'))

    def _drip(self, talk: socket.socket) -> None:
        try:
            talk.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            for _ in range(100):
                talk.sendall(b"\0")
                time.sleep(0.2)
        except OSError:
            return

    def _endless(self, talk: socket.socket) -> None:
        talk.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\n\r\n")
        try:
            for _ in range(2000):
                talk.sendall(b"\0" * 65536)
        except OSError:
            return


def feed(served: Served, *paths: str) -> bytes:
    items = "".join(
        f"<item><title>Clip {p}</title><enclosure url='{served.url}{p}' type='video/mp4'/></item>"
        for p in paths
    )
    return f"<?xml version='1.0'?><rss version='2.0'><channel>{items}</channel></rss>".encode()


def changed(source: Path, to: Path, *how: str) -> bytes:
    subprocess.run([FFMPEG, "-v", "error", "-y", "-i", str(source), *how, str(to)], check=True)
    return to.read_bytes()


@pytest.fixture
def stage(released: Cast, tmp_path: Path) -> Stage:
    return released.open_copy(tmp_path / "studio")


def go(stage: Stage, *, limits: Limits = polite_module.MEDIA) -> Result:
    polite = Polite(clock=stage.studio.clock, how=Fetch(), rest=lambda _: None, media=limits)
    with open_round(stage.studio, polite) as rounds:
        return rounds.run()


def test_copies_are_found_and_what_is_wrong_is_followed_up(stage: Stage, tmp_path: Path) -> None:
    studio, made = stage.studio, stage.released()
    channel = stage.purpose.brief.channels[0]
    site = Site()
    site.pages["/same.mp4"] = made.path.read_bytes()
    site.pages["/again.mp4"] = changed(made.path, tmp_path / "a.mp4", "-crf", "26", "-an")
    # The label is at the top right: the lower left of the picture is without it.
    cut = "crop=iw*0.86:ih*0.84:0:ih*0.16,hflip"
    site.pages["/cut.mp4"] = changed(made.path, tmp_path / "c.mp4", "-vf", cut, "-crf", "24", "-an")
    stranger = "testsrc2=size=320x240:duration=2"
    other = tmp_path / "o.mp4"
    subprocess.run([FFMPEG, "-v", "error", "-f", "lavfi", "-i", stranger, str(other)], check=True)
    site.pages["/other.mp4"] = other.read_bytes()
    with serve(site.say) as served, mailbox() as box:
        site.pages["/feed"] = feed(served, "same.mp4", "again.mp4", "cut.mp4", "other.mp4")
        add_source(
            studio, name="site", kind="feed", address=f"{served.url}feed",
            channel=channel, territory=stage.purpose.brief.jurisdictions[0],
            settings={"own": True},
        )  # fmt: skip
        save_mail(studio.secrets, box.server())
        save_readers(studio, ["watch@studio.example"])
        result = go(stage)
        opened = open_cases(studio, result.seen)
        assert tell(studio, now=studio.clock()) >= 1
        seen = {each.place.rsplit("/", 1)[1]: each for each in list_seen(studio)}

        assert result.problems == []
        assert result.looked == 4
        assert set(seen) == {"same.mp4", "again.mp4", "cut.mp4"}
        assert {each.asset_id for each in seen.values()} == {made.asset_id}
        assert seen["same.mp4"].verdict == "sealed"
        assert seen["same.mp4"].standing is Standing.ALLOWED
        assert seen["again.mp4"].label == "seen"
        _check_cut(seen["cut.mp4"])
        assert [each.place for each in opened] == [seen["cut.mp4"].place]
        (letter,) = box.letters
        assert seen["cut.mp4"].place in str(letter.get_content())
        assert seen["same.mp4"].place not in str(letter.get_content())

        # Nothing is told, opened or fetched twice.
        asked = len(site.asked)
        assert open_cases(studio, list_seen(studio)) == ()
        assert tell(studio, now=studio.clock()) == 0
        stage.clock.now += timedelta(days=2)
        again = go(stage)
        assert (again.looked, again.unchanged) == (0, 4)
        assert len(site.asked) > asked

        public = _public_pages(stage)
        record = f"/assent/en/r/{made.asset_id}"
        copies = (made.path, tmp_path / "a.mp4", tmp_path / "c.mp4")
        assert "revoked" not in public.get(record).text.lower()
        assert [examine(path, stage.log).ended for path in copies] == [None, None, None]
        _notify_and_revoke(stage, seen["cut.mp4"])
        assert any("platform" in str(each["To"]) for each in box.letters)
    for path in copies:
        found = examine(path, stage.log)
        assert (found.asset_id, found.ended) == (made.asset_id, "revoked"), path
        assert "has revoked this release" in found.summary
    page = public.get(record)
    assert page.status_code == 200
    assert "has revoked this release and no longer vouches for it" in page.text
    shown = dashboard(studio)
    assert (shown.copies, shown.cases, len(shown.unlabelled)) == (3, 1, 1)
    assert json.dumps(shown.to_json())


def _public_pages(stage: Stage) -> Client:
    """The public corner as it is served, with a clock on which no answer is young."""
    publish_facts(stage.studio)
    hours = itertools.count(step=3600.0)
    source = Source(
        stage.studio.folder, vkey=stage.studio.log_verifier.vkey, monotonic=lambda: next(hours)
    )
    place = place_of("https://films.example/assent", contact="a@b.example")
    return Client(build(corner_of(source, place, studio=stage.studio)))


def _check_cut(seen: Seen) -> None:
    assert seen.standing is Standing.UNLABELLED
    assert seen.label == "missing"
    (part,) = seen.parts["pictures"]
    assert part["mirrored"]
    assert part["at"] == pytest.approx(0, abs=0.6)
    assert seen.case_number


def _notify_and_revoke(stage: Stage, seen: Seen) -> None:
    studio = stage.studio
    row = next(each for each in list_seen(studio) if each.place == seen.place)
    case = find_case(studio, str(row.case_number))
    to = {"to": "abuse@platform.example", "reasons": "Our release is shown without its label."}
    act(studio, case, "notify", to, by="cleo")
    key = new_key()
    dana = add_person(studio, handle="dana", name="Dana", key=public_of(key), staff=True)
    proposed = propose(studio, case, "revoke", by="cleo")
    cleo = stage.cleo
    approve(
        studio, proposed.id, cleo.person, sign_approval(studio, proposed, cleo.person, cleo.key)
    )
    approve(studio, proposed.id, dana, sign_approval(studio, proposed, dana, key))
    tick(studio)


def test_what_a_hostile_site_does_is_refused_bounded_and_told(stage: Stage, tmp_path: Path) -> None:
    studio = stage.studio
    site = Site()
    inward = answer(b"", "302 Found", "Location: http://169.254.169.254/latest")
    huge = b"HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n"
    site.pages |= {"/inward": inward, "/huge": huge, "/bomb.png": _bomb()}
    with serve(site.say) as served:
        paths = ("huge", "inward", "endless", "slow", "bomb.png", "gone.mp4")
        lines = "\n".join([f"{served.url}{path}" for path in paths])
        address = tmp_path / "list.txt"
        address.write_text(f"{lines}\nfile:///etc/passwd\nhttp://127.0.0.1:1/x\n")
        add_source(studio, name="list", kind="list", address=str(address), settings={"own": True})
        said: dict[str, str] = {}
        for _ in range(12):
            # A host that failed is left alone for a while, and on a busy machine others are slow.
            for problem in go(stage, limits=QUICK).problems:
                name = problem.place.rsplit("/", 1)[1]
                said[name] = f"{said.get(name, '')}; {problem.says}"
            stage.clock.now += timedelta(hours=25)
            if all(words in said.get(name, "") for name, words in REFUSALS.items()):
                break
    assert {name for name, words in REFUSALS.items() if words not in said.get(name, "")} == set()
    assert "passwd" not in str(said)
    assert list_seen(studio) == ()


REFUSALS = {
    "inward": "private network",
    "huge": "more than",
    "endless": "more than",
    "slow": "slowly",
    "gone.mp4": "nothing there any more",
    "bomb.png": "bomb.png",
    "x": "reached",
}


def test_what_fails_each_time_is_in_nobodys_way(stage: Stage, tmp_path: Path) -> None:
    """A host is left alone after some failures: the rest of it is looked at in the next round."""
    site = Site()
    broken = b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"
    cut_short = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"
    site.pages |= dict.fromkeys([f"/bad{number}" for number in range(20)], cut_short)
    site.pages["/worse"] = broken
    with serve(site.say) as served:
        paths = [*(path.strip("/") for path in site.pages), *(f"gone{n}" for n in range(5))]
        address = tmp_path / "list.txt"
        address.write_text("\n".join(f"{served.url}{path}" for path in paths))
        add_source(
            stage.studio, name="list", kind="list", address=str(address), settings={"own": True}
        )
        rested = 0
        for _ in range(30):
            result = go(stage)
            rested += sum("left alone" in problem.says for problem in result.problems)
            stage.clock.now += timedelta(hours=25)
            if set(site.asked) >= {f"/{path}" for path in paths}:
                break
    assert set(site.asked) == {f"/{path}" for path in paths}
    assert rested > 0


def _bomb() -> bytes:
    """A picture of a few bytes that says it has 3,600 million places."""

    def part(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc32(kind + data))

    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    rows = part(b"IDAT", compress(bytes(60_001 * 60)))
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + rows + part(b"IEND", b"")


def test_a_feed_may_not_lead_into_the_studios_network(stage: Stage) -> None:
    """The feed's own host is the owner's; what it names elsewhere is a stranger's."""
    site = Site()
    with serve(site.say) as served, serve(Site().say) as inner:
        site.pages["/feed"] = feed(served, "x.mp4").replace(served.url.encode(), inner.url.encode())
        add_source(
            stage.studio, name="feed", kind="feed", address=f"{served.url}feed",
            settings={"own": True},
        )  # fmt: skip
        result = go(stage)
    (problem,) = result.problems
    assert "private network" in problem.says or "port" in problem.says
    assert inner.requests == []
    (source,) = list_sources(stage.studio)
    assert source.problem is None
