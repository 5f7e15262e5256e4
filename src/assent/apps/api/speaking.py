"""What each method of the client is made of: ask, and read the answer as what it is."""

from collections.abc import Iterator
from typing import TypeVar

from assent.apps.api.resources.jobs import JobTold
from assent.apps.api.shapes import Told
from assent.apps.api.wire import Answered, Wire, path_of

__all__ = ["Speaking"]

Item = TypeVar("Item", bound=Told)


class Speaking:
    """Whoever has a wire to a studio."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire

    def _get(self, *parts: str | int, **query: str | int | None) -> Answered:
        return self.wire.ask("GET", path_of(*parts, **query))

    def _post(self, *parts: str | int, data: object = None) -> Answered:
        return self.wire.ask("POST", path_of(*parts), data=data)

    def _one(self, kind: type[Item], answered: Answered) -> Item:
        return kind.model_validate(answered.json)

    def _job(self, *parts: str, data: object = None) -> JobTold:
        return self._one(JobTold, self._post(*parts, data=data))

    def _all(self, kind: type[Item], *parts: str, **query: str | None) -> Iterator[Item]:
        cursor: str | None = None
        while True:
            page = self._get(*parts, **query, cursor=cursor).json
            for item in page["items"]:
                yield kind.model_validate(item)
            cursor = page.get("next")
            if cursor is None:
                return
