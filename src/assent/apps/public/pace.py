"""How often an address may ask for what costs: a bucket of tries that fills up again.

>>> pace = Pace(burst=1, every_s=10, monotonic=lambda: 0.0)
>>> pace.wait("a"), pace.wait("a"), pace.wait("b")
(0.0, 10.0, 0.0)
"""

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

__all__ = ["Pace", "neighbourhood"]

# Whoever has one IPv6 address usually has 2^64 of them.
_IPV6_NET = 64


class Pace:
    """Lets each address try `burst` times at once, and then once in `every_s` seconds.

    Args:
        burst: tries that are there at first, and at most.
        every_s: seconds until one more is.
        monotonic: a clock that never goes back.
        most: addresses that are remembered; the oldest are forgotten first.
    """

    def __init__(
        self,
        *,
        burst: int,
        every_s: float,
        monotonic: Callable[[], float] = time.monotonic,
        most: int = 10_000,
    ) -> None:
        self._burst = burst
        self._every_s = every_s
        self._monotonic = monotonic
        self._most = most
        self._full_at: OrderedDict[str, float] = OrderedDict()
        self._lock = Lock()

    def wait(self, address: str) -> float:
        """Take a try and return 0; or return in how many seconds there will be one."""
        with self._lock:
            now = self._monotonic()
            full_at = max(self._full_at.get(address, now), now)
            spent = (full_at - now) / self._every_s
            if spent > self._burst - 1 + 1e-9:
                return (spent - self._burst + 1) * self._every_s
            self._full_at[address] = full_at + self._every_s
            self._full_at.move_to_end(address)
            while len(self._full_at) > self._most:
                self._full_at.popitem(last=False)
            return 0.0


def neighbourhood(host: str | None) -> str:
    """Return by what an address is counted: itself, or the network of an IPv6 one.

    >>> neighbourhood("2001:db8::7"), neighbourhood("192.0.2.1"), neighbourhood(None)
    ('2001:db8::/64', '192.0.2.1', '')
    """
    try:
        found = ipaddress.ip_address(host or "")
    except ValueError:
        return (host or "")[:64]
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, _IPV6_NET), strict=False))
