"""The studio under load: dozens of viewers, and jobs on all cores at once.

    python benchmarks/studio_load.py [--viewers 50] [--jobs 4] [--seconds 60] [--json]

Makes a studio from the samples, starts `assent studio` with as many workers as jobs, and lets jobs
train, render and take footage in while viewers look at pages, follow the jobs, scrub through a
clip and send files. Prints for each kind of request how many there were and what they took. Assent
promises that on two cores none takes longer than a second. Who scrubs sees the frame itself or,
until it is decoded, one near it, as in the player; "until the very frame" tells how long that
took.
"""

import argparse
import http.client
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from _stages import MODEL, PROJECT, SCENE
from render import make_clip, prepare

from assent.apps.work.kinds import enqueue
from assent.apps.work.uploads import Uploads
from assent.kit.jobs.job import State
from assent.kit.jobs.queue import Queue
from assent.kit.store.studio import Studio, open_studio
from assent.purpose.projects import find_project

HOST = "localhost"
PAGES = ("/", f"/p/{PROJECT}", "/jobs", f"/p/{PROJECT}/people", f"/p/{PROJECT}/review",
         f"/p/{PROJECT}/brief", "/static/studio.css", "/static/jobs.js")  # fmt: skip
THINKS_S = 1.5
SCRUBS_S = 0.35
# What a viewer waits for, in several requests; no request by itself.
EXACT = "until the very frame"
PLAYER_TRIES = 40
ENTRY = "from assent.apps.cli.main import main; main()"


class Figures:
    """What requests took, in seconds, by kind."""

    def __init__(self) -> None:
        self.took: dict[str, list[float]] = defaultdict(list)
        self.failed: dict[str, int] = defaultdict(int)
        self._lock = threading.Lock()

    def add(self, kind: str, seconds: float, status: int) -> None:
        """Note one request."""
        with self._lock:
            self.took[kind].append(seconds)
            if status >= 400:
                self.failed[f"{kind} {status}"] += 1

    def table(self) -> dict[str, dict[str, float]]:
        """Return how many there were of each kind, and milliseconds."""
        rows = {}
        for kind, took in sorted(self.took.items()):
            ordered = sorted(took)

            def at(share: float, values: list[float] = ordered) -> float:
                return round(1000 * values[min(len(values) - 1, int(share * len(values)))], 1)

            rows[kind] = {
                "requests": len(took), "ms_50": at(0.5), "ms_95": at(0.95), "ms_99": at(0.99),
                "ms_max": round(1000 * ordered[-1], 1),
            }  # fmt: skip
        return rows


class Viewer:
    """A browser's connection, signed in by the printed link."""

    def __init__(self, port: int, link: str, figures: Figures) -> None:
        self.port, self.figures = port, figures
        self.connection = http.client.HTTPConnection(HOST, port, timeout=60)
        self.cookie = ""
        self.connection.request("GET", re.sub(r"^https?://[^/]+", "", link))
        answer = self.connection.getresponse()
        answer.read()
        self.cookie = "; ".join(
            each.split(";")[0] for each in answer.headers.get_all("set-cookie") or []
        )
        page = self.ask("signing in", "GET", "/").decode()
        found = re.search(r'<meta name="csrf" content="([^"]*)">', page)
        self.csrf = found.group(1) if found else ""

    def ask(self, kind: str, method: str, path: str, body: bytes | None = None) -> bytes:
        """Ask for something, note what it took, and return it."""
        headers = {"cookie": self.cookie, "host": f"{HOST}:{self.port}"}
        if method == "POST":
            headers |= {
                "x-csrf": self.csrf, "origin": f"http://{HOST}:{self.port}",
                "content-type": "application/json", "accept": "application/json",
            }  # fmt: skip
        began = time.monotonic()
        self.connection.request(method, f"/studio{path}", body, headers)
        answer = self.connection.getresponse()
        data = answer.read()
        self.figures.add(kind, time.monotonic() - began, answer.status)
        return data


