"""The certificate of a deletion: what was destroyed, by hash, when, and what remains and why.

A JWS of the studio's signing key, for the subject; the log has its SHA-256. It names no person: the
record's id and the receipts' hashes are what the subject knows it by.
"""

import hashlib
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from assent.kit.errors import IntegrityError
from assent.kit.signing import SigningKey, VerifyKey, sign, verify

__all__ = ["LIMITS", "hash_certificate", "read_certificate", "render_page", "sign_certificate"]

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


def render_page(fields: Mapping[str, Any], token: str) -> str:
    """Return a certificate as a page for people, complete in itself; it takes no script."""
    studio, ended = fields["studio"], fields["ended"]
    how = "was withdrawn" if ended["how"] == "withdrawn" else "ran out"
    parts = [
        f"<h1>Certificate of deletion</h1><p>{_text(studio['name'])} ({_text(studio['contact'])}) "
        f"states that the consent <code>{_text(fields['record'])}</code> {how}, that it has been "
        f"refused since <b>{_text(ended['time'])}</b>, and that the key of everything kept under "
        "it was destroyed.</p>",
        _table(
            "Destroyed",
            ("what", "SHA-256", "how"),
            [(x["what"], x["sha256"], x["how"]) for x in fields["destroyed"]],
        ),
        _table(
            "Closed for good with the key",
            ("what", "SHA-256 of the ciphertext", "shared with"),
            [
                (x["what"], x["sha256"], f"{x['shared']} other(s)" if x["shared"] else "nobody")
                for x in fields["closed"]
            ],
        ),
        _table(
            "What remains, and why",
            ("what", "where", "why"),
            [(x["what"], x["where"], x["why"]) for x in fields["remains"]],
        ),
        "<h2>What this can't promise</h2>",
        *(f"<p>{_text(limit)}</p>" for limit in fields["limits"]),
        f"<h2>To check it</h2><p>Log entries of the ending: {_text(ended['log_entries'])}. "
        f"SHA-256 of this certificate, in the log: <code>{hash_certificate(token)}</code>. Signed "
        f"(JWS):</p><pre>{_text(token)}</pre>",
    ]
    return _PAGE.format(title=_text(f"Certificate of deletion {fields['record']}")) + (
        "\n".join(parts) + "\n</main></body></html>\n"
    )


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title>
<style>
body {{ font: 1rem/1.5 system-ui, sans-serif; margin: 0; color: #1a1a1a; background: #fff }}
main {{ max-width: 60rem; margin: 0 auto; padding: 1.5rem }}
.wide {{ overflow-x: auto }}
table {{ border-collapse: collapse; width: 100% }}
caption, th, td {{ text-align: left; vertical-align: top; padding: .3rem .8rem .3rem 0 }}
caption {{ font-weight: bold; font-size: 1.2rem; padding-top: 1.5rem }}
tr {{ border-bottom: 1px solid #ccc }}
code, pre, td {{ overflow-wrap: anywhere; white-space: pre-wrap }}
td:first-child {{ overflow-wrap: normal }}
</style></head><body><main>
"""


def _table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    if not rows:
        return f"<h2>{_text(title)}</h2><p>Nothing.</p>"
    head = "".join(f'<th scope="col">{_text(column)}</th>' for column in columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{_text(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{_text(title)}">'
        f"<table><caption>{_text(title)}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>"
    )


def _text(value: object) -> str:
    if isinstance(value, list):
        value = ", ".join(str(each) for each in value) or "none"
    return escape(str(value))
