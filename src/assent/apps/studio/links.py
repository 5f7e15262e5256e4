"""Where the bar at the top leads; a link is shown to who may follow it."""

from dataclasses import dataclass

from assent.apps.access.permissions import Action

__all__ = ["LINKS", "Link"]


@dataclass(frozen=True, slots=True)
class Link:
    """A place in the studio, by its page's path."""

    path: str
    name: str
    action: Action


LINKS = (
    Link("/", "Projects", Action.ENTER),
    Link("/jobs", "Jobs", Action.READ_JOBS),
    Link("/monitor", "Monitor", Action.READ_MONITOR),
    Link("/cases", "Cases", Action.READ_CASES),
    Link("/log", "Log", Action.READ_LOG),
    Link("/verify", "Verify", Action.VERIFY),
    Link("/status", "Status", Action.READ_STATUS),
    Link("/accounts", "Accounts", Action.READ_ACCOUNTS),
)
