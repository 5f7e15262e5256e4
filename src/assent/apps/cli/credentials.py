"""Beside the steps: with what the studio signs its content credentials, and how."""

from dataclasses import asdict, replace
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from rich.markup import escape

from assent.apps.cli.console import err, out, show_json, show_table
from assent.apps.cli.files import read_bytes
from assent.apps.cli.options import AsJson, StudioFolder, the_studio, token_access
from assent.kit.c2pa.certificates import Chain
from assent.kit.c2pa.keys import PemKey
from assent.kit.c2pa.own import own_chain, read_chain
from assent.kit.c2pa.token import TokenKey, TokenPlace
from assent.kit.errors import InputError
from assent.kit.store.certification import configure, renew, revoke, take
from assent.kit.store.studio import Studio

__all__ = ["register"]

PANEL = "The studio's keys and vault"
HERE = Path()
OFF = "none"

credentials = typer.Typer(
    no_args_is_help=True, help="With what the studio signs, and what its credentials hold."
)


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(credentials, name="credentials", rich_help_panel=PANEL)


class Unstamped(Enum):
    """What happens when no time stamp is to be had."""

    REFUSE = "refuse"
    SAY_SO = "say-so"


class Reason(Enum):
    """Why a certificate signs no more."""

    KEY_COMPROMISE = "key-compromise"
    SUPERSEDED = "superseded"
    CEASED = "ceased"
    UNSPECIFIED = "unspecified"


@credentials.command("show")
def show(studio: StudioFolder = HERE, as_json: AsJson = False) -> None:
    """Say who signs, until when, who will believe it, and what the profile is."""
    opened = the_studio(studio)
    chain = opened.chain
    if as_json:
        facts = {
            "organisation": chain.organisation,
            "certificate": chain.fingerprint,
            "serial": chain.serial,
            "algorithm": chain.key.algorithm,
            "valid_from": chain.not_before.isoformat(),
            "valid_until": chain.not_after.isoformat(),
            "local": chain.local,
            "in_token": chain.token is not None,
            "revoked": chain.revoked,
            "root": chain.root_pem.decode(),
        }
        show_json(facts | {"profile": asdict(opened.profile)})
        return
    show_table(("", ""), [*_signer(chain), *_profile(opened)])
    out.print(_standing(chain))


@credentials.command("renew")
def renew_(studio: StudioFolder = HERE) -> None:
    """Make a new certificate of the studio's own, under a new root, and sign with it from now on.

    The log names the new root. What was signed before stays valid, until its certificate expires.
    """
    _tell_change(renew(the_studio(studio)))


@credentials.command("use")
def use(
    chain: Annotated[
        Path, typer.Argument(help="The certificate, then those above it (PEM).", metavar="FILE")
    ],
    root: Annotated[Path, typer.Option(help="The root certificate (PEM).", metavar="FILE")],
    key: Annotated[
        Path | None, typer.Option(help="The private key (PEM, unencrypted).", metavar="FILE")
    ] = None,
    token: Annotated[
        str | None, typer.Option(help="The label of the token that holds the key.")
    ] = None,
    key_label: Annotated[
        str | None, typer.Option("--key-label", help="The key's label in the token.")
    ] = None,
    studio: StudioFolder = HERE,
) -> None:
    """Sign with the organisation's own certificate from now on.

    With --key the private key is sealed among the studio's secrets; remove the file afterwards.
    With --token it stays in a hardware token or module (PKCS #11), which ASSENT_PKCS11_MODULE
    reaches and ASSENT_PKCS11_PIN or ASSENT_PKCS11_PIN_FILE opens.
    """
    opened = the_studio(studio)
    chain_pem, root_pem = read_bytes(chain), read_bytes(root)
    if (key is None) == (token is None) or (token is None) != (key_label is None):
        raise InputError(
            "the key is not named", advice="Give --key, or --token and --key-label together."
        )
    if key is not None:
        pem = read_bytes(key)
        made = own_chain(
            chain_pem=chain_pem, root_pem=root_pem, leaf_key_pem=pem, public=PemKey(pem).public,
            now=opened.clock(),
        )  # fmt: skip
        _tell_change(take(opened, made))
        return
    place = TokenPlace(token=str(token), key=str(key_label))
    public = read_chain(chain_pem)[0].public_key()
    made = own_chain(
        chain_pem=chain_pem, root_pem=root_pem, token=_token_key(place, public), now=opened.clock()
    )
    _tell_change(take(opened, made, place))


