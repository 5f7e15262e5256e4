"""Which network addresses a stranger's URL may lead to: public ones, whatever their name claims.

>>> is_public("93.184.215.14"), is_public("169.254.169.254"), is_public("::ffff:127.0.0.1")
(True, False, False)
"""

import ipaddress
import socket
import threading
from collections.abc import Callable, Sequence

from assent.kit.errors import FetchError, UnsafeAddressError

__all__ = ["Resolve", "is_public", "public_addresses", "resolve"]

Resolve = Callable[[str, int], Sequence[str]]
"""Returns the addresses of a host name, as text; the port helps the system choose."""

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# What `is_global` of older Pythons lets through, though it leads elsewhere: relays that carry an
# IPv4 address inside, networks set aside, and a cloud's own service on a public address.
_REFUSED = tuple(
    ipaddress.ip_network(text)
    for text in (
        "100.64.0.0/10",  # carriers' networks; a cloud's metadata at 100.100.100.200
        "168.63.129.16/32",  # a cloud's agent, reachable from its machines alone
        "192.0.0.0/24",  # IETF protocols
        "192.88.99.0/24",  # 6to4 relays
        "240.0.0.0/4",
        "::/96",  # IPv4-compatible
        "64:ff9b:1::/48",  # local translation to IPv4
        "100::/64",  # discarded
        "2001::/23",  # IETF protocols, Teredo
        "2001:db8::/32",  # examples
        "2002::/16",  # 6to4
        "3fff::/20",  # examples
        "5f00::/16",  # segment routing
        "fec0::/10",  # what were site-local addresses
    )
)
_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")
_DNS_SECONDS = 10.0


def is_public(text: str) -> bool:
    """Tell whether an address belongs to the internet at large; text that is none doesn't."""
    try:
        address: _Address = ipaddress.ip_address(text)
    except ValueError:
        return False
    address = _inner(address)
    return (
        address.is_global
        and not address.is_multicast
        and not any(address in net for net in _REFUSED if net.version == address.version)
    )


def public_addresses(host: str, addresses: Sequence[str]) -> Sequence[str]:
    """Return `addresses` if all are public; `UnsafeAddressError` naming `host` otherwise.

    One private address among public ones is how a name is rebound, so it refuses them all.
    """
    if not all(is_public(each) for each in addresses):
        raise UnsafeAddressError(f"{host} leads into a private network")
    return addresses


def resolve(host: str, port: int) -> Sequence[str]:
    """Ask the system's resolver, for ten seconds at most; `FetchError` if it has no answer.

    The resolver itself knows no deadline, so a thread waits for it.
    """
    found: list[str] = []

    def ask() -> None:
        try:
            answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            return
        found.extend(dict.fromkeys(str(answer[4][0]) for answer in answers))

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(_DNS_SECONDS)
    if not found:
        raise FetchError(f"no address is known for {host}")
    return tuple(found)


def _inner(address: _Address) -> _Address:
    """Return the IPv4 address that an IPv6 one carries, if packets to it end there."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _TRANSLATED:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address
