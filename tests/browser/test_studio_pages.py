"""Every page of the studio in Chromium: WCAG 2.1 AA, weight, width, keyboard, and a quiet console.

Pages come from the studio's own table, so a new one is looked at without a word here. With
`--pictures` they are kept in docs/pictures/studio.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe
from browsing import browser_with, new_context
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, Response, ViewportSize
from studio_browsing import Running, studio_served
from studio_walk import address_of, looked_at, prepare

from assent.apps.studio.page import Page as StudioPage

if TYPE_CHECKING:
    from casts import Cast

HEAVIEST = 200 << 10
"""Bytes of a page with all that it needs, but for pictures and films."""
MOST_SHOWN = 1600
"""Pixels of a long page that its picture shows."""
PICTURES = Path(__file__).parents[2] / "docs" / "pictures" / "studio"
ROUTES = pytest.mark.parametrize("route", looked_at(), ids=lambda route: route.path)
WIDTHS = {"desk": (1280, 860), "phone": (390, 844)}


@pytest.fixture(scope="module")
def running(released: "Cast", tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A studio in which everything was done once."""
    stage = released.open_copy(tmp_path_factory.mktemp("pages") / "studio")
    prepare(stage.studio, stage.purpose, tmp_path_factory.mktemp("doubt"))
    with studio_served(stage.studio, stage.purpose) as served:
        yield served
    stage.studio.database.close()


@pytest.fixture(scope="module")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    with browser_with(playwright) as browser:
        yield browser


@pytest.fixture(scope="module")
def windows(chromium: Browser, running: Running) -> Iterator[dict[str, BrowserContext]]:
    """Windows of both widths and in both schemes, signed in."""
    found = {}
    for width, (w, h) in WIDTHS.items():
        for scheme in ("light", "dark"):
            context = new_context(
                chromium,
                viewport=ViewportSize(width=w, height=h),
                color_scheme=scheme,
                # axe comes as a script of its own, which the pages' policy refuses.
                bypass_csp=scheme == "dark",
            )
            page = context.new_page()
            page.goto(running.house.link)
            page.close()
            found[f"{width}-{scheme}"] = context
    yield found
    for context in found.values():
        context.close()


@contextmanager
def open_at(context: BrowserContext, running: Running, route: StudioPage) -> Iterator[Page]:
    page = context.new_page()
    path = address_of(route, running.studio, running.purpose)
    answer = page.goto(f"{running.house.place.origin}/studio{path}")
    assert answer is not None
    assert answer.status == 200, path
    page.wait_for_load_state("load")
    try:
        yield page
    finally:
        page.close()


@ROUTES
def test_wcag(windows: dict[str, BrowserContext], running: Running, route: StudioPage) -> None:
    for width in WIDTHS:
        with open_at(windows[f"{width}-dark"], running, route) as page:
            for scheme in ("dark", "light"):
                # Colours that pass over into others would be judged on their way.
                page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
                found = Axe().run(
                    page,
                    options={
                        "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]
                    },
                )
                problems = [
                    f"{each['id']}: {node['html'][:160]} {node.get('failureSummary', '')[:200]}"
                    for each in found.response["violations"]
                    for node in each["nodes"]
                ]
                assert problems == [], (width, scheme)


@ROUTES
def test_width_weight_and_a_quiet_console(
    windows: dict[str, BrowserContext],
    running: Running,
    route: StudioPage,
    request: pytest.FixtureRequest,
) -> None:
    for width, (pixels, _) in WIDTHS.items():
        page = windows[f"{width}-light"].new_page()
        said, answers = listen(page)
        path = address_of(route, running.studio, running.purpose)
        page.goto(f"{running.house.place.origin}/studio{path}")
        page.wait_for_load_state("load")
        assert all(each.url.startswith(running.house.place.origin) for each in answers)
        assert said == []
        assert sum(map(weigh, answers)) < HEAVIEST
        assert page.evaluate("document.documentElement.scrollWidth") <= pixels, "scrolls sideways"
        assert page.locator("h1").count() == 1
        if request.config.getoption("--pictures"):
            PICTURES.mkdir(parents=True, exist_ok=True)
            name = route.path.strip("/").replace("/", "-").replace("{", "").replace("}", "")
            # What scripts fetch shall be there too.
            page.wait_for_timeout(4000)
            height = min(MOST_SHOWN, page.evaluate("document.documentElement.scrollHeight"))
            page.screenshot(
                path=PICTURES / f"{name or 'projects'}-{width}.jpg",
                full_page=True, type="jpeg", quality=60,
                clip={"x": 0, "y": 0, "width": pixels, "height": height},
            )  # fmt: skip
        page.close()


def listen(page: Page) -> tuple[list[str], list[Response]]:
    """Return what the page will say in its console, and the answers that it will get."""
    said: list[str] = []
    answers: list[Response] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("response", lambda answer: answers.append(answer))
    return said, answers


def weigh(answer: Response) -> int:
    """Return the bytes of an answer that count: all but pictures, films and events."""
    kind = answer.headers.get("content-type", "")
    if kind.startswith(("image/jpeg", "video/", "audio/", "text/event-stream")):
        return 0
    return int(answer.headers.get("content-length", "0"))


REACHED = """() => {
  const seen = [...document.querySelectorAll(
    'a[href], button, input, select, textarea, summary, [tabindex]')];
  return seen.filter((each) => each.checkVisibility({ visibilityProperty: true })
    && !each.disabled && !each.closest('dialog:not([open])')
    && (each.tabIndex < 0 || each.tabIndex > 0)).map((each) => each.outerHTML.slice(0, 120));
}"""


@ROUTES
def test_the_keyboard_reaches_everything(
    windows: dict[str, BrowserContext], running: Running, route: StudioPage
) -> None:
    with open_at(windows["desk-light"], running, route) as page:
        assert page.evaluate(REACHED) == [], "left out of the order of the tab key, or out of it"
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        shown = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert shown != "none"
