"""The rule packs that a studio goes by: those that ship with Assent, and signed ones put in later.

A pack is taken from a publisher whose key the studio has pinned, by a command of its own. What is
pinned is signed by the studio and what is installed by its publisher; both are verified at every
use. Each change is an entry in the log that names the whole set by its hash, so that a set that
was put back or thinned out is found (`check_set`).
"""

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import select

from assent.kit.canonical import canonical, digest, parse_object
from assent.kit.clock import stamp
from assent.kit.errors import AssentError, InputError, IntegrityError, NotFoundError, RefusedError
from assent.kit.signing import (
    SigningKey,
    VerifyKey,
    from_jwk,
    peek,
    public_of,
    sign,
    thumbprint,
    to_jwk,
    verify,
)
from assent.kit.store.studio import Studio
from assent.kit.store.tables import PublisherRow, RulePackRow
from assent.purpose.pack import BASE, EFFECTS, LARGEST, Pack, Rule, load_packs, parse_pack

__all__ = [
    "Installed",
    "Publisher",
    "Updated",
    "check_set",
    "distrust",
    "installed_packs",
    "list_publishers",
    "packs_of",
    "sign_pack",
    "trust",
    "update",
]

_PACK = "assent-rule-pack+jws"
_PUBLISHER = "assent-publisher+jws"
_CHANGED = "rules.changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Publisher:
    """Somebody whose packs the studio takes."""

    key_id: str
    name: str
    key: VerifyKey
    log_index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """A pack that was put in, and whose it is."""

    pack: Pack
    key_id: str
    log_index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Updated:
    """What an update changed: ids of rules, by what became of them."""

    pack: Pack
    before: str | None
    added: tuple[str, ...]
    looser: tuple[str, ...]
    already: bool


def packs_of(studio: Studio) -> tuple[Pack, ...]:
    """Return the packs that count in `studio`: of each name the newest; the base pack first.

    Raises `IntegrityError` if an installed pack or its publisher isn't what was signed.
    """
    packs = {pack.name: pack for pack in load_packs()}
    for installed in installed_packs(studio):
        pack = installed.pack
        shipped = packs.get(pack.name)
        if shipped is None or shipped.order <= pack.order:
            packs[pack.name] = pack
    return tuple(sorted(packs.values(), key=lambda pack: (pack.name != BASE, pack.name)))


def installed_packs(studio: Studio) -> tuple[Installed, ...]:
    """Return what was put in, by name; raises as `packs_of`."""
    with studio.database.session() as session:
        rows = session.scalars(select(RulePackRow).order_by(RulePackRow.name)).all()
    if not rows:
        return ()
    publishers = {publisher.key_id: publisher for publisher in list_publishers(studio)}
    found = []
    for row in rows:
        if row.key_id not in publishers:
            raise IntegrityError(f"the publisher of rule pack '{row.name}' is not known")
        pack = _open(row.token, publishers[row.key_id].key)
        if pack.name != row.name:
            raise IntegrityError(f"rule pack '{row.name}' was exchanged for another")
        found.append(Installed(pack=pack, key_id=row.key_id, log_index=row.log_index))
    return tuple(found)


def list_publishers(studio: Studio) -> tuple[Publisher, ...]:
    """Return whose packs the studio takes; raises `IntegrityError` if that was altered."""
    with studio.database.session() as session:
        rows = session.scalars(
            select(PublisherRow)
            .where(PublisherRow.log_index.is_not(None))
            .order_by(PublisherRow.key_id)
        ).all()
    return tuple(_publisher_of(studio, row) for row in rows)


def trust(studio: Studio, key: VerifyKey, *, name: str) -> Publisher:
    """Take packs signed with `key` from now on; the same call again changes nothing.

    Raises `InputError` for the studio's own key, a passkey, or a name that can't be shown.
    """
    if not isinstance(key, SigningKey):
        raise InputError("a publisher of rule packs signs with an Ed25519 key, not with a passkey")
    key = public_of(key)
    if thumbprint(key) == thumbprint(studio.signing_key):
        raise InputError("this is the studio's own key; packs come from somebody else")
    if not 2 <= len(name.strip()) <= 80 or not name.isprintable():
        raise InputError("a publisher needs a name of 2 to 80 letters", advice="Give --name.")
    key_id = thumbprint(key)
    statement = {"name": name.strip(), "key": to_jwk(key), "time": stamp(studio.clock())}
    with studio.database.session() as session:
        row = session.get(PublisherRow, key_id)
        if row is None:
            row = PublisherRow(
                key_id=key_id, statement=sign(statement, studio.signing_key, kind=_PUBLISHER)
            )
            session.add(row)
    if row.log_index is None:
        known = {publisher.key_id for publisher in list_publishers(studio)}
        packs = [each.pack for each in installed_packs(studio)]
        sha256 = hashlib.sha256(key_id.encode()).hexdigest()
        index = _log(studio, "trusted", sha256, {*known, key_id}, packs)
        with studio.database.session() as session:
            session.get_one(PublisherRow, key_id).log_index = index
            row.log_index = index
    return _publisher_of(studio, row)


