"""What is this file? An upload in, findings out; the file isn't kept."""

from typing import Any

from assent.apps.access.permissions import Action
from assent.apps.api.call import Asked, post
from assent.apps.api.resources.jobs import JobTold, started
from assent.apps.api.shapes import Id, Received, example
from assent.apps.work.uploads import Uploads
from assent.kit.errors import NotFoundError

__all__ = ["OPERATIONS"]


class NewVerification(Received):
    """A file to be examined: an upload of the same project."""

    model_config = example(upload="7f3c9e5a2b1d4c6f8a0b1c2d3e4f5a6b")
    upload: Id


def add_verification(call: Asked, project: str, new: NewVerification) -> JobTold:
    """Say what an uploaded file is, layer by layer: the findings are the job's result."""
    upload = Uploads(call.studio).find(new.upload)
    if upload.project_id != call.of.id:
        raise NotFoundError(f"there is no upload '{new.upload}'")
    arguments: dict[str, Any] = {"upload": upload.id}
    return started(call, "verify", arguments, project_id=call.of.id)


OPERATIONS = (
    post(
        "/projects/{project}/verifications",
        add_verification,
        Action.VERIFY,
        status=202,
        tags=["verify"],
    ),
)
