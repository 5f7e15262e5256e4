"""The certificate of a deletion: what was destroyed, by hash, when, and what remains and why.

A JWS of the studio's signing key, for the subject; the log has its SHA-256. It names no person: the
record's id and the receipts' hashes are what the subject knows it by.
"""

import hashlib
import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from html import escape
from importlib import resources
from typing import Any

from assent.kit.errors import IntegrityError
from assent.kit.signing import SigningKey, VerifyKey, sign, verify

__all__ = [
    "LIMITS",
    "hash_certificate",
    "read_certificate",
    "render_body",
    "render_page",
    "sign_certificate",
]

_KIND = "assent-deletion+jws"
_FORM = "assent-deletion/1"

LIMITS = (
    "The key was overwritten where it lay and the disk was told to write that through. A flash "
    "drive, a file system that copies on writing, a snapshot, or a backup of the key folder that "
    "somebody made by other means may hold an older copy of the wrapped key. It can be unwrapped "
    "only with the studio's master key; ask the studio to replace that as well.",
    "What was published can be copied by anyone. It can't be called back; whoever verifies a copy "
    "is told that the consent has ended.",
)


def sign_certificate(fields: Mapping[str, Any], key: SigningKey) -> str:
    """Return the certificate as a compact JWS."""
    return sign({"certificate": _FORM, **fields, "limits": list(LIMITS)}, key, kind=_KIND)


def read_certificate(token: str, key: VerifyKey) -> dict[str, Any]:
    """Return what a certificate says; raises `IntegrityError` if the studio didn't sign it."""
    fields = verify(token, key, kind=_KIND)
    if fields.get("certificate") != _FORM:
        raise IntegrityError("this is a certificate of another form")
    return fields


def hash_certificate(token: str) -> str:
    """Return the SHA-256 (hex) by which the log names a certificate."""
    return hashlib.sha256(token.encode()).hexdigest()


def render_page(fields: Mapping[str, Any], token: str, *, language: str = "en") -> str:
    """Return a certificate as a page for people, complete in itself; it takes no script."""
    title = _text(f"{_words(language)['title']} {fields['record']}")
    return _PAGE.format(title=title, language=language) + (
        render_body(fields, token, language=language) + "\n</main></body></html>\n"
    )


def render_body(fields: Mapping[str, Any], token: str, *, language: str = "en") -> str:
    """Return what stands on the page, as HTML; whatever comes from elsewhere is escaped.

    What is signed is in English; the page says it in its reader's language.
    """
    w, studio, ended = _words(language), fields["studio"], fields["ended"]
    shown = {"studio": studio["name"], "contact": studio["contact"], "time": ended["time"]}
    entries = ", ".join(str(each) for each in ended["log_entries"]) or w["none"]

    def say(text: object) -> str:
        return _translate(str(text), w["phrases"])

    def shared(count: int) -> str:
        return str(w["others"]).format(count=count) if count else str(w["nobody"])

    says = w["says"].format(**shown, record=fields["record"], how=w[ended["how"]])
    checks = w["entries"].format(entries=entries, sha256=hash_certificate(token))
    parts = [
        f"<h1>{_text(w['title'])}</h1><p>{_text(says)}</p>",
        _table(
            w,
            "destroyed",
            ("what", "sha256", "how"),
            [(say(x["what"]), x["sha256"], say(x["how"])) for x in fields["destroyed"]],
        ),
        _table(
            w,
            "closed",
            ("what", "ciphertext", "shared"),
            [(say(x["what"]), x["sha256"], shared(x["shared"])) for x in fields["closed"]],
        ),
        _table(
            w,
            "remains",
            ("what", "where", "why"),
            [(say(x["what"]), x["where"], say(x["why"])) for x in fields["remains"]],
        ),
        f"<h2>{_text(w['limits'])}</h2>",
        *(f"<p>{_text(say(limit))}</p>" for limit in fields["limits"]),
        f'<h2>{_text(w["check"])}</h2><p>{_text(checks)}</p><pre tabindex="0">{_text(token)}</pre>',
    ]
    return "\n".join(parts)


@cache
def _words(language: str) -> dict[str, Any]:
    file = resources.files("assent.consent") / "certificates" / f"{language}.toml"
    return tomllib.loads(file.read_text("utf-8"))


def _translate(text: str, phrases: Mapping[str, str]) -> str:
    """Return what `text`, one of the English phrases with its gaps filled, says in other words."""
    for name, phrase in _words("en")["phrases"].items():
        pattern = "(.*)".join(re.escape(part) for part in phrase.split("{}"))
        found = re.fullmatch(pattern, text, re.DOTALL)
        if found is not None:
            return phrases[name].format(*found.groups())
    return text


_PAGE = """<!doctype html>
<html lang="{language}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title>
<style>
body {{ font: 1rem/1.5 system-ui, sans-serif; margin: 0; color: #1a1a1a; background: #fff }}
main {{ max-width: 60rem; margin: 0 auto; padding: 1.5rem }}
.wide {{ overflow-x: auto }}
table {{ border-collapse: collapse; width: 100% }}
caption, th, td {{ text-align: left; vertical-align: top; padding: .3rem .8rem .3rem 0 }}
caption {{ font-weight: bold; font-size: 1.2rem; padding-top: 1.5rem }}
tr {{ border-bottom: 1px solid #ccc }}
code, pre {{ overflow-wrap: anywhere; white-space: pre-wrap; font-size: .85em }}
@media (max-width: 40rem) {{
  table, tbody, tr, td, caption {{ display: block }} thead {{ display: none }}
  td:empty {{ display: none }}
  td::before {{ content: attr(data-label); display: block; color: #555; font-size: .85em }}
}}
</style></head><body><main>
"""


def _table(
    w: Mapping[str, Any], title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> str:
    said = _text(w[title])
    if not rows:
        return f"<h2>{said}</h2><p>{_text(w['nothing'])}</p>"
    head = "".join(f'<th scope="col">{_text(w[column])}</th>' for column in columns)
    body = "".join(
        "<tr>"
        + "".join(_cell(str(w[name]), str(cell)) for name, cell in zip(columns, row, strict=True))
        + "</tr>"
        for row in rows
    )
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{said}">'
        f"<table><caption>{said}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>"
    )


def _cell(label: str, cell: str) -> str:
    inside = f"<code>{_text(cell)}</code>" if re.fullmatch("[0-9a-f]{64}", cell) else _text(cell)
    return f'<td data-label="{_text(label)}">{inside}</td>'


def _text(value: object) -> str:
    return escape(str(value))