def distrust(studio: Studio, key_id: str) -> tuple[str, ...]:
    """Take no more packs of the publisher whose key id begins with `key_id`, and drop theirs.

    Returns the names of the packs that went; the ones that ship with Assent count again.
    Raises `NotFoundError`.
    """
    known = [publisher.key_id for publisher in list_publishers(studio)]
    found = [each for each in known if key_id and each.startswith(key_id)]
    if len(found) != 1:
        raise NotFoundError(f"no publisher '{key_id}'", advice="See `assent rules list`.")
    (gone,) = found
    installed = installed_packs(studio)
    kept = [each.pack for each in installed if each.key_id != gone]
    sha256 = hashlib.sha256(gone.encode()).hexdigest()
    _log(studio, "distrusted", sha256, set(known) - {gone}, kept)
    with studio.database.session() as session:
        for row in session.scalars(select(RulePackRow).where(RulePackRow.key_id == gone)):
            session.delete(row)
        session.flush()
        session.delete(session.get_one(PublisherRow, gone))
    return tuple(each.pack.name for each in installed if each.key_id == gone)


def sign_pack(pack: Pack, key: SigningKey) -> str:
    """Return `pack` signed for publication: a JWS over its canonical JSON."""
    return sign(pack.to_json(), key, kind=_PACK)


def update(studio: Studio, token: str, *, accept_looser: bool = False) -> Updated:
    """Put a signed pack in.

    Raises `IntegrityError` if no pinned publisher signed it, `InputError` if it is no pack or takes
    the place of Assent's own, `RefusedError` if it is older than what counts now, or asks for less
    and `accept_looser` is not given.
    """
    if len(token) > 2 * LARGEST:
        raise InputError("this is too large to be a rule pack")
    publisher, pack = _from_publisher(studio, token)
    if pack.name == BASE:
        raise InputError("no pack takes the place of Assent's own rules")
    before = {each.name: each for each in packs_of(studio)}.get(pack.name)
    if before is not None:
        _check_newer(pack, before)
    if before == pack:
        return Updated(pack=pack, before=pack.version, added=(), looser=(), already=True)
    looser = _looser(before, pack) if before else ()
    if looser and not accept_looser:
        raise RefusedError(
            f"{pack.name} {pack.version} asks for less than {before and before.version} in: "
            f"{', '.join(looser)}",
            advice="Read them with `assent rules show`; put it in with --accept-looser.",
        )
    _install(studio, pack, token, publisher)
    known = {rule.id for rule in before.rules} if before else set()
    return Updated(
        pack=pack,
        before=before.version if before else None,
        added=tuple(rule.id for rule in pack.rules if rule.id not in known),
        looser=looser,
        already=False,
    )


def check_set(studio: Studio) -> None:
    """Raise `IntegrityError` unless the packs and publishers are those that the log tells of last.

    Reads the log from the last change on, or from its beginning if nothing was ever put in.
    """
    publishers, installed = list_publishers(studio), installed_packs(studio)
    last = max([0, *(p.log_index for p in publishers), *(i.log_index for i in installed)])
    told = None
    for _, entry in studio.log.reader().entries(last):
        if _CHANGED.encode() in entry:
            fields = parse_object(entry, name="a log entry")
            told = fields["state"] if fields.get("kind") == _CHANGED else told
    expected = _state([p.key_id for p in publishers], [i.pack for i in installed])
    if told != expected and (told or publishers or installed):
        raise IntegrityError(
            "the rule packs are not those that the log tells of",
            advice="Restore studio.db from a backup, or put the packs in again.",
        )


