"""What happens to a film on the internet: over a hundred handlings, by name.

    for name in ATTACKS:
        path = run_attack(name, Path("marked.mp4"), Path("out"))

`classes` tells which of codec, scale, crop, turn, colour, time, cover and hard a name belongs to.
The same film gives the same copy. ffmpeg's own encoders run with one thread, so that their results
don't hang on the machine.

"crop-25" cuts a quarter of the width and a quarter of the height away, and "back" brings the
rest to the old size.
"""

import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

import av
import imageio_ffmpeg

from marks import handlings as hand

__all__ = ["ATTACKS", "classes", "ffmpeg", "run_attack"]

Act = Callable[[Path, Path], Path]
"""Takes the film and an empty folder; returns the copy that it made there."""

_EVEN = "trunc(({})/2)*2"
# Commas of a filter's arguments are escaped.
_SHORTER = "min(iw\\,ih)"
_NARROW = "min(iw\\,ih*9/16)"


def run_attack(name: str, src: Path | str, outdir: Path | str) -> Path:
    """Write the copy that the handling `name` makes of the film `src` into `outdir`."""
    return _TABLE[name][1](Path(src), Path(outdir))


def classes() -> dict[str, str]:
    """Return the class of each handling."""
    return {name: kind for name, (kind, _) in _TABLE.items()}


def ffmpeg(*arguments: str) -> None:
    """Run ffmpeg, quietly and with one thread."""
    common = ("-v", "error", "-y", "-nostdin", "-filter_threads", "1")
    program = imageio_ffmpeg.get_ffmpeg_exe()
    done = subprocess.run([program, *common, *arguments], capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.decode(errors="replace").strip() or "ffmpeg failed")


def _x264(crf: int, preset: str = "medium") -> tuple[str, ...]:
    return ("-c:v", "libx264", "-preset", preset, "-crf", str(crf), "-pix_fmt", "yuv420p")


_USUAL = _x264(23, "veryfast")
_H265 = ("-c:v", "libx265", "-preset", "fast", "-x265-params", "pools=1:log-level=none", "-crf")
_VP9 = ("-c:v", "libvpx-vp9", "-deadline", "good", "-cpu-used", "5", "-b:v", "0", "-crf")
_AV1 = ("-c:v", "libsvtav1", "-preset", "9", "-svtav1-params", "lp=1", "-crf")


def _film(
    *coder: str, vf: str = "", ext: str = "mp4", before: tuple[str, ...] = (), graph: str = ""
) -> Act:
    """Return an act that decodes, filters and encodes."""

    def act(source: Path, folder: Path) -> Path:
        target = folder / f"copy.{ext}"
        filters = ("-vf", vf) if vf else ("-filter_complex", graph) if graph else ()
        # One thread each way: x264's result hangs on their number.
        ffmpeg(
            *before, "-threads", "1", "-i", str(source), "-map_metadata", "-1", *filters, "-an",
            *(coder or _USUAL), "-threads", "1", str(target),
        )  # fmt: skip
        return target

    return act


def _chain(*acts: Act) -> Act:
    """Return an act that passes the film from one to the next."""

    def act(source: Path, folder: Path) -> Path:
        for number, one in enumerate(acts):
            part = folder / f"part{number}"
            part.mkdir()
            made = one(source, part)
            if number:
                source.unlink()
            source = made
        target = folder / f"copy{source.suffix}"
        source.rename(target)
        return target

    return act


def _by_hand(handling: Callable[[Path, Path], None], name: str = "copy.mp4") -> Act:
    def act(source: Path, folder: Path) -> Path:
        handling(source, folder / name)
        return folder / name

    return act


def _part(seconds: float) -> Act:
    """Return an act that keeps so many seconds from the middle."""

    def act(source: Path, folder: Path) -> Path:
        begin = max(0.0, (_seconds(source) - seconds) / 2)
        return _film(before=("-ss", f"{begin:.3f}", "-t", f"{seconds}"))(source, folder)

    return act


def _seconds(source: Path) -> float:
    with av.open(str(source)) as film:
        return (film.duration or 0) / 1e6


