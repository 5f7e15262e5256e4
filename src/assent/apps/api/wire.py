"""How the client speaks: one request after the other, sent again where that is safe, errors told.

A request that changes something carries an idempotency key, so that it can be sent again after a
lost connection. Redirects aren't followed, certificates are always checked, and without HTTPS no
token leaves this machine.
"""

import json
import random
import secrets
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote, urlencode, urlsplit

from assent.apps.api.problems import KNOWN, InvalidError, LimitError
from assent.kit.errors import (
    AssentError,
    FaultError,
    FetchError,
    InputError,
    NotFoundError,
    StorageError,
    UnsafeAddressError,
)

__all__ = ["Answered", "Wire", "check_whole", "given", "path_of", "readable"]

_LOCAL = ("localhost", "127.0.0.1", "::1")
_AGAIN = frozenset({409, 429, 502, 503})
_LARGEST = 64 << 20
_LONGEST_WAIT_S = 60.0


@dataclass(frozen=True, slots=True)
class Answered:
    """What came back: headers by lower-case names, and what the body says."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:  # noqa: ANN401 - any JSON
        """The body's JSON; raises `FetchError` if it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise FetchError("the studio's answer can't be read") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """The way to one studio.

    Attributes:
        url: where its server is: scheme, host and port.
        token: a token of `assent token create`.
        timeout: seconds without a byte.
        attempts: how often a request is sent at most.
        trust: whose certificates are believed; None for the system's authorities.
        sleep: waits between attempts.
    """

    url: str
    token: str = field(repr=False)
    timeout: float = 60.0
    attempts: int = 5
    trust: ssl.SSLContext | None = None
    sleep: Callable[[float], None] = time.sleep

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/"):
            raise InputError(
                f"'{self.url}' is not where a studio is", advice="Give scheme, host and port."
            )
        if parts.scheme == "http" and parts.hostname not in _LOCAL:
            raise UnsafeAddressError(
                "a token isn't sent without encryption", advice="Use https://, or this machine."
            )
        if not (self.token.isascii() and self.token.isprintable() and " " not in self.token):
            raise InputError("this is not a token", advice="Make one: `assent token create`.")

    def ask(
        self,
        method: str,
        path: str,
        *,
        data: object = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answered:
        """Send a request until it is answered; raises the error that the answer tells.

        `path` begins after `/api/v1`. Raises `FetchError` if no answer comes.
        """
        sent = {"Accept": "application/json", **(headers or {})}
        if body is None and data is not None:
            body, sent["Content-Type"] = json.dumps(data).encode(), "application/json"
        if method == "POST":
            sent.setdefault("Idempotency-Key", secrets.token_urlsafe(24))
        # A piece of an upload is sent again once it is known how much of it came.
        most = 1 if method == "PATCH" else self.attempts
        for attempt in range(1, most):
            try:
                answered = self._once(method, path, body, sent)
            except FetchError:
                self.sleep(_pause(attempt, {}))
                continue
            if answered.status not in _AGAIN:
                break
            self.sleep(_pause(attempt, answered.headers))
        else:
            answered = self._once(method, path, body, sent)
        if answered.status >= 300 and answered.status != 304:
            raise error_of(answered)
        return answered

    def _once(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> Answered:
        with self.opened(method, path, body, headers) as response:
            return _read(response)

    @contextmanager
    def opened(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> Iterator[HTTPResponse]:
        """Send a request once and give the answer, to be read; raises `FetchError`."""
        parts = urlsplit(self.url)
        host, port = parts.hostname or "", parts.port
        if parts.scheme == "https":
            trust = self.trust or ssl.create_default_context()
            connection: HTTPConnection = HTTPSConnection(
                host, port, timeout=self.timeout, context=trust
            )
        else:
            connection = HTTPConnection(host, port, timeout=self.timeout)
        sent = {"Authorization": f"Bearer {self.token}", "Connection": "close", **headers}
        try:
            connection.request(method, f"/api/v1{path}", body, sent)
            yield connection.getresponse()
        except (OSError, HTTPException) as error:
            raise FetchError(f"{parts.scheme}://{host} gives no answer") from error
        finally:
            connection.close()


def path_of(*parts: str | int, **query: str | int | None) -> str:
    """Return a path of these parts, whatever is in them, and a query of what isn't None."""
    path = "/" + "/".join(quote(str(part), safe="") for part in parts)
    given = {name: value for name, value in query.items() if value is not None}
    return f"{path}?{urlencode(given)}" if given else path


def error_of(answered: Answered) -> AssentError:
    """Return the error that a problem tells, of the same class as at the studio."""
    try:
        told = json.loads(answered.body)
        code, detail, advice = str(told["code"]), str(told["detail"]), str(told["advice"])
    except (ValueError, KeyError, TypeError, RecursionError):
        kind = InputError if answered.status < 500 else FaultError
        return kind(f"the studio's server answered {answered.status}")
    made = KNOWN.get(code, InputError if answered.status < 500 else FaultError)
    if made is LimitError:
        return LimitError(detail, retry_after=int(answered.headers.get("retry-after", "1")))
    if made is InvalidError:
        return InvalidError(detail, problems=tuple(told.get("problems") or ()))
    return made(detail, advice=advice)


def _read(response: HTTPResponse) -> Answered:
    body = response.read(_LARGEST)
    check_whole(response)
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Answered(response.status, headers, body)


def check_whole(response: HTTPResponse) -> None:
    """Raise `FetchError` if less came than was announced."""
    if response.length:
        raise FetchError("the studio's answer breaks off")


def _pause(attempt: int, headers: Mapping[str, str]) -> float:
    """Return how long to wait: what the server says, or ever longer and never all at once."""
    told = headers.get("retry-after", "")
    if told.isascii() and told.isdigit() and len(told) < 6:
        return min(float(told), _LONGEST_WAIT_S)
    return min(0.25 * 2.0**attempt, 10.0) * (0.5 + random.random() / 2)  # noqa: S311 - no secret


def given(**fields: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    """Return the fields that aren't None."""
    return {name: value for name, value in fields.items() if value is not None}


def readable(file: Path) -> BinaryIO:
    """Open a file to be sent; raises `NotFoundError` or `StorageError`."""
    try:
        return file.open("rb")
    except FileNotFoundError as error:
        raise NotFoundError(f"there is no file {file}", advice="Check the path.") from error
    except OSError as error:
        raise StorageError(f"{file} can't be read: {error.strerror}") from error
