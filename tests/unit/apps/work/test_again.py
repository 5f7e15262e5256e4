import pytest
from studios import Scene

from assent.apps.work.again import take_in_again
from assent.apps.work.uploads import Uploads
from assent.kit.errors import AssentError, MediaError, SignOffError
from assent.kit.jobs.claims import Claims
from assent.kit.jobs.job import State
from assent.kit.jobs.queue import Queue

WAITS = SignOffError("it isn't sure whose face this is", advice="Look at it.")


def refused(scene: Scene, name: str, error: AssentError) -> str:
    """Send a clip that can't be taken in; returns the job's id."""
    project, uploads = scene.purpose.project_id, Uploads(scene.studio)
    sent = uploads.create(name, size=4, project_id=project)
    with uploads.receive(sent.id, offset=0) as receiver:
        receiver.write(b"film")
    queue = Queue(scene.studio.database, scene.clock)
    job = queue.put("ingest", project, {"upload": sent.id})
    claims = Claims(queue=queue, worker="worker")
    claim = claims.claim(lambda _: ())
    assert claim is not None
    assert claims.fail(claim, error)
    return job.id


def test_what_waited_for_a_decision_is_taken_in_and_nothing_else(scene: Scene) -> None:
    waited = refused(scene, "scene.mp4", WAITS)
    refused(scene, "another.mp4", WAITS)
    refused(scene, "scene.mp4", MediaError("scene.mp4 is damaged"))
    project = scene.purpose.project_id
    assert take_in_again(scene.studio, "another-project", "scene.mp4") == ()
    (job,) = take_in_again(scene.studio, project, "scene.mp4")
    assert (job.id, job.state) == (waited, State.WAITING)
    assert take_in_again(scene.studio, project, "scene.mp4") == ()


@pytest.mark.parametrize("swept", [True, False])
def test_what_is_gone_must_be_sent_again(scene: Scene, *, swept: bool) -> None:
    refused(scene, "scene.mp4", WAITS)
    uploads = Uploads(scene.studio)
    if swept:
        (upload,) = uploads.list()
        uploads.discard(upload.id)
    taken = take_in_again(scene.studio, scene.purpose.project_id, "scene.mp4")
    assert len(taken) == (not swept)
