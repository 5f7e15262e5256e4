"""A dossier as one HTML page that fetches nothing: readable on a phone, printable, light and dark.

Everything that comes from a brief, a record or a pack is escaped; the page allows no script and
no resource at all.
"""

from importlib import resources

from jinja2 import Environment, StrictUndefined

from assent.monitor.dossier.document import Dossier, Facts, Text

__all__ = ["printable", "to_html"]


def to_html(dossier: Dossier) -> str:
    """Return the page."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, finalize=_shown)
    environment.tests["text_block"] = lambda block: isinstance(block, Text)
    environment.tests["facts_block"] = lambda block: isinstance(block, Facts)
    source = resources.files("assent.monitor.dossier") / "page.html.jinja"
    return environment.from_string(source.read_text("utf-8")).render(dossier=dossier) + "\n"


def printable(text: str) -> str:
    """Return `text` with what can't be printed, or turns its direction round, made visible."""
    return "".join(c if c.isprintable() or c == "\n" else "\ufffd" for c in text)


def _shown(value: object) -> object:
    # Text that is markup already (of a macro) is a subclass of str and passes untouched.
    return printable(value) if type(value) is str else value
