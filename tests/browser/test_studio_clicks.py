"""Single pages under mouse and keys: uploads that are cut, the player, trainings, doubts."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from browsing import DESKTOP, PHONE, WAIT_MS, browser_with, new_context
from casts import resign
from numpy.typing import NDArray
from playwright.sync_api import Page, Playwright, Request, Route, expect
from studio_browsing import Running, studio_served
from studio_walk import blur_ada

from assent.apps.cli.jobs import workers_of
from assent.consent.locker import Locker
from assent.consent.people import add_person
from assent.create._frames import pairs_of
from assent.disclose.viewing.viewings import Viewings
from assent.kit.imaging.label import Corner, draw_label, label_present
from assent.kit.jobs.claims import Claims, Progress
from assent.kit.jobs.queue import Queue
from assent.kit.media.convert import from_rgb
from assent.kit.media.picture import to_rgb
from assent.kit.media.still import read_still
from assent.kit.signing import new_key, public_of
from assent.kit.store.tables import ModelRow
from assent.kit.vault.guard import Unguarded

if TYPE_CHECKING:
    from casts import Cast

PIECE = 4 << 20


@contextmanager
def window(
    playwright: Playwright, running: Running, path: str, *, wide: bool = True
) -> Iterator[Page]:
    """A window at a page of the project; what goes wrong in its scripts fails the test."""
    said: list[str] = []
    with browser_with(playwright) as browser:
        page = new_context(browser, viewport=DESKTOP if wide else PHONE).new_page()
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(running.house.link)
        page.goto(f"{running.house.place.origin}/studio/p/{running.purpose.slug}{path}")
        yield page
    assert said == []


# Uploads


def choose(page: Page, film: Path) -> None:
    page.locator("#file").set_input_files(film)
    page.get_by_role("checkbox", name="Ada").check()
    page.get_by_label("On what rights").fill("contract of 1 November")


def offsets_of(page: Page) -> list[int]:
    """The place of each piece that the page sends from now on, whether it comes through or not."""
    sent: list[int] = []

    def note(request: Request) -> None:
        found = re.search(r"/piece\?offset=(\d+)", request.url)
        if found:
            sent.append(int(found[1]))

    page.on("request", note)
    return sent


def test_an_upload_that_is_cut_goes_on_where_it_stopped(
    playwright: Playwright, agreed: "Cast", tmp_path: Path
) -> None:
    stage = agreed.open_copy(tmp_path / "studio")
    film = tmp_path / "long.mp4"
    film.write_bytes(os.urandom(3 * PIECE))
    cut = {PIECE: 1, 2 * PIECE: 1}

    def line(route: Route) -> None:
        offset = int(route.request.url.rpartition("=")[2])
        if cut.get(offset, 0):
            cut[offset] -= 1
            route.abort("connectionreset")
        else:
            route.continue_()

    with (
        studio_served(stage.studio, stage.purpose) as running,
        window(playwright, running, "/footage") as page,
    ):
        sent = offsets_of(page)
        page.route("**/piece?offset=*", line)
        choose(page, film)
        page.get_by_role("button", name="Add").click()
        page.get_by_text("Looking through a clip").wait_for(timeout=WAIT_MS)
        assert sent == [0, PIECE, PIECE, 2 * PIECE, 2 * PIECE]
        (job,) = Queue(stage.studio.database, stage.clock).list(kind="ingest")
        assert job.arguments["rights"] == "contract of 1 November"
    stage.studio.database.close()


def test_an_upload_goes_on_after_the_window_was_closed(
    playwright: Playwright, agreed: "Cast", tmp_path: Path
) -> None:
    stage = agreed.open_copy(tmp_path / "studio")
    film = tmp_path / "long.mp4"
    film.write_bytes(os.urandom(2 * PIECE))
    with (
        studio_served(stage.studio, stage.purpose) as running,
        window(playwright, running, "/footage", wide=False) as page,
    ):
        page.route(f"**/piece?offset={PIECE}", lambda route: route.abort("connectionreset"))
        choose(page, film)
        with page.expect_event(
            "requestfailed",
            predicate=lambda request: request.url.endswith(f"={PIECE}"),
            timeout=WAIT_MS,
        ):
            page.get_by_role("button", name="Add").click()
        page.unroute_all()
        page.reload()
        sent = offsets_of(page)
        choose(page, film)
        page.get_by_role("button", name="Add").click()
        page.get_by_text("Looking through a clip").wait_for(timeout=WAIT_MS)
        assert sent == [PIECE], "what was there is not sent again"
    stage.studio.database.close()


# The player


def shown(page: Page, number: int, last: int) -> None:
    """Wait until the player shows that frame."""
    expect(page.locator("#time")).to_contain_text(f"frame {number} of {last}", timeout=WAIT_MS)
    page.wait_for_function(
        "number => { const image = document.getElementById('after');"
        " return image.complete && image.naturalWidth > 0"
        " && image.dataset.frame === `${number}` && !('near' in image.dataset); }",
        arg=number,
        timeout=WAIT_MS,
    )


def seen(page: Page, place: str = "after") -> NDArray[np.uint8]:
    """The picture that is shown, as it came."""
    bytes_of = page.evaluate(
        "async (place) => { const image = document.getElementById(place);"
        " const canvas = Object.assign(document.createElement('canvas'),"
        " { width: image.naturalWidth || image.width,"
        " height: image.naturalHeight || image.height });"
        " canvas.getContext('2d').drawImage(image, 0, 0);"
        " const blob = await new Promise((done) => canvas.toBlob(done, 'image/png'));"
        " return [...new Uint8Array(await blob.arrayBuffer())]; }",
        place,
    )
    return read_still(bytes(bytes_of), name="shown")


def test_keys_and_scrub_bar_show_exactly_the_frame(
    playwright: Playwright, rendered: "Cast", tmp_path: Path
) -> None:
    stage = rendered.open_copy(tmp_path / "studio")
    draft, locker = stage.draft, Locker(stage.studio)
    asking = stage.asking(draft.needs(to_release=False))
    frames = [to_rgb(made) for _, made in pairs_of(draft, locker, asking)]
    last = len(frames) - 1

    def is_frame(picture: NDArray[np.uint8], number: int) -> None:
        """Of all frames the picture is most like that one; the label's half is left out."""
        high, wide = picture.shape[:2]
        step = frames[0].shape[0] / high
        rows = (np.arange(high // 2, high) * step).astype(int)
        columns = (np.arange(wide) * step).astype(int)
        below = picture[high // 2 :].astype(int)
        away = [np.abs(each[np.ix_(rows, columns)] - below).mean() for each in frames]
        assert int(np.argmin(away)) == number

    with (
        studio_served(stage.studio, stage.purpose) as running,
        window(playwright, running, f"/drafts/{draft.id}") as page,
    ):
        shown(page, 0, last)
        page.locator("#stage").focus()
        for key, number in (
            ("ArrowRight", 1), ("ArrowRight", 2), ("Shift+ArrowRight", 12), ("ArrowLeft", 11),
            ("End", last), ("ArrowRight", last), ("Home", 0), ("ArrowLeft", 0),
        ):  # fmt: skip
            page.keyboard.press(key)
            shown(page, number, last)
        for number in (7, 33, 8):
            page.locator("#scrub").fill(str(number))
            shown(page, number, last)
            is_frame(seen(page), number)
        page.locator("#scrub").press("ArrowRight")
        shown(page, 9, last)
        is_frame(seen(page), 9)
        page.locator("#stage").focus()
        for number, mode in enumerate(("wipe", "beside", "before", "after", "mask"), 1):
            page.keyboard.press(str(number))
            button = page.locator(f'[data-mode="{mode}"]')
            expect(button).to_have_attribute("aria-pressed", "true")
        page.keyboard.press("1")
        page.keyboard.press("l")
        expect(page.locator("#play")).to_have_text("Stop")
        expect(page.locator("#time")).not_to_contain_text("frame 9 of", timeout=WAIT_MS)
        page.keyboard.press("k")
        expect(page.locator("#play")).to_have_text("Play")
        page.keyboard.press("+")
        assert "scale(2)" in str(page.locator("#layers").get_attribute("style"))
        page.keyboard.press("0")
        page.get_by_role("button", name="Last frame").click()
        shown(page, last, last)
    stage.studio.database.close()


def test_a_frame_near_stands_in_for_one_that_takes_long(
    playwright: Playwright, rendered: "Cast", tmp_path: Path
) -> None:
    stage = rendered.open_copy(tmp_path / "studio")
    last = stage.draft.frames - 1
    with (
        studio_served(stage.studio, stage.purpose) as running,
        window(playwright, running, f"/drafts/{stage.draft.id}") as page,
    ):
        image = page.locator("#after")
        for number in (0, 30, 0):
            page.locator("#scrub").fill(str(number))
            shown(page, number, last)
        viewings = running.house.services.get(Viewings, lambda: Viewings(stage.studio))
        (viewing,) = viewings._open.values()  # noqa: SLF001 - what holds its decoder up
        with viewing.lock:
            page.locator("#scrub").fill("28")
            expect(image).to_have_attribute("data-near", "", timeout=WAIT_MS)
            expect(image).to_have_attribute("aria-busy", "true")
            shown_now = seen(page)
        shown(page, 28, last)
        expect(image).not_to_have_attribute("data-near", "", timeout=WAIT_MS)
        expect(image).to_have_attribute("aria-busy", "false")
        assert not np.array_equal(seen(page), shown_now)
    stage.studio.database.close()


# The repair editor


def marks_are_drawn(page: Page) -> None:
    """Wait until something is drawn over the frame."""
    page.wait_for_function(
        "() => { const over = document.getElementById('over');"
        " const seen = over.getContext('2d').getImageData(0, 0, over.width, over.height).data;"
        " return seen.some((value, place) => place % 4 === 3 && value > 0); }",
        timeout=WAIT_MS,
    )


def test_the_frame_is_corrected_by_pointer_and_by_keys(
    playwright: Playwright, rendered: "Cast", tmp_path: Path
) -> None:
    stage = rendered.open_copy(tmp_path / "studio")
    with (
        studio_served(stage.studio, stage.purpose) as running,
        window(playwright, running, f"/drafts/{stage.draft.id}/repair") as page,
    ):
        expect(page.locator("#bench")).not_to_have_attribute("inert", "", timeout=WAIT_MS)
        frame, undo = page.locator("#over"), page.locator("#undo")
        page.get_by_role("radio", name="Whole face").check()
        marks_are_drawn(page)
        frame.scroll_into_view_if_needed()
        box = frame.bounding_box()
        assert box is not None
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + 30, y + 10, steps=4)
        page.mouse.up()
        expect(undo).to_be_enabled(timeout=WAIT_MS)
        expect(page.locator("#current")).to_contain_text("1 keyframe(s)", timeout=WAIT_MS)
        undo.click()
        expect(undo).to_be_disabled(timeout=WAIT_MS)
        page.get_by_role("radio", name="Landmarks").check()
        before = int(page.locator("#landmark").input_value())
        frame.press("n")
        expect(page.locator("#landmark")).to_have_value(str(before + 1), timeout=WAIT_MS)
        frame.press("ArrowRight")
        expect(undo).to_be_enabled(timeout=WAIT_MS)
        page.get_by_role("radio", name="Mask").check()
        expect(page.locator("#current")).to_contain_text("None yet", timeout=WAIT_MS)
        frame.press(" ")
        expect(page.locator("#current")).to_contain_text("1 keyframe(s)", timeout=WAIT_MS)
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.locator("#version")).to_have_text("Version 1 holds.", timeout=WAIT_MS)
    stage.studio.database.close()


@pytest.mark.parametrize("wide", [True, False], ids=["desk", "phone"])
def test_the_label_is_moved_to_another_corner_and_seen_there(
    playwright: Playwright, rendered: "Cast", tmp_path: Path, *, wide: bool
) -> None:
    stage = rendered.open_copy(tmp_path / "studio")
    path = f"/drafts/{stage.draft.id}/repair"
    with (
        studio_served(stage.studio, stage.purpose) as running,
        window(playwright, running, path, wide=wide) as page,
    ):
        choice = page.get_by_label("Label, in which corner")
        expect(page.locator("#bench")).to_have_js_property("inert", False, timeout=WAIT_MS)
        expect(choice).to_have_value("top-right")
        # A canvas that nothing was drawn on is 300 pixels wide.
        page.wait_for_function(
            "() => document.getElementById('picture').width !== 300"
            " && document.getElementById('wait').hidden",
            timeout=WAIT_MS,
        )
        for corner in (Corner.BOTTOM_LEFT, Corner.TOP_LEFT, Corner.BOTTOM_RIGHT):
            with page.expect_response("**/mesh", timeout=WAIT_MS):
                choice.select_option(corner.value)
            expect(page.locator("#wait")).to_be_hidden(timeout=WAIT_MS)
            picture = from_rgb(seen(page, "picture"))
            size = picture.width, picture.height
            assert label_present(picture, draw_label(*size, corner=corner)) > 0.7
            assert label_present(picture, draw_label(*size)) < 0.7
            expect(page.locator("#label-warnings")).to_contain_text("Code of Practice")
        page.get_by_role("button", name="Undo").click()
        expect(choice).to_have_value("top-left")
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_text("Saved.")).to_be_visible(timeout=WAIT_MS)
        page.reload()
        expect(page.locator("#bench")).to_have_js_property("inert", False, timeout=WAIT_MS)
        expect(choice).to_have_value("top-left")
        wider = page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
        assert wider <= 0
    stage.studio.database.close()


