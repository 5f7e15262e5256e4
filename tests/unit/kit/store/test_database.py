import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import URL, text
from studios import PowerCut

from assent.kit.errors import StorageError
from assent.kit.store import database, tables
from assent.kit.store.database import Database
from assent.kit.store.tables import Base, ConsentRow, ProjectRow


def project(name: str) -> ProjectRow:
    return ProjectRow(id=name, slug=name, brief={"a": [1, "ü"]}, created="2026-11-20T12:00:00Z")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "studio.db"


def opened(path: Path) -> Database:
    return Database(URL.create("sqlite", database=str(path)))


def names(database: Database) -> list[str]:
    with database.session() as session:
        return [row.slug for row in session.query(ProjectRow).order_by(ProjectRow.slug)]


def test_what_was_committed_is_there_after_opening_again(path: Path) -> None:
    first = opened(path)
    with first.session() as session:
        session.add(project("a"))
    first.close()
    again = opened(path)
    assert names(again) == ["a"]
    with again.session() as session:
        assert session.get_one(ProjectRow, "a").brief == {"a": [1, "ü"]}


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt, PowerCut])
def test_nothing_is_kept_of_a_session_that_fails(path: Path, failure: type[BaseException]) -> None:
    database = opened(path)

    def fail() -> None:
        with database.session() as session:
            session.add(project("a"))
            session.flush()
            raise failure

    with pytest.raises(failure):
        fail()
    assert names(database) == []


def test_every_connection_is_prepared(path: Path) -> None:
    database = opened(path)
    expected = {
        "journal_mode": "wal",
        "foreign_keys": 1,
        "busy_timeout": 10000,
        "synchronous": 2,
        "secure_delete": 1,
    }
    with database.session() as session:
        found = {name: session.scalar(text(f"PRAGMA {name}")) for name in expected}
    assert found == expected


def test_what_is_deleted_does_not_linger(path: Path) -> None:
    database = opened(path)
    with database.session() as session:
        session.add(project("unforgettable-name"))
    with database.session() as session:
        session.delete(session.get_one(ProjectRow, "unforgettable-name"))
    database.close()
    assert b"unforgettable-name" not in path.read_bytes()


def test_a_row_needs_what_it_refers_to(path: Path) -> None:
    database = opened(path)
    row = ConsentRow(
        id="1",
        record_id="r",
        version=1,
        project_id="none",
        person_id="none",
        state="offered",
        document={},
        salt="",
        created="",
    )
    with pytest.raises(StorageError, match="FOREIGN KEY"), database.session() as session:
        session.add(row)


def test_a_name_is_unique(path: Path) -> None:
    database = opened(path)
    twice = [project("a"), ProjectRow(id="b", slug="a", brief={}, created="")]
    with (
        pytest.raises(StorageError, match="the studio's database: UNIQUE") as caught,
        database.session() as session,
    ):
        session.add_all(twice)
    assert caught.value.exit_code == 1
    assert names(database) == []


def test_a_file_that_is_no_database(path: Path) -> None:
    path.write_bytes(b"not a database, but long enough to be looked at" * 40)
    with pytest.raises(StorageError, match="file is not a database"):
        opened(path)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="unable to open database file"):
        opened(tmp_path / "missing" / "studio.db")


def test_a_table_that_went_missing(path: Path) -> None:
    database = opened(path)
    names(database)
    with sqlite3.connect(path) as raw:
        raw.execute("DROP TABLE project")
    raw.close()
    with pytest.raises(StorageError, match="no such table: project"):
        names(database)


def test_two_processes_share_one_database(path: Path) -> None:
    one, other = opened(path), opened(path)
    with one.session() as session:
        session.add(project("a"))
        # What isn't committed yet is nobody else's business.
        assert names(other) == []
    assert names(other) == ["a"]


def test_in_memory_every_session_sees_the_same() -> None:
    database = Database("sqlite://")
    with database.session() as session:
        session.add(project("a"))
    assert names(database) == ["a"]


def test_each_table_has_its_class() -> None:
    """And each class of the module is a table that a new database gets."""
    named = {mapper.class_.__name__ for mapper in Base.registry.mappers}
    modules = (tables, *database._TABLES)  # noqa: SLF001 - every new module must be named there
    assert named == {name for module in modules for name in module.__all__} - {"Base"}
    assert all(name.endswith("Row") for name in named)
