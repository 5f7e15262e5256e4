"""A mail box is read over TLS from a real server: what came since, whatever it is, and no more."""

import ssl
from collections.abc import Iterator
from contextlib import suppress
from email import message_from_bytes
from email.policy import default as modern
from typing import Any

import pytest
from letterboxes import LetterBox, letter_box
from studios import Scene

from assent.kit.errors import FetchError, InputError
from assent.kit.fetch.wire import Fetch
from assent.monitor.watch.asking import Asked, Asking, ask, readable
from assent.monitor.watch.finds import in_message
from assent.monitor.watch.polite import Polite
from assent.monitor.watch.sources import Source, add_source, find_source, note_look

pytestmark = [pytest.mark.enable_socket, pytest.mark.timeout(300)]

PLAIN = b"From: a@b.example\r\nSubject: Look\r\nDate: Fri, 20 Nov 2026 10:00:00 +0000\r\n"


def letter(text: str) -> bytes:
    return PLAIN + b"\r\n" + text.encode() + b"\r\n"


@pytest.fixture
def box() -> Iterator[LetterBox]:
    with letter_box() as opened:
        yield opened


def source_of(scene: Scene, box: LetterBox, address: str = "") -> Source:
    return add_source(
        scene.studio, name="box", kind="mail", address=address or box.address, secret=box.secret
    )


def look(scene: Scene, source: Source, box: LetterBox, **changes: Any) -> Asked:  # noqa: ANN401
    """Ask the source, and have it remember what it should."""
    known = {"secret": box.secret, "trust": box.trust, **changes}
    asked = ask(
        find_source(scene.studio, source.id),
        Asking(polite=Polite(clock=scene.clock, how=Fetch()), **known),
    )
    note_look(scene.studio, source, problem=None, state=asked.state)
    return asked


def found(asked: Asked) -> list[str]:
    return [each.address for each in asked.finds]


def test_addresses_come_from_what_is_new_and_nothing_is_changed(
    scene: Scene, box: LetterBox
) -> None:
    source = source_of(scene, box)
    assert found(look(scene, source, box)) == []
    box.put(letter("See https://a.example/1."), letter("And https://a.example/2 (now)"))
    before = box.flags()
    asked = look(scene, source, box)
    assert found(asked) == ["https://a.example/1", "https://a.example/2"]
    assert asked.finds[0].context["published"].startswith("Fri, 20 Nov 2026")
    assert found(look(scene, source, box)) == []
    box.put(letter("https://a.example/3"))
    assert found(look(scene, source, box)) == ["https://a.example/3"]
    assert box.flags()[: len(before)] == before
    assert not any(b"Seen" in each for each in box.flags())


def test_a_box_that_was_made_anew_is_read_from_its_beginning(scene: Scene, box: LetterBox) -> None:
    source = source_of(scene, box)
    box.put(letter("https://a.example/1"))
    state = look(scene, source, box).state
    note_look(scene.studio, source, problem=None, state={**state, "valid": "1", "uid": 900})
    assert found(look(scene, source, box)) == ["https://a.example/1"]


def nested(depth: int) -> bytes:
    """A letter in a letter in a letter, each with many parts."""
    inner = b"Content-Type: text/plain\r\n\r\nhttps://deep.example/1\r\n"
    for number in range(depth):
        edge = b"edge%d" % number
        head = b'Content-Type: multipart/mixed; boundary="%s"\r\n\r\n' % edge
        inner = head + b"--%s\r\n%s\r\n--%s--\r\n" % (edge, inner, edge)
    return PLAIN + b"MIME-Version: 1.0\r\n" + inner


