"""A worker does what commands do; it hears wishes, and tells how far it is and how it ended."""

import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from casts import Cast, Stage
from studios import brief_with

from assent.apps.work.kinds import KINDS, enqueue
from assent.apps.work.machine import Machine, alive, name_worker
from assent.apps.work.uploads import Uploads
from assent.apps.work.worker import Worker
from assent.kit.errors import InputError, NotFoundError
from assent.kit.jobs.job import Job, State
from assent.kit.jobs.queue import Queue
from assent.kit.store.studio import open_studio
from assent.purpose.projects import create_project

MACHINE = Machine(name="here", counts={"cpu-heavy": 1})


class Crew:
    """One worker in a thread, and the queue that it works on."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.queue = Queue(stage.studio.database, stage.clock)
        self.left: list[int] = []
        name = name_worker()
        self.worker = Worker(
            studio=stage.studio, name=name, machine=MACHINE, idle_s=0.02, leave=self.left.append
        )
        self._present = alive(stage.studio, name)
        self._thread = threading.Thread(target=self.worker.run)

    def __enter__(self) -> "Crew":
        self._present.__enter__()
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.worker.stopping.set()
        self._thread.join()
        self._present.__exit__(None, None, None)

    def ask(self, kind: str, **arguments: Any) -> Job:  # noqa: ANN401 - of any kind
        return enqueue(self.stage.studio, kind, self.stage.purpose.project_id, arguments)

    def until(self, job: Job, is_so: Callable[[Job], bool]) -> Job:
        ends = time.monotonic() + 240
        while not is_so(job):
            assert time.monotonic() < ends, job
            time.sleep(0.05)
            job = self.queue.get(job.id)
        return job

    def end(self, job: Job) -> Job:
        return self.until(job, lambda each: each.state.over)

    def done(self, job: Job) -> Any:  # noqa: ANN401 - results
        ended = self.end(job)
        assert ended.state is State.DONE, ended.error
        return ended.result

    def upload(self, path: Path, name: str | None = None) -> str:
        uploads, data = Uploads(self.stage.studio), path.read_bytes()
        upload = uploads.create(
            name or path.name, size=len(data), project_id=self.stage.purpose.project_id
        )
        with uploads.receive(upload.id, offset=0) as receiver:
            receiver.write(data)
        return upload.id


@pytest.fixture
def crew(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Crew]:
    cast: Cast = request.getfixturevalue(getattr(request, "param", "agreed"))
    stage = cast.open_copy(tmp_path / "studio")
    with Crew(stage) as crew:
        yield crew


@pytest.mark.slow
def test_from_uploads_to_a_verified_release(crew: Crew) -> None:
    clips, studio = crew.stage.clips, crew.stage.studio
    for name, person in (("ben", "ben"), ("ada", "ada"), ("scene", "ada")):
        taken = crew.done(
            crew.ask(
                "ingest", upload=crew.upload(clips / f"{name}.mp4"), people=[person], rights="ours"
            )
        )
        assert taken["faces"][person] > 0
    assert Uploads(studio).list() == ()
    model = crew.done(crew.ask("train", donor="ben", performer=crew.stage.ada.id, iterations=2))
    draft = crew.done(crew.ask("render", footage="scene.mp4", model=model["id"]))["draft"]
    assert crew.done(crew.ask("review", draft=draft[:8]))["approved"]
    for asked in ({"draft": draft}, {"model": model["name"]}):
        sheet = crew.done(crew.ask("sheet", **asked))["sheet"]
        assert (studio.previews_folder / sheet).is_file()
    released = crew.done(crew.ask("release", draft=draft))
    path = studio.releases_folder / released["file"]
    still = crew.done(crew.ask("export", draft=draft, form="jpeg", at=0.2))
    assert (studio.releases_folder / still["file"]).is_file()
    found = crew.done(crew.ask("verify", upload=crew.upload(path)))
    assert found["verdict"] == "sealed"
    assert {job.share for job in crew.queue.list()} == {1.0}


@pytest.mark.parametrize("crew", ["trained"], indirect=True)
def test_a_render_that_is_paused_goes_on_with_the_next_segment(crew: Crew) -> None:
    job = crew.ask("render", footage="scene.mp4", model="ben-for-ada")
    running = crew.until(job, lambda each: (each.share or 0) > 0 or each.state.over)
    # It may end between the look and the wish.
    with suppress(InputError):
        crew.queue.pause(job.id)
    paused = crew.until(running, lambda each: each.state is not State.RUNNING)
    if paused.state is State.PAUSED:
        crew.queue.resume(job.id)
    assert crew.done(paused)["frames"] == 40


@pytest.mark.parametrize("crew", ["filmed"], indirect=True)
def test_training_keeps_what_it_learned_when_paused_and_stops_when_cancelled(crew: Crew) -> None:
    job = crew.ask(
        "train", donor="ben", performer="ada", engine="autoencoder", minutes=60, name="long"
    )
    crew.until(job, lambda each: each.details.get("iteration", 0) >= 2)
    crew.queue.pause(job.id)
    paused = crew.until(job, lambda each: each.state is State.PAUSED)
    learned = paused.details["iteration"]
    crew.queue.resume(job.id)
    again = crew.until(paused, lambda each: each.details.get("iteration", 0) > learned)
    assert again.attempt == 2
    assert again.details["loss"] > 0
    crew.queue.cancel(job.id)
    assert crew.end(again).state is State.CANCELLED
    assert crew.left in ([], [75])


@pytest.mark.parametrize("crew", ["filmed"], indirect=True)
def test_a_withdrawal_ends_what_is_in_flight_with_the_right_words(crew: Crew) -> None:
    job = crew.ask("train", donor="ben", performer="ada", engine="autoencoder", minutes=60)
    crew.until(job, lambda each: each.details.get("iteration", 0) >= 1)
    crew.stage.withdraw(crew.stage.ben)
    # The desk is asked every five seconds, by the studio's clock.
    crew.stage.clock.now += timedelta(seconds=6)
    failed = crew.end(job)
    assert failed.state is State.FAILED
    assert failed.error == f"ben withdrew consent for '{crew.stage.purpose.slug}'"
    assert failed.advice
    assert failed.code == 3


def test_a_stranger_in_the_frame_is_refused_and_the_upload_stays_for_another_try(
    crew: Crew,
) -> None:
    upload = crew.upload(crew.stage.clips / "ben.mp4")
    failed = crew.end(crew.ask("ingest", upload=upload, people=["ada"], rights="ours"))
    assert failed.state is State.FAILED
    assert failed.code == 3
    assert Uploads(crew.stage.studio).find(upload).complete
    crew.done(crew.ask("ingest", upload=upload, people=["ben"], rights="ours"))


def test_footage_of_somebody_who_has_not_agreed_is_not_kept_at_all(crew: Crew) -> None:
    upload = crew.upload(crew.stage.clips / "ben.mp4")
    failed = crew.end(crew.ask("ingest", upload=upload, people=["cleo"], rights="ours"))
    assert failed.error is not None
    assert "cleo has given no consent" in failed.error
    assert Uploads(crew.stage.studio).list() == ()
    crew.queue.retry(failed.id)
    again = crew.until(failed, lambda each: each.state is State.FAILED and each.attempt == 2)
    assert "no such upload" in str(again.error)


@pytest.mark.parametrize(
    "content",
    [
        b"PK\x03\x04" + bytes(5000),
        b"#EXTM3U\nfile:///etc/passwd\n" * 40,
        b"\x00\x00\x00\x18ftypmp42" + b"\xff" * 4000,
        b"ffconcat version 1.0\nfile /etc/passwd\n",
    ],
    ids=["zip", "playlist", "broken mp4", "concat"],
)
def test_a_hostile_file_is_refused_with_advice(crew: Crew, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    failed = crew.end(crew.ask("ingest", upload=crew.upload(path), people=["ada"], rights="ours"))
    assert failed.state is State.FAILED
    assert failed.code == 2
    assert failed.advice
    assert "Traceback" not in str(failed.error)


def test_a_zip_bomb_is_not_unpacked(crew: Crew, tmp_path: Path) -> None:
    path = tmp_path / "bomb.mp4"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bomb,
        bomb.open("film.mp4", "w") as film,
    ):
        for _ in range(64):
            film.write(bytes(1 << 20))
    failed = crew.end(crew.ask("ingest", upload=crew.upload(path), people=["ada"], rights="ours"))
    assert (failed.state, failed.code) == (State.FAILED, 2)
    assert failed.advice


@pytest.mark.parametrize(
    ("kind", "arguments", "wrong"),
    [
        ("paint", {}, "no kind of job 'paint'"),
        ("train", {"donor": "ben"}, "performer: Field required"),
        ("train", {"donor": "a", "performer": "b", "minutes": -1}, "minutes"),
        ("render", {"footage": "a", "model": "b", "shell": "rm"}, "shell: Extra inputs"),
        ("sheet", {}, "name a draft or a model"),
        ("release", {"draft": "a", "tsa": "file:///etc"}, "tsa"),
        ("export", {"draft": "a", "form": "jpeg", "at": float("inf")}, "at: Input should be"),
        ("ingest", {"upload": "none", "people": ["a"], "rights": "ours"}, "no such upload"),
        ("ingest", {"upload": "none", "people": [], "rights": "ours"}, "people"),
    ],
)
def test_what_makes_no_sense_is_refused_when_it_is_asked_for(
    rendered: Cast, tmp_path: Path, kind: str, arguments: dict[str, Any], wrong: str
) -> None:
    stage = rendered.open_copy(tmp_path / "studio")
    with pytest.raises(InputError, match=wrong):
        enqueue(stage.studio, kind, stage.purpose.project_id, arguments)
    assert Queue(stage.studio.database, stage.clock).list() == ()


def test_every_kind_is_asked_with_json_that_it_gives_back() -> None:
    for kind in KINDS.values():
        assert kind.arguments.model_json_schema()["additionalProperties"] is False


def test_an_upload_of_one_project_is_nothing_to_another(crew: Crew) -> None:
    uploads = Uploads(crew.stage.studio)
    data = (crew.stage.clips / "ada.mp4").read_bytes()
    foreign = uploads.create("ada.mp4", size=len(data), project_id=None)
    with uploads.receive(foreign.id, offset=0) as receiver:
        receiver.write(data)
    assert crew.done(crew.ask("ingest", upload=foreign.id, people=["ada"], rights="ours"))


def test_an_upload_of_another_project_is_none(crew: Crew) -> None:
    studio, data = crew.stage.studio, b"film"
    other = create_project(studio, brief_with(title="Another film")).project_id
    upload = Uploads(studio).create("ada.mp4", size=len(data), project_id=other)
    with Uploads(studio).receive(upload.id, offset=0) as receiver:
        receiver.write(data)
    for kind, more in (("ingest", {"people": ["ada"], "rights": "ours"}), ("verify", {})):
        with pytest.raises(NotFoundError, match="in this project"):
            crew.ask(kind, upload=upload.id, **more)
        queued = crew.queue.put(kind, crew.stage.purpose.project_id, {"upload": upload.id, **more})
        assert crew.end(queued).state is State.FAILED
    assert Uploads(studio).find(upload.id).complete


def test_one_that_was_opened_elsewhere_sees_the_same(crew: Crew) -> None:
    job = crew.ask("render", footage="none.mp4", model="none")
    failed = crew.end(job)
    again = open_studio(crew.stage.studio.folder, clock=crew.stage.clock)
    assert Queue(again.database, again.clock).get(job.id) == failed
    assert failed.code == 2
