"""Who answers for the studio: who is reminded, who is told when a clock runs out, where pages are.

Kept with the studio's other secrets, since it names people.
"""

from dataclasses import asdict, dataclass
from typing import Any

from assent.kit.canonical import canonical, parse_object
from assent.kit.errors import InputError, IntegrityError
from assent.kit.mail import check_address
from assent.kit.store.studio import Studio

__all__ = ["ResponseDesk", "load_desk", "save_desk"]

SECRET = "response"  # noqa: S105 - the name of a secret


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseDesk:
    """Who responds.

    Attributes:
        responders: addresses that are reminded.
        escalation: addresses that are told besides once a clock has run out.
        public_url: where the public pages are, such as https://videos.example.org.
    """

    responders: tuple[str, ...] = ()
    escalation: tuple[str, ...] = ()
    public_url: str | None = None

    def __post_init__(self) -> None:
        """Raise `InputError` for what could not be used."""
        for address in (*self.responders, *self.escalation):
            check_address(address)
        url = self.public_url
        if url is not None and (
            not url.startswith(("https://", "http://")) or any(c.isspace() for c in url)
        ):
            raise InputError(f"{url[:80]!r} is no address of pages")

    def page(self, path: str) -> str:
        """Return where a public page is, or its path if nobody said where the pages are."""
        return f"{(self.public_url or '').rstrip('/')}{path}"


def save_desk(studio: Studio, desk: ResponseDesk) -> None:
    """Keep who responds."""
    studio.secrets.put(SECRET, canonical(asdict(desk)))


def load_desk(studio: Studio) -> ResponseDesk:
    """Return who responds; nobody if nobody was named."""
    if SECRET not in studio.secrets.names():
        return ResponseDesk()
    fields: dict[str, Any] = parse_object(studio.secrets.get(SECRET), name="the response desk")
    try:
        return ResponseDesk(
            responders=tuple(fields["responders"]),
            escalation=tuple(fields["escalation"]),
            public_url=fields["public_url"],
        )
    except (KeyError, TypeError, InputError) as error:
        raise IntegrityError(
            "the settings of the response desk are damaged",
            advice="Set them again: `assent case desk`.",
        ) from error
