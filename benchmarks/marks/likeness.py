"""How much worse a film looks than another: VMAF, by ffmpeg's libvmaf."""

import json
import tempfile
from pathlib import Path

from marks.attacks import ffmpeg

__all__ = ["vmaf"]

_THREADS = 2

# With unequal colour tags ffmpeg converts one of the two, and the score is of the conversion.
_ALIKE = (
    "setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709,"
    "format=yuv420p,settb=1/1000,setpts=N"
)


def vmaf(film: Path, reference: Path) -> float:
    """Return the mean VMAF (v0.6.1) of a film against its reference, at their own size."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "vmaf.json"
        graph = (
            f"[0:v]{_ALIKE}[film];[1:v]{_ALIKE}[reference];"
            f"[film][reference]libvmaf=n_threads={_THREADS}:log_fmt=json:log_path={log}"
        )
        ffmpeg(
            "-i", str(film), "-i", str(reference), "-lavfi", graph, "-f", "null", "-"
        )  # fmt: skip
        score: float = json.loads(log.read_text())["pooled_metrics"]["vmaf"]["mean"]
    return score
