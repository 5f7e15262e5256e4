"""A result as one HTML page that fetches nothing: readable on a phone, printable, light and dark.

Everything that comes from the file or the log is escaped, and the page's own policy allows no
script and no address but its own.
"""

import base64
import hashlib
from collections.abc import Mapping
from importlib import resources
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from assent.verify.findings import Status, Verdict
from assent.verify.page.face_map import drawing_of

__all__ = ["HINTS", "LAYERS", "STATES", "TONES", "state_of", "to_page", "tone_of"]

LAYERS = {
    "manifest": "Signed statement in the file",
    "watermark": "Watermark in the picture",
    "fingerprint": "What the picture looks like",
    "label": "Label in the picture",
    "sound": "Mark in the sound",
    "log": "The studio's public log",
    "consent": "Consent of the people in it",
    "forensic": "A forensic second opinion",
}
STATES = {
    Status.GOOD.value: "good",
    Status.MISSING.value: "missing",
    Status.BAD.value: "bad",
    Status.UNKNOWN.value: "can't say",
    "hint": "a hint",
}
TONES = {
    Verdict.SEALED.value: "good",
    Verdict.COPY.value: "unsure",
    Verdict.SOUND.value: "unsure",
    Verdict.COPIED_MARK.value: "bad",
    Verdict.VIEWING.value: "unsure",
    Verdict.CONTRADICTION.value: "bad",
    Verdict.RESEMBLES.value: "",
    Verdict.NOTHING_FOUND.value: "",
}
HINTS = {
    Verdict.SEALED.value: "What the video shows did not happen like this: a face was replaced.",
    Verdict.COPY.value: "Something was changed since the release. Compare it with the original "
    "before you rely on anything in it.",
    Verdict.SOUND.value: "The words may have been put in another order, and the picture may be of "
    "anybody.",
    Verdict.COPIED_MARK.value: "A mark can be copied by whoever has a release. It says where to "
    "look, and here the picture is another.",
    Verdict.VIEWING.value: "Whether the people in it agreed that others see it, nothing "
    "says. Ask the studio.",
    Verdict.CONTRADICTION.value: "Somebody may have put parts together, or taken a mark from "
    "elsewhere.",
    Verdict.RESEMBLES.value: "Likeness alone proves nothing: footage and release look alike.",
    Verdict.NOTHING_FOUND.value: "Most synthetic video is made with other tools, which leave "
    "nothing that could be found here. Use other means to find out.",
}


def state_of(layer: Mapping[str, Any]) -> str:
    """Return how a layer stands, a key of `STATES`; what a detector says is a hint at most."""
    hint = layer["name"] == "forensic" and layer["facts"].get("score") is not None
    return "hint" if hint else str(layer["status"])


def tone_of(document: Mapping[str, Any]) -> str:
    """Return how the answer is shown: "good", "unsure", "bad" or nothing."""
    if document["consent_withdrawn"] or document["ended"]:
        return "bad"
    return TONES[str(document["verdict"])]


def to_page(document: Mapping[str, Any], *, token: str | None = None) -> str:
    """Return the page for a document of `result_of`; `token` is the same, signed."""
    folder = resources.files("assent.verify.page")
    style = (folder / "style.css").read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    template = environment.from_string((folder / "result.html.jinja").read_text("utf-8"))
    return template.render(
        r=document,
        style=Markup(style),  # noqa: S704 - the package's own
        style_hash=f"sha256-{digest}",
        tone=tone_of(document),
        hint=HINTS[str(document["verdict"])],
        names=LAYERS,
        states=STATES,
        state_of=state_of,
        drawing_of=drawing_of,
        token=base64.b64encode(token.encode()).decode() if token else None,
    )
