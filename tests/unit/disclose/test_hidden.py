"""Bystanders who were hidden stay hidden in looks, sheets and the release, which says so."""

import numpy as np
import pytest
from casts import RIGHTS, Cast, Stage, cut_clip

from assent.consent.locker import Locker
from assent.create._frames import looks_of
from assent.create.draft import Draft
from assent.create.render import render, rendering_needs
from assent.data.ingest import Bystanders, ingest
from assent.disclose.release import Released, release
from assent.disclose.seal import seal
from assent.disclose.still import seal_draft_sheet
from assent.disclose.wording import BYSTANDERS_HIDDEN
from assent.kit.c2pa.read import read
from assent.kit.content.gate import ContentGate
from assent.kit.faces.detect import DlibDetector
from assent.kit.media.picture import to_rgb
from assent.kit.media.read import read_pictures
from assent.kit.media.still import read_still
from assent.safeguard.review import review
from assent.verify.examine import examine

FRAMES = 50


@pytest.fixture(scope="module")
def stage(trained: Cast, tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return trained.open_copy(tmp_path_factory.mktemp("hidden") / "studio")


@pytest.fixture(scope="module")
def draft(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Draft:
    """Ada's performance beside Ben, who is hidden; Ben's face is given to Ada."""
    path = cut_clip(
        tmp_path_factory.mktemp("pair") / "pair.mp4", "two_people.mp4", frames=FRAMES,
        width=480, height=320,
    )  # fmt: skip
    clip = ingest(
        stage.studio, stage.purpose, path, [stage.ada.person], rights=RIGHTS,
        bystanders=Bystanders.BLUR,
    ).clip  # fmt: skip
    asking = stage.asking(rendering_needs(stage.model, clip))
    return render(stage.studio, stage.purpose, stage.model, clip, asking(), ask_again=asking)


@pytest.fixture(scope="module")
def released(stage: Stage, draft: Draft) -> Released:
    asking = stage.asking(draft.needs(to_release=True))
    reviewed = review(
        stage.studio, stage.purpose, draft, asking(), ask_again=asking, gate=ContentGate()
    )
    assert reviewed.approved is not None
    video = seal(stage.studio, stage.purpose, reviewed.approved, asking(), ask_again=asking)
    with video.media:
        return release(stage.studio, stage.purpose, video)


def on_the_right(rgb: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> int:
    """How many faces there are in the right half, where Ben was."""
    half = np.ascontiguousarray(rgb[:, rgb.shape[1] // 2 :])
    return len(DlibDetector().find(half))


def test_the_looks_show_no_bystander(stage: Stage, draft: Draft) -> None:
    asking = stage.asking(draft.needs(to_release=False))
    looks = [
        look for _, look in looks_of(draft, Locker(stage.studio), asking) if look is not None
    ]  # fmt: skip
    assert looks
    assert sum(on_the_right(to_rgb(look)) for look in looks) == 0


def test_the_release_shows_none_and_says_so(stage: Stage, released: Released) -> None:
    shown = list(read_pictures(released.path, name="release"))
    assert len(shown) == FRAMES
    assert sum(on_the_right(to_rgb(picture)) for picture in shown[::5]) == 0
    with released.path.open("rb") as file:
        credential = read(file, mime="video/mp4", anchors_pem=stage.studio.chain.root_pem)
    assert credential.state == "trusted"
    assert BYSTANDERS_HIDDEN in credential.descriptions
    assert credential.actions.count("c2pa.edited") == 2
    found = examine(released.path, stage.log)
    (layer,) = [layer for layer in found.layers if layer.name == "manifest"]
    assert layer.says.endswith(f"{BYSTANDERS_HIDDEN}.")


def test_the_sheet_shows_none(stage: Stage, draft: Draft) -> None:
    path = seal_draft_sheet(stage.studio, stage.purpose, draft, gate=ContentGate())
    sheet = read_still(path.read_bytes(), name="sheet")
    half = sheet.shape[1] // 4
    # Four pictures side by side; Ben was in the right half of each.
    parts = [sheet[:, n * half + half // 2 : (n + 1) * half] for n in range(4)]
    assert sum(len(DlibDetector().find(np.ascontiguousarray(part))) for part in parts) == 0