def _scaled(ratio: float, flags: str = "bicubic") -> str:
    return f"scale={_even(f'iw*{ratio}')}:{_even(f'ih*{ratio}')}:flags={flags}"


def _even(size: str) -> str:
    return _EVEN.format(size)


def _cropped(share: float, place: str = "middle", *, back: bool = False) -> str:
    """Cut `share` of each side away."""
    left, top = {"middle": (0.5, 0.5), "corner": (0.0, 0.0), "side": (1.0, 0.62)}[place]
    kept = 1 - share
    cut = f"crop={_even(f'iw*{kept}')}:{_even(f'ih*{kept}')}:(iw-ow)*{left}:(ih-oh)*{top}"
    grown = f"scale={_even(f'iw/{kept}+1')}:{_even(f'ih/{kept}+1')}:flags=bicubic"
    return f"{cut},{grown}" if back else cut


def _turned(degrees: float, *, grow: bool = False, cut: float = 1.0) -> str:
    angle = f"{degrees}*PI/180"
    size = f":ow={_even(f'rotw({angle})')}:oh={_even(f'roth({angle})')}" if grow else ""
    inner = f",crop={_even(f'iw*{cut}')}:{_even(f'ih*{cut}')}" if cut < 1 else ""
    return f"rotate={angle}{size}{inner}"


def _slanted(share: float) -> str:
    a, b = f"W*{share}", f"H*{share}"
    return f"perspective={a}:0:W:{b}:0:H-{b}/2:W-{a}:H:sense=destination"


def _shrunk_to(lines: int) -> str:
    """Bring the shorter side to so many lines."""
    ratio = f"{lines}/{_SHORTER}"
    return f"scale={_even(f'iw*{ratio}+1')}:{_even(f'ih*{ratio}+1')}:flags=bicubic"


_LOGO = (
    "drawbox=x=iw*0.74:y=ih*0.06:w=iw*0.2:h=ih*0.11:color=red:t=fill,"
    "drawbox=x=iw*0.77:y=ih*0.09:w=iw*0.14:h=ih*0.05:color=white:t=fill"
)

_PIXELS = (
    "split[whole][b];[b]crop=iw/3:ih/2,pixelize=w=20:h=20[part];"
    "[whole][part]overlay=(W-w)/2:(H-h)/2"
)

