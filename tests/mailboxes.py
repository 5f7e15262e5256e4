"""A mail server on loopback that keeps what it is sent: real SMTP and TLS, an own certificate.

    with mailbox() as box:
        send(box.server(), message, now=clock())
        box.letters[0]["subject"]

A test that uses one is marked `enable_socket`.
"""

import asyncio
import ssl
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from assent.kit.mail import MailServer

__all__ = ["Mailbox", "certificate", "mailbox"]

USER, PASSWORD = "studio", "a few random words"


@dataclass
class Mailbox:
    """Where it listens, and every letter that it got."""

    port: int
    trust_pem: str
    security: Literal["starttls", "tls", "plain"]
    letters: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    mood: Literal["well", "refusing", "full"] = "well"

    def server(self, **changes: Any) -> MailServer:  # noqa: ANN401 - fields of a server
        """Return the settings with which it is reached."""
        usual: dict[str, Any] = {
            "host": "localhost", "port": self.port,
            "security": "starttls" if self.security == "plain" else self.security,
            "sender": "desk@studio.example", "user": USER, "password": PASSWORD,
            "trust_pem": self.trust_pem,
        }  # fmt: skip
        return MailServer(**{**usual, **changes})

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: object, session: object, envelope: Envelope, address: str, options: object
    ) -> str:
        if self.mood == "refusing" or address.startswith("nobody"):
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: object, session: object, envelope: Envelope
    ) -> str:
        if self.mood == "full":
            return "452 the disk is full"
        made = message_from_bytes(envelope.original_content or b"", policy=policy.default)
        assert isinstance(made, EmailMessage)
        self.letters.append(made)
        self.recipients += envelope.rcpt_tos
        return "250 taken"


class _Talk(SMTP):
    """One connection, which can be ended at once."""

    _line: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if self._line is None:  # with STARTTLS it is made twice
            assert isinstance(transport, asyncio.Transport)
            self._line = transport
            self._socket = transport.get_extra_info("socket")
        super().connection_made(transport)

    def hang_up(self) -> None:
        """Close the connection without another word."""
        if self._line is not None:
            self._line.abort()

    @property
    def holds_socket(self) -> bool:
        """Whether the connection's socket is still open."""
        return self._line is not None and self._socket.fileno() >= 0


async def _turns() -> None:
    """Let the loop turn a few times: transports close their sockets in a later turn."""
    for _ in range(10):
        await asyncio.sleep(0)


@contextmanager
def mailbox(security: Literal["starttls", "tls", "plain"] = "starttls") -> Iterator[Mailbox]:
    """Listen on a free port until the block ends; a `plain` one knows no TLS at all."""
    with TemporaryDirectory() as folder:
        context, pem = certificate(Path(folder))
    loop = asyncio.new_event_loop()
    box = Mailbox(port=0, trust_pem=pem, security=security)
    talks: list[_Talk] = []

    def protocol() -> SMTP:
        with warnings.catch_warnings():
            # It does not see that the whole connection is TLS already.
            warnings.simplefilter("ignore")
            talk = _Talk(
                box, hostname="localhost", loop=loop, auth_required=security != "plain",
                auth_require_tls=security == "starttls", authenticator=_known,
                require_starttls=security == "starttls",
                tls_context=context if security == "starttls" else None,
            )  # fmt: skip
        talks.append(talk)
        return talk

    async def listen() -> asyncio.Server:
        return await loop.create_server(
            protocol, "127.0.0.1", 0, ssl=context if security == "tls" else None
        )

    listening = loop.run_until_complete(listen())
    box.port = listening.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield box
    finally:

        async def stop() -> None:
            listening.close()
            # What was accepted begins, so that it closes its socket once it is cancelled.
            await _turns()
            for talk in talks:
                talk.hang_up()
            tasks = asyncio.all_tasks() - {asyncio.current_task()}
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await _turns()
            while any(talk.holds_socket for talk in talks):
                await asyncio.sleep(0.01)

        asyncio.run_coroutine_threadsafe(stop(), loop).result(60)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def _known(
    server: object, session: object, envelope: object, mechanism: str, data: LoginPassword
) -> AuthResult:
    right = (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=right, handled=right)


def certificate(folder: Path) -> tuple[ssl.SSLContext, str]:
    """Return what a server on this machine shows, and the PEM by which it is believed."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=9))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    (folder / "server.pem").write_bytes(
        pem
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "server.pem")
    return context, pem.decode()
