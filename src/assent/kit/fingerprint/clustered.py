"""The clustered index: PostgreSQL with pgvector, for studios that share one.

    with ClusteredIndex.open("postgresql://monitor@db.example.org/codes") as index:
        hits = index.near(codes, within=76)

One table of runs with an HNSW index over `bit_hamming_ops`, another for sound. Needs the extra
`postgres` (`pip install 'assent[postgres]'`) and a database with pgvector 0.7 or newer.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from assent.kit.errors import InputError, StorageError
from assent.kit.fingerprint.index import NEIGHBOURS, Hits, no_hits
from assent.kit.fingerprint.track import Track

if TYPE_CHECKING:
    import psycopg

__all__ = ["ClusteredIndex"]

Of = Literal["pictures", "sound"]

_MAKE = (
    "CREATE EXTENSION IF NOT EXISTS vector",
    "CREATE TABLE IF NOT EXISTS {table} ("
    "asset text NOT NULL, begins integer NOT NULL, ends integer NOT NULL, code bit(256) NOT NULL)",
    "CREATE INDEX IF NOT EXISTS {table}_asset ON {table} (asset)",
)
_NEAREST = "CREATE INDEX IF NOT EXISTS {table}_code ON {table} USING hnsw (code bit_hamming_ops)"
_NEAR = (
    "SELECT q.number, h.asset, h.begins, h.ends, h.away::int "
    "FROM unnest(%s::bit(256)[]) WITH ORDINALITY AS q(code, number) "
    "CROSS JOIN LATERAL (SELECT asset, begins, ends, code <~> q.code AS away FROM {table} "
    "ORDER BY code <~> q.code LIMIT %s) AS h WHERE h.away <= %s ORDER BY q.number, h.away"
)
_TABLES = {"pictures": "assent_run", "sound": "assent_sound_run"}


class ClusteredIndex:
    """A `CodeIndex` in a PostgreSQL database."""

    def __init__(self, connection: "psycopg.Connection[Any]", of: Of) -> None:
        self._connection = connection
        self._table = _TABLES[of]

    @classmethod
    def open(cls, url: str, *, of: Of = "pictures") -> "ClusteredIndex":
        """Connect and make the table if it isn't there.

        Raises `InputError` without the extra, `StorageError` if the database can't be used.
        """
        connect = _connector()
        with _told():
            connection = connect(url)
            try:
                for statement in _MAKE:
                    connection.execute(statement.format(table=_TABLES[of]).encode())
                connection.commit()
            except BaseException:
                connection.close()
                raise
        return cls(connection, of)

    def __enter__(self) -> "ClusteredIndex":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def __len__(self) -> int:
        with self._asked("SELECT count(*) FROM {table}") as rows:
            return int(rows[0][0])

    def assets(self) -> frozenset[str]:
        """Return whose codes it holds."""
        with self._asked("SELECT DISTINCT asset FROM {table}") as rows:
            return frozenset(str(row[0]) for row in rows)

    def put(self, asset_id: str, track: Track) -> None:
        """Hold a release's track, in the place of an older one."""
        with _told(), self._connection.transaction():
            self._run("DELETE FROM {table} WHERE asset = %s", (asset_id,))
            self._copy([(asset_id, track)])
            self._run(_NEAREST)

    def put_all(self, tracks: Iterable[tuple[str, Track]]) -> None:
        """Hold many that it has not held before; the index over them is made at the end."""
        with _told(), self._connection.transaction():
            self._copy(tracks)
            self._run("SET LOCAL maintenance_work_mem = '1GB'")
            self._run(_NEAREST)

    def remove(self, asset_id: str) -> None:
        """Hold a release's track no longer."""
        with _told(), self._connection.transaction():
            self._run("DELETE FROM {table} WHERE asset = %s", (asset_id,))

    def near(self, codes: NDArray[np.uint8], *, within: int) -> Hits:
        """Return the codes nearest to each of `codes`, up to `within` bits away."""
        if not len(codes):
            return no_hits()
        with self._asked(_NEAR, ([_bits(code) for code in codes], NEIGHBOURS, within)) as rows:
            numbers = np.array([(r[0] - 1, *r[2:]) for r in rows], np.int32).reshape(-1, 4)
            names = tuple(str(row[1]) for row in rows)
        return Hits(numbers[:, 0], names, numbers[:, 1], numbers[:, 2], numbers[:, 3])

    def _copy(self, tracks: Iterable[tuple[str, Track]]) -> None:
        into = f"COPY {self._table} (asset, begins, ends, code) FROM STDIN"
        with self._connection.cursor().copy(into) as copy:
            for asset_id, track in tracks:
                for code, begin, end in zip(track.codes, track.begins, track.ends, strict=True):
                    copy.write_row((asset_id, int(begin), int(end), _bits(code)))

    def _run(self, statement: str, values: tuple[Any, ...] = ()) -> "psycopg.Cursor[Any]":
        return self._connection.execute(statement.format(table=self._table).encode(), values)

    @contextmanager
    def _asked(self, statement: str, values: tuple[Any, ...] = ()) -> Iterator[list[Any]]:
        with _told(), self._connection.transaction():
            self._run("SET LOCAL hnsw.ef_search = 80")
            yield self._run(statement, values).fetchall()


def _bits(code: NDArray[np.uint8]) -> str:
    return f"{int.from_bytes(code.tobytes()):0256b}"


def _connector() -> "Callable[[str], psycopg.Connection[Any]]":
    try:
        from psycopg import connect
    except ImportError as error:
        raise InputError(
            "the clustered index needs psycopg, which isn't installed",
            advice="Install it: pip install 'assent[postgres]'.",
        ) from error
    return connect


@contextmanager
def _told() -> Iterator[None]:
    from psycopg import Error

    try:
        yield
    except Error as error:
        # Its text can hold the address with a password in it.
        raise StorageError(
            f"the database of codes can't be used ({type(error).__name__})",
            advice="Check its address, its rights, and that pgvector is installed there.",
        ) from error
