"""The story by clicking, at both widths: from an empty studio to a verified release.

Nobody types a command. The producer and Kim, who decides for the studio, share one window; Ada and
Ben have browsers of their own, with their own film before the camera. On a busy machine the camera
falls behind and no recording passes by itself: then Kim looks, as in a real studio.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from browsing import DESKTOP, PHONE, Sitter, browser_with, foreseen, new_context
from casts import SCENE_FRAMES, cut_clip
from playwright.sync_api import Locator, Page, Playwright, expect
from recordings import known_entropy, perform
from studio_browsing import Running, studio_served

from assent.apps.cli.jobs import workers_of
from assent.kit.store.studio import create_studio
from assent.kit.vault.guard import Unguarded

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

READING = 4.0
JOB_MS = 900_000
"""A job has this long, for a machine that does ten things besides."""
NAMES = {"ada": "Ada Aldous", "ben": "Ben Bauer"}
ACTS = {
    "ada": ("ingest", "train", "perform", "release"),
    "ben": ("ingest", "train", "portray", "release"),
}


@dataclass(kw_only=True)
class Office:
    """The window in which the studio works."""

    page: Page
    folder: Path
    said: list[str] = field(default_factory=list)
    """What went wrong in the pages' scripts."""

    def go(self, *names: str) -> None:
        """Follow links by their names, one after the other; narrow windows keep some in a menu."""
        for name in names:
            link = self.page.get_by_role("link", name=name)
            menu = self.page.get_by_role("button", name="Menu")
            link.or_(menu).first.wait_for()
            if not link.count():
                menu.click()
            link.first.click()

    def step(self, name: str) -> None:
        """Go to a step of the project."""
        steps = self.page.get_by_role("navigation", name="Steps of the project")
        steps.get_by_role("link", name=name).click()
        expect(self.page.locator(".path a[aria-current=page]")).to_contain_text(name)

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def begin_project(self) -> None:
        """Answer the wizard."""
        self.go("Begin a project")
        for label, text in {
            "Title": "A lesson in two faces",
            "What is it for": "Show students how a face replacement is made and recognised.",
            "Who will see it": "Secondary school classes",
            "Short name": "lesson",
            "Channels": "classroom",
            "Places": "EU",
        }.items():
            self.page.get_by_label(label).first.fill(text)
        self.page.get_by_label("Kind of work").select_option("education")
        for question in self.page.locator(".question").all():
            question.get_by_label("No", exact=True).check()
        realistic = self.page.locator('[data-question="realistic"]')
        realistic.get_by_label("Yes", exact=True).check()
        expect(realistic.locator(".set-off li").first).to_be_visible()
        expect(self.page.locator("#level")).to_have_text("Medium risk")
        self.press("Begin the project")
        self.page.wait_for_url("**/p/lesson")

    def add_kim(self) -> Path:
        """Kim sits down and makes her key; returns where she saved it."""
        self.step("Consent")
        self.go("reviewers and other members")
        self.page.get_by_label("Name", exact=True).fill("Kim")
        self.page.get_by_label("Short name").fill("kim")
        self.press("Make a key file")
        with self.page.expect_download() as download:
            self.go("Save the key file")
        path = self.folder / download.value.suggested_filename
        download.value.save_as(path)
        self.page.get_by_label("I have saved it").check()
        self.press("Add me")
        expect(self.page.get_by_role("status").first).to_contain_text("Kim can sign")
        return path

    def ask(self, handle: str) -> str:
        """Draw up an offer; returns the link."""
        self.go("Projects", "A lesson in two faces")
        self.step("Consent")
        self.go("Ask somebody")
        self.page.get_by_label("Name of somebody new").fill(NAMES[handle])
        self.page.get_by_label("Short name").fill(handle)
        self.page.get_by_label("They are 18 or older").check()
        for act in ACTS[handle]:
            self.page.locator(f'input[name="acts"][value="{act}"]').check()
        self.page.locator('input[name="modalities"][value="voice"]').check()
        self.press("Make the link")
        return self.page.get_by_label("The link", exact=True).input_value()

    def decide(self, name: str, key: Path) -> None:
        """Kim looks at a recording, if it waits, and says yes."""
        self.step("Consent")
        waits = self.page.get_by_role("link", name=f"Look and decide about {name}")
        if not waits.count():
            return
        waits.click()
        self.page.get_by_label("Yes.").check()
        self.page.get_by_label("What you saw").fill("I know them, and it is them.")
        self.page.get_by_label("Your key file").set_input_files(key)
        self.press("Sign the decision")
        self.page.wait_for_url("**/p/lesson/people", timeout=120_000)
        expect(self.page.get_by_text("The consent is in force")).to_be_visible()

    def until(self, seen: Locator) -> None:
        """Wait for what a job makes: the page shows it by itself."""
        wrong = self.page.locator("main .notice.bad")
        seen.or_(wrong).first.wait_for(timeout=JOB_MS)
        assert not wrong.count(), wrong.first.inner_text()

    def film(self, clip: Path, name: str) -> None:
        """Add a clip, and wait until it is taken in."""
        self.step("Footage")
        self.page.locator("#file").set_input_files(clip)
        self.page.get_by_role("checkbox", name=name).check()
        self.page.get_by_label("On what rights").fill("contract of 1 November")
        self.press("Add")
        self.until(self.page.get_by_role("link", name=clip.name))

    def train(self, *, donor: str, performer: str) -> None:
        self.step("Model")
        for label, name in (("Who lends the face?", donor), ("Who performs?", performer)):
            field = self.page.get_by_label(label)
            told = field.locator("option", has_text=name).first.inner_text()
            field.select_option(label=told)
        self.page.get_by_label("For how long, in minutes?").fill("0.2")
        self.press("Train")
        self.until(self.page.locator(".chip", has_text="ready"))

    def render(self, scene: str) -> None:
        self.step("Video")
        self.page.get_by_label("Scene", exact=True).select_option(label=scene)
        self.press("Render")
        self.until(self.page.locator(".chip", has_text="complete"))

    def look(self, scene: str) -> None:
        """Look at a frame of the draft in the player."""
        self.go(scene)
        expect(self.page.locator("#after")).to_be_visible(timeout=JOB_MS)

    def review(self, scene: str) -> None:
        self.step("Review")
        self.go(scene)
        self.press("Let the content gate look")
        self.until(self.page.get_by_text("May be released"))

    def release(self, scene: str) -> Path:
        """Release the draft, and take the film home."""
        self.step("Release")
        self.go(scene)
        self.press("Seal and release")
        self.until(self.page.get_by_text("Stands", exact=True))
        with self.page.expect_download(timeout=JOB_MS) as download:
            self.page.get_by_role("link", name=".mp4").first.click()
        path = self.folder / download.value.suggested_filename
        download.value.save_as(path)
        return path

    def verify(self, film: Path) -> str:
        """Ask what a file is; returns the answer."""
        self.go("Verify")
        expect(self.page.locator("#file")).to_be_enabled()
        self.page.locator("#file").set_input_files(film)
        self.page.wait_for_url("**/verify/*", timeout=JOB_MS)
        return self.page.locator("main").inner_text()

    def make(self, clips: dict[str, Path]) -> Path:
        """From footage to the released film."""
        scene = clips["scene"].name
        for name, whose in (("ben", "ben"), ("ada", "ada"), ("scene", "ada")):
            self.film(clips[name], NAMES[whose])
        self.train(donor=NAMES["ben"], performer=NAMES["ada"])
        self.render(scene)
        self.look(scene)
        self.review(scene)
        return self.release(scene)


