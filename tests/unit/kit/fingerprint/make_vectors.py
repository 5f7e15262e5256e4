"""Write vectors.json: what ffmpeg's signature filter and iscc-core say of made and sample clips.

    python tests/unit/kit/fingerprint/make_vectors.py

Needs the `ffmpeg` program with its `signature` filter.
"""

import json
import re
import subprocess
import tempfile
from hashlib import shake_256
from pathlib import Path

import iscc_core

HERE = Path(__file__).parent
SAMPLES = HERE.parents[3] / "samples"
SIZES = [(32, 32), (64, 48), (97, 61), (200, 333)]
CLIPS = ["two_people.mp4", "no_face.mp4"]


def make_noise(width: int, height: int) -> bytes:
    """Return the luma of a picture of noise, the same everywhere."""
    return shake_256(f"{width}x{height}".encode()).digest(width * height)


def signatures(source: list[str], filters: str, data: bytes = b"") -> list[list[int]]:
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "signature.xml"
        chain = f"{filters}signature=format=xml:filename={report}"
        command = ["ffmpeg", "-v", "error", *source, "-an", "-vf", chain, "-f", "null", "-"]
        subprocess.run(command, input=data, check=True)
        found = re.findall(r"<FrameSignature>(.*?)</FrameSignature>", report.read_text())
    return [[int(digit) for digit in digits.split()] for digits in found]


def main() -> None:
    frames = {}
    for width, height in SIZES:
        raw = ["-f", "rawvideo", "-pix_fmt", "gray", "-s", f"{width}x{height}", "-i", "-"]
        (digits,) = signatures(raw, "", make_noise(width, height))
        frames[f"{width}x{height}"] = "".join(map(str, digits))
    clips = {
        name: iscc_core.gen_video_code_v0(
            signatures(["-i", str(SAMPLES / name)], "fps=fps=5,"), 256
        )["iscc"]
        for name in CLIPS
    }
    text = json.dumps({"frames": frames, "clips": clips}, indent=1)
    (HERE / "vectors.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
