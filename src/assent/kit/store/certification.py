"""Change with what a studio signs: renew, take the organisation's certificate, revoke, configure.

Each change is in the log before it takes effect, so that a stranger with the log always knows which
certificates are the studio's. Interrupted between the two, the log names a certificate that nothing
was ever signed with. The studio is to be opened again afterwards.
"""

from dataclasses import asdict, replace

from assent.kit.c2pa.certificates import Chain, make_chain
from assent.kit.c2pa.own import read_chain
from assent.kit.c2pa.token import TokenPlace
from assent.kit.canonical import canonical
from assent.kit.clock import stamp
from assent.kit.errors import BriefError, InputError, NotFoundError
from assent.kit.store.credentials import CHAIN, PROFILE, Profile, load_profile, load_stored
from assent.kit.store.studio import Studio

__all__ = ["configure", "renew", "revoke", "take"]

_REASONS = frozenset({"key-compromise", "superseded", "ceased", "unspecified"})


def renew(studio: Studio) -> Chain:
    """Make a new chain of the studio's own, root and all, and sign with it from now on."""
    chain = make_chain(organisation=studio.name, not_before=studio.clock())
    return take(studio, chain)


def take(studio: Studio, chain: Chain, place: TokenPlace | None = None) -> Chain:
    """Sign with `chain` from now on; what was signed before stays the studio's.

    Its key is tried first: a certificate whose key doesn't sign is worth nothing. Raises what the
    key raises, BriefError if the chain is the one in use or was revoked.
    """
    with studio.disk.lock(studio.folder / "keys" / ".credentials"):
        stored = load_stored(studio.secrets, clocks_pem=b"", access=None)
        if chain.fingerprint == stored.chain.fingerprint:
            raise BriefError("this certificate is the one in use")
        if chain.fingerprint in stored.revoked:
            raise BriefError("this certificate was revoked; it can't be taken again")
        chain.key.sign(b"Does this key sign?")
        _log(
            studio,
            "credentials.changed",
            certificate=chain.fingerprint,
            serial=chain.serial,
            root=chain.root_pem.decode(),
            local=chain.local,
        )
        studio.secrets.put(CHAIN, stored.followed_by(chain, place).to_bytes())
    return chain


def revoke(studio: Studio, fingerprint: str, *, reason: str) -> str:
    """Say in the log that a certificate of the studio signs no more; return its fingerprint.

    `fingerprint` may be cut short. What the log already holds stays sealed; anything else that
    bears its signature is told as forged. Raises `NotFoundError` unless exactly one certificate is
    meant, `InputError` for one that was revoked before or an unknown reason.
    """
    if reason not in _REASONS:
        raise InputError(f"'{reason}' is none of {', '.join(sorted(_REASONS))}")
    with studio.disk.lock(studio.folder / "keys" / ".credentials"):
        stored = load_stored(studio.secrets, clocks_pem=b"", access=None)
        known = {each["fingerprint"]: each["serial"] for each in stored.older}
        known[stored.chain.fingerprint] = stored.chain.serial
        found = [each for each in known if fingerprint and each.startswith(fingerprint.lower())]
        if len(found) != 1:
            raise NotFoundError(
                f"{len(found)} certificates of the studio begin with '{fingerprint}'",
                advice="See `assent credentials show`.",
            )
        if found[0] in stored.revoked:
            raise InputError("this certificate was revoked before", advice="Nothing is to be done.")
        _log(
            studio,
            "credentials.revoked",
            certificate=found[0],
            serial=known[found[0]],
            reason=reason,
        )
        revoked = stored.revoked | {found[0]}
        studio.secrets.put(CHAIN, replace(stored, revoked=revoked).to_bytes())
    return found[0]


def configure(studio: Studio, profile: Profile) -> None:
    """Keep a profile; the root of a time-stamping service is told in the log, once."""
    before = load_profile(studio.secrets)
    root = profile.tsa_root_pem
    if root is not None and root != before.tsa_root_pem:
        read_chain(root.encode())
        _log(studio, "credentials.clock", root=root)
    studio.secrets.put(PROFILE, canonical(asdict(profile)))


def _log(studio: Studio, kind: str, **facts: str | bool) -> None:
    told = {"kind": kind, "time": stamp(studio.clock()), **facts}
    studio.log.append([canonical(told)])
