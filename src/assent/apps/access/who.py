"""Whoever asks for something: an account, the holder of the studio's link, or a token of theirs."""

from dataclasses import dataclass, replace

from assent.apps.access.permissions import PERMISSIONS, Action, Role

__all__ = ["HOLDER", "Membership", "Who"]


@dataclass(frozen=True, slots=True)
class Membership:
    """A role in one project, or in the whole studio."""

    role: Role
    project_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """Somebody, as the table of permissions knows them."""

    account_id: str | None
    handle: str
    name: str
    memberships: tuple[Membership, ...]
    person_id: str | None = None
    """Who they are among the people whom the studio knows."""
    only: frozenset[Action] | None = None
    """A token's scopes: it may do these alone, and no more than its account."""

    def may(self, action: Action, project_id: str | None = None) -> bool:
        """Tell whether they may do something, in a project or in the whole studio."""
        if self.only is not None and action not in self.only:
            return False
        allowed = PERMISSIONS[action]
        return any(
            each.role in allowed.roles
            and (each.project_id in (None, project_id) or (project_id is None and allowed.anywhere))
            for each in self.memberships
        )

    def roles_in(self, project_id: str | None) -> frozenset[Role]:
        """Return their roles in a project, those in the whole studio included."""
        return frozenset(
            each.role for each in self.memberships if each.project_id in (None, project_id)
        )

    def with_only(self, scopes: frozenset[Action]) -> "Who":
        """Return who has less: no action that isn't in `scopes`."""
        return replace(self, only=scopes if self.only is None else self.only & scopes)


HOLDER = Who(
    account_id=None,
    handle="you",
    name="You",
    memberships=(Membership(Role.PRODUCER), Membership(Role.REVIEWER)),
)
"""Who holds the link of a studio without accounts: whoever can start the program. What has to be
signed is signed with a person's own key even so."""
