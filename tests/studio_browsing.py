"""The studio's pages on loopback, for a real browser."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import uvicorn

from assent.apps.studio.house import House
from assent.apps.studio.server import build, house_of
from assent.apps.web.guard import place_at
from assent.kit.store.studio import Studio
from assent.purpose.projects import Purpose

__all__ = ["Running", "studio_served"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A studio that is served on loopback."""

    studio: Studio
    house: House
    made: Purpose | None = None
    """The project that a test has put there."""

    @property
    def purpose(self) -> Purpose:
        """The project that a test has put there."""
        assert self.made is not None
        return self.made


@contextmanager
def studio_served(studio: Studio, purpose: Purpose | None = None) -> Iterator[Running]:
    """Serve the studio on a free port of this machine."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    place = place_at(f"http://localhost:{listening.getsockname()[1]}")
    house = house_of(studio, place, team=False)
    server = uvicorn.Server(uvicorn.Config(build(house), log_level="error", access_log=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        while not server.started:
            time.sleep(0.02)
        yield Running(studio=studio, made=purpose, house=house)
    finally:
        server.should_exit = True
        thread.join()
        listening.close()
