"""Lists, a page at a time: the cursor says where to go on, and means nothing to anybody else.

>>> read_cursor(make_cursor("people", ("2026-11-20T12:00:00Z", "7f")), "people")
('2026-11-20T12:00:00Z', '7f')
"""

import base64
import json
from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Any, TypeVar

from fastapi import Query
from sqlalchemy import Select, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from assent.apps.api.problems import InvalidError
from assent.kit.store.database import Database

__all__ = ["Cursor", "Limit", "make_cursor", "page_of", "paged", "read_cursor"]

Row = TypeVar("Row")
Item = TypeVar("Item")

Limit = Annotated[int, Query(ge=1, le=200, description="How many at most.")]
Cursor = Annotated[
    str | None,
    Query(max_length=600, description="Go on after a page: its `next`."),
]


def make_cursor(kind: str, place: Sequence[str]) -> str:
    """Return the cursor of the place after which to go on in a list of this kind."""
    text = json.dumps([kind, *place], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(cursor: str, kind: str, length: int = 2) -> tuple[str, ...]:
    """Return the place that a cursor stands for; raises `InvalidError` for one that is none."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        told = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        named, *place = told
    except (ValueError, TypeError, RecursionError) as error:
        raise _unknown() from error
    if named != kind or len(place) != length or not all(isinstance(each, str) for each in place):
        raise _unknown()
    return tuple(place)


def _unknown() -> InvalidError:
    problem = {"field": "query.cursor", "message": "not a cursor of this list"}
    return InvalidError("the cursor can't be used", problems=(problem,))


def page_of(
    database: Database,
    chosen: Select[Row],
    order: tuple[InstrumentedAttribute[str], InstrumentedAttribute[str]],
    *,
    kind: str,
    cursor: str | None,
    limit: int,
) -> tuple[list[Row], str | None]:
    """Return a page of rows in `order` (a time, and what is unique), and the next one's cursor."""
    if cursor is not None:
        chosen = chosen.where(tuple_(*order) > tuple_(*read_cursor(cursor, kind)))
    with database.session() as session:
        rows: list[Any] = list(session.scalars(chosen.order_by(*order).limit(limit + 1)))
    more = len(rows) > limit
    last: Any = rows[limit - 1] if more else None
    place = [getattr(last, each.key) for each in order] if more else []
    return rows[:limit], make_cursor(kind, place) if more else None


def paged(
    items: Iterable[Item],
    name: Callable[[Item], str],
    *,
    kind: str,
    cursor: str | None,
    limit: int,
) -> tuple[list[Item], str | None]:
    """Return a page of a list that is at hand, and the next one's cursor."""
    found = list(items)
    start = 0
    if cursor is not None:
        (after,) = read_cursor(cursor, kind, 1)
        names = [name(each) for each in found]
        if after not in names:
            raise _unknown()
        start = names.index(after) + 1
    page = found[start : start + limit]
    more = start + limit < len(found)
    return page, make_cursor(kind, [name(page[-1])]) if more else None
