"""Other forms of a release: a still, its sound, the film in another container or with a matte.

Each is made of the released bytes, so label and mark are in it already. It gets a credential
of its own whose ingredient is the release, is checked like every sealed file, logged under the
release's asset id, and put beside it.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import BinaryIO

from assent.consent.clearance import Act, AskAgain, Clearance, require_all
from assent.consent.locker import Locker
from assent.create.draft import Draft
from assent.disclose._matting import with_mattes
from assent.disclose.check import (
    LABEL_SEEN,
    check_credential,
    check_label,
    check_log,
    check_mark,
    check_sound,
)
from assent.disclose.credential import draw_up, put_tags, scope_of, sign_as_chosen, thumbnail_of
from assent.disclose.entry import SealEntry
from assent.disclose.reopen import reopen
from assent.disclose.sealed import SealedVideo
from assent.kit.c2pa.manifest import Action, Plan
from assent.kit.c2pa.sign import Ingredient
from assent.kit.clock import stamp
from assent.kit.disk import replace_file
from assent.kit.errors import InputError, SealError
from assent.kit.hashing import chunks_of, hash_file
from assent.kit.imaging.label import draw_label, label_present
from assent.kit.media._encode import encode_matte, encode_still
from assent.kit.media._repack import repack, write_wav
from assent.kit.media.convert import from_rgb
from assent.kit.media.listen import listen
from assent.kit.media.picture import Picture, to_rgb
from assent.kit.media.probe import probe
from assent.kit.media.read import read_pictures, sample_pictures
from assent.kit.media.still import read_still
from assent.kit.store.studio import Studio
from assent.kit.tlog.receipt import SUFFIX, make_receipt
from assent.kit.vault.scratch import Scratch
from assent.kit.watermark.sound.code import short_number
from assent.purpose.projects import Purpose

__all__ = ["Form", "Made", "make_form"]

_NAME = "the release"
_WAV_RATE, _HEARD_AT = 48_000, 16_000
_BUFFER = 1 << 20
_LOOKS_APART = 0.5


class Form(Enum):
    """What can be made of a release."""

    JPEG = "jpeg"
    PNG = "png"
    WAV = "wav"
    MOV = "mov"
    MKV = "mkv"
    MATTE = "matte"
    """MOV (ProRes 4444) whose alpha tells what was changed, for compositing."""


_MIMES = {
    Form.JPEG: "image/jpeg",
    Form.PNG: "image/png",
    Form.WAV: "audio/wav",
    Form.MOV: "video/quicktime",
    Form.MKV: "video/x-matroska",
    Form.MATTE: "video/quicktime",
}
_SUFFIXES = {Form.JPEG: "jpg", Form.MATTE: "mov"}
_SAID = {
    "still": "A picture taken out of the release; labelled AI+MODIFIED",
    "sound": "The sound of the release, in which a face was replaced; the voice is as recorded",
    "video": "The release in another container; labelled AI+MODIFIED",
    "matte": "The release with a matte of what was changed; labelled AI+MODIFIED",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A form of a release, and what goes with it; `beside` holds the credential of an MKV."""

    path: Path
    proof: Path
    beside: Path | None
    sha256: str
    log_index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    studio: Studio
    release: SealedVideo
    entry: SealEntry
    form: Form
    plan: Plan
    draft: Draft
    ask_again: AskAgain

    @property
    def mime(self) -> str:
        return _MIMES[self.form]


def make_form(
    studio: Studio,
    purpose: Purpose,
    draft: Draft,
    asset_id: str,
    form: Form,
    clearances: Sequence[Clearance],
    *,
    ask_again: AskAgain,
    at_s: float = 0.0,
) -> Made:
    """Make a form of the release `asset_id` and put it beside it; `at_s` is a still's moment.

    Raises `NotClearedError` unless everybody still agrees to release, `NotFoundError` if the
    release is gone, `InputError` if it has no sound or no picture at that moment, `SealError` if a
    layer can't be read back.
    """
    people = {draft.donor_id, *draft.clip.people}
    require_all(
        clearances, people, Act.RELEASE, project_id=purpose.project_id, now=studio.clock()
    )  # fmt: skip
    release = reopen(studio, asset_id)
    with release.media, _scratch(studio) as plain, _scratch(studio) as signed:
        if release.draft_id != draft.id:
            raise InputError(f"asset {asset_id} was made of another draft")
        entry = SealEntry.parse(release.entry)
        plan = _plan(studio, purpose, entry, form, clearances, sounds=draft.clip.sound)
        work = _Work(
            studio=studio, release=release, entry=entry, form=form, plan=plan, draft=draft,
            ask_again=ask_again,
        )  # fmt: skip
        _make(work, plain, at_s)
        beside = _sign(work, plain, signed)
        media = plain if beside is not None else signed
        told = SealEntry(
            media=_kind(form),
            asset_id=asset_id,
            sha256=hash_file(media),
            fingerprint=entry.fingerprint if _kind(form) == "video" else "",
            frames=entry.frames if _kind(form) == "video" else 1,
            receipts=entry.receipts,
            time=stamp(studio.clock()),
        )
        _check(work, media, told, beside)
        ask_again()
        return _publish(work, media, told, beside, at_s)


def _scratch(studio: Studio) -> io.BufferedRandom:
    return io.BufferedRandom(Scratch(studio.vault_folder, disk=studio.disk), _BUFFER)


def _kind(form: Form) -> str:
    if form is Form.WAV:
        return "sound"
    return "still" if form in (Form.JPEG, Form.PNG) else "video"


