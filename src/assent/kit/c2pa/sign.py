"""Put a signed content credential into a video or a picture.

    chain = make_chain(organisation="Studio Nord", not_before=now())
    with source.open("rb") as before, target.open("w+b") as after:
        sign(before, after, mime="video/mp4", plan=plan, chain=chain,
             ingredient=Ingredient(title="footage", mime="video/mp4", stream=footage),
             tsa_url=None)

Signing fails closed: no time stamp where one was asked for, no room on the disk, a certificate
that the library doesn't accept, and there is no credential, but a SealError that says why. What
`destination` holds then is worthless; the caller discards it.
"""

import io
from base64 import urlsafe_b64encode
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, BinaryIO

import c2pa

from assent.kit.c2pa._redact import find_private, redact
from assent.kit.c2pa._settings import make_context
from assent.kit.c2pa._streams import Watched
from assent.kit.c2pa.certificates import Chain
from assent.kit.c2pa.keys import Algorithm, ClaimKey
from assent.kit.c2pa.manifest import PARENT, THUMBNAIL, Plan, to_manifest
from assent.kit.c2pa.read import BESIDE
from assent.kit.errors import AssentError, BriefError, SealError

__all__ = ["BESIDE", "MIMES", "Ingredient", "has_readable_chain", "sign", "sign_beside"]

MIMES = frozenset({"audio/wav", "image/jpeg", "image/png", "video/mp4", "video/quicktime"})
"""Types of files that a credential is put into."""

