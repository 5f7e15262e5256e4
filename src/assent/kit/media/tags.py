"""Write marks of machine-made content into a file's own metadata: XMP, and China's AIGC field.

    write_tags(stream, mime="video/mp4", tags=Tags(xmp=make_xmp(...), aigc=make_aigc(...)))

Where each goes: XMP into a `uuid` box (ISO 16684-3), APP1 segment, iTXt chunk or `_PMX` chunk; AIGC
(GB 45438-2025, annex) into the XMP, and besides under the key `AIGC` of `moov.udta.meta` in MP4 and
MOV, and into an `AIGC` chunk in WAV. Picture and sound stay as they are. It is done before a file
is signed. Other programs may well drop or change these fields; the manifest is what is signed.
"""

import json
import zlib
from dataclasses import dataclass
from typing import BinaryIO
from xml.sax.saxutils import escape

from assent.kit.errors import MediaError

__all__ = ["Tags", "make_aigc", "make_xmp", "write_tags"]

_XMP_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_XMP_SEGMENT = b"http://ns.adobe.com/xap/1.0/\0"
_LONGEST_SEGMENT = 65_533
_PACKET = """\
<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
    xmlns:TC260="http://www.tc260.org.cn/ns/AIGC/1.0/">
{fields}
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="r"?>"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tags:
    """An XMP packet, and the value of the AIGC field; each may be missing."""

    xmp: bytes | None = None
    aigc: str | None = None


def make_aigc(*, producer: str, asset_id: str) -> str:
    """Return the AIGC field for content that was certainly made by AI, as JSON.

    >>> make_aigc(producer="001191310", asset_id="00ff")[:52]
    '{"Label":"1","ContentProducer":"001191310","ProduceI'
    """
    field = {
        "Label": "1",
        "ContentProducer": producer,
        "ProduceID": asset_id,
        "ReservedCode1": "",
        "ContentPropagator": "",
        "PropagateID": "",
        "ReservedCode2": "",
    }
    return json.dumps(field, ensure_ascii=False, separators=(",", ":"))


def make_xmp(
    *, asset_id: str, tool: str, source_type: str | None = None, aigc: str | None = None
) -> bytes:
    """Return an XMP packet; `source_type` is the address of an IPTC digital source type."""
    fields = {
        "dc:identifier": asset_id,
        "xmp:CreatorTool": tool,
        "Iptc4xmpExt:DigitalSourceType": source_type,
        "TC260:AIGC": aigc,
    }
    lines = [f"   <{k}>{escape(v)}</{k}>" for k, v in fields.items() if v is not None]
    return _PACKET.format(fields="\n".join(lines)).encode()


def write_tags(stream: BinaryIO, *, mime: str, tags: Tags) -> None:
    """Put `tags` into the file in `stream` (readable, writable, seekable), in place.

    Raises MediaError when it isn't a whole file of type `mime`, or that type has no place for them.
    """
    try:
        write = _WRITERS[mime]
    except KeyError:
        raise MediaError(f"there is no place for such fields in {mime}") from None
    write(stream, tags)


def _write_film(stream: BinaryIO, tags: Tags) -> None:
    """Lengthen the `moov` box, which must be the last one, and add a box for XMP after it."""
    start, size = _last_box(stream)
    stream.seek(start)
    head, body = stream.read(8), stream.read(size - 8)
    if head[4:] != b"moov":
        raise MediaError("the film's index doesn't come last")
    if tags.aigc is not None:
        body = _with_user_data(body, _keyed("AIGC", tags.aigc.encode()))
    stream.seek(start)
    stream.write(_box(b"moov", body))
    if tags.xmp is not None:
        stream.write(_box(b"uuid", _XMP_UUID + tags.xmp))


def _last_box(stream: BinaryIO) -> tuple[int, int]:
    """Return where the last top-level box begins, and its size."""
    end = stream.seek(0, 2)
    start = size = 0
    while start + size < end:
        start += size
        stream.seek(start)
        head = stream.read(16)
        size = int.from_bytes(head[:4], "big")
        if size == 1:
            size = int.from_bytes(head[8:], "big")
        if len(head) < 8 or size < 8 or start + size > end:
            raise MediaError("the film's boxes are damaged")
    if size == 0:
        raise MediaError("the film is empty")
    return start, size


def _with_user_data(moov: bytes, meta: bytes) -> bytes:
    """Return a `moov` box's content with `meta` in its `udta`, in place of any that is there."""
    boxes = _boxes(moov)
    kept = [piece for kind, piece in boxes if kind != b"udta"]
    user = [piece[8:] for kind, piece in boxes if kind == b"udta"]
    inner = [piece for data in user for kind, piece in _boxes(data) if kind != b"meta"]
    return b"".join(kept) + _box(b"udta", b"".join([*inner, meta]))