@contextmanager
def office(
    playwright: Playwright, running: Running, folder: Path, *, wide: bool
) -> Iterator[Office]:
    with browser_with(playwright) as browser:
        context = new_context(
            browser, viewport=DESKTOP if wide else PHONE, locale="en-GB", accept_downloads=True
        )
        page = context.new_page()
        page.goto(running.house.link)
        work = Office(page=page, folder=folder)
        page.on("pageerror", lambda error: work.said.append(str(error)))
        yield work


def consents(playwright: Playwright, person: str, link: str, folder: Path, *, wide: bool) -> None:
    """Somebody opens their link, chooses, records and signs, in their own browser."""
    performed = perform(person, foreseen(known_entropy(person)), reading=READING)
    camera = performed.write_camera(folder / f"{person}.mjpeg")
    voice = performed.write_voice(folder / f"{person}.wav")
    with browser_with(playwright, camera=camera, voice=voice) as browser:
        sitter = Sitter.at(browser, wide=wide)
        sitter.begin(link)
        sitter.choose_everything()
        sitter.record(reading=READING)
        page = sitter.page
        if page.locator("#person").is_visible():
            page.locator("#person button").click()
        else:
            page.get_by_role("link", name="Continue").click()
        page.wait_for_url("**/consent/sign")
        sitter.sign_with_file(folder)
        assert sitter.said == []


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Half a second of each person, and a scene of a second and a half."""
    place = tmp_path_factory.mktemp("clips")
    return {
        "ada": cut_clip(place / "ada.mp4", "ada_statement.mp4", frames=12),
        "ben": cut_clip(place / "ben.mp4", "ben_statement.mp4", frames=12),
        "scene": cut_clip(place / "scene.mp4", "scene1_ada.mp4", frames=SCENE_FRAMES, sound=True),
    }


@pytest.mark.parametrize("wide", [True, False], ids=["desk", "phone"])
def test_from_nothing_to_a_verified_release(
    playwright: Playwright, clips: dict[str, Path], tmp_path: Path, *, wide: bool
) -> None:
    """Nothing is prepared: all that the release rests on was clicked, and done by real workers."""
    studio = create_studio(tmp_path / "studio", name="Small Films", contact="c@example.org")
    with (
        studio_served(studio) as running,
        office(playwright, running, tmp_path, wide=wide) as work,
    ):
        work.begin_project()
        key = work.add_kim()
        for person in ACTS:
            consents(playwright, person, work.ask(person), tmp_path, wide=wide)
            work.decide(NAMES[person], key)
        work.step("Consent")
        expect(work.page.locator("main .chip.good", has_text="Agreed")).to_have_count(2)
        # They begin once nobody's camera needs the machine any more.
        with workers_of(studio, Unguarded(), workers=1, heavy=1):
            film = work.make(clips)
        assert "release of Small Films" in work.verify(film)
        work.go("Projects", "A lesson in two faces")
        expect(work.page.locator(".story li.done")).to_have_count(8)
        assert work.said == []
    studio.database.close()
