"""Colour tags: FFmpeg's numbers (ITU-T H.273), their names, and what an untagged clip means.

Untagged pictures are taken as players take them: BT.709 when the shorter side has at least 720
or the longer at least 1280 pixels, BT.601 below; limited range unless the pixel format itself
is a full-range one.
"""

from typing import Final

from assent.kit.errors import MediaError

__all__ = [
    "MATRICES",
    "PRIMARIES",
    "TRANSFERS",
    "UNSPECIFIED",
    "default_matrix",
    "name_matrix",
    "name_primaries",
    "name_transfer",
]

UNSPECIFIED: Final = 2
"""The number that says nothing, in all three tables."""

PRIMARIES: Final = {
    "bt709": 1,
    "bt470m": 4,
    "bt470bg": 5,
    "smpte170m": 6,
    "smpte240m": 7,
    "film": 8,
    "bt2020": 9,
    "smpte428": 10,
    "smpte431": 11,
    "smpte432": 12,
    "ebu3213": 22,
}
TRANSFERS: Final = {
    "bt709": 1,
    "gamma22": 4,
    "gamma28": 5,
    "smpte170m": 6,
    "smpte240m": 7,
    "linear": 8,
    "log": 9,
    "log_sqrt": 10,
    "iec61966-2-4": 11,
    "bt1361": 12,
    "iec61966-2-1": 13,
    "bt2020-10": 14,
    "bt2020-12": 15,
    "smpte2084": 16,
    "smpte428": 17,
    "arib-std-b67": 18,
}
MATRICES: Final = {"bt601": 6, "bt709": 1, "bt2020": 9}
"""The number written for each matrix that a `Picture` may have."""

# SMPTE 240M differs from BT.709 by less than 0.006 in every weight.
_MATRIX_NAMES = {1: "bt709", 4: "bt601", 5: "bt601", 6: "bt601", 7: "bt709", 9: "bt2020"}
_NO_MATRIX = (0, UNSPECIFIED, 3)  # RGB, unspecified, reserved
_USUAL_PRIMARIES = {"bt601": "smpte170m", "bt709": "bt709", "bt2020": "bt2020"}
_USUAL_TRANSFERS = {"bt601": "smpte170m", "bt709": "bt709", "bt2020": "bt2020-10"}


def default_matrix(width: int, height: int) -> str:
    """The matrix of an untagged picture of this size."""
    large = min(width, height) >= 720 or max(width, height) >= 1280
    return "bt709" if large else "bt601"


def name_matrix(number: int, *, width: int, height: int, name: str) -> str:
    """The name of a tagged matrix, or the default for the size when untagged.

    Raises:
        MediaError: A matrix that pictures can't have (YCgCo, ICtCp, constant luminance, ...).
    """
    if number in _NO_MATRIX:
        return default_matrix(width, height)
    if number not in _MATRIX_NAMES:
        raise MediaError(
            f"{name} uses a colour coding that can't be read (H.273 matrix {number})",
            advice="Export the clip as MP4 (H.264) in BT.709.",
        )
    return _MATRIX_NAMES[number]


def name_primaries(number: int, matrix: str) -> str:
    """The name of tagged primaries, or those that usually go with the matrix."""
    return _name(PRIMARIES, number) or _USUAL_PRIMARIES[matrix]


def name_transfer(number: int, matrix: str) -> str:
    """The name of a tagged transfer characteristic, or the matrix's usual one."""
    return _name(TRANSFERS, number) or _USUAL_TRANSFERS[matrix]


def _name(table: dict[str, int], number: int) -> str | None:
    return next((name for name, known in table.items() if known == number), None)
