"""What a credential says of a sealed file, and how it is signed as the studio chose.

No names and no file names: consent appears as hashes, places and dates.
"""

import io
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from typing import Any, BinaryIO

import numpy as np
from sqlalchemy import select

from assent import __version__
from assent.consent.clearance import Clearance
from assent.consent.status_list import Place, credential_status, list_path
from assent.disclose.check import LABEL_SEEN
from assent.disclose.wording import NOT_STAMPED
from assent.kit.c2pa.manifest import Action, ListEntry, Plan, Scope, iptc_term
from assent.kit.c2pa.read import BESIDE, read
from assent.kit.c2pa.sign import Ingredient, has_readable_chain, sign, sign_beside
from assent.kit.errors import SealError
from assent.kit.imaging.label import Corner, draw_label, label_present
from assent.kit.media._encode import encode_still
from assent.kit.media.convert import fit_shortest_side, scale
from assent.kit.media.picture import Picture, luma8, to_rgb
from assent.kit.media.tags import Tags, make_aigc, make_xmp, write_tags
from assent.kit.store.case_tables import StandingRow
from assent.kit.store.studio import Studio
from assent.kit.store.tables import ConsentRow
from assent.purpose.brief import Category
from assent.purpose.projects import Purpose

__all__ = [
    "COMPOSITE",
    "draw_up",
    "may_show_history",
    "put_tags",
    "readable_chain",
    "scope_of",
    "sign_as_chosen",
    "thumbnail_of",
]

COMPOSITE = "compositeWithTrainedAlgorithmicMedia"
# Of so many pictures the one that shows most becomes the thumbnail, its shortest side so long.
_LOOKED_AT = 12
_SHORTEST_SIDE = 240


def draw_up(
    studio: Studio,
    asset_id: str,
    receipts: Sequence[str],
    actions: Iterable[Action],
    *,
    scope: Scope | None = None,
    **more: Any,  # noqa: ANN401 # other fields of a plan
) -> Plan:
    """Return the plan of a credential by this studio, now."""
    return Plan(
        **{
            "title": f"assent-{asset_id}",
            "generator_name": "Assent",
            "generator_version": __version__,
            "digital_source_type": COMPOSITE,
            "actions": tuple(actions),
            "asset_id": asset_id,
            "receipts": tuple(receipts),
            "scope": scope,
            "status": _places_of(studio, asset_id, receipts),
            "log": studio.log_verifier.name,
            "log_url": studio.profile.log_url,
            "when": studio.clock(),
            **more,
        }
    )


def scope_of(purpose: Purpose, clearances: Iterable[Clearance]) -> Scope:
    """Return what the clearances cover together, in codes and no free text."""
    shown = list(clearances)
    return Scope(
        acts=tuple({act.value for clearance in shown for act in clearance.acts}),
        modalities=tuple({each.value for clearance in shown for each in clearance.modalities}),
        places=tuple(place for place in purpose.brief.places if _is_code(place)),
        ends=purpose.brief.ends,
    )


def _is_code(place: str) -> bool:
    country, _, region = place.partition("-")
    parts = [country, *([region] if region else [])]
    return len(country) == 2 and all(p.isascii() and p.isalnum() and len(p) < 4 for p in parts)


def _places_of(studio: Studio, asset_id: str, receipts: Sequence[str]) -> tuple[ListEntry, ...]:
    """Return the places of the receipts, and of the release itself."""
    with studio.database.session() as session:
        rows = session.scalars(
            select(ConsentRow).where(ConsentRow.receipt_hash.in_(receipts))
        ).all()
        own = session.get(StandingRow, asset_id)
    places = [(row.status_list, row.status_index) for row in rows]
    places += [(own.status_list, own.status_index)] if own else []
    return tuple(
        _entry(studio, Place(number=number, index=index))
        for number, index in places
        if number is not None and index is not None
    )


def _entry(studio: Studio, place: Place) -> ListEntry:
    path = list_path(studio.log_folder, place.number).relative_to(studio.log_folder)
    told = credential_status(studio.id, place)
    return ListEntry(id=told["statusListCredential"], path=path.as_posix(), index=place.index)