HOSTILE = {
    "no head": b"\r\n\r\n",
    "bytes that are no text": bytes(range(1, 256)).replace(b"\r", b"").replace(b"\n", b"") * 20,
    "unknown charset": PLAIN + b"Content-Type: text/plain; charset=klingon\r\n\r\n\xff\xfe x",
    "wrong encoding": PLAIN + b"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n"
    b"\r\n!!!!not base64!!!!",
    "edge that never comes": PLAIN + b'Content-Type: multipart/mixed; boundary="x"\r\n\r\nno edge',
    "edge without a name": PLAIN + b"Content-Type: multipart/mixed\r\n\r\nhttps://no.example/edge",
    "nested": nested(60),
    "many parts": PLAIN + b'Content-Type: multipart/mixed; boundary="x"\r\n\r\n'
    + b"--x\r\nContent-Type: text/plain\r\n\r\ny\r\n" * 3_000 + b"--x--\r\n",
    "long head": PLAIN + b"X-Long: " + b"a" * 900_000 + b"\r\n\r\nhttps://long.example/1",
    "many heads": PLAIN + b"X: y\r\n" * 50_000 + b"\r\nhttps://heads.example/1",
    "broken heads": b"Date: \xff\xff\r\nSubject: =?utf-8?b?////?=\r\nContent-Type: ;;;=\r\n\r\nx",
    "date of nowhen": b"Date: Fri, 99 Foo 99999999999999 99:99:99 +9999\r\n\r\nhttps://d.example/1",
    "not the web": letter("file:///etc/passwd javascript:alert(1) http://[::1 https://u:p@x.example/"),
    "addresses without end": letter("https://" + "a" * 30_000 + " https://ok.example/1"),
}  # fmt: skip


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_letter_that_is_made_to_do_harm_is_in_nobodys_way(
    scene: Scene, box: LetterBox, kind: str
) -> None:
    source = source_of(scene, box)
    box.put(letter("https://before.example/1"), HOSTILE[kind], letter("https://after.example/1"))
    named = found(look(scene, source, box))
    assert named[0] == "https://before.example/1"
    assert named[-1] == "https://after.example/1"
    assert all(each.startswith("https://") and "passwd" not in each for each in named)
    assert len(named) <= 3
    assert found(look(scene, source, box)) == []


@pytest.mark.parametrize("depth", [60, 400, 3000])
def test_letters_in_letters_without_end_are_read_or_passed_over(depth: int) -> None:
    """The server of these tests takes none such; others hand them on as they came."""
    with suppress(InputError), readable("a letter"):
        named = in_message(message_from_bytes(nested(depth), policy=modern))
        assert {each.address for each in named} <= {"https://deep.example/1"}


def test_of_a_huge_letter_only_the_beginning_is_fetched(scene: Scene, box: LetterBox) -> None:
    source = source_of(scene, box)
    filling = "x" * 78 + "\r\n"
    huge = letter("https://first.example/1\r\n" + filling * 120_000 + "https://last.example/1")
    assert len(huge) > 9_000_000
    box.put(huge, letter("https://after.example/1"))
    assert found(look(scene, source, box)) == ["https://first.example/1", "https://after.example/1"]


def test_two_hundred_letters_are_read_at_a_time(scene: Scene, box: LetterBox) -> None:
    source = source_of(scene, box)
    box.put(*(letter(f"https://a.example/{number}") for number in range(205)))
    assert len(found(look(scene, source, box))) == 200
    assert found(look(scene, source, box)) == [f"https://a.example/{n}" for n in range(200, 205)]


def test_who_is_not_let_in_is_told_so_without_a_name(scene: Scene, box: LetterBox) -> None:
    source = source_of(scene, box)
    for changes in ({"secret": b"wrong"}, {"trust": ssl.create_default_context()}):
        with pytest.raises(FetchError, match="can't be read") as told:
            look(scene, source, box, **changes)
        assert "watch" not in str(told.value)
        assert "ducks" not in str(told.value)
    with pytest.raises(InputError, match="missing"):
        look(scene, source, box, secret=None)


@pytest.mark.parametrize("name", ["None", "a%22%20b", "..%5C..", "%F0%9F%90%A6"])
def test_a_box_that_there_is_not_is_told(scene: Scene, box: LetterBox, name: str) -> None:
    source = source_of(scene, box, box.named(name))
    with pytest.raises((FetchError, InputError)):
        look(scene, source, box)


def test_a_name_with_a_line_break_reaches_no_server(scene: Scene, box: LetterBox) -> None:
    source = source_of(scene, box, box.named("a%0D%0AA1%20DELETE%20INBOX"))
    with pytest.raises(InputError, match="name that can't be"):
        look(scene, source, box)
