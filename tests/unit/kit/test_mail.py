from datetime import UTC, datetime
from pathlib import Path

import pytest
from mailboxes import Mailbox, mailbox

from assent.kit.errors import FetchError, InputError, IntegrityError
from assent.kit.mail import (
    Attachment,
    MailServer,
    Message,
    check_address,
    load_mail,
    save_mail,
    send,
)
from assent.kit.vault.secrets import SecretStore

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def letter(**changes: object) -> Message:
    usual: dict[str, object] = {"to": ("a@b.example",), "subject": "Hello", "body": "Good day."}
    return Message(**{**usual, **changes})  # type: ignore[arg-type] # fields of a message


@pytest.mark.enable_socket
@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_letter_arrives_with_its_document(security: str) -> None:
    pdf = Attachment(name="notice 1.pdf", kind="application/pdf", data=b"%PDF-1.4 ...")
    with mailbox(security) as box:  # type: ignore[arg-type] # one of the two
        number = send(box.server(), letter(body="Ünïcödé\n.\nend", attachments=(pdf,)), now=NOW)
    (got,) = box.letters
    assert got["Message-ID"] == number
    assert number.endswith("@studio.example>")
    assert got["Subject"] == "Hello"
    assert got.get_body().get_content().replace("\r", "") == "Ünïcödé\n.\nend\n"  # type: ignore[union-attr] # it has one
    (document,) = got.iter_attachments()
    assert (document.get_filename(), document.get_content()) == ("notice-1.pdf", pdf.data)


@pytest.mark.enable_socket
def test_what_strangers_write_adds_no_header_and_no_recipient() -> None:
    evil = "Hi\r\nBcc: victim@example.org\r\n\r\nBuy"
    with mailbox() as box:
        send(box.server(), letter(subject=evil, body=f"{evil}\r\n.\r\nMAIL FROM:<x@y.z>"), now=NOW)
    (got,) = box.letters
    assert box.recipients == ["a@b.example"]
    assert got["Bcc"] is None
    assert got["Subject"] == "Hi Bcc: victim@example.org Buy"


@pytest.mark.parametrize(
    "address",
    ["", "a", "a@", "@b.c", "a@b.c\nBcc: d@e.f", "a b@c.d", "a@b.c,d@e.f", "a..b@c.d", "a@-b.c.",
     "<a@b.c>", 'x"@b.c', "a@b.c" * 90],
)  # fmt: skip
def test_other_addresses_are_refused(address: str) -> None:
    with pytest.raises(InputError):
        check_address(address)


@pytest.mark.enable_socket
def test_a_server_whose_certificate_is_not_believed_gets_nothing() -> None:
    with mailbox() as box, mailbox() as other:
        for trust in (None, other.trust_pem):
            with pytest.raises(FetchError, match="did not take"):
                send(box.server(trust_pem=trust), letter(), now=NOW)
        assert not box.letters


@pytest.mark.enable_socket
def test_a_server_without_tls_gets_nothing() -> None:
    with mailbox("plain") as box, pytest.raises(FetchError):
        send(box.server(), letter(), now=NOW, seconds=1)
    assert not box.letters


@pytest.mark.enable_socket
@pytest.mark.parametrize("mood", ["refusing", "full"])
def test_a_letter_that_is_not_taken_is_told(mood: str) -> None:
    with mailbox() as box:
        box.mood = mood  # type: ignore[assignment] # one of them
        with pytest.raises(FetchError):
            send(box.server(), letter(), now=NOW)
        with pytest.raises(FetchError):
            send(box.server(user="another"), letter(), now=NOW)
    with pytest.raises(FetchError):
        send(box.server(), letter(), now=NOW, seconds=1)


@pytest.mark.enable_socket
def test_a_letter_counts_as_sent_if_everyone_gets_it() -> None:
    with mailbox() as box, pytest.raises(FetchError, match="refused 1"):
        send(box.server(), letter(to=("a@b.example", "nobody@b.example")), now=NOW)


@pytest.mark.parametrize(
    "change", [{"to": ()}, {"to": ("a@b.example",) * 21}, {"body": "x" * 200_001}]
)
def test_senseless_letters_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(InputError):
        send(Mailbox(1, "", "tls").server(trust_pem=None), letter(**change), now=NOW)


@pytest.mark.parametrize(
    "change",
    [{"host": "a b"}, {"port": 0}, {"security": "none"}, {"user": None}, {"sender": "nobody"}],
)
def test_senseless_servers_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(InputError):
        Mailbox(1, "", "tls").server(**change)


def test_the_settings_are_kept_sealed(tmp_path: Path) -> None:
    store = SecretStore(tmp_path)
    assert load_mail(store) is None
    server = Mailbox(25, "", "tls").server(trust_pem=None)
    save_mail(store, server)
    assert load_mail(store) == server
    assert str(server.password) not in repr(server)
    assert not any(b"random words" in f.read_bytes() for f in tmp_path.iterdir() if f.is_file())
    store.put("mail", b'{"host": 1}')
    with pytest.raises(IntegrityError, match="damaged"):
        load_mail(store)


@pytest.mark.parametrize("address", [".a@x.example", "a.@x.example", "=?utf-8?q?x?=@x.example"])
def test_an_address_that_no_letter_can_carry_is_refused_when_it_is_typed(address: str) -> None:
    with pytest.raises(InputError, match="no e-mail address"):
        check_address(address)


@pytest.mark.enable_socket
def test_a_server_whose_name_no_network_knows_is_told() -> None:
    server = MailServer(
        host=f"{'a' * 64}.example", port=587, security="starttls", sender="s@b.example"
    )
    with pytest.raises(FetchError, match="did not take"):
        send(server, letter(), now=NOW)
