"""A client of the API: the story from project to release, in a program's own words.

    studio = Client("https://studio.example.org", token)
    project = studio.create_project(brief, name="lesson")
    clip = studio.wait(studio.add_footage("lesson", path, people=["ada"], rights="our contract"))

It raises the errors that the studio raises, with their advice. Long work gives a job, for whose end
`wait` waits; a file is sent piece by piece, and goes on where a cut left it. Who signs does so with
their own key on their own machine: `sign_statement` makes a token, and the key goes nowhere.
"""

import hashlib
import json
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from assent.apps.api.resources.cases import CaseListed, CaseOpened, CaseTold
from assent.apps.api.resources.footage import ClipTold, UploadTold
from assent.apps.api.resources.jobs import JobError, JobTold
from assent.apps.api.resources.making import DraftTold, ModelTold
from assent.apps.api.resources.people import ConsentTold, InvitationMade, PersonTold
from assent.apps.api.resources.projects import ProjectListed, ProjectTold
from assent.apps.api.resources.releases import ReleaseTold
from assent.apps.api.resources.safeguards import ReviewTold, Statement
from assent.apps.api.resources.sightings import SightingTold
from assent.apps.api.resources.studio import Decision, Me, StudioTold
from assent.apps.api.resources.webhooks import WebhookMade, WebhookTold
from assent.apps.api.speaking import Speaking
from assent.apps.api.statements import sign_statement
from assent.apps.api.wire import Wire, check_whole, given, path_of, readable
from assent.kit.errors import (
    ConflictError,
    FetchError,
    InputError,
    IntegrityError,
)
from assent.kit.jobs.job import State
from assent.kit.signing import SigningKey
from assent.kit.webhook import read_message as read_webhook

__all__ = ["Client", "JobError", "read_webhook", "sign_statement"]

PIECE = 8 << 20
"""Bytes of an upload that are sent at once."""
_CHUNK = 1 << 18


