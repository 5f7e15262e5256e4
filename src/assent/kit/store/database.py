"""Open the studio's database: SQLite in the studio's folder, or PostgreSQL by URL.

>>> from sqlalchemy import text
>>> database = Database("sqlite://")
>>> with database.session() as session:
...     session.scalar(text("select count(*) from project"))
0
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.pool import ConnectionPoolEntry, StaticPool

from assent.kit.errors import StorageError
from assent.kit.store import (
    access_tables,
    api_tables,
    case_tables,
    public_tables,
    repair_tables,
    tables,
    viewing_tables,
    watch_tables,
    work_tables,
)

__all__ = ["Database"]

_TABLES = (
    tables,
    access_tables,
    api_tables,
    case_tables,
    public_tables,
    repair_tables,
    viewing_tables,
    watch_tables,
    work_tables,
)
"""Every module with tables: a table is made only if its class is known."""


class Database:
    """A database with the studio's tables; makes them if they are missing."""

    def __init__(self, url: str | URL) -> None:
        memory = url == "sqlite://"
        options = {"poolclass": StaticPool} if memory else {}
        self._engine = create_engine(url, **options)
        if self._engine.dialect.name == "sqlite":
            event.listen(self._engine, "connect", _prepare_sqlite)
        # Made once: it is dearer than a session.
        self._sessions = sessionmaker(self._engine, expire_on_commit=False)
        with _translated():
            for module in _TABLES:
                module.Base.metadata.create_all(self._engine)

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Yield a session that commits on success and rolls back on any exception.

        Raises `StorageError` if the database can't be read or written.
        """
        with _translated(), self._sessions.begin() as session:
            yield session

    def copy_to(self, path: Path) -> None:
        """Write a consistent copy without free pages to a new file, while others go on working.

        Raises `StorageError` if that fails.
        """
        with _translated(), self._engine.connect() as connection:
            connection.exec_driver_sql("VACUUM INTO ?", (str(path),))

    def close(self) -> None:
        """Release every connection."""
        self._engine.dispose()


def _prepare_sqlite(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "foreign_keys=ON", "busy_timeout=10000", "synchronous=FULL"):
        cursor.execute(f"PRAGMA {pragma}")
    # What is deleted must not linger in free pages.
    cursor.execute("PRAGMA secure_delete=ON")
    cursor.close()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        raise StorageError(f"the studio's database: {error.orig}") from error