def may_show_history(purpose: Purpose, *, hidden: bool) -> bool:
    """Tell whether the footage's own credentials may be carried along.

    Not where they could lead to somebody who is to be protected, and not where bystanders were
    hidden, since the footage that was opened is then not the one that was signed.
    """
    return not hidden and purpose.brief.category is not Category.IDENTITY_PROTECTION


def readable_chain(footage: Ingredient) -> Ingredient:
    """Return the footage as it can be carried along: by hash alone if its credentials are torn."""
    if footage.stream is None or has_readable_chain(footage.stream, footage.mime):
        return footage
    return replace(footage, stream=None)


def thumbnail_of(pictures: Iterable[Picture], *, corner: Corner) -> bytes:
    """Return a small JPEG of the one of the first pictures that shows most, label included.

    `corner` is where they have the label. Raises `SealError` when the label can't be seen in it:
    what shows a face shows the label too.
    """
    seen = islice(pictures, _LOOKED_AT)
    best = max(seen, key=lambda picture: float(np.std(luma8(picture))), default=None)
    if best is None:
        raise SealError("the sealed video holds no picture")
    width, height = fit_shortest_side(best.width, best.height, _SHORTEST_SIDE)
    small = scale(best, width, height)
    if label_present(small, draw_label(width, height, corner=corner)) < LABEL_SEEN:
        raise SealError("the label can't be seen in the thumbnail")
    sink = io.BytesIO()
    encode_still(to_rgb(small), sink, kind="jpeg")
    return sink.getvalue()


def put_tags(studio: Studio, media: BinaryIO, *, mime: str, plan: Plan) -> None:
    """Write what other programs read of a file: XMP, and the AIGC field if the studio chose it."""
    producer = studio.profile.aigc_producer
    made = plan.digital_source_type is not None
    aigc = make_aigc(producer=producer, asset_id=plan.asset_id) if producer and made else None
    xmp = make_xmp(
        asset_id=plan.asset_id,
        tool=f"{plan.generator_name} {plan.generator_version}",
        source_type=iptc_term(plan.digital_source_type) if plan.digital_source_type else None,
        aigc=aigc,
    )
    write_tags(media, mime=mime, tags=Tags(xmp=xmp, aigc=aigc))
    media.flush()


def sign_as_chosen(
    studio: Studio,
    source: BinaryIO,
    destination: BinaryIO,
    *,
    mime: str,
    plan: Plan,
    ingredient: Ingredient | None,
    tsa_url: str | None = None,
    thumbnail: bytes | None = None,
) -> bytes | None:
    """Sign with the studio's chain; time-stamped by `tsa_url`, else as the profile says.

    Returns the credential of a file that can't hold one. Raises `SealError` when there is no time
    stamp where one was asked for, unless the profile says that the credential then says so.
    """
    profile = studio.profile
    service = tsa_url or profile.tsa_url

    def attempt(plan: Plan, service: str | None) -> bytes | None:
        beside = None
        given: dict[str, Any] = {
            "mime": mime, "plan": plan, "chain": studio.chain, "ingredient": ingredient,
            "tsa_url": service, "thumbnail": thumbnail,
        }  # fmt: skip
        if mime in BESIDE:
            beside = sign_beside(source, **given)
        else:
            destination.seek(0)
            destination.truncate()
            sign(source, destination, **given)
        if service is not None and service == profile.tsa_url:
            _check_stamp(studio, destination if beside is None else source, mime, beside)
        return beside

    if service is None or tsa_url is not None or profile.unstamped == "refuse":
        return attempt(plan, service)
    with suppress(SealError):
        return attempt(plan, service)
    return attempt(_unstamped(plan), None)


def _check_stamp(studio: Studio, media: BinaryIO, mime: str, beside: bytes | None) -> None:
    """Raise `SealError` if the stamp isn't under the root that the studio named, if it did."""
    if studio.profile.tsa_root_pem is None:
        return
    anchors = studio.chain.anchors_pem
    if read(media, mime=mime, anchors_pem=anchors, beside=beside).signed_at is None:
        raise SealError(
            "the time stamp is not under the root that the studio named",
            advice="Check the service and its root: `assent credentials profile`.",
        )


def _unstamped(plan: Plan) -> Plan:
    """Return the plan, its last action saying that there is no time stamp."""
    *before, last = plan.actions
    said = f"{last.description}. {NOT_STAMPED}" if last.description else NOT_STAMPED
    return replace(plan, actions=(*before, replace(last, description=said)))
