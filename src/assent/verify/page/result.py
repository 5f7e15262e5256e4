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

__all__ = ["HINTS", "LAYERS", "STATES", "TONES", "to_page"]

LAYERS = {
    "manifest": "Signed statement in the file",
    "watermark": "Watermark in the picture",
    "fingerprint": "What the picture looks like",
    "label": "Label in the picture",
    "sound": "Mark in the sound",
    "log": "The studio's public log",
    "consent": "Consent of the people in it",
    "forensic": "A forensic detector",
}
STATES = {
    Status.GOOD.value: "good",
    Status.MISSING.value: "missing",
    Status.BAD.value: "bad",
    Status.UNKNOWN.value: "can't say",
}
TONES = {
    Verdict.SEALED.value: "good",
    Verdict.COPY.value: "unsure",
    Verdict.SOUND.value: "unsure",
    Verdict.COPIED_MARK.value: "bad",
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
    Verdict.CONTRADICTION.value: "Somebody may have put parts together, or taken a mark from "
    "elsewhere.",
    Verdict.RESEMBLES.value: "Likeness alone proves nothing: footage and release look alike.",
    Verdict.NOTHING_FOUND.value: "Most synthetic video is made with other tools, which leave "
    "nothing that could be found here. Use other means to find out.",
}


def to_page(document: Mapping[str, Any], *, token: str | None = None) -> str:
    """Return the page for a document of `result_of`; `token` is the same, signed."""
    folder = resources.files("assent.verify.page")
    style = (folder / "style.css").read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    template = environment.from_string((folder / "result.html.jinja").read_text("utf-8"))
    tone = "bad" if document["consent_withdrawn"] else TONES[str(document["verdict"])]
    return template.render(
        r=document,
        style=Markup(style),  # noqa: S704 - the package's own
        style_hash=f"sha256-{digest}",
        tone=tone,
        hint=HINTS[str(document["verdict"])],
        names=LAYERS,
        states=STATES,
        token=base64.b64encode(token.encode()).decode() if token else None,
    )
