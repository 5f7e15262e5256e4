"""Rule packs: which there are, what one says, what applies to a project, and signed updates."""

from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from assent.apps.cli.console import err, out, show_json, show_table
from assent.apps.cli.files import read_bytes, read_text, write_document
from assent.apps.cli.options import AsJson, ProjectName, StudioFolder, the_studio
from assent.apps.cli.rulings import ruling_as_json, show_rulings
from assent.kit.canonical import parse_object
from assent.kit.errors import InputError, NotFoundError
from assent.kit.signing import from_jwk, from_pem
from assent.kit.store.studio import Studio
from assent.purpose.blocks import BLOCKS, NO_CONSENT
from assent.purpose.library import (
    check_set,
    distrust,
    installed_packs,
    list_publishers,
    packs_of,
    sign_pack,
    trust,
    update,
)
from assent.purpose.pack import Pack, Rule, load_packs, read_toml
from assent.purpose.projects import look_up
from assent.purpose.rules import decide

__all__ = ["PANEL", "register"]

PANEL = "1 · Define the purpose"
HERE = Path()

rules = typer.Typer(no_args_is_help=True, help="The rules that work is held against.")


def register(app: typer.Typer) -> None:
    """Add the commands about rules."""
    app.add_typer(rules, name="rules", rich_help_panel=PANEL)


@rules.command("list")
def list_(studio: StudioFolder = HERE, as_json: AsJson = False) -> None:
    """List the rule packs with version, date and where they come from, and whose are trusted."""
    opened = the_studio(studio)
    origins = _origins(opened)
    today = opened.clock().date()
    packs = packs_of(opened)
    if as_json:
        show_json(
            {
                "packs": [
                    {**_as_json(pack, today), "from": origins.get(pack.name, "Assent")}
                    for pack in packs
                ],
                "publishers": [
                    {"key": each.key_id, "name": each.name} for each in list_publishers(opened)
                ],
            }
        )
        return
    show_table(
        ("pack", "speaks for", "version", "date", "state", "rules", "from"),
        [
            (
                pack.name,
                f"{escape(pack.title)} ({', '.join(pack.jurisdictions)})",
                pack.version,
                pack.date,
                pack.status,
                f"{len(pack.rules)}, {_later(pack, today)} not yet in force"
                if _later(pack, today)
                else len(pack.rules),
                escape(origins.get(pack.name, "Assent")),
            )
            for pack in packs
        ],
    )
    for publisher in list_publishers(opened):
        out.print(f"Trusted: {escape(publisher.name)} ({publisher.key_id})", soft_wrap=True)
    out.print(
        f"[dim]Besides, always, by code: {', '.join(sorted({b.id for b in BLOCKS}))}, "
        f"{NO_CONSENT.id}.[/dim]",
        soft_wrap=True,
    )


