"""How logs and witnesses are reached over the network: small answers, no redirects, little time.

>>> Site("https://log.example", get)  # doctest: +SKIP
>>> cosign(log, policy, send=post, clock=system)  # doctest: +SKIP
"""

from assent.kit.errors import FetchError
from assent.kit.fetch.exchange import Post
from assent.kit.fetch.fetch import fetch_bytes
from assent.kit.fetch.wire import Limits
from assent.kit.tlog.asking import ANSWER_LIMIT

__all__ = ["get", "post"]

_SECONDS = 20.0
_SILENCE = 10.0
_GONE = (404, 410)


def get(url: str, limit: int) -> bytes | None:
    """Return what an address that the user named answers, at most `limit` bytes; None if nothing.

    Raises:
        FetchError: it can't be reached, or answers late, too long, or with an error.
        InputError: it is no address.
    """
    limits = Limits(size=limit, seconds=_SECONDS, silence=_SILENCE, redirects=0)
    answer, body = fetch_bytes(url, own=True, limits=limits)
    if answer.status in _GONE:
        return None
    if answer.status != 200:
        raise FetchError(f"{url} answers {answer.status}")
    return body


def post(url: str, body: bytes) -> tuple[int, bytes]:
    """Post to a witness that the policy names; return status and body, whatever the status is.

    Raises:
        FetchError: it can't be reached, or answers late or too long.
        InputError: it is no address.
    """
    limits = Limits(size=ANSWER_LIMIT, seconds=_SECONDS, silence=_SILENCE, redirects=0)
    sent = Post(body=body, content_type="text/plain; charset=utf-8")
    answer, got = fetch_bytes(url, post=sent, own=True, limits=limits)
    return answer.status, got