def _boxes(data: bytes) -> list[tuple[bytes, bytes]]:
    found, at = [], 0
    while at + 8 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        if size < 8 or at + size > len(data):
            # Some programs end user data with four zero bytes.
            break
        found.append((data[at + 4 : at + 8], data[at : at + size]))
        at += size
    return found


def _keyed(key: str, value: bytes) -> bytes:
    """Return a `meta` box of one key and its UTF-8 value (QuickTime file format, "Metadata")."""
    handler = _box(b"hdlr", bytes(8) + b"mdta" + bytes(12) + b"\0")
    name = _box(b"mdta", key.encode())
    keys = _box(b"keys", bytes(4) + (1).to_bytes(4, "big") + name)
    data = _box(b"data", (1).to_bytes(4, "big") + bytes(4) + value)
    item = _box((1).to_bytes(4, "big"), data)
    return _box(b"meta", bytes(4) + handler + keys + _box(b"ilst", item))


def _box(kind: bytes, body: bytes) -> bytes:
    return (len(body) + 8).to_bytes(4, "big") + kind + body


def _write_jpeg(stream: BinaryIO, tags: Tags) -> None:
    stream.seek(0)
    data = stream.read()
    if data[:2] != b"\xff\xd8":
        raise MediaError("this is no JPEG")
    # JFIF's own segment must stay the first.
    at = 4 + int.from_bytes(data[4:6], "big") if data[2:4] == b"\xff\xe0" else 2
    body = _XMP_SEGMENT + (tags.xmp or b"")
    if tags.xmp is None or len(body) > _LONGEST_SEGMENT:
        raise MediaError("the fields for a JPEG are missing, or too long")
    segment = b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body
    _replace(stream, data[:at] + segment + data[at:])


def _write_png(stream: BinaryIO, tags: Tags) -> None:
    stream.seek(0)
    data = stream.read()
    if data[:8] != b"\x89PNG\r\n\x1a\n" or data[12:16] != b"IHDR":
        raise MediaError("this is no PNG")
    body = b"iTXtXML:com.adobe.xmp\0\0\0\0\0" + (tags.xmp or b"")
    chunk = (len(body) - 4).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")
    at = 8 + 12 + int.from_bytes(data[8:12], "big")
    _replace(stream, data[:at] + chunk + data[at:])


def _replace(stream: BinaryIO, data: bytes) -> None:
    stream.seek(0)
    stream.write(data)
    stream.truncate()


def _write_wav(stream: BinaryIO, tags: Tags) -> None:
    stream.seek(0)
    head = stream.read(12)
    if head[:4] != b"RIFF" or head[8:] != b"WAVE":
        raise MediaError("this is no WAV file")
    end = stream.seek(0, 2)
    chunks = {b"_PMX": tags.xmp, b"AIGC": tags.aigc.encode() if tags.aigc else None}
    for kind, body in chunks.items():
        if body is not None:
            padded = body + b"\0" * (len(body) % 2)
            end += stream.write(kind + len(body).to_bytes(4, "little") + padded)
    stream.seek(4)
    stream.write((end - 8).to_bytes(4, "little"))


_WRITERS = {
    "audio/wav": _write_wav,
    "image/jpeg": _write_jpeg,
    "image/png": _write_png,
    "video/mp4": _write_film,
    "video/quicktime": _write_film,
}
