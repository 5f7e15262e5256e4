"""Put a dossier together: every part read at one moment, open points first.

dossier = assemble(studio, "lesson")
print(len(dossier.open_points), "open points")
"""

from collections.abc import Callable

from assent import __version__
from assent.kit.clock import stamp
from assent.kit.progress import Progress, nothing
from assent.kit.store.studio import Studio
from assent.monitor.dossier.data_part import data_section, model_section
from assent.monitor.dossier.decided_part import decided_section
from assent.monitor.dossier.document import Cell, Dossier, Facts, Section
from assent.monitor.dossier.ended_part import ended_section
from assent.monitor.dossier.law_part import gap_section, jurisdiction_section
from assent.monitor.dossier.log_part import (
    definition_section,
    limit_section,
    log_section,
    source_section,
)
from assent.monitor.dossier.made_part import draft_section, release_section
from assent.monitor.dossier.people_part import people_section
from assent.monitor.dossier.purpose_part import purpose_section
from assent.monitor.dossier.reading import Judge, Reading, read

__all__ = ["assemble"]

_PARTS: tuple[Callable[[Reading], Section], ...] = (
    purpose_section, people_section, data_section, model_section, draft_section,
)  # fmt: skip


def assemble(
    studio: Studio,
    project: str,
    *,
    names: bool = False,
    full: bool = False,
    judge: Judge | None = None,
    progress: Progress = nothing,
) -> Dossier:
    """Return the dossier of the project called `project`, at whatever point it is.

    With `names` people's names are left where somebody wrote them, and footage is named by file;
    with `full` label and marks are looked for in each release again. `judge` says how good drafts
    are, as who remembers it does; without it they are judged anew. Raises `NotFoundError`.
    """
    reading = read(studio, project, names=names, judge=judge)
    made: list[Section] = []
    for number, part in enumerate(_PARTS):
        progress("reading", number, len(_PARTS) + 1)
        made.append(part(reading))
    releases = release_section(reading, full=full)
    sections = (
        *made,
        decided_section(reading),
        releases,
        ended_section(reading),
        gap_section(reading, *_counted(releases)),
        jurisdiction_section(reading),
        log_section(reading),
        definition_section(),
        source_section(reading),
        limit_section(),
    )
    progress("reading", len(_PARTS) + 1, len(_PARTS) + 1)
    return Dossier(
        title=reading.names.clean(reading.project.brief.title),
        subtitle=f"Dossier of the project '{reading.project.slug}' of {studio.name}",
        made=stamp(studio.clock()),
        facts=_first_page(reading),
        sections=sections,
    )


def _counted(releases: Section) -> tuple[int, int]:
    """Return how many releases have a time stamp of others, and how many were verified."""
    found = [dict(block.rows) for block in releases.blocks if isinstance(block, Facts)]
    stamps = [rows["Time stamp of others"].text for rows in found if "Time stamp of others" in rows]
    return sum(text != "none" for text in stamps), len(stamps)


def _first_page(reading: Reading) -> tuple[tuple[str, Cell], ...]:
    studio, decision = reading.studio, reading.decision
    allowed = "refused" if decision.refusal else f"allowed, risk {decision.level.name}"
    return (
        ("Studio", Cell(text=f"{studio.name} ({studio.contact})")),
        ("Project", Cell(text=reading.project.slug, mono=True)),
        ("State of", Cell(text=stamp(studio.clock()))),
        (
            "By the rules of that day",
            Cell(text=allowed, state="bad" if decision.refusal else "good"),
        ),
        ("Shown in", Cell(text=", ".join(sorted(reading.project.brief.places)))),
        ("Made with", Cell(text=f"Assent {__version__}; rule packs {', '.join(decision.packs)}")),
        (
            "Log",
            Cell(
                text=f"entries: {reading.log.size}, root {reading.log.state.root.hex()}", mono=True
            ),
        ),
    )