@rules.command("show")
def show(
    rule: Annotated[str, typer.Argument(help="The rule's id.", metavar="RULE")],
    studio: StudioFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Show one rule: what it says, its source, since when, and what Assent does about it."""
    opened = the_studio(studio)
    for pack in packs_of(opened):
        for each in pack.rules:
            if each.id == rule:
                _show_rule(pack, each, as_json=as_json)
                return
    blocks = [block for block in (*BLOCKS, NO_CONSENT) if block.id == rule]
    if not blocks:
        raise NotFoundError(f"there is no rule '{rule}'", advice="See `assent rules list`.")
    if as_json:
        show_json(
            [{"id": b.id, "effect": "refuse", "text": b.text, "source": b.source} for b in blocks]
        )
        return
    for block in blocks:
        out.print(f"[bold]{block.id}[/bold] refuses, always: {block.text}", soft_wrap=True)
        out.print(f"Source: {block.source}", soft_wrap=True)
    out.print("This is code: no rule pack, option or answer turns it off.")


@rules.command("check")
def check(
    project: ProjectName,
    on: Annotated[str | None, typer.Option(help="Another day than today, YYYY-MM-DD.")] = None,
    studio: StudioFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Say which rules apply to a project, what sets each off, and on which day; refusals exit 3.

    The installed packs are held against the log, too.
    """
    opened = the_studio(studio)
    check_set(opened)
    found = look_up(opened, project)
    day = _day(on) or opened.clock().date()
    decision = decide(found.brief, packs_of(opened), day=day)
    if as_json:
        show_json(
            {
                "project": found.slug,
                "day": str(day),
                "allowed": decision.refusal is None,
                "risk": decision.level.name,
                "demands": list(decision.level.demands()),
                "packs": list(decision.packs),
                "without_pack": list(decision.without_pack),
                "rules": [ruling_as_json(ruling) for ruling in decision.rulings],
                "upcoming": [ruling_as_json(ruling) for ruling in decision.upcoming],
            }
        )
        decision.require()
        return
    out.print(f"[bold]{found.slug}[/bold] on {day}, by {', '.join(decision.packs)}:")
    show_rulings(decision.rulings)
    if decision.upcoming:
        out.print("\nBefore the project ends:")
        show_table(
            ("from", "rule", "effect", "what it says"),
            [(r.begins, r.rule, r.effect, escape(r.text)) for r in decision.upcoming],
        )
    if decision.without_pack:
        err.print(
            f"[yellow]No pack speaks for {escape(', '.join(decision.without_pack))}: only "
            "Assent's own rules were asked.[/yellow]"
        )
    out.print(
        f"Risk: [bold]{decision.level.name}[/bold]. It asks for: "
        f"{'; '.join(decision.level.demands())}."
    )
    out.print("[dim]This is not legal advice.[/dim]")
    decision.require()


@rules.command("update")
def update_(
    file: Annotated[Path, typer.Argument(help="A signed rule pack.", metavar="FILE")],
    accept_looser: Annotated[
        bool, typer.Option("--accept-looser", help="I have read what it no longer asks.")
    ] = False,
    studio: StudioFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Put in a signed rule pack of a trusted publisher; it holds for every project at once."""
    opened = the_studio(studio)
    done = update(opened, read_text(file).strip(), accept_looser=accept_looser)
    if as_json:
        show_json(
            {
                "pack": done.pack.name,
                "version": done.pack.version,
                "before": done.before,
                "added": list(done.added),
                "looser": list(done.looser),
                "already": done.already,
            }
        )
        return
    if done.already:
        out.print(f"{done.pack.name} {done.pack.version} is in force already.")
        return
    was = f" in place of {done.before}" if done.before else ""
    out.print(f"Rule pack [bold]{done.pack.name} {done.pack.version}[/bold] is in force{was}.")
    if done.added:
        out.print(f"New: {', '.join(done.added)}", soft_wrap=True)
    if done.looser:
        out.print(f"Asks for less in: {', '.join(done.looser)}", soft_wrap=True)


@rules.command("trust")
def trust_(
    key: Annotated[Path, typer.Argument(help="The publisher's public key.", metavar="KEY")],
    name: Annotated[str, typer.Option(help="Who the publisher is.")],
    studio: StudioFolder = HERE,
) -> None:
    """Take rule packs that this publisher signs; compare the key with what they published."""
    public = from_jwk(parse_object(read_bytes(key), name=key.name), name=key.name)
    publisher = trust(the_studio(studio), public, name=name)
    out.print(f"Rule packs of {escape(publisher.name)} are taken: {publisher.key_id}")


@rules.command("distrust")
def distrust_(
    key: Annotated[str, typer.Argument(help="The publisher's key id or its beginning.")],
    studio: StudioFolder = HERE,
) -> None:
    """Take no more packs of a publisher, and drop those that they signed."""
    gone = distrust(the_studio(studio), key)
    out.print(f"No longer trusted. Packs dropped: {', '.join(gone) or 'none'}.")


@rules.command("sign")
def sign(
    pack: Annotated[Path, typer.Argument(help="A rule pack in TOML.", metavar="PACK")],
    key: Annotated[Path, typer.Option(help="The publisher's private key.", metavar="FILE")],
    to: Annotated[Path, typer.Option("--out", help="The signed pack.", metavar="FILE")],
) -> None:
    """For publishers: check a rule pack and sign it. Needs no studio."""
    parsed = read_toml(read_text(pack), name=pack.name)
    if parsed.name == load_packs()[0].name:
        raise InputError("no pack takes the place of Assent's own rules")
    write_document(to, sign_pack(parsed, from_pem(read_bytes(key), name=key.name)) + "\n")
    out.print(f"Signed: {parsed.name} {parsed.version}, {len(parsed.rules)} rules: {to}")


def _origins(studio: Studio) -> dict[str, str]:
    """Return whose each installed pack is that counts, by its name."""
    names = {publisher.key_id: publisher.name for publisher in list_publishers(studio)}
    counted = {pack.name: pack for pack in packs_of(studio)}
    return {
        each.pack.name: f"{names[each.key_id]} (log entry {each.log_index})"
        for each in installed_packs(studio)
        if counted[each.pack.name] == each.pack
    }


def _later(pack: Pack, today: date) -> int:
    return sum(rule.begins is not None and rule.begins > today for rule in pack.rules)


def _as_json(pack: Pack, today: date) -> dict[str, object]:
    return {
        "name": pack.name,
        "title": pack.title,
        "version": pack.version,
        "date": str(pack.date),
        "status": pack.status,
        "source": pack.source,
        "jurisdictions": list(pack.jurisdictions),
        "sha256": pack.digest(),
        "rules": [
            {"id": rule.id, "effect": rule.effect, "in_force": rule.holds_on(today)}
            for rule in pack.rules
        ],
    }


def _show_rule(pack: Pack, rule: Rule, *, as_json: bool) -> None:
    if as_json:
        show_json({"pack": pack.name, "version": pack.version, **rule.model_dump(mode="json")})
        return
    status = "draft" if pack.status == "draft" else rule.status
    weak = " (a secondary source)" if rule.weak else ""
    asked = rule.when.model_dump(mode="json", exclude_defaults=True)
    rows = [
        ("says", rule.text),
        ("effect", rule.effect),
        ("state", status),
        ("from", rule.begins or "-"),
        ("until", rule.ends or "-"),
        ("applies to", ", ".join(pack.jurisdictions)),
        ("when", "; ".join(f"{name}: {value}" for name, value in asked.items()) or "always"),
        ("words", ", ".join(rule.words) or "-"),
        ("source", f"{rule.source}{weak}"),
        ("done by Assent", rule.met),
        ("how", rule.how),
    ]
    out.print(f"[bold]{rule.id}[/bold], of {escape(pack.title)} {pack.version} ({pack.date})")
    show_table(("", ""), [(name, escape(str(value))) for name, value in rows])


def _day(text: str | None) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"'{text}' is no day", advice="Write --on 2026-12-02.") from error