def main() -> None:
    """Run and print."""
    options = read_options()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        scene = folder / SCENE
        make_clip(scene)
        prepare(folder, scene, 4)
        studio = open_studio(folder / "studio")
        ask_for_jobs(studio, options.jobs, scene)
        with serving(folder / "studio", options) as (server, link):
            wait_for_jobs(studio, options.jobs)
            figures, events = look_on(server, link, studio, options)
            running = len(Queue(studio.database, studio.clock).list(states=[State.RUNNING]))
            rows = figures.table()
        worst = max(row["ms_max"] for kind, row in rows.items() if kind != EXACT)
        told = {
            "viewers": options.viewers, "jobs_at_the_end": running, "events_heard": events,
            "processors": len(os.sched_getaffinity(0)), "kinds": rows,
            "failed": dict(figures.failed), "worst_ms": worst,
            "children_mb": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10,
        }  # fmt: skip
    show(told, as_json=options.json)


def read_options() -> argparse.Namespace:
    """Return the command's options."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--viewers", type=int, default=50)
    parser.add_argument("--jobs", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--port", type=int, default=8977)
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def ask_for_jobs(studio: Studio, count: int, scene: Path) -> None:
    """Put a render, an ingest, and trainings into the queue, so many that no worker idles."""
    project = find_project(studio, PROJECT).project_id
    data = scene.read_bytes() + b"\0"
    uploads = Uploads(studio)
    upload = uploads.create("again.mp4", size=len(data), project_id=project)
    with uploads.receive(upload.id, offset=0) as receiver:
        receiver.write(data)
    wanted: list[tuple[str, dict[str, Any]]] = [
        ("render", {"footage": SCENE, "model": MODEL}),
        ("ingest", {"upload": upload.id, "people": ["performer"], "rights": "computer-generated"}),
    ]
    wanted += [
        ("train", {"donor": "donor", "performer": "performer", "engine": "autoencoder",
                   "minutes": 60, "name": f"long-{number}"})
        for number in range(count)
    ]  # fmt: skip
    for kind, arguments in wanted:
        enqueue(studio, kind, project, arguments)


def wait_for_jobs(studio: Studio, count: int) -> None:
    """Return once as many run as there are workers, each in the middle of its work."""
    queue = Queue(studio.database, studio.clock)
    ends = time.monotonic() + 600
    while len([job for job in queue.list(states=[State.RUNNING]) if job.message]) < count:
        if time.monotonic() > ends:
            told = "; ".join(f"{job.kind} {job.state} {job.error or ''}" for job in queue.list())
            raise SystemExit(f"the jobs don't begin: {told}")
        time.sleep(0.5)


@contextmanager
def serving(folder: Path, options: argparse.Namespace) -> Iterator[tuple[int, str]]:
    """Start the studio; yields its port and its link."""
    jobs = str(options.jobs)
    server = subprocess.Popen(
        [sys.executable, "-c", ENTRY, "studio", "--studio", str(folder), "--port",
         str(options.port), "--workers", jobs, "--heavy", jobs],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        link = next(line.strip() for line in server.stdout or () if line.startswith("http"))
        for _ in range(200):
            with suppress(OSError):
                http.client.HTTPConnection(HOST, options.port, timeout=1).connect()
                break
            time.sleep(0.1)
        yield options.port, link
    finally:
        server.terminate()
        server.wait()


def look_on(
    port: int, link: str, studio: Studio, options: argparse.Namespace
) -> tuple[Figures, int]:
    """Let viewers look for some time."""
    figures, over, heard = Figures(), threading.Event(), [0]
    project = find_project(studio, PROJECT)
    with studio.database.session() as session:
        from assent.kit.store.tables import FootageRow

        clip = session.query(FootageRow).filter_by(name=SCENE, project_id=project.project_id).one()
    acts: list[Callable[[Viewer, int], None]] = []
    for number in range(options.viewers):
        if number % 5 == 0:
            acts.append(lambda viewer, turn: scrub(viewer, turn, clip.id))
        elif number % 25 == 1:
            acts.append(send)
        else:
            acts.append(browse)
    threads = []
    for number, act in enumerate(acts):
        viewer = Viewer(port, link, Figures())
        viewer.figures = figures
        threads.append(threading.Thread(target=run, args=(viewer, act, over, number)))
        threads.append(
            threading.Thread(target=follow, args=(viewer, heard, over, figures), daemon=True)
        )
    for thread in threads:
        thread.start()
    time.sleep(options.seconds)
    over.set()
    for thread in threads:
        thread.join(20)
    return figures, heard[0]


def run(
    viewer: Viewer, act: Callable[[Viewer, int], None], over: threading.Event, number: int
) -> None:
    """Do `act` until it is over; not all at the same moment."""
    over.wait(number * 0.05)
    turn = number
    while not over.is_set():
        act(viewer, turn)
        turn += 1
        over.wait(SCRUBS_S if act.__name__ == "<lambda>" else THINKS_S)


def browse(viewer: Viewer, turn: int) -> None:
    """Look at a page."""
    path = PAGES[turn % len(PAGES)]
    viewer.ask("script and style" if "static" in path else "page", "GET", path)


def scrub(viewer: Viewer, turn: int, clip: str) -> None:
    """Look at a frame of the clip."""
    viewing = getattr(viewer, "viewing", None)
    if viewing is None:
        data = json.dumps({"kind": "clip", "id": clip}).encode()
        opened = json.loads(viewer.ask("opening a clip", "POST", f"/p/{PROJECT}/viewings", data))
        viewing = viewer.viewing = opened.get("id", "none")  # type: ignore[attr-defined] # its own
        viewer.frames = opened.get("frames", 1)  # type: ignore[attr-defined] # its own
    frame = (turn * 37) % viewer.frames  # type: ignore[attr-defined] # its own
    began = time.monotonic()
    look_at(viewer, f"/p/{PROJECT}/viewings/{viewing}", frame)
    viewer.figures.add(EXACT, time.monotonic() - began, 200)


def look_at(viewer: Viewer, place: str, frame: int) -> None:
    """Ask for a frame as the player does: one near it stands in for it until it has come."""
    shown = None
    for tries in range(1000):
        soon = "&soon=1" if tries <= PLAYER_TRIES else ""
        path = f"{place}/{{}}.jpg?w=640{soon}"
        data = viewer.ask("scrubbing", "GET", path.format(frame))
        if not data.startswith(b"{"):
            return
        near = json.loads(data).get("near")
        if near not in (None, shown, frame):
            shown = near
            viewer.ask("scrubbing", "GET", path.format(near))


def send(viewer: Viewer, turn: int) -> None:
    """Send a piece of a file."""
    place = getattr(viewer, "place", None)
    if place is None or turn % 4 == 0:
        data = json.dumps({"name": "large.mp4", "size": 64 << 20}).encode()
        made = json.loads(viewer.ask("upload begins", "POST", f"/p/{PROJECT}/uploads", data))
        viewer.offset = 0  # type: ignore[attr-defined] # its own
        place = viewer.place = f"/p/{PROJECT}/uploads/{made['id']}"  # type: ignore[attr-defined] # its own
    offset: int = viewer.offset  # type: ignore[attr-defined] # its own
    told = viewer.ask("upload 4 MiB", "POST", f"{place}/piece?offset={offset}", bytes(4 << 20))
    viewer.offset = json.loads(told).get("offset", offset)  # type: ignore[attr-defined] # its own


def follow(viewer: Viewer, heard: list[int], over: threading.Event, figures: Figures) -> None:
    """Follow the jobs by server-sent events."""
    connection = http.client.HTTPConnection(HOST, viewer.port, timeout=30)
    began = time.monotonic()
    connection.request("GET", "/studio/events", headers={"cookie": viewer.cookie})
    answer = connection.getresponse()
    answer.readline()
    figures.add("events, first word", time.monotonic() - began, answer.status)
    with suppress(OSError, http.client.HTTPException):
        while not over.is_set():
            if answer.readline().startswith(b"event:"):
                heard[0] += 1
    connection.close()


def show(told: dict[str, Any], *, as_json: bool) -> None:
    """Print the figures."""
    if as_json:
        print(json.dumps(told))
        return
    print(
        f"{told['viewers']} viewers, {told['jobs_at_the_end']} jobs still running at the end, "
        f"{told['processors']} processors; {told['events_heard']} events heard"
    )
    print(f"{'':24}{'requests':>10}{'50 %':>10}{'95 %':>10}{'99 %':>10}{'max':>10}  ms")
    for kind, row in told["kinds"].items():
        print(
            f"{kind:24}{row['requests']:>10}{row['ms_50']:>10}{row['ms_95']:>10}"
            f"{row['ms_99']:>10}{row['ms_max']:>10}"
        )
    print(f"failed: {told['failed'] or 'none'}; the longest took {told['worst_ms']} ms")


if __name__ == "__main__":
    main()
