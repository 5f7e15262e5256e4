"""What all pages of the studio work with."""

import secrets
from collections import OrderedDict
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Lock
from typing import TypeVar

from jinja2 import Environment, PackageLoader, StrictUndefined

from assent.apps.access.sessions import StudioSessions
from assent.apps.access.signin import Entrance
from assent.apps.studio.wording import FILTERS
from assent.apps.web.guard import Place
from assent.kit.errors import AssentError
from assent.kit.store.studio import Studio

__all__ = ["House", "Pending", "Services"]


_Made = TypeVar("_Made")
_MOST_PENDING = 1000


class Pending:
    """What browsers were asked to sign; each is taken once, and the oldest are forgotten first."""

    def __init__(self) -> None:
        self._held: OrderedDict[tuple[str, ...], str] = OrderedDict()
        self._lock = Lock()

    def put(self, place: tuple[str, ...], text: str) -> None:
        """Keep what is to be signed; another one of the same place is forgotten."""
        with self._lock:
            self._held.pop(place, None)
            self._held[place] = text
            while len(self._held) > _MOST_PENDING:
                self._held.popitem(last=False)

    def take(self, place: tuple[str, ...]) -> str | None:
        """Return what was to be signed, once."""
        with self._lock:
            return self._held.pop(place, None)


class Services:
    """What pages share beyond a request (uploads, open viewings), made when first asked for."""

    def __init__(self) -> None:
        self._made: dict[str, object] = {}
        self._lock = Lock()

    def get(self, kind: type[_Made], make: Callable[[], _Made]) -> _Made:
        """Return the one of that kind, made by `make` if there is none yet."""
        with self._lock:
            name = f"{kind.__module__}.{kind.__qualname__}"
            made = self._made.setdefault(name, None) or make()
            self._made[name] = made
        assert isinstance(made, kind)  # noqa: S101 - filed under its own kind
        return made

    def tend(self) -> None:
        """Have everything let go of what is over: called now and then."""
        with self._lock:
            made = list(self._made.values())
        for each in made:
            tend = getattr(each, "tend", None)
            if tend is not None:
                # What fails is tried again next time.
                with suppress(AssentError):
                    tend()

    def close(self) -> None:
        """Close what can be closed."""
        for made in self._made.values():
            close = getattr(made, "close", None)
            if close is not None:
                close()


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """A studio that is open in browsers."""

    studio: Studio
    place: Place
    sessions: StudioSessions
    entrance: Entrance
    token: str | None
    """What lets the holder of the printed link in; None in a studio with accounts."""
    templates: Environment
    paths: frozenset[str] = field(default_factory=frozenset)
    """The paths of all pages that there are."""
    pending: Pending = field(default_factory=Pending)
    services: Services = field(default_factory=Services)

    @classmethod
    def of(
        cls,
        studio: Studio,
        place: Place,
        *,
        team: bool,
        paths: Iterable[str],
        entrance: Entrance | None = None,
    ) -> "House":
        """Return the house of a studio that is reached at `place`."""
        token = None if team else secrets.token_urlsafe(32)
        return cls(
            studio=studio,
            place=place,
            sessions=StudioSessions(studio, place, run=None if team else secrets.token_hex(16)),
            entrance=entrance or Entrance.of(studio, place),
            token=token,
            templates=_templates(),
            paths=frozenset(paths),
        )

    @property
    def team(self) -> bool:
        """Tell whether people sign in with accounts."""
        return self.token is None

    @property
    def link(self) -> str:
        """Return where to begin: with the token, in a studio without accounts."""
        start = f"{self.place.origin}/studio/"
        return start if self.token is None else f"{start}enter?token={self.token}"


def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("assent.apps.studio"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(FILTERS)
    return environment
