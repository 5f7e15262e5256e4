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

from base64 import urlsafe_b64encode
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, BinaryIO

import c2pa
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from assent.kit.c2pa._settings import make_context
from assent.kit.c2pa._streams import Watched
from assent.kit.c2pa._thumbnails import find_thumbnails, redact
from assent.kit.c2pa.certificates import Chain
from assent.kit.c2pa.manifest import PARENT, Plan, to_manifest
from assent.kit.errors import BriefError, SealError

__all__ = ["MIMES", "Ingredient", "sign"]

MIMES = frozenset({"video/mp4", "image/jpeg", "image/png"})

_Signer = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingredient:
    """The footage that was opened and changed: C2PA's parent ingredient.

    `title` is a neutral name such as "footage", `mime` the footage's type. Give either its
    `stream` (seekable; credentials inside it are carried over, without their thumbnails) or,
    where the bytes can't be shown or the library doesn't know their type, the `sha256` of them
    in hex, which becomes the ingredient's identifier (a `ni:` name, RFC 6920).
    """

    title: str
    mime: str
    stream: BinaryIO | None = None
    sha256: str | None = None


def sign(
    source: BinaryIO,
    destination: BinaryIO,
    *,
    mime: str,
    plan: Plan,
    chain: Chain,
    ingredient: Ingredient | None,
    tsa_url: str | None,
) -> None:
    """Write `source` with a credential that says `plan` to `destination`.

    `source` is read from its start; `destination` is seekable, empty, readable and writable.
    `mime` is one of MIMES. `tsa_url` (http or https) names an RFC 3161 time-stamping authority,
    the only host that is ever contacted; None signs without a time stamp.

    Raises SealError with the underlying reason, and BriefError when the plan opens footage but
    there is no ingredient, the reverse, or an ingredient with both or neither of its forms.
    """
    _check(mime, plan, ingredient)
    watched = [Watched(source), Watched(destination)]
    if ingredient is not None and ingredient.stream is not None:
        watched.append(Watched(ingredient.stream))
    signer = _Es256(chain.leaf_key_pem)
    try:
        _sign(watched, mime, plan, chain, ingredient, tsa_url, signer)
    except (c2pa.C2paError, ValueError, OSError) as error:
        causes = [signer.failure, *(stream.failure for stream in watched)]
        cause = next((cause for cause in causes if cause is not None), error)
        raise SealError(f"the content credential could not be signed: {cause}") from cause


def _check(mime: str, plan: Plan, ingredient: Ingredient | None) -> None:
    if mime not in MIMES:
        raise SealError(
            f"credentials can't be put into {mime}", advice=f"Use one of {', '.join(sorted(MIMES))}"
        )
    if (plan.actions[0].name == "c2pa.opened") != (ingredient is not None):
        raise BriefError("a credential that opens footage needs that footage as its ingredient")
    if ingredient is not None and (ingredient.stream is None) == (ingredient.sha256 is None):
        raise BriefError("an ingredient is either a stream or a SHA-256 hash")


def _sign(
    watched: list[Watched],
    mime: str,
    plan: Plan,
    chain: Chain,
    ingredient: Ingredient | None,
    tsa_url: str | None,
    sign_bytes: _Signer,
) -> None:
    source, destination, *footage = watched
    definition = to_manifest(plan)
    described = _describe(ingredient) if ingredient is not None else None
    if ingredient is not None:
        for stream in footage:
            redact(definition, find_thumbnails(stream, ingredient.mime))
        if not footage:
            definition["ingredients"] = [described]
    source.seek(0)
    # The context and the signer must stay alive until the library has finished signing.
    with (
        make_context() as context,
        c2pa.Signer.from_callback(
            sign_bytes, c2pa.C2paSigningAlg.ES256, chain.chain_pem.decode("ascii"), tsa_url
        ) as signer,
        c2pa.Builder(definition, context) as builder,
    ):
        for stream in footage:
            stream.seek(0)
            builder.add_ingredient(described, ingredient.mime if ingredient else mime, stream)
        builder.sign(signer, mime, source, destination)


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


class _Es256:
    """Sign as COSE's ES256 wants it (r and s, 32 bytes each), and keep the first `failure`."""

    def __init__(self, key_pem: bytes) -> None:
        self._key_pem = key_pem
        self.failure: Exception | None = None

    def __call__(self, data: bytes) -> bytes:
        try:
            return _sign_es256(data, self._key_pem)
        except Exception as error:
            self.failure = self.failure or error
            raise


def _sign_es256(data: bytes, key_pem: bytes) -> bytes:
    key = serialization.load_pem_private_key(key_pem, password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError("the signing key is not an elliptic-curve key")
    r, s = decode_dss_signature(key.sign(data, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")
