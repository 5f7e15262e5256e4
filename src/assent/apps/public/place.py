"""Where the public pages are, as everybody sees them: every address in them is made from this.

Nothing that a request says of itself ever gets into an address, so that no cache can be poisoned.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from assent.apps.public.source import PUBLIC
from assent.consent.notice import LANGUAGES
from assent.kit.canonical import parse_object
from assent.kit.disk import Disk, replace_file
from assent.kit.errors import AssentError, InputError

__all__ = ["PublicPlace", "keep_place", "kept_place", "place_of"]

_SETTINGS = "site.json"
_PATH = re.compile(r"(?:/[A-Za-z0-9._~-]+)*")
_LONGEST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicPlace:
    """The address of the pages without a last slash, whom to write to, and the first language."""

    url: str
    contact: str
    language: str = LANGUAGES[0]

    @property
    def base(self) -> str:
        """Return the path of the address: nothing, or such as /assent."""
        return urlsplit(self.url).path

    @property
    def origin(self) -> str:
        """Return scheme, host and port."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def secure(self) -> bool:
        """Tell whether it is reached by HTTPS."""
        return self.url.startswith("https://")

    def record(self, asset_id: str) -> str:
        """Return the address of a release's record: what its QR code says."""
        return f"{self.url}/r/{asset_id}"


def place_of(url: str, *, contact: str, language: str = LANGUAGES[0]) -> PublicPlace:
    """Return the place at `url`; raises `InputError` unless it is a plain address of the web."""
    parts = urlsplit(url.strip().rstrip("/"))
    try:
        port = parts.port
    except ValueError:
        port = -1
    plain = parts.scheme in ("http", "https") and parts.hostname and port != -1
    rest = parts.query or parts.fragment or "@" in parts.netloc or not parts.netloc.isascii()
    if not plain or rest or len(url) > _LONGEST or not _PATH.fullmatch(parts.path):
        raise InputError(
            f"'{url[:80]}' can't be where the public pages are",
            advice="Give a scheme, a host and perhaps a path, such as https://example.org/assent.",
        )
    if language not in LANGUAGES:
        raise InputError(
            f"there are no words in '{language[:20]}'", advice=f"Use {', '.join(LANGUAGES)}."
        )
    address = f"{parts.scheme}://{parts.netloc.lower()}{parts.path}"
    return PublicPlace(url=address, contact=contact, language=language)


def keep_place(folder: Path, place: PublicPlace, disk: Disk) -> None:
    """Write the place into the studio, for whoever publishes and serves next."""
    disk.make_folder(folder / PUBLIC)
    disk.share_folder(folder / PUBLIC)
    path = folder / PUBLIC / _SETTINGS
    data = {"url": place.url, "contact": place.contact, "language": place.language}
    replace_file(disk, path, json.dumps(data, indent=1, sort_keys=True).encode() + b"\n")
    disk.share(path)


def kept_place(folder: Path, disk: Disk | None = None) -> PublicPlace | None:
    """Return the place that was kept, or None."""
    data = (disk or Disk()).read(folder / PUBLIC / _SETTINGS)
    if data is None:
        return None
    try:
        fields = parse_object(data, name=_SETTINGS)
        return place_of(
            str(fields["url"]), contact=str(fields["contact"]), language=str(fields["language"])
        )
    except (AssentError, KeyError) as error:
        raise InputError(
            f"{PUBLIC}/{_SETTINGS} is damaged", advice="Publish again with --url."
        ) from error