_ALGORITHMS: dict[Algorithm, c2pa.C2paSigningAlg] = {
    "es256": c2pa.C2paSigningAlg.ES256,
    "es384": c2pa.C2paSigningAlg.ES384,
    "es512": c2pa.C2paSigningAlg.ES512,
    "ps256": c2pa.C2paSigningAlg.PS256,
    "ed25519": c2pa.C2paSigningAlg.ED25519,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingredient:
    """The footage that was opened and changed: C2PA's parent ingredient.

    `title` is a neutral name such as "footage", `mime` the footage's type. With its `stream`
    (seekable) the credentials inside it are carried over, without their thumbnails and whatever
    else might tell of people. Its `sha256` in hex becomes the ingredient's identifier (a `ni:`
    name, RFC 6920); alone it stands where the library doesn't know the type, or nothing that the
    footage's credentials say may be told. With `own` they are this studio's, and stay whole.
    """

    title: str
    mime: str
    stream: BinaryIO | None = None
    sha256: str | None = None
    own: bool = False


def sign(
    source: BinaryIO,
    destination: BinaryIO,
    *,
    mime: str,
    plan: Plan,
    chain: Chain,
    ingredient: Ingredient | None,
    tsa_url: str | None,
    thumbnail: bytes | None = None,
) -> None:
    """Write `source` with a credential that says `plan` to `destination`.

    `source` is read from its start; `destination` is seekable, empty, readable and writable.
    `mime` is one of MIMES. `tsa_url` (http or https) names an RFC 3161 time-stamping authority,
    the only host that is ever contacted; None signs without a time stamp. `thumbnail` is a JPEG
    that shows what the file does, label included.

    Raises SealError with the underlying reason, and BriefError when the plan opens footage but
    there is no ingredient, the reverse, or an ingredient with neither of its forms. What the key
    itself raises comes through.
    """
    _check(mime, MIMES, plan, ingredient)
    work = _Work(mime, plan, chain, ingredient, tsa_url, thumbnail)
    _run(work, source, destination)


def sign_beside(
    source: BinaryIO,
    *,
    mime: str,
    plan: Plan,
    chain: Chain,
    ingredient: Ingredient | None,
    tsa_url: str | None,
    thumbnail: bytes | None = None,
) -> bytes:
    """Return a credential of `source`, whose type is one of BESIDE, to lie beside it.

    Arguments and errors are those of `sign`.
    """
    _check(mime, BESIDE, plan, ingredient)
    work = _Work(mime, plan, chain, ingredient, tsa_url, thumbnail, embed=False)
    return _run(work, source, io.BytesIO())


def has_readable_chain(footage: BinaryIO, mime: str) -> bool:
    """Tell whether what credentials there are in `footage` can be read, and so carried along.

    Raises SealError when the stream itself fails.
    """
    watched = Watched(footage)
    try:
        find_private(watched, mime)
    except SealError:
        return False
    except c2pa.C2paError as error:
        raise SealError(f"the footage can't be read: {watched.failure}") from error
    return True


def _check(mime: str, mimes: frozenset[str], plan: Plan, ingredient: Ingredient | None) -> None:
    if mime not in mimes:
        raise SealError(
            f"credentials can't be put into {mime}", advice=f"Use one of {', '.join(sorted(mimes))}"
        )
    if (plan.actions[0].name == "c2pa.opened") != (ingredient is not None):
        raise BriefError("a credential that opens footage needs that footage as its ingredient")
    if ingredient is not None and ingredient.stream is None and ingredient.sha256 is None:
        raise BriefError("an ingredient is a stream, or a SHA-256 hash, or both")


@dataclass(frozen=True, slots=True)
class _Work:
    mime: str
    plan: Plan
    chain: Chain
    ingredient: Ingredient | None
    tsa_url: str | None
    thumbnail: bytes | None
    embed: bool = True


def _run(work: _Work, source: BinaryIO, destination: BinaryIO) -> bytes:
    """Sign, and name the first cause of a failure."""
    if work.chain.revoked:
        raise SealError(
            "the studio's signing certificate was revoked",
            advice="Take another with `assent credentials renew` or `assent credentials use`.",
        )
    watched = [Watched(source), Watched(destination)]
    if work.ingredient is not None and work.ingredient.stream is not None:
        watched.append(Watched(work.ingredient.stream))
    signer = _Signer(work.chain.key)
    try:
        return _sign(work, watched, signer)
    except (c2pa.C2paError, ValueError, OSError) as error:
        causes = [signer.failure, *(stream.failure for stream in watched)]
        cause = next((cause for cause in causes if cause is not None), error)
        if isinstance(cause, AssentError):
            raise cause from error
        raise SealError(f"the content credential could not be signed: {cause}") from cause


def _sign(work: _Work, watched: list[Watched], sign_bytes: "_Signer") -> bytes:
    source, destination, *footage = watched
    definition = to_manifest(work.plan, thumbnail=work.thumbnail is not None)
    described = _describe(work.ingredient) if work.ingredient is not None else {}
    if work.ingredient is not None and not work.ingredient.own:
        for stream in footage:
            redact(definition, find_private(stream, work.ingredient.mime))
    if described and not footage:
        definition["ingredients"] = [described]
    source.seek(0)
    # The context and the signer must stay alive until the library has finished signing.
    with (
        make_context() as context,
        c2pa.Signer.from_callback(
            sign_bytes,
            _ALGORITHMS[sign_bytes.key.algorithm],
            work.chain.chain_pem.decode("ascii"),
            work.tsa_url,
        ) as signer,
        c2pa.Builder(definition, context) as builder,
    ):
        if not work.embed:
            builder.set_no_embed()
        if work.thumbnail is not None:
            builder.add_resource(THUMBNAIL, io.BytesIO(work.thumbnail))
        for stream in footage:
            stream.seek(0)
            builder.add_ingredient(described, described["format"], stream)
        return bytes(builder.sign(signer, work.mime, source, destination))


def _describe(ingredient: Ingredient) -> dict[str, Any]:
    described = {
        "title": ingredient.title,
        "format": ingredient.mime,
        "relationship": "parentOf",
        "label": PARENT,
    }
    if ingredient.sha256 is not None:
        with suppress(ValueError):
            digest = urlsafe_b64encode(bytes.fromhex(ingredient.sha256)).rstrip(b"=")
            return described | {"instance_id": f"ni:///sha-256;{digest.decode('ascii')}"}
        raise BriefError(f"{ingredient.sha256!r} is not a hexadecimal SHA-256 hash")
    return described


class _Signer:
    """Signs with `key`, and keeps the first `failure`, which the library would swallow."""

    def __init__(self, key: ClaimKey) -> None:
        self.key = key
        self.failure: Exception | None = None

    def __call__(self, data: bytes) -> bytes:
        try:
            return self.key.sign(data)
        except Exception as error:
            self.failure = self.failure or error
            raise