_CODECS: dict[str, Act] = {
    **{f"h264-crf{crf}": _film(*_x264(crf)) for crf in (18, 23, 28, 30, 33, 36)},
    "h264-twice-28": _chain(_film(*_x264(28)), _film(*_x264(28, "fast"))),
    "h264-baseline-30": _film(*_x264(30, "ultrafast"), "-profile:v", "baseline"),
    **{f"h265-crf{crf}": _film(*_H265, str(crf)) for crf in (28, 32, 35)},
    **{f"vp9-crf{crf}": _film(*_VP9, str(crf), ext="webm") for crf in (32, 45)},
    "vp8": _film("-c:v", "libvpx", "-cpu-used", "5", "-crf", "20", "-b:v", "1M", ext="webm"),
    **{f"av1-crf{crf}": _film(*_AV1, str(crf)) for crf in (35, 45, 52)},
    **{f"mpeg4-q{q}": _film("-c:v", "mpeg4", "-q:v", str(q)) for q in (5, 9)},
    "mpeg2-q8": _film("-c:v", "mpeg2video", "-q:v", "8", ext="mpg"),
    "wmv2-q6": _film("-c:v", "wmv2", "-q:v", "6", ext="avi"),
    "mjpeg-q5": _film("-c:v", "mjpeg", "-q:v", "5", "-pix_fmt", "yuvj420p", ext="avi"),
    "mjpeg-q14": _film("-c:v", "mjpeg", "-q:v", "14", "-pix_fmt", "yuvj420p", ext="avi"),
    "gif": _film("-c:v", "gif", vf="fps=12", ext="gif"),
    "prores": _film("-c:v", "prores_ks", "-profile:v", "0", "-pix_fmt", "yuv422p10le", ext="mov"),
    "h264-10bit": _film("-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p10le"),
}
_SCALES: dict[str, Act] = {
    **{
        f"scale-{ratio}": _film(vf=_scaled(ratio))
        for ratio in (0.33, 0.4, 0.5, 0.66, 0.75, 0.9, 1.25, 1.5)
    },
    "scale-0.5-back": _film(vf=f"{_scaled(0.5)},{_scaled(2)}"),
    "scale-0.33-back": _film(vf=f"{_scaled(0.33)},{_scaled(3)}"),
    "scale-0.5-nearest": _film(vf=_scaled(0.5, "neighbor")),
    "wider-1.2": _film(vf=f"scale={_even('iw*1.2')}:ih"),
    "wider-1.33": _film(vf=f"scale={_even('iw*1.333')}:ih"),
    "narrower-0.8": _film(vf=f"scale={_even('iw*0.8')}:ih"),
    "to-360-lines-crf28": _film(*_x264(28), vf=_shrunk_to(360)),
}
_CROPS: dict[str, Act] = {
    **{
        f"crop-{round(100 * share)}{suffix}": _film(vf=_cropped(share, place, back=back))
        for share in (0.1, 0.25, 0.5)
        for suffix, place, back in (
            ("", "middle", False),
            ("-corner", "corner", False),
            ("-back", "side", True),
        )
    },
    "crop-30-28": _film(*_x264(28), vf=_cropped(0.3, "side")),
    "square": _film(vf=f"crop={_even(_SHORTER)}:{_even(_SHORTER)}"),
    "upright-9x16": _film(vf=f"crop={_even(_NARROW)}:ih"),
    "sides-cut-stretched": _film(vf=f"crop={_even('iw*0.8')}:ih,scale={_even('iw/0.8+1')}:ih"),
    "crop-15-scale-0.6": _film(vf=f"{_cropped(0.15)},{_scaled(0.6)}"),
}
_TURNS: dict[str, Act] = {
    **{f"turn-{angle}": _film(vf=_turned(angle)) for angle in (1, 3, 5, 10, -7, 45)},
    "turn-5-inner": _film(vf=_turned(5, cut=0.85)),
    "turn-15-grown": _film(vf=_turned(15, grow=True)),
    "turn-90": _film(vf="transpose=1"),
    "turn-180": _film(vf="hflip,vflip"),
    "turn-270": _film(vf="transpose=2"),
    "mirror": _film(vf="hflip"),
    "upside-down": _film(vf="vflip"),
    "mirror-crop-20": _film(vf=f"hflip,{_cropped(0.2, 'corner')}"),
    "slant-2": _film(vf=_slanted(0.02)),
    "shear-3": _film(vf="shear=shx=0.03:shy=0"),
}
_COLOURS: dict[str, Act] = {
    name: _film(vf=vf)
    for name, vf in {
        "brighter": "eq=brightness=0.14",
        "darker": "eq=brightness=-0.14",
        "contrast-1.4": "eq=contrast=1.4",
        "contrast-0.6": "eq=contrast=0.6",
        "gamma-0.7": "eq=gamma=0.7",
        "gamma-1.5": "eq=gamma=1.5",
        "hue-40": "hue=h=40",
        "saturation-2": "eq=saturation=2",
        "grey": "hue=s=0",
        "invert": "negate",
        "warm": "colortemperature=temperature=4200",
        "equalised": "histeq=strength=0.3",
        "vignette": "vignette=PI/4",
        "blur-1": "gblur=sigma=1",
        "blur-2": "gblur=sigma=2",
        "sharpen": "unsharp=5:5:1.2",
        "median-3": "median=radius=1",
        "noise-8": "noise=alls=8:allf=t:all_seed=7",
        "noise-20": "noise=alls=20:allf=t:all_seed=7",
        "posterised": "lutyuv=y=trunc(val/12)*12",
        "full-range": "scale=in_range=limited:out_range=full",
    }.items()
}
_TIMES: dict[str, Act] = {
    "every-second": _film(*_USUAL, "-fps_mode", "vfr", vf="select=not(mod(n\\,2))"),
    "drop-30": _film(*_USUAL, "-fps_mode", "vfr", vf="select=gt(random(7)\\,0.3)"),
    **{f"fps-{rate}": _film(vf=f"fps={rate}") for rate in (5, 12, 30, 60)},
    "fps-50-blended": _film(vf="framerate=fps=50"),
    "faster-1.05": _film(vf="setpts=PTS/1.05"),
    "slower-0.95": _film(vf="setpts=PTS/0.95"),
    "twice-as-fast": _film(vf="setpts=PTS/2,fps=25"),
    "backwards": _film(vf="reverse"),
    "blend-3": _film(vf="tmix=frames=3"),
    **{f"cut-{seconds}s": _part(seconds) for seconds in (2.0, 1.0, 0.5)},
    **{
        f"still-jpeg-{q}": _by_hand(partial(hand.pick_still, quality=q), "still.jpg")
        for q in (90, 75, 50)
    },
    "still-png": _by_hand(hand.pick_still, "still.png"),
}
_COVERS: dict[str, Act] = {
    "letterbox": _film(vf=f"pad=iw:{_even('ih*1.3')}:0:(oh-ih)/2"),
    "pillarbox": _film(vf=f"pad={_even('iw*1.4')}:ih:(ow-iw)/2:0:color=0x203040"),
    "logo": _film(vf=_LOGO),
    "captioned": _by_hand(hand.caption),
    "middle-pixelated": _film(graph=_PIXELS),
    "half-covered": _film(vf="drawbox=x=0:y=0:w=iw/2:h=ih:color=0x406080:t=fill"),
    "pip-50": _by_hand(partial(hand.put_into_picture, share=0.5)),
    "pip-33": _by_hand(partial(hand.put_into_picture, share=0.333)),
    "screen-recording": _by_hand(hand.record_screen),
    "screenshot": _chain(
        _by_hand(hand.record_screen),
        _by_hand(partial(hand.pick_still, quality=85), "still.jpg"),
    ),
}
_HARD: dict[str, Act] = {
    "camera-2": _by_hand(partial(hand.film_with_camera, slant=0.02, noise=3)),
    "camera-5": _by_hand(hand.film_with_camera),
    "re-share": _chain(
        _film(*_x264(28, "fast")),
        _film(*_x264(28, "fast"), vf=f"{_cropped(0.1, 'side')},{_scaled(0.75)}"),
        _film(*_x264(30, "fast")),
    ),
    "social": _chain(_film(*_x264(26, "fast")), _film(*_x264(32), vf=_scaled(0.5))),
    "512-lines-crf40": _film(*_x264(40), vf=_shrunk_to(512)),
    "h264-crf40": _film(*_x264(40)),
    "denoise": _film(vf="hqdn3d=6:5:9:8"),
    "denoise-nlmeans": _film(vf="nlmeans=s=4:p=5:r=9"),
    "bend-3": _by_hand(partial(hand.bend, most=3)),
    "bend-6": _by_hand(partial(hand.bend, most=6)),
    "bend-3-wandering": _by_hand(partial(hand.bend, most=3, still=False)),
    "subtract-average": _by_hand(hand.subtract_average),
    "regenerate-1": _by_hand(partial(hand.regenerate, strength=1)),
    "regenerate-2": _by_hand(partial(hand.regenerate, strength=2)),
    "blur-and-sharpen": _film(vf="gblur=sigma=2.2,unsharp=9:9:2.5"),
    "turn-4-crop-20-crf30": _film(*_x264(30), vf=f"{_turned(4)},{_cropped(0.2)}"),
    "still-camera": _chain(
        _by_hand(hand.film_with_camera),
        _by_hand(partial(hand.pick_still, quality=80), "still.jpg"),
    ),
    "still-half-jpeg-40": _chain(
        _film(*_x264(24, "fast"), vf=_scaled(0.5)),
        _by_hand(partial(hand.pick_still, quality=40), "still.jpg"),
    ),
}
_TABLE: dict[str, tuple[str, Act]] = {
    name: (kind, act)
    for kind, group in {
        "codec": _CODECS,
        "scale": _SCALES,
        "crop": _CROPS,
        "turn": _TURNS,
        "colour": _COLOURS,
        "time": _TIMES,
        "cover": _COVERS,
        "hard": _HARD,
    }.items()
    for name, act in group.items()
}

ATTACKS: tuple[str, ...] = tuple(_TABLE)
"""Every handling's name, class by class."""