def _install(studio: Studio, pack: Pack, token: str, publisher: Publisher) -> None:
    packs = {each.pack.name: each.pack for each in installed_packs(studio)} | {pack.name: pack}
    publishers = {each.key_id for each in list_publishers(studio)}
    # Entered in the log before it counts; a run that is cut between the two is repeated.
    index = _log(studio, "installed", pack.digest(), publishers, packs.values())
    row = RulePackRow(name=pack.name, token=token, key_id=publisher.key_id, log_index=index)
    with studio.database.session() as session:
        session.merge(row)


def _from_publisher(studio: Studio, token: str) -> tuple[Publisher, Pack]:
    publishers = list_publishers(studio)
    if not publishers:
        raise IntegrityError(
            "no publisher of rule packs is trusted",
            advice="Pin the publisher's key first: `assent rules trust KEY --name NAME`.",
        )
    peek(token)
    for publisher in publishers:
        try:
            verify(token, publisher.key, kind=_PACK)
        except IntegrityError:
            continue
        return publisher, _open(token, publisher.key)
    raise IntegrityError(
        "no publisher that the studio trusts has signed this",
        advice="Ask for the pack again, or pin its publisher's key: `assent rules trust`.",
    )


@lru_cache(maxsize=64)
def _opened(token: str, key_x: str) -> Pack:
    key = from_jwk({"kty": "OKP", "crv": "Ed25519", "x": key_x}, name="the publisher's key")
    fields = verify(token, key, kind=_PACK)
    pack = parse_pack(fields, name="what was signed")
    # One spelling only: what two programs read in the same bytes must be the same.
    if canonical(pack.to_json()) != canonical(fields):
        raise IntegrityError("the signed pack is not in its canonical form")
    return pack


def _open(token: str, key: VerifyKey) -> Pack:
    return _opened(token, str(to_jwk(key)["x"]))


def _publisher_of(studio: Studio, row: PublisherRow) -> Publisher:
    try:
        statement = verify(row.statement, studio.signing_key, kind=_PUBLISHER)
        key = from_jwk(dict(statement["key"]), name="the publisher's key")
    except (AssentError, KeyError, TypeError, ValueError) as error:
        raise IntegrityError("a publisher of rule packs was altered") from error
    if thumbprint(key) != row.key_id:
        raise IntegrityError("a publisher of rule packs was exchanged for another")
    return Publisher(
        key_id=row.key_id, name=str(statement["name"]), key=key, log_index=int(row.log_index or 0)
    )


def _check_newer(pack: Pack, before: Pack) -> None:
    if pack.order < before.order:
        raise RefusedError(
            f"{pack.name} {pack.version} is older than {before.version}, which counts now",
            advice="Ask the publisher for a newer one.",
        )
    if pack.order == before.order and pack != before:
        raise RefusedError(
            f"{pack.name} {pack.version} differs from the {before.version} that counts now",
            advice="A changed pack has a new version; ask the publisher.",
        )


def _looser(before: Pack, after: Pack) -> tuple[str, ...]:
    """Return the rules of `before` that `after` lacks or may ask less in, and places it leaves."""
    new = {rule.id: rule for rule in after.rules}
    gone = [rule.id for rule in before.rules if not _as_strict(rule, new.get(rule.id))]
    places = sorted(set(before.jurisdictions) - set(after.jurisdictions))
    return (*gone, *places)


def _as_strict(old: Rule, new: Rule | None) -> bool:
    return (
        new is not None
        and EFFECTS.index(new.effect) >= EFFECTS.index(old.effect)
        and new.when == old.when
        and (not new.words or (bool(old.words) and set(new.words) >= set(old.words)))
        and (new.begins is None or (old.begins is not None and new.begins <= old.begins))
        and (new.ends is None or (old.ends is not None and new.ends >= old.ends))
    )


def _log(
    studio: Studio, change: str, sha256: str, publishers: Collection[str], packs: Iterable[Pack]
) -> int:
    """Append the entry of a change, naming the set as it will be, and return its index."""
    entry = {
        "kind": _CHANGED,
        "change": change,
        "sha256": sha256,
        "state": _state(publishers, packs),
        "time": stamp(studio.clock()),
    }
    (index,) = studio.log.append([canonical(entry)])
    return index


def _state(publishers: Collection[str], packs: Iterable[Pack]) -> str:
    """Return the hash that stands for a set of publishers and installed packs."""
    listed = sorted([pack.name, pack.version, pack.digest()] for pack in packs)
    return digest({"publishers": sorted(publishers), "packs": listed})
