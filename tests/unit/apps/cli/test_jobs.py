import json
from pathlib import Path
from typing import Any

import pytest
from casts import Cast
from studios import Prepared, Scene

from assent.apps.cli.main import run
from assent.kit.errors import MediaError
from assent.kit.jobs.claims import Claims
from assent.kit.jobs.job import Job
from assent.kit.jobs.queue import Queue


@pytest.fixture
def studio(prepared: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    scene = prepared.open_copy(tmp_path / "studio")
    monkeypatch.setenv("ASSENT_STUDIO", str(tmp_path / "studio"))
    return scene


@pytest.fixture
def queue(studio: Scene) -> Queue:
    return Queue(studio.studio.database, studio.clock)


def put(queue: Queue, studio: Scene, name: str) -> Job:
    return queue.put("render", studio.purpose.project_id, {"footage": name, "model": "m"})


def said(capfd: pytest.CaptureFixture[str], *args: str, code: int = 0) -> str:
    assert run(["jobs", *args]) == code
    out, err = capfd.readouterr()
    return out + err


def told(capfd: pytest.CaptureFixture[str], *args: str) -> Any:  # noqa: ANN401 - JSON
    return json.loads(said(capfd, *args, "--json"))


def test_they_are_listed_and_shown(
    studio: Scene, queue: Queue, capfd: pytest.CaptureFixture[str]
) -> None:
    assert "nothing yet" in said(capfd, "list")
    a, b = put(queue, studio, "a.mp4"), put(queue, studio, "b.mp4")
    queue.cancel(b.id)
    assert [each["id"] for each in told(capfd, "list")] == [a.id, b.id]
    assert [each["id"] for each in told(capfd, "list", "--state", "waiting")] == [a.id]
    assert [each["id"] for each in told(capfd, "list", "-p", studio.purpose.slug)] == [a.id, b.id]
    assert a.id[:8] in said(capfd, "list")
    assert told(capfd, "show", a.id[:6])["arguments"]["footage"] == "a.mp4"
    assert "a.mp4" in said(capfd, "show", a.id)
    assert "there is no job" in said(capfd, "show", "zzz", code=2)


def test_they_are_changed_and_moved(
    studio: Scene, queue: Queue, capfd: pytest.CaptureFixture[str]
) -> None:
    a, b = put(queue, studio, "a.mp4"), put(queue, studio, "b.mp4")
    said(capfd, "move", b.id)
    said(capfd, "move", b.id, "--last")
    said(capfd, "move", b.id, "--before", a.id[:8])
    assert [job.id for job in queue.list()] == [b.id, a.id]
    assert "both given" in said(capfd, "move", b.id, "--before", a.id, "--last", code=2)
    for what, state in (("pause", "paused"), ("resume", "waiting"), ("cancel", "cancelled"),
                        ("retry", "waiting")):  # fmt: skip
        assert f"is {state}" in said(capfd, what, a.id[:8])
    assert "can't be tried again" in said(capfd, "retry", _running(queue).id, code=2)


def _running(queue: Queue) -> Job:
    claim = Claims(queue=queue, worker="w").claim(lambda job: ())
    assert claim is not None
    return claim.job


def test_watched_to_its_end_the_exit_code_is_the_job_s(
    studio: Scene, queue: Queue, capfd: pytest.CaptureFixture[str]
) -> None:
    jobs = [put(queue, studio, name) for name in ("a", "b", "c")]
    claims = Claims(queue=queue, worker="w")
    done, failed = (claims.claim(lambda job: ()) for _ in range(2))
    assert done is not None
    assert failed is not None
    claims.finish(done, {"draft": "d"})
    claims.fail(failed, MediaError("b.mp4 is empty", advice="Export it again."))
    queue.cancel(jobs[2].id)
    assert "is done" in said(capfd, "watch", jobs[0].id)
    assert "b.mp4 is empty\nExport it again." in said(capfd, "watch", jobs[1].id, code=2)
    assert "was cancelled" in said(capfd, "watch", jobs[2].id, code=1)


def test_training_goes_into_the_queue_of_the_studio(
    studio: Scene, queue: Queue, capfd: pytest.CaptureFixture[str]
) -> None:
    asked = ["--project", studio.purpose.slug, "--donor", "ben", "--performer", "ada", "--queue"]
    assert run(["train", *asked, "--minutes", "0.5", "--json"]) == 0
    job = queue.get(json.loads(capfd.readouterr().out)["id"])
    assert (job.kind, job.project_id, job.state) == ("train", studio.purpose.project_id, "waiting")
    assert job.arguments == {
        "donor": studio.ben.id, "performer": studio.ada.id, "minutes": 0.5, "engine": "portrait",
    }  # fmt: skip
    assert run(["train", *asked, "--iterations", "3", "--name", "b"]) == 0
    assert queue.list()[1].id[:8] in capfd.readouterr().out
    assert run(["train", *asked, "--minutes", "999999"]) == 2
    assert "can't be asked for so" in capfd.readouterr().err


def test_rendering_goes_into_the_queue_of_the_studio(
    trained: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    stage = trained.open_copy(tmp_path / "studio")
    monkeypatch.setenv("ASSENT_STUDIO", str(tmp_path / "studio"))
    asked = ["render", "scene.mp4", "--project", stage.purpose.slug, "--queue"]
    assert run([*asked, "--model", "ben-for-ada"]) == 0
    assert "is waiting" in capfd.readouterr().out
    (job,) = Queue(stage.studio.database, stage.clock).list()
    assert job.arguments == {
        "footage": stage.scene.id, "model": stage.model.id, "colour": "touch",
    }  # fmt: skip
    assert run([*asked, "--model", "nobody"]) == 2
    stage.studio.database.close()
