"""Write `docs/practice/*.md` from the rule packs and measures: `python docs/make_practice.py`.

A test compares the pages with these functions, so that nothing goes undocumented.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from assent.monitor.dossier.measures import PARTS, load_measures
from assent.purpose.blocks import BLOCKS, NO_CONSENT
from assent.purpose.pack import Pack, Rule, load_packs

__all__ = ["GAP_ANALYSIS", "RULE_PACKS", "gap_analysis", "rule_packs"]

RULE_PACKS = Path(__file__).parent / "practice" / "rule-packs.md"
GAP_ANALYSIS = Path(__file__).parent / "practice" / "gap-analysis.md"

_GAP_HEAD = """\
# Gap analysis

This page is written by `docs/make_practice.py` from `src/assent/monitor/dossier/measures.toml`, of
which [every dossier](dossier.md) is made too.

The EU's *Code of Practice on marking and labelling of AI-generated content* (10 June 2026) gives
detail to Article 50 of the AI Act, which applies since 2 August 2026. Who has not signed the Code
is expected to show how far their own measures go. This page does that for Assent, row by row; for a
project's own releases, `assent report` does. It is not legal advice.

**Yes**: built and tested. **Partly**: something is missing, named here. **No**: not in this
version.
"""

_HEAD = """\
# Rule packs

This page is written by `docs/make_practice.py` from the packs themselves. It is not legal advice.

A rule pack is a data file, one a jurisdiction. Assent reads the packs when a project is made and
again whenever the desk is asked for permission, with the date of that moment: a rule that begins on
a day counts from that day on, at render and release too. Packs can only ask for more:

- There is no effect that allows anything.
- Levels of risk, and what they ask, are code.
- What is refused always is code too.
- A pack's rules carry its own name, and no pack takes the place of the base pack.

```sh
assent rules list
assent rules show us-ca-vague-clause
assent rules check --project lesson
assent rules check --project lesson --on 2026-12-02
```

## Which packs count

The base pack always does; others do when they share a place with the brief's `jurisdictions`, or
with a place that a consent record's territory names. `US` holds every state, `EU` every member, and
`worldwide` in a brief is everywhere. A record's territory of `worldwide` names no place of its own.
Where no pack speaks for a place, the check says so.

## Write one

```toml
name = "ch"                        # its file, and the beginning of its rules' ids
title = "Switzerland"
version = "2027.1"                 # year.number, or year.number.number
date = 2027-01-15                  # the state of the law that it gives
source = "Where it is to be found"
jurisdictions = ["CH"]             # ISO 3166, EU, UK, or * for everywhere
status = "in force"                # or draft

[[rule]]
id = "ch-label"
effect = "warn"                    # refuse, severe, high, medium, warn, note
text = "One sentence that says what is asked."
source = "Its article"
weak = false                       # true for a secondary source
status = "in force"                # draft, reported, enjoined, policy
from = 2027-03-01                  # first day; leave it out for always
until = 2030-12-31                 # last day
met = "partly"                     # whether Assent does it: yes, partly, no; you, if it is for you
how = "One sentence that says how, or what is left to do."
words = ["one of these", "begin*"] # in title, purpose, audience, channels, claims

[rule.when]                        # all of it must hold; leave out what doesn't matter
risk = { advertising = true }      # answers of the questionnaire
category = ["film", "advertising"] # one of these kinds of work
claims = "none"                    # or some
act = ["release"]                  # ingest, train, portray, perform, release
modality = ["voice"]               # what the act uses: face, voice
longer_than_days = 3653            # the term of the consent record
use_words = ["any use"]            # in the use that the consent record states
```

Whatever isn't in this list is refused, and so are texts with characters that can't be printed, and
files above 256 KiB. Phrases are no patterns: letters, and `*` at the end of a word; case, accents
and look-alike letters don't matter.

## Sign it, trust it, put it in

```sh
assent consent keygen rules.pem
assent rules sign ch.toml --key rules.pem --out ch.signed
assent rules trust rules.pem.pub --name "Rules & Co"
assent rules update ch.signed
assent rules distrust 2b9fX0
```

A signed pack is a compact JWS (Ed25519, `typ` `assent-rule-pack+jws`) over the pack in canonical
JSON without its defaults. `assent rules trust` pins a publisher's key in the studio: compare it
with what the publisher shows elsewhere. What an update does:

- An older version than what counts now is refused, and so is another pack of the same version.
- Where it asks for less than before, it names the rules and needs `--accept-looser`.
- It holds at once, for projects begun before too.
- It is [an entry in the log](../reference/log-entries.md#ruleschanged), by hashes alone.
  `assent rules check`, and each review and release, hold the installed packs against the log: one
  that was put back or taken out by hand stops the work.

A shipped pack that is newer than the installed one counts in its place.

## Always refused, by code

| rule | source |
|---|---|
"""


def rule_packs() -> str:
    """Return the page."""
    blocks = {block.id: block for block in (*BLOCKS, NO_CONSENT)}
    lines = [f"| `{block.id}` | {block.source} |" for block in blocks.values()]
    return _HEAD + "\n".join([*lines, *_sections(load_packs())]) + "\n"


def gap_analysis() -> str:
    """Return the page."""
    found = load_measures()
    parts = [_GAP_HEAD]
    for part, title in PARTS.items():
        rows = [f"| {m.asks} | {m.met} | {m.how} |" for m in found.measures if m.part == part]
        parts.append(
            "\n".join(
                [f"## {title}\n", "| asked | state | in Assent |", "|---|---|---|", *rows, ""]
            )
        )
    return "\n".join(
        [
            *parts,
            "## Elsewhere\n",
            "What other laws ask stands with [the rule packs](rule-packs.md), rule by rule.\n",
            f"State of {found.as_of}. Sources: {found.source}.\n",
        ]
    )


def _sections(packs: Iterable[Pack]) -> Iterator[str]:
    for pack in packs:
        places = "everywhere" if "*" in pack.jurisdictions else ", ".join(pack.jurisdictions)
        yield f"\n## {pack.title}\n"
        yield f"`{pack.name}` {pack.version} of {pack.date}, {pack.status}; for {places}."
        yield f"{pack.source}.\n"
        yield "| rule | effect | what it says | state | done by Assent |"
        yield "|---|---|---|---|---|"
        yield from (_row(rule) for rule in pack.rules)


def _row(rule: Rule) -> str:
    since = f", from {rule.begins}" if rule.begins else ""
    source = f"{rule.source}{' †' if rule.weak else ''}"
    met = "for you" if rule.met == "you" else rule.met
    return (
        f"| `{rule.id}` | {rule.effect} | {rule.text} ({source}) | {rule.status}{since} "
        f"| {met}: {rule.how} |"
    )


if __name__ == "__main__":
    RULE_PACKS.write_text(rule_packs(), "utf-8")
    GAP_ANALYSIS.write_text(gap_analysis(), "utf-8")
