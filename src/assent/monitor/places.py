"""Where a studio anchors its log: authorities, calendars, chains, each under a name of its own.

What is known of a place lies in the studio's secret store, since an address may hold the key of a
service, and a chain's place has a private key.
"""

from dataclasses import dataclass, field, replace
from typing import Any

from assent.kit.anchors.authority import load_roots
from assent.kit.anchors.chain import Attempt, check_address, load_account, new_key
from assent.kit.anchors.folder import check_place
from assent.kit.canonical import canonical, parse_object
from assent.kit.clock import stamp
from assent.kit.errors import InputError, IntegrityError, NotFoundError
from assent.kit.fetch.urls import is_url
from assent.kit.store.studio import Studio

__all__ = [
    "PLACE_KIND",
    "AuthorityPlace",
    "CalendarPlace",
    "ChainPlace",
    "Place",
    "Waiting",
    "account_key",
    "announce",
    "find_place",
    "load_places",
    "make_chain_place",
    "remove_place",
    "save_place",
]

PLACE_KIND = "anchor.place"
"""The kind of the log's entry that says where on which chain the log is anchored."""

_PREFIX = "anchor."


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorityPlace:
    """A time-stamping authority (RFC 3161), with the roots that the owner trusts, as PEM."""

    name: str
    url: str
    roots: str

    kind = "rfc3161"


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarPlace:
    """A calendar of OpenTimestamps."""

    name: str
    url: str

    kind = "opentimestamps"


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A transaction that was signed and is not known to be in a block.

    `size` is what it anchors; 0 deploys the contract.
    """

    size: int
    attempt: Attempt


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainPlace:
    """An EVM chain.

    Attributes:
        url: of a node.
        chain_id: of the chain.
        sender: address of the account that anchors.
        contract: address of the anchoring contract, once it is known.
        confirmations: blocks until an anchor counts, its own included.
        most: what one transaction may cost, in wei.
        key_file: where the account's key is; None for the studio's secret store.
        waiting: what was sent last and is not known to be in a block.
    """

    name: str
    url: str
    chain_id: int
    sender: str
    contract: str | None
    confirmations: int
    most: int
    key_file: str | None
    waiting: Waiting | None = field(default=None, repr=False)

    kind = "evm"


Place = AuthorityPlace | CalendarPlace | ChainPlace


def save_place(studio: Studio, place: Place) -> None:
    """Keep a place, in the place of any older one of its name."""
    check_place(place.name)
    if not is_url(place.url):
        raise InputError(
            "a place's address begins with http:// or https://", advice="Give the full address."
        )
    if isinstance(place, AuthorityPlace):
        load_roots(place.roots.encode())
    studio.secrets.put(f"{_PREFIX}{place.name}", canonical(_to_json(place)))


def make_chain_place(studio: Studio, place: ChainPlace, *, key: bytes | None) -> ChainPlace:
    """Keep a chain's place and return it with its sender's address.

    `key` is what the place's key file holds; without one a key is made, if there is none yet, that
    never leaves the studio's secret store.
    """
    check_place(place.name)
    secret = f"{_PREFIX}{place.name}.key"
    if key is None and secret not in studio.secrets.names():
        studio.secrets.put(secret, new_key())
    account = load_account(key if key is not None else studio.secrets.get(secret))
    contract = None if place.contract is None else check_address(place.contract)
    made = replace(place, sender=str(account.address), contract=contract)
    save_place(studio, made)
    return made


def load_places(studio: Studio) -> tuple[Place, ...]:
    """Return the studio's places by name."""
    names = [each for each in studio.secrets.names() if each.startswith(_PREFIX)]
    return tuple(
        _from_json(studio.secrets.get(each), each.removeprefix(_PREFIX))
        for each in names
        if "." not in each.removeprefix(_PREFIX)
    )


def find_place(studio: Studio, name: str) -> Place:
    """Return one place, or raise `NotFoundError`."""
    for place in load_places(studio):
        if place.name == name:
            return place
    raise NotFoundError(
        f"there is no place {name[:40]!r} to anchor in", advice="See `assent log place list`."
    )


def remove_place(studio: Studio, name: str) -> None:
    """Forget a place and the key that was made for it; its anchors stay."""
    place = find_place(studio, name)
    studio.secrets.forget(f"{_PREFIX}{place.name}")
    studio.secrets.forget(f"{_PREFIX}{place.name}.key")


def account_key(studio: Studio, place: ChainPlace) -> bytes:
    """Return the key from the studio's secret store, for a place that has one there."""
    return studio.secrets.get(f"{_PREFIX}{place.name}.key")


def announce(studio: Studio, place: ChainPlace) -> None:
    """Put into the log where it is anchored from now on, once.

    Strangers find the list on the chain by it, and who wants to hide the list has to rewrite the
    log.
    """
    fields = {
        "kind": PLACE_KIND, "chain": place.chain_id, "contract": place.contract,
        "sender": place.sender,
    }  # fmt: skip
    for _, data in studio.log.reader().entries():
        known = parse_object(data, name="a log entry")
        if {name: known.get(name) for name in fields} == fields:
            return
    studio.log.append([canonical({**fields, "time": stamp(studio.clock())})])


def _to_json(place: Place) -> dict[str, Any]:
    if isinstance(place, AuthorityPlace):
        return {"kind": place.kind, "url": place.url, "roots": place.roots}
    if isinstance(place, CalendarPlace):
        return {"kind": place.kind, "url": place.url}
    waiting = place.waiting
    return {
        "kind": place.kind, "url": place.url, "chain": place.chain_id, "sender": place.sender,
        "contract": place.contract, "confirmations": place.confirmations, "most": str(place.most),
        "key_file": place.key_file,
        "waiting": None if waiting is None
        else {"size": waiting.size, **waiting.attempt.to_json()},
    }  # fmt: skip


def _from_json(data: bytes, name: str) -> Place:
    fields: dict[str, Any] = parse_object(data, name=f"what is known of place {name}")
    try:
        if fields["kind"] == AuthorityPlace.kind:
            return AuthorityPlace(name=name, url=fields["url"], roots=fields["roots"])
        if fields["kind"] == CalendarPlace.kind:
            return CalendarPlace(name=name, url=fields["url"])
        waiting = fields["waiting"]
        return ChainPlace(
            name=name, url=fields["url"], chain_id=fields["chain"], sender=fields["sender"],
            contract=fields["contract"], confirmations=fields["confirmations"],
            most=int(fields["most"]), key_file=fields["key_file"],
            waiting=waiting and Waiting(size=waiting["size"], attempt=Attempt.from_json(waiting)),
        )  # fmt: skip
    except (KeyError, TypeError, ValueError) as error:
        raise IntegrityError(
            f"what is known of place {name} is damaged",
            advice="Set the place up again; its anchors are not concerned.",
        ) from error