# A training that is followed


def test_a_training_is_followed_by_events_and_its_preview_moves(
    playwright: Playwright, trained: "Cast", tmp_path: Path
) -> None:
    stage = trained.open_copy(tmp_path / "studio")
    with stage.studio.database.session() as session:
        session.query(ModelRow).one().state = "training"
    resign(stage)
    queue = Queue(stage.studio.database, stage.clock)
    wanted = {"donor": stage.ben.id, "performer": stage.ada.id, "minutes": 3.0}
    queue.put("train", stage.purpose.project_id, wanted)
    worker = Claims(queue=queue, worker="the test")
    claim = worker.claim(lambda job: ())
    assert claim is not None

    def tell(share: float, **details: object) -> None:
        worker.beat(claim, Progress(share=share, message="training", details=details))

    with (
        studio_served(stage.studio, stage.purpose) as running,
        window(playwright, running, "/training") as page,
    ):
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        reel = page.locator("[data-reel] img")
        expect(reel).to_have_count(8, timeout=WAIT_MS)
        told = page.locator(".training .told")
        for step, share in ((3, 0.25), (4, 0.5)):
            tell(share, iteration=step, loss=0.5 / step)
            expect(page.locator(".training progress")).to_have_js_property(
                "value", share, timeout=WAIT_MS
            )
            curve = page.get_by_role("img", name=f"Loss from step 1 to {step}")
            expect(curve).to_have_count(1, timeout=WAIT_MS)
        expect(told).to_contain_text("training")
        assert not any(each.endswith("/training/state") for each in asked), "nobody asks again"
        with page.expect_request("**/training/state", timeout=WAIT_MS):
            tell(0.6, iteration=5, loss=None, saved="now")
        # It moves: another of the pictures is shown than a moment ago; until it is held.
        first = page.evaluate("() => document.querySelector('[data-reel] img:not([hidden])').src")
        page.wait_for_function(
            "(first) => document.querySelector('[data-reel] img:not([hidden])').src !== first",
            arg=first, timeout=WAIT_MS,
        )  # fmt: skip
        page.get_by_role("button", name="Hold still").click()
        expect(page.get_by_role("button", name="Move")).to_be_visible()
        worker.finish(claim, {})
        expect(page.locator(".training")).to_have_count(0, timeout=WAIT_MS)
    stage.studio.database.close()