def _plan(
    studio: Studio,
    purpose: Purpose,
    entry: SealEntry,
    form: Form,
    clearances: Sequence[Clearance],
    *,
    sounds: bool,
) -> Plan:
    kind = _kind(form)
    said = _SAID["matte" if form is Form.MATTE else kind]
    more = {"digital_source_type": None, "marked": False} if kind == "sound" else {}
    heard = kind == "sound" or (kind == "video" and sounds)
    return draw_up(
        studio,
        entry.asset_id,
        entry.receipts,
        (
            Action(name="c2pa.opened"),
            Action(name="c2pa.converted", description=said),
            Action(name="c2pa.published"),
        ),
        scope=scope_of(purpose, clearances),
        fingerprint=entry.fingerprint if kind == "video" else None,
        sound_mark=f"{short_number(int(entry.asset_id, 16)):08x}" if heard else None,
        **more,
    )


def _make(work: _Work, sink: BinaryIO, at_s: float) -> None:
    media, form = work.release.media, work.form
    if form in (Form.JPEG, Form.PNG):
        rgb = to_rgb(_picture_at(media, at_s))
        encode_still(rgb, sink, kind="png" if form is Form.PNG else "jpeg")
    elif form is Form.WAV:
        if not write_wav(listen(media, name=_NAME, rate=_WAV_RATE), sink, rate=_WAV_RATE):
            raise InputError("the release has no sound", advice="Choose another form.")
    elif form is Form.MATTE:
        _make_matte(work, sink)
    else:
        repack(media, sink, container="mov" if form is Form.MOV else "matroska", name=_NAME)
    if form is not Form.MKV:
        put_tags(work.studio, sink, mime=work.mime, plan=work.plan)


def _make_matte(work: _Work, sink: BinaryIO) -> None:
    media = work.release.media
    clip = probe(media, name=_NAME)
    frames = with_mattes(
        read_pictures(media, name=_NAME), work.draft, Locker(work.studio), work.ask_again
    )
    # Pictures and sound are read at different places of the file.
    sound = Path(media.name) if clip.sound else None
    encode_matte(frames, sink, like=clip, sound_from=sound)


def _picture_at(media: BinaryIO, at_s: float) -> Picture:
    clip = probe(media, name=_NAME)
    for picture in read_pictures(media, name=_NAME):
        if picture.pts * clip.time_base >= at_s:
            return picture
    raise InputError(
        f"the release ends before second {at_s:g}", advice=f"It lasts {clip.duration:.1f} s."
    )


def _sign(work: _Work, plain: BinaryIO, signed: BinaryIO) -> bytes | None:
    """Sign `plain`; return the credential of a form that can't hold one."""
    thumbnail = None
    if _kind(work.form) != "sound":
        looks = sample_pictures(work.release.media, name=_NAME, seconds=_LOOKS_APART)
        thumbnail = thumbnail_of(looks, corner=work.draft.label)
    parent = Ingredient(
        title="release",
        mime="video/mp4",
        stream=work.release.media,
        sha256=work.release.sha256,
        own=True,
    )
    return sign_as_chosen(
        work.studio, plain, signed, mime=work.mime, plan=work.plan, ingredient=parent,
        thumbnail=thumbnail,
    )  # fmt: skip


def _check(work: _Work, media: BinaryIO, entry: SealEntry, beside: bytes | None) -> None:
    """Read every layer back from the bytes that will leave; raises `SealError`."""
    studio = work.studio
    check_credential(media, mime=work.mime, chain=studio.chain, entry=entry, beside=beside)
    if entry.media == "still":
        media.seek(0)
        picture = from_rgb(read_still(media.read(), name="the still"))
        label = draw_label(picture.width, picture.height, corner=work.draft.label)
        if label_present(picture, label) < LABEL_SEEN:
            raise SealError("the label is missing on the still")
        check_mark(iter([picture]), key=studio.reading_key, asset_id=entry.asset_id)
        return
    if entry.media == "video":
        looks = sample_pictures(media, name=_NAME, seconds=_LOOKS_APART)
        check_label(looks, corner=work.draft.label)
        check_mark(read_pictures(media, name=_NAME), key=studio.reading_key,
                   asset_id=entry.asset_id)  # fmt: skip
    sound = listen(media, name=_NAME, rate=_HEARD_AT)
    check_sound(sound, rate=_HEARD_AT, key=studio.reading_key, asset_id=entry.asset_id)


def _publish(
    work: _Work, media: BinaryIO, entry: SealEntry, beside: bytes | None, at_s: float
) -> Made:
    """Log the form, and put it with its proof beside the release."""
    studio = work.studio
    (index,) = studio.log.append([entry.to_bytes()])
    receipt = make_receipt(studio.log.reader(), index)
    check_log(entry.to_bytes(), receipt, studio.log_verifier, sha256=entry.sha256)
    kind = f"still-{round(at_s * 1000)}ms" if entry.media == "still" else _kind(work.form)
    kind = "matte" if work.form is Form.MATTE else kind
    suffix = _SUFFIXES.get(work.form, work.form.value)
    path = studio.releases_folder / f"{_stem(studio, entry.asset_id)}-{kind}.{suffix}"
    files = {path.with_name(f"{path.name}{SUFFIX}"): [receipt.encode()]}
    if beside is not None:
        files[path.with_name(f"{path.name}.c2pa")] = [beside]
    for file, pieces in files.items():
        replace_file(studio.disk, file, pieces)
    replace_file(studio.disk, path, chunks_of(media))
    for file in (*files, path):
        studio.disk.share(file)
    proof, *others = files
    return Made(
        path=path,
        proof=proof,
        beside=others[0] if others else None,
        sha256=entry.sha256,
        log_index=index,
    )


def _stem(studio: Studio, asset_id: str) -> str:
    (path,) = studio.releases_folder.glob(f"*-{asset_id}.mp4")
    return path.stem
