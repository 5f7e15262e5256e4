"""First paint and weight of every page that people see, on loopback in Chromium.

    python benchmarks/first_paint.py --json
    python benchmarks/first_paint.py --studio studio --project lesson

Every page of the studio's table and every public page, cold (nothing kept), three times each; the
median counts. Without --studio one is made with the computer-generated performers: some minutes.
"""

import argparse
import json
import shutil
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypedDict

import uvicorn
from playwright.sync_api import Browser, Response, sync_playwright
from starlette.types import ASGIApp

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from assent.apps.public.place import place_of
from assent.apps.public.server import build as build_public
from assent.apps.public.server import corner_of
from assent.apps.public.source import Source
from assent.apps.studio.server import build as build_studio
from assent.apps.studio.server import house_of
from assent.apps.web.guard import place_at
from assent.kit.store.studio import Studio, open_studio
from assent.purpose.projects import Purpose, find_project, list_projects

HEAVIEST, SLOWEST_MS = 200 << 10, 1000.0
TIMES, OK = 3, 200
PUBLIC = ("/", "/verify/", "/report/", "/log/")


class Look(TypedDict):
    """What was measured of a page."""

    page: str
    first_paint_ms: float
    bytes: int


PAINTED = """() => new Promise((done) => {
  const look = () => {
    const [first] = performance.getEntriesByName('first-contentful-paint');
    if (first) done(first.startTime); else setTimeout(look, 10);
  };
  look();
})"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studio", type=Path, help="A studio with a release.")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = given.studio or _made(Path(place))
        studio = open_studio(folder)
        found = _measure(studio, find_project(studio, list_projects(studio)[0][0]))
        studio.database.close()
    slow = [each for each in found if each["first_paint_ms"] >= SLOWEST_MS]
    heavy = [each for each in found if each["bytes"] >= HEAVIEST]
    if given.json:
        print(json.dumps({"pages": found, "too_slow": len(slow), "too_heavy": len(heavy)}))
        return
    for each in sorted(found, key=lambda page: -page["first_paint_ms"]):
        print(f"{each['first_paint_ms']:7.0f} ms {each['bytes'] / 1024:7.1f} kB  {each['page']}")
    print(f"{len(found)} pages; {len(slow)} slower than 1 s, {len(heavy)} heavier than 200 kB")


def _made(place: Path) -> Path:
    """Return a studio in which everything was done once, with a model that learned little."""
    from casts import Stage, agree, film, render_and_review
    from studio_walk import prepare

    cast = agree(place)
    for name, act in (
        ("filmed", film), ("trained", Stage.fit), ("rendered", render_and_review),
        ("released", Stage.finish),
    ):  # fmt: skip
        cast = cast.then(name, act)
    studio = open_studio(cast.folder)
    prepare(studio, find_project(studio, cast.slug), place)
    studio.database.close()
    return cast.folder


def _measure(studio: Studio, purpose: Purpose) -> list[Look]:
    from studio_walk import address_of, looked_at

    found = []
    with sync_playwright() as playwright:
        program = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        with _listening() as (port, serving):
            house = house_of(studio, place_at(f"http://localhost:{port}"), team=False)
            with serving(build_studio(house)):
                for page in looked_at():
                    path = f"/studio{address_of(page, studio, purpose)}"
                    found.append(
                        _look(browser, f"http://localhost:{port}{path}", page.path, house.link)
                    )
        with _listening() as (port, serving):
            place = place_of(f"http://localhost:{port}", contact=studio.contact)
            source = Source(studio.folder, vkey=studio.log_verifier.vkey)
            records = [f"/r/{asset}/" for asset in source.now().assets[:3]]
            with serving(build_public(corner_of(source, place))):
                found += [
                    _look(browser, f"http://localhost:{port}/en{path}", f"public {path}")
                    for path in (*PUBLIC, *records, *(f"{each}card/" for each in records))
                ]
        browser.close()
    return found


def _look(browser: Browser, address: str, name: str, first: str | None = None) -> Look:
    """Return the median of the first paint, and all bytes but those of pictures and films."""
    looks = [_once(browser, address, first) for _ in range(TIMES)]
    painted = statistics.median(each for each, _ in looks)
    return {"page": name, "first_paint_ms": round(painted, 1), "bytes": looks[-1][1]}


def _once(browser: Browser, address: str, first: str | None) -> tuple[float, int]:
    """Open a page in a fresh window; return its first paint in milliseconds, and its bytes."""
    context = browser.new_context()
    page = context.new_page()
    if first is not None:
        page.goto(first)
    answers: list[Response] = []
    page.on("response", lambda answer: answers.append(answer))
    page.goto(address, wait_until="load")
    painted = float(page.evaluate(PAINTED))
    weight = sum(
        int(each.headers.get("content-length", "0"))
        for each in answers
        if each.request.resource_type not in ("image", "media", "eventsource") and each.status == OK
    )
    context.close()
    return painted, weight


@contextmanager
def _listening() -> Iterator[tuple[int, "_Serving"]]:
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    try:
        yield listening.getsockname()[1], _Serving(listening)
    finally:
        listening.close()


class _Serving:
    """Serves an application on a socket while a block runs."""

    def __init__(self, listening: socket.socket) -> None:
        self._listening = listening

    @contextmanager
    def __call__(self, app: ASGIApp) -> Iterator[None]:
        # The studio's pages hold a stream of events open; nobody waits for its end.
        config = uvicorn.Config(
            app, log_level="error", access_log=False, timeout_graceful_shutdown=1
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [self._listening]})
        thread.start()
        try:
            while not server.started:
                time.sleep(0.02)
            yield
        finally:
            server.should_exit = True
            thread.join()


if __name__ == "__main__":
    main()