@credentials.command("revoke")
def revoke_(
    certificate: Annotated[
        str, typer.Argument(help="The certificate's SHA-256 or its beginning.", metavar="SHA256")
    ],
    reason: Annotated[Reason, typer.Option(help="Why.")] = Reason.UNSPECIFIED,
    studio: StudioFolder = HERE,
) -> None:
    """Say in the log that a certificate signs no more.

    Releases that the log already holds stay good. Anything else that is signed with it, `assent
    verify` tells as forged; other programs ask the certificate's issuer, if anyone.
    """
    opened = the_studio(studio)
    gone = revoke(opened, certificate, reason=reason.value)
    out.print(f"Revoked: {gone}", soft_wrap=True)
    if gone == opened.chain.fingerprint:
        err.print(
            "[yellow]It is the one in use: nothing can be sealed until `assent credentials renew` "
            "or `assent credentials use`.[/yellow]"
        )


@credentials.command("profile")
def profile(
    tsa: Annotated[
        str | None,
        typer.Option(help="An RFC 3161 time-stamping service, or 'none'.", metavar="URL"),
    ] = None,
    tsa_root: Annotated[
        Path | None,
        typer.Option(help="The root that its stamps must be under (PEM).", metavar="FILE"),
    ] = None,
    unstamped: Annotated[
        Unstamped | None,
        typer.Option(help="Without a stamp: refuse to release, or release and say so."),
    ] = None,
    log_url: Annotated[
        str | None,
        typer.Option("--log-url", help="Where the log is published, or 'none'.", metavar="URL"),
    ] = None,
    aigc: Annotated[
        str | None,
        typer.Option(help="Add China's AIGC field, with this producer's code, or 'none'."),
    ] = None,
    studio: StudioFolder = HERE,
) -> None:
    """Choose what credentials hold; options that aren't given stay as they are."""
    opened = the_studio(studio)
    chosen = opened.profile
    chosen = replace(
        chosen,
        tsa_url=_or_off(tsa, chosen.tsa_url),
        tsa_root_pem=None if tsa == OFF else chosen.tsa_root_pem,
        log_url=_or_off(log_url, chosen.log_url),
        aigc_producer=_or_off(aigc, chosen.aigc_producer),
    )
    if tsa_root is not None:
        chosen = replace(chosen, tsa_root_pem=read_bytes(tsa_root).decode("ascii", "replace"))
    if unstamped is not None:
        chosen = replace(chosen, unstamped=unstamped.value)
    configure(opened, chosen)
    show_table(("", ""), _profile(replace(opened, profile=chosen)))


def _or_off(given: str | None, before: str | None) -> str | None:
    return before if given is None else None if given == OFF else given


def _token_key(place: TokenPlace, public: PublicKeyTypes) -> TokenKey:
    access = token_access()
    if access is None:
        raise InputError(
            "nothing says how to reach the token",
            advice="Set ASSENT_PKCS11_MODULE to the full path of its library.",
        )
    return TokenKey(place=place, module=access.module, pin=access.pin, public=public)


def _tell_change(chain: Chain) -> None:
    out.print(f"Signing as {escape(chain.organisation)} until {chain.not_after:%Y-%m-%d}.")
    out.print(f"Certificate {chain.fingerprint}, told in the log.", soft_wrap=True)


def _signer(chain: Chain) -> list[tuple[str, str]]:
    where = "a token" if chain.token is not None else "the studio's sealed secrets"
    state = "revoked" if chain.revoked else f"valid until {chain.not_after:%Y-%m-%d}"
    return [
        ("Signs as", escape(chain.organisation)),
        ("Certificate", f"{chain.fingerprint}, {state}"),
        ("Key", f"{chain.key.algorithm}, in {where}"),
    ]


def _profile(studio: Studio) -> list[tuple[str, str]]:
    chosen = studio.profile
    stamps = f"{chosen.tsa_url} ({chosen.unstamped} without)" if chosen.tsa_url else "none"
    known = "under a known root" if chosen.tsa_root_pem else "under no root that is checked"
    return [
        ("Time stamps", escape(f"{stamps}, {known}" if chosen.tsa_url else stamps)),
        ("Log published at", escape(chosen.log_url or "not told")),
        ("AIGC producer", escape(chosen.aigc_producer or "left out")),
    ]


def _standing(chain: Chain) -> str:
    if chain.local:
        return (
            "Locally signed: the studio vouches for itself. Programs that don't know its root show "
            "an unknown signer; only the log shows that it is this studio's."
        )
    return (
        "Signed with the organisation's own certificate. Whether a program trusts it depends on "
        "the lists that the program keeps."
    )
