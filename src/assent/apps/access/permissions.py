"""The one table of who may do what; pages and the API ask it, and so do the tests.

>>> Role.AUDITOR in PERMISSIONS[Action.READ_LOG].roles
True
>>> Role.AUDITOR in PERMISSIONS[Action.RELEASE].roles
False
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

__all__ = ["PERMISSIONS", "Action", "Permission", "Role"]


class Role(StrEnum):
    """What somebody is for the studio or for one project of it."""

    PRODUCER = "producer"
    """Makes: projects, offers, footage, models, drafts, releases."""
    REVIEWER = "reviewer"
    """Decides: about recordings, doubts, drafts and claims, each with a key of their own."""
    SUBJECT = "subject"
    """Is depicted: sees what concerns them, in the place that is theirs."""
    AUDITOR = "auditor"
    """Reads everything but pictures, and changes nothing."""


class Action(StrEnum):
    """Something that a page or a call of the API does. The name is also a scope of tokens."""

    ENTER = "studio.enter"
    OWN_ACCOUNT = "account.own"
    VERIFY = "verify"
    READ_ACCOUNTS = "accounts.read"
    CHANGE_ACCOUNTS = "accounts.change"

    CREATE_PROJECT = "project.create"
    READ_PROJECT = "project.read"
    READ_PEOPLE = "people.read"
    CHANGE_PEOPLE = "people.change"
    ADD_PERSON = "people.add"
    SIGN_UP = "people.sign-up"
    """Make the key with which one signs for the studio."""
    DECIDE_PEOPLE = "people.decide"
    READ_FOOTAGE = "footage.read"
    CHANGE_FOOTAGE = "footage.change"
    READ_MODELS = "models.read"
    TRAIN = "models.train"
    READ_DRAFTS = "drafts.read"
    RENDER = "drafts.render"
    REPAIR = "drafts.repair"
    WATCH = "pictures.watch"
    """See frames of footage, models and drafts: labelled, marked, and written into the log."""
    REVIEW = "drafts.review"
    SIGN_OFF = "drafts.sign-off"
    READ_RELEASES = "releases.read"
    RELEASE = "releases.release"

    READ_LOG = "log.read"
    READ_DOSSIER = "dossier.read"
    READ_STATUS = "status.read"
    READ_JOBS = "jobs.read"
    CHANGE_JOBS = "jobs.change"
    READ_CASES = "cases.read"
    CHANGE_CASES = "cases.change"
    READ_MONITOR = "monitor.read"
    CHANGE_MONITOR = "monitor.change"
    TOKENS = "tokens"
    WEBHOOKS = "webhooks"


@dataclass(frozen=True, slots=True)
class Permission:
    """Which roles an action takes, and where they have to be held.

    `anywhere`: a role in any one project is enough, even where the action names no project.
    """

    roles: frozenset[Role]
    anywhere: bool = False


_P, _R, _S, _A = Role.PRODUCER, Role.REVIEWER, Role.SUBJECT, Role.AUDITOR


def _to(*roles: Role, anywhere: bool = False) -> Permission:
    return Permission(frozenset(roles), anywhere)


PERMISSIONS: Mapping[Action, Permission] = MappingProxyType(
    {
        Action.ENTER: _to(_P, _R, _S, _A, anywhere=True),
        Action.OWN_ACCOUNT: _to(_P, _R, _S, _A, anywhere=True),
        Action.VERIFY: _to(_P, _R, _S, _A, anywhere=True),
        Action.READ_ACCOUNTS: _to(_P, _A),
        Action.CHANGE_ACCOUNTS: _to(_P),
        Action.CREATE_PROJECT: _to(_P),
        Action.READ_PROJECT: _to(_P, _R, _A),
        Action.READ_PEOPLE: _to(_P, _R, _A),
        Action.CHANGE_PEOPLE: _to(_P),
        Action.ADD_PERSON: _to(_P),
        Action.SIGN_UP: _to(_P, _R, anywhere=True),
        Action.DECIDE_PEOPLE: _to(_P, _R),
        Action.READ_FOOTAGE: _to(_P, _R, _A),
        Action.CHANGE_FOOTAGE: _to(_P),
        Action.READ_MODELS: _to(_P, _R, _A),
        Action.TRAIN: _to(_P),
        Action.READ_DRAFTS: _to(_P, _R, _A),
        Action.RENDER: _to(_P),
        Action.REPAIR: _to(_P),
        Action.WATCH: _to(_P, _R),
        Action.REVIEW: _to(_P, _R),
        Action.SIGN_OFF: _to(_R),
        Action.READ_RELEASES: _to(_P, _R, _A),
        Action.RELEASE: _to(_P),
        Action.READ_LOG: _to(_P, _R, _A, anywhere=True),
        Action.READ_DOSSIER: _to(_P, _R, _A),
        Action.READ_STATUS: _to(_P, _R, _A),
        Action.READ_JOBS: _to(_P, _R, _A, anywhere=True),
        Action.CHANGE_JOBS: _to(_P, anywhere=True),
        Action.READ_CASES: _to(_P, _R, _A),
        Action.CHANGE_CASES: _to(_P, _R),
        Action.READ_MONITOR: _to(_P, _R, _A),
        Action.CHANGE_MONITOR: _to(_P),
        Action.TOKENS: _to(_P, _A, anywhere=True),
        Action.WEBHOOKS: _to(_P),
    }
)