class Client(Speaking):
    """A studio, as a program of its token sees it.

    Args:
        url: where its server is, such as `https://studio.example.org`.
        token: what `assent token create` printed.
        trust: whose certificates are believed; None for the system's authorities.
        timeout: seconds without a byte.
        sleep: waits, between looks at a job and between attempts.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        trust: ssl.SSLContext | None = None,
        timeout: float = 60.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__(
            Wire(url=url.rstrip("/"), token=token, trust=trust, timeout=timeout, sleep=sleep)
        )
        self._sleep = sleep

    def studio(self) -> StudioTold:
        """Return what the studio is."""
        return self._one(StudioTold, self._get("studio"))

    def me(self) -> Me:
        """Return whose token this is, and what it may do."""
        return self._one(Me, self._get("me"))

    def check_brief(self, brief: Mapping[str, object]) -> Decision:
        """Return what the rules say of a brief, without making a project."""
        return self._one(Decision, self._post("rules", "check", data={"brief": brief}))

    def projects(self) -> Iterator[ProjectListed]:
        """Yield every project that the token may see."""
        return self._all(ProjectListed, "projects")

    def create_project(
        self, brief: Mapping[str, object], *, name: str | None = None
    ) -> ProjectTold:
        """Make a project; the same brief and name again give the one that there is."""
        return self._one(ProjectTold, self._post("projects", data=given(brief=brief, name=name)))

    def project(self, project: str) -> ProjectTold:
        """Return a project, and what the rules of today say of it."""
        return self._one(ProjectTold, self._get("projects", project))

    def add_person(self, handle: str, name: str) -> PersonTold:
        """Make somebody known who is to be asked."""
        return self._one(PersonTold, self._post("people", data={"handle": handle, "name": name}))

    def invite(
        self, project: str, person: str, terms: Mapping[str, object], *, hours: int = 48
    ) -> InvitationMade:
        """Return a one-time link to the ceremony; who calls this attests that they are an adult."""
        data = {"person": person, "terms": terms, "hours": hours, "adult": True}
        return self._one(InvitationMade, self._post("projects", project, "invitations", data=data))

    def consents(
        self, project: str, *, person: str | None = None, state: str | None = None
    ) -> Iterator[ConsentTold]:
        """Yield the consents of a project."""
        query = {"person": person, "state": state}
        return self._all(ConsentTold, "projects", project, "consents", **query)

    def upload(
        self,
        project: str,
        file: Path,
        *,
        resume: str | None = None,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> UploadTold:
        """Send a file and return its upload; `resume` is the id of one that was cut off.

        Raises `FetchError` if the connection stays away, `InputError` if the file is another than
        the one that was begun.
        """
        with readable(file) as stream:
            size = stream.seek(0, 2)
            if resume is None:
                data = {"name": file.name, "size": size}
                made = self._post("projects", project, "uploads", data=data)
                upload = self._one(UploadTold, made)
            else:
                upload = self.upload_state(project, resume)
            if upload.size != size:
                raise InputError(f"{file.name} is not the file that was begun to be sent")
            return self._send(project, stream, upload, progress)

    def upload_state(self, project: str, upload: str) -> UploadTold:
        """Return how far a file has come."""
        return self._one(UploadTold, self._get("projects", project, "uploads", upload))

    def add_footage(
        self,
        project: str,
        file: Path | UploadTold,
        *,
        people: Sequence[str],
        rights: str,
        bystanders: str = "refuse",
    ) -> JobTold:
        """Take a clip in, in which everybody is named; a file is sent first."""
        upload = file if isinstance(file, UploadTold) else self.upload(project, file)
        data = {
            "upload": upload.id,
            "people": list(people),
            "rights": rights,
            "bystanders": bystanders,
        }
        return self._job("projects", project, "footage", data=data)

    def footage(self, project: str) -> Iterator[ClipTold]:
        """Yield the clips of a project."""
        return self._all(ClipTold, "projects", project, "footage")

    def train(
        self,
        project: str,
        *,
        donor: str,
        performer: str,
        name: str | None = None,
        minutes: float | None = None,
        iterations: int | None = None,
    ) -> JobTold:
        """Train a model of the donor's face for the performer's performances."""
        data = given(
            donor=donor, performer=performer, name=name, minutes=minutes, iterations=iterations
        )
        return self._job("projects", project, "models", data=data)

    def models(self, project: str) -> Iterator[ModelTold]:
        """Yield the models of a project."""
        return self._all(ModelTold, "projects", project, "models")

    def render(self, project: str, *, model: str, footage: str, colour: str = "touch") -> JobTold:
        """Put a model's face onto a clip."""
        data = {"model": model, "footage": footage, "colour": colour}
        return self._job("projects", project, "drafts", data=data)

    def drafts(self, project: str) -> Iterator[DraftTold]:
        """Yield the drafts of a project."""
        return self._all(DraftTold, "projects", project, "drafts")

    def review(self, project: str, draft: str) -> JobTold:
        """Look through a draft."""
        return self._job("projects", project, "drafts", draft, "review")

    def review_of(self, project: str, draft: str) -> ReviewTold:
        """Return what the last review found, and whose signature is missing."""
        return self._one(ReviewTold, self._get("projects", project, "drafts", draft, "review"))

    def sign_off(self, project: str, draft: str, *, reviewer: str, key: SigningKey) -> ReviewTold:
        """Sign a draft that you have looked at, with your own key; only the token is sent."""
        place = ("projects", project, "drafts", draft, "sign-off")
        statement = self._one(Statement, self._get(*place, reviewer=reviewer))
        data = {"reviewer": reviewer, "token": sign_statement(statement, key)}
        return self._one(ReviewTold, self._post(*place, data=data))

    def tick(self, project: str, claim: int, *, reviewer: str, key: SigningKey) -> None:
        """Tick a claim off whose source you have checked, with your own key."""
        place = ("projects", project, "claims", claim, "tick")
        statement = self._one(Statement, self._get(*place, reviewer=reviewer))
        self._post(*place, data={"reviewer": reviewer, "token": sign_statement(statement, key)})

    def release(self, project: str, draft: str, *, spoken_notice: str | None = None) -> JobTold:
        """Label, watermark, sign and log a reviewed draft."""
        data = given(spoken_notice=spoken_notice)
        return self._job("projects", project, "drafts", draft, "release", data=data)

    def releases(self, project: str) -> Iterator[ReleaseTold]:
        """Yield the releases of a project."""
        return self._all(ReleaseTold, "projects", project, "releases")

    def download(self, project: str, release: str, sink: BinaryIO) -> ReleaseTold:
        """Write a release into `sink`, which can be read and sought, and check its hash.

        What is there already is gone on with. Raises `IntegrityError` if it isn't the release.
        """
        told = self._one(ReleaseTold, self._get("projects", project, "releases", release))
        path = path_of("projects", project, "releases", release, "file")
        for attempt in range(1, self.wire.attempts + 1):
            try:
                self._receive(path, told, sink)
                break
            except FetchError:
                if attempt == self.wire.attempts:
                    raise
                self._sleep(float(attempt))
        sink.seek(0)
        hashed = hashlib.sha256()
        while chunk := sink.read(_CHUNK):
            hashed.update(chunk)
        if hashed.hexdigest() != told.sha256:
            raise IntegrityError(f"what came is not release {release}", advice="Fetch it again.")
        return told

    def proof(self, project: str, release: str) -> str:
        """Return the proof that the log holds a release."""
        return self._get("projects", project, "releases", release, "proof").body.decode()

    def verify(self, project: str, file: Path) -> JobTold:
        """Say what a file is: the findings are the result of the job."""
        upload = self.upload(project, file)
        return self._job("projects", project, "verifications", data={"upload": upload.id})

    def jobs(self, *, state: str | None = None) -> Iterator[JobTold]:
        """Yield the jobs that the token may see."""
        return self._all(JobTold, "jobs", state=state)

    def job(self, job: str) -> JobTold:
        """Return a job as it is."""
        return self._one(JobTold, self._get("jobs", job))

    def cancel(self, job: str) -> JobTold:
        """End a job."""
        return self._job("jobs", job, "cancel")

    def wait(
        self,
        job: JobTold,
        *,
        seconds: float = 3600.0,
        changed: Callable[[JobTold], None] = lambda job: None,
    ) -> JobTold:
        """Return a job once it is done; raises `JobError` if it fails, `FetchError` in the end."""
        ends = time.monotonic() + seconds
        while True:
            now = self.job(job.id)
            changed(now)
            if now.state is State.DONE:
                return now
            if now.state.over:
                raise JobError(now)
            if time.monotonic() >= ends:
                raise FetchError(f"the {job.kind} job takes longer than {seconds:.0f} s")
            self._sleep(0.5)

    def events(self, *, after: int | None = None, wait: int = 30) -> Iterator[tuple[int, JobTold]]:
        """Yield the number of each change of a job and the job as it is then, for `wait` seconds.

        Go on with the number of the last.
        """
        path = path_of("jobs", "events", after=after, wait=wait)
        with self.wire.opened("GET", path, None, {"Accept": "text/event-stream"}) as response:
            if response.status != 200:
                self._get("jobs", "events", after=after, wait=0)
            number = 0
            for line in response:
                name, _, value = line.decode().rstrip("\n").partition(": ")
                if name == "id":
                    number = int(value)
                elif name == "data":
                    yield number, JobTold.model_validate(json.loads(value))

    def add_webhook(
        self, url: str, kinds: Sequence[str], *, projects: Sequence[str] | None = None
    ) -> WebhookMade:
        """Let an address be told of events; keep the `key`, which is told this once."""
        data = given(url=url, kinds=list(kinds), projects=projects and list(projects))
        return self._one(WebhookMade, self._post("webhooks", data=data))

    def webhooks(self) -> Iterator[WebhookTold]:
        """Yield the webhooks of the token's account."""
        return self._all(WebhookTold, "webhooks")

    def renew_webhook_key(self, webhook: str) -> str:
        """Return a new key of a webhook; for a day, messages are signed with both."""
        return str(self._post("webhooks", webhook, "key").json["key"])

    def remove_webhook(self, webhook: str) -> None:
        """Tell an address nothing any more."""
        self.wire.ask("DELETE", path_of("webhooks", webhook))

    def open_case(self, kind: str, reasons: str, **fields: object) -> CaseOpened:
        """Take a report in, with the other fields of the description; keep number and PIN."""
        data = {"kind": kind, "reasons": reasons, **fields}
        return self._one(CaseOpened, self._post("cases", data=data))

    def cases(
        self, *, state: str | None = None, project: str | None = None
    ) -> Iterator[CaseListed]:
        """Yield the cases that the token may see, the most urgent first."""
        return self._all(CaseListed, "cases", state=state, project=project)

    def case(self, case: str) -> CaseTold:
        """Return a case by its number or id."""
        return self._one(CaseTold, self._get("cases", case))

    def sightings(
        self, *, standing: str | None = None, project: str | None = None
    ) -> Iterator[SightingTold]:
        """Yield the copies of releases that were seen, the newest first."""
        return self._all(SightingTold, "sightings", standing=standing, project=project)

    def _send(
        self,
        project: str,
        stream: BinaryIO,
        upload: UploadTold,
        progress: Callable[[int, int], None],
    ) -> UploadTold:
        """Send piece after piece; after a cut, from where the studio has got to."""
        path = path_of("projects", project, "uploads", upload.id)
        failed = 0
        while not upload.complete:
            stream.seek(upload.offset)
            headers = {
                "Content-Type": "application/octet-stream",
                "Upload-Offset": str(upload.offset),
            }
            before = upload.offset
            try:
                sent = self.wire.ask("PATCH", path, body=stream.read(PIECE), headers=headers)
                upload = self._one(UploadTold, sent)
            except (FetchError, ConflictError):
                self._sleep(min(2.0**failed, 30.0))
                upload = self.upload_state(project, upload.id)
                failed = 0 if upload.offset > before else failed + 1
                if failed >= self.wire.attempts:
                    raise
            progress(upload.offset, upload.size)
        return upload

    def _receive(self, path: str, told: ReleaseTold, sink: BinaryIO) -> None:
        start = sink.seek(0, 2)
        headers = {"Range": f"bytes={start}-", "If-Range": f'"{told.sha256}"'} if start else {}
        with self.wire.opened("GET", path, None, headers) as response:
            if response.status == 416:
                return
            if response.status not in (200, 206):
                self.wire.ask("GET", path)
                raise FetchError("the studio answers now this, now that")
            if response.status == 200:
                sink.seek(0)
                sink.truncate()
            while chunk := response.read(_CHUNK):
                sink.write(chunk)
            check_whole(response)