# Faces in doubt


@pytest.mark.parametrize("wide", [True, False], ids=["desk", "phone"])
def test_somebody_decides_whose_face_it_is(
    playwright: Playwright, agreed: "Cast", tmp_path: Path, *, wide: bool
) -> None:
    stage = agreed.open_copy(tmp_path / "studio")
    key = new_key()
    add_person(stage.studio, handle="kim", name="Kim", key=public_of(key), staff=True)
    file = tmp_path / "kim.pem"
    file.write_bytes(key.as_pem(private=True))
    blurred = blur_ada(tmp_path)
    with (
        studio_served(stage.studio, stage.purpose) as running,
        workers_of(stage.studio, Unguarded(), workers=1, heavy=1),
        window(playwright, running, "/footage", wide=wide) as page,
    ):
        choose(page, blurred)
        page.get_by_role("button", name="Add").click()
        page.get_by_role("link", name=blurred.name).click(timeout=4 * WAIT_MS)
        page.wait_for_function(
            "() => document.querySelector('img.still').naturalWidth > 0", timeout=WAIT_MS
        )
        page.get_by_label("The faces are those of whom they may be").check()
        page.get_by_label("What did you see?").fill("The mole under her left eye is hers.")
        page.get_by_role("button", name="Go on to the signature").click()
        page.get_by_label("Your key file").set_input_files(file)
        page.get_by_role("button", name="Sign the decision").click()
        page.wait_for_url("**/footage", timeout=WAIT_MS)
        expect(page.get_by_text("Somebody must look")).to_have_count(0)
        # The clip needn't be sent again.
        taken_in = page.locator(".cards").get_by_role("link", name=blurred.name)
        expect(taken_in).to_be_visible(timeout=4 * WAIT_MS)
        expect(page.get_by_text("A clip was not taken in")).to_have_count(0)
    stage.studio.database.close()
