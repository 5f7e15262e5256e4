"""Projects: a brief that the rules allow, kept in the studio.

A `Purpose` is what the later steps ask for: no consent, footage or render exists outside one.
"""

import re
import unicodedata
import uuid
from dataclasses import dataclass

from sqlalchemy import select

from assent.kit.clock import stamp
from assent.kit.errors import InputError, NotFoundError
from assent.kit.store.studio import Studio
from assent.kit.store.tables import ProjectRow
from assent.purpose.brief import Brief
from assent.purpose.library import packs_of
from assent.purpose.rules import Assessment, assess

__all__ = ["Project", "Purpose", "create_project", "find_project", "list_projects", "look_up"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A project as it is kept, whatever the rules say of it today."""

    id: str
    slug: str
    brief: Brief
    created: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Purpose:
    """A project's brief, and what the rules say of it."""

    project_id: str
    slug: str
    brief: Brief
    assessment: Assessment


def create_project(studio: Studio, brief: Brief, *, slug: str | None = None) -> Purpose:
    """Store `brief` as a new project, or return the one that already has the same brief.

    Raises `ForbiddenPurposeError` if a rule refuses it, `InputError` if the name is taken by
    another brief.
    """
    assessment = _assess(studio, brief)
    name = slug if slug is not None else _slug_of(brief.title)
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,59}", name):
        raise InputError(
            f"'{name}' can't name a project",
            advice="Use lower-case letters, digits and hyphens, for example --name spring-film.",
        )
    with studio.database.session() as session:
        row = session.scalar(select(ProjectRow).where(ProjectRow.slug == name))
        if row is None:
            row = ProjectRow(
                id=uuid.uuid4().hex, slug=name, brief=brief.to_json(), created=stamp(studio.clock())
            )
            session.add(row)
        elif row.brief != brief.to_json():
            raise InputError(
                f"there is already a project '{name}' with another brief",
                advice="Give this one another name with --name.",
            )
    return Purpose(project_id=row.id, slug=name, brief=brief, assessment=assessment)


def find_project(studio: Studio, name: str) -> Purpose:
    """Return the project called `name` (or with that id) as the rules of today allow it.

    Raises `NotFoundError`, or `ForbiddenPurposeError` if a rule has come to refuse it.
    """
    project = look_up(studio, name)
    # The rules are read anew: one that has become stricter holds for old projects too.
    return Purpose(
        project_id=project.id,
        slug=project.slug,
        brief=project.brief,
        assessment=_assess(studio, project.brief),
    )


def look_up(studio: Studio, name: str) -> Project:
    """Return the project called `name` (or with that id); the rules are not asked.

    Raises `NotFoundError`.
    """
    with studio.database.session() as session:
        row = session.scalar(
            select(ProjectRow).where((ProjectRow.slug == name) | (ProjectRow.id == name))
        )
    if row is None:
        raise NotFoundError(f"no project '{name}'", advice="See `assent project list`.")
    return Project(
        id=row.id, slug=row.slug, brief=Brief.from_mapping(row.brief), created=row.created
    )


def list_projects(studio: Studio) -> tuple[tuple[str, Brief], ...]:
    """Return the name and brief of every project, oldest first.

    The rules are not asked: a project that they have come to refuse is still listed.
    """
    with studio.database.session() as session:
        rows = session.scalars(
            select(ProjectRow).order_by(ProjectRow.created, ProjectRow.slug)
        ).all()
    return tuple((row.slug, Brief.from_mapping(row.brief)) for row in rows)


def _assess(studio: Studio, brief: Brief) -> Assessment:
    return assess(brief, packs_of(studio), day=studio.clock().date())


def _slug_of(title: str) -> str:
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60].rstrip("-") or "project"
