"""Open a clip for reading: only the bytes given, only formats that hold films.

FFmpeg gets an object with `read`, `seek` and `tell`, never a path or an address, and only the
listed demuxers. Playlists, scripts and references can therefore not make it open anything else.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeAlias

import av
import av.error
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from assent.kit.errors import MediaError, StorageError

__all__ = [
    "LONGEST_SIDE",
    "Opened",
    "OpenedClip",
    "Source",
    "open_clip",
    "open_sound",
    "open_source",
]

Source: TypeAlias = Path | BinaryIO
"""A file's path, or an object with read, seek and tell."""

LONGEST_SIDE = 8192
"""Pixels; a wider or higher picture is refused: no camera makes it and it fills the memory."""

_DEMUXERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mxf"
_SOUND_DEMUXERS = f"{_DEMUXERS},aac,aiff,caf,flac,mp3,ogg,w64,wav"
_BUFFER = 1 << 17
_MOST_BOXES = 64
_PLAYLISTS = (b"#EXTM3U", b"ffconcat", b"<?xml", b"<MPD", b"<SMIL", b"[playlist]", b"file ")
_PICTURES = {
    b"\x89PNG": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"GIF8": "GIF",
    b"BM": "BMP",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
}
_SOUNDS = (b"ID3", b"OggS", b"fLaC", b"\xff\xfb", b"\xff\xf1")
_EXPORT = "Export the clip as MP4 (H.264) and try again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """An open file: its name for messages, the container and its size."""

    name: str
    container: InputContainer
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedClip(Opened):
    """An open clip: also its picture track."""

    video: VideoStream


class _Bytes:
    """Hides everything of a file but its bytes, its name above all."""

    def __init__(self, file: BinaryIO) -> None:
        self.read = file.read
        self.tell = file.tell
        self._seek = file.seek

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._seek(offset, whence)


@contextmanager
def open_clip(source: Source, *, name: str) -> Iterator[OpenedClip]:
    """Open a clip and pick its picture track.

    Raises:
        MediaError: No such file, or nothing that can be read as a film.
        StorageError: The file can't be read.
    """
    with open_source(source, name=name) as (file, size), _demux(file, size, name) as container:
        yield OpenedClip(
            name=name, container=container, video=_pick_video(container, name), size=size
        )


@contextmanager
def open_sound(source: Source, *, name: str) -> Iterator[Opened]:
    """Open a clip or a sound file for its sound.

    Raises:
        MediaError: No such file, or nothing that can be read as a film or as sound.
        StorageError: The file can't be read.
    """
    with (
        open_source(source, name=name) as (file, size),
        _demux(file, size, name, _SOUND_DEMUXERS) as container,
    ):
        yield Opened(name=name, container=container, size=size)


@contextmanager
def open_source(source: Source, *, name: str) -> Iterator[tuple[BinaryIO, int]]:
    """A readable file at position 0 and its size in bytes; a path is closed again at the end.

    Raises:
        MediaError: No such file, a folder, or an empty file.
        StorageError: The file can't be read.
    """
    if not isinstance(source, Path):
        size = _measure(source, name)
        yield source, size
        return
    if not source.exists():
        raise MediaError(f"{name} does not exist", advice="Check the spelling of the path.")
    if not source.is_file():
        raise MediaError(f"{name} is not a file", advice="Name one clip, not a folder.")
    try:
        file = source.open("rb")
    except OSError as error:
        raise StorageError(f"{name} can't be read: {error.strerror}") from error
    with file:
        yield file, _measure(file, name)


def _measure(file: BinaryIO, name: str) -> int:
    size = file.seek(0, 2)
    file.seek(0)
    if size == 0:
        raise MediaError(f"{name} is empty", advice="Copy or export the clip again.")
    return size


@contextmanager
def _demux(
    file: BinaryIO, size: int, name: str, kinds: str = _DEMUXERS
) -> Iterator[InputContainer]:
    head = file.read(512)
    file.seek(0)
    _refuse_other_media(head, name)
    try:
        container = av.open(
            _Bytes(file),
            "r",
            options={"format_whitelist": kinds, "protocol_whitelist": "none"},
            metadata_errors="replace",
            buffer_size=_BUFFER,
        )
    except av.error.FFmpegError as error:
        if kinds != _DEMUXERS:
            raise MediaError(
                f"{name} is damaged, or neither a film nor sound in a format that can be read",
                advice="Convert it to MP4, or sound to WAV, and try again.",
            ) from error
        raise _explain(file, size, head, name) from error
    except OSError as error:
        raise StorageError(f"{name} can't be read: {error.strerror}") from error
    try:
        yield container
    finally:
        container.close()


def _refuse_other_media(head: bytes, name: str) -> None:
    """Refuse what names other files or is no film, before any parser sees it."""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if any(start.startswith(mark) for mark in _PLAYLISTS):
        raise MediaError(
            f"{name} is a playlist that names other files, not a clip",
            advice="Give the clip itself, as one file.",
        )
    for mark, kind in _PICTURES.items():
        if head.startswith(mark):
            raise MediaError(f"{name} is a {kind} picture, not a clip", advice="Give a film.")
    if all(byte in b"\t\n\r" or 32 <= byte < 127 for byte in head):
        raise MediaError(f"{name} holds text, not a clip", advice="Give a film.")


def _explain(file: BinaryIO, size: int, head: bytes, name: str) -> MediaError:
    """What is wrong with a file that the demuxers refused."""
    if any(head.startswith(mark) for mark in _SOUNDS) or head[8:12] == b"WAVE":
        return _no_picture(name)
    if head[4:8] in (b"ftyp", b"mdat", b"wide", b"free") and not _has_index(file, size):
        return MediaError(
            f"{name} is cut off: its index (moov) is missing",
            advice="Copy the file again from its source; a recording that was interrupted "
            "must be repaired with the camera's own software.",
        )
    return MediaError(
        f"{name} is damaged or not a clip in a format that can be read "
        "(MP4, MOV, MKV, WebM, AVI, MPEG-TS, MXF)",
        advice=_EXPORT,
    )


def _has_index(file: BinaryIO, size: int) -> bool:
    """Whether one of an MP4 file's outer boxes is its index (ISO/IEC 14496-12, 4.2)."""
    place = 0
    for _ in range(_MOST_BOXES):
        file.seek(place)
        header = file.read(16)
        if len(header) < 8:
            return False
        length, kind = int.from_bytes(header[:4]), header[4:8]
        if length == 1:
            length = int.from_bytes(header[8:16])
        if kind == b"moov":
            return place + length <= size
        place += length
        # A box can claim more bytes than any file has, more even than can be sought.
        if length < 8 or place > size:
            return False
    return False


def _pick_video(container: InputContainer, name: str) -> VideoStream:
    """The first picture track that is no cover picture."""
    tracks = [
        track
        for track in container.streams.video
        if not track.disposition & Disposition.attached_pic
    ]
    if not tracks:
        raise _no_picture(name)
    track = tracks[0]
    if track.codec_context is None:
        raise MediaError(f"{name}: its picture codec is not known", advice=_EXPORT)
    width, height = track.codec_context.width, track.codec_context.height
    if width < 1 or height < 1:
        raise MediaError(f"{name} holds no picture that can be decoded", advice=_EXPORT)
    if max(width, height) > LONGEST_SIDE:
        raise MediaError(
            f"{name} is {width}x{height}; at most {LONGEST_SIDE} pixels a side can be read",
            advice="Scale the clip down and try again.",
        )
    return track


def _no_picture(name: str) -> MediaError:
    return MediaError(f"{name} holds sound and no picture", advice="Give a clip with a picture.")
