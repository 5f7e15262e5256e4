"""What somebody's own place shows, and so who may hand out a link to it."""

from sqlalchemy import select

from assent.apps.access.permissions import Action
from assent.apps.access.who import Who
from assent.kit.store.studio import Studio
from assent.kit.store.tables import ConsentRow, InvitationRow

__all__ = ["may_lead_home", "projects_of"]


def projects_of(studio: Studio, person_id: str) -> frozenset[str]:
    """Return the ids of the projects in which a person was asked."""
    with studio.database.session() as session:
        records = session.scalars(
            select(ConsentRow.project_id).where(ConsentRow.person_id == person_id)
        )
        links = session.scalars(
            select(InvitationRow.project_id).where(
                InvitationRow.person_id == person_id,
                InvitationRow.project_id.is_not(None),
                InvitationRow.terms.is_not(None),
            )
        )
        return frozenset(each for each in (*records, *links) if each is not None)


def may_lead_home(studio: Studio, who: Who, action: Action, person_id: str) -> bool:
    """Tell whether somebody may make a link to a person's own place.

    Whoever has the link can end every consent of that person: so it takes the right in each of
    their projects, and in the whole studio for who was asked in none.
    """
    places = projects_of(studio, person_id) or {None}
    return all(who.may(action, each) for each in places)
