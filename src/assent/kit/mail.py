"""The door for e-mail: one message through the server that the owner named, always by TLS.

    send(server, Message(to=("desk@platform.example",), subject="Notice", body="..."), now=clock())

Nothing a stranger wrote can add a header or an address: addresses are held to a plain form, a
subject is one printable line, and what is written in a body stays in it.
"""

import re
import secrets
import smtplib
import ssl
from dataclasses import asdict, dataclass, field
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any, Literal

from assent.kit.canonical import canonical, parse_object
from assent.kit.errors import FetchError, InputError, IntegrityError
from assent.kit.vault.secrets import SecretStore

__all__ = [
    "Attachment",
    "MailServer",
    "Message",
    "check_address",
    "load_mail",
    "one_line",
    "save_mail",
    "send",
]

SECRET = "mail"  # noqa: S105 - the name of a secret
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,190}")
# Such as =?utf-8?q?x?=: who reads a header takes it for something else than what it says.
_ENCODED = "=?"
_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}|\[[0-9a-fA-F:]{2,39}\]")
_LONGEST_SUBJECT = 180
_LONGEST_BODY = 200_000
_MOST_RECIPIENTS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """A server that takes the studio's e-mail.

    Attributes:
        host: its name or address.
        port: 587 for STARTTLS, 465 for TLS from the first byte.
        security: which of the two; there is no third.
        sender: the studio's own address.
        user: who signs in, or nobody.
        password: theirs.
        trust_pem: the only authorities that are believed; None for the system's.
    """

    host: str
    port: int
    security: Literal["starttls", "tls"]
    sender: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    trust_pem: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Raise `InputError` for what could not be used."""
        check_address(self.sender)
        if not _HOST.fullmatch(self.host) or not 0 < self.port < 65536:
            raise InputError(f"{self.host[:60]}:{self.port} is no mail server")
        if self.security not in ("starttls", "tls"):
            raise InputError("mail is sent by STARTTLS or TLS", advice="Choose one of the two.")
        if (self.user is None) != (self.password is None):
            raise InputError("a user goes with a password", advice="Give both or neither.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A document that goes along."""

    name: str
    kind: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is sent, as plain text."""

    to: tuple[str, ...]
    subject: str
    body: str
    attachments: tuple[Attachment, ...] = ()


def check_address(text: str) -> str:
    """Return an e-mail address as it may be written to; raises `InputError`.

    >>> check_address("ada@example.org")
    'ada@example.org'
    """
    local, _, domain = text.rpartition("@")
    dots = ".." in text or local.strip(".") != local or domain.strip(".-") != domain
    if not _ADDRESS.fullmatch(text) or dots or _ENCODED in local:
        raise InputError(
            f"{one_line(text)[:60]!r} is no e-mail address", advice="Write it as name@example.org."
        )
    return text


def one_line(text: str) -> str:
    """Return `text` as one line without what a header or a terminal would obey."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def save_mail(store: SecretStore, server: MailServer) -> None:
    """Keep the server, sealed with the studio's other secrets."""
    store.put(SECRET, canonical(asdict(server)))


def load_mail(store: SecretStore) -> MailServer | None:
    """Return the server that was chosen, if any; raises `IntegrityError` if it is damaged."""
    if SECRET not in store.names():
        return None
    fields: dict[str, Any] = parse_object(store.get(SECRET), name="the mail server's settings")
    try:
        return MailServer(**fields)
    except (TypeError, InputError) as error:
        raise IntegrityError(
            "the mail server's settings are damaged", advice="Set it again: `assent case mail`."
        ) from error


def send(server: MailServer, message: Message, *, now: datetime, seconds: float = 30.0) -> str:
    """Hand the message to the server and return its id; raises `InputError`, `FetchError`.

    Either the server took it for every recipient, or it counts as not sent.
    """
    made = _compose(server, message, now)
    try:
        with _connected(server, seconds) as wire:
            if server.user is not None and server.password is not None:
                wire.login(server.user, server.password)
            refused = wire.send_message(made, server.sender, list(message.to))
    # UnicodeError: of a name that no server can have, or a password that it can't be told.
    except (OSError, UnicodeError, smtplib.SMTPException) as error:
        raise FetchError(
            f"the mail server {server.host} did not take the message: {type(error).__name__}",
            advice="Check server, TLS and sign-in (`assent case mail`); it is tried again.",
        ) from error
    if refused:
        raise FetchError(f"the mail server {server.host} refused {len(refused)} recipient(s)")
    return str(made["Message-ID"])


def _connected(server: MailServer, seconds: float) -> smtplib.SMTP:
    context = ssl.create_default_context(cadata=server.trust_pem)
    host = server.host.strip("[]")
    if server.security == "tls":
        return smtplib.SMTP_SSL(
            host, server.port, local_hostname="localhost", timeout=seconds, context=context
        )
    wire = smtplib.SMTP(host, server.port, local_hostname="localhost", timeout=seconds)
    try:
        # A server that offers none is refused: the exception says so.
        wire.starttls(context=context)
    except BaseException:
        wire.close()
        raise
    return wire


def _compose(server: MailServer, message: Message, now: datetime) -> EmailMessage:
    if not 0 < len(message.to) <= _MOST_RECIPIENTS:
        raise InputError("a message goes to between 1 and 20 addresses")
    if len(message.body) > _LONGEST_BODY:
        raise InputError("the message is too long to be sent")
    made = EmailMessage(policy=SMTP)
    made["From"] = _address(server.sender)
    made["To"] = tuple(_address(each) for each in message.to)
    made["Subject"] = one_line(message.subject)[:_LONGEST_SUBJECT]
    made["Date"] = format_datetime(now)
    # Not the machine's name: a message tells nothing of where it was written.
    made["Message-ID"] = f"<{secrets.token_hex(16)}@{server.sender.rpartition('@')[2]}>"
    made["Auto-Submitted"] = "auto-generated"
    body = "".join(c if c.isprintable() or c in "\n\t" else " " for c in message.body)
    made.set_content(body, cte="quoted-printable")
    for each in message.attachments:
        main, _, sub = each.kind.partition("/")
        name = re.sub(r"[^A-Za-z0-9._-]", "-", each.name)[:80]
        made.add_attachment(each.data, maintype=main, subtype=sub or "octet-stream", filename=name)
    return made


def _address(text: str) -> Address:
    try:
        return Address(addr_spec=check_address(text))
    except (ValueError, MessageError) as error:
        raise InputError(f"{one_line(text)[:60]!r} is no e-mail address") from error
