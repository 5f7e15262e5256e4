from pathlib import Path

import cv2
import numpy as np
import pytest
from casts import Cast, Stage

from assent.apps.public.place import place_of
from assent.apps.public.publish import publish
from assent.apps.public.source import Source
from assent.disclose.public_record import describe
from assent.verify.bundle import open_bundle


@pytest.fixture
def stage(released: Cast, tmp_path: Path) -> Stage:
    return released.open_copy(tmp_path / "studio")


def test_a_release_gets_its_record_its_code_and_its_card(stage: Stage) -> None:
    studio, made = stage.studio, stage.released()
    assert publish(studio).place is None
    beside = {each.suffixes[-2] for each in made.path.parent.iterdir() if len(each.suffixes) > 1}
    assert not beside & {".qr", ".card"}
    place = place_of("https://films.example/assent", contact="a@b.example", language="de")
    told = publish(studio, place=place)
    assert (told.releases, told.place) == (1, place)
    png = made.path.with_suffix(".qr.png").read_bytes()
    picture = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert picture is not None
    assert cv2.QRCodeDetector().detectAndDecode(picture)[0] == place.record(made.asset_id)
    card = made.path.with_suffix(".card.html").read_text()
    assert "wurde ein Gesicht mit KI ersetzt" in card
    assert "src=" not in card
    assert "href=" not in card
    # Readable for a web server, and nobody is named.
    for path in (studio.folder / "public").rglob("*"):
        assert path.stat().st_mode & 0o044 == 0o044
        if path.is_file() and path.suffix == ".jws":
            assert b"Ada" not in path.read_bytes()
    found = Source(studio.folder, vkey=studio.log_verifier.vkey).now().release(made.asset_id)
    assert found is not None
    assert found.told is not None
    assert found.told.category == "education"


def test_published_again_only_what_changed_is_written(stage: Stage) -> None:
    place = place_of("https://films.example", contact="a@b.example")
    publish(stage.studio, place=place)
    assert publish(stage.studio).written == 0
    describe(stage.studio, stage.purpose.slug, "en", "A lesson.")
    # The record and the card.
    assert publish(stage.studio).written == 2
    stage.withdraw(stage.ada)
    # The trust bundle.
    assert publish(stage.studio).written == 1
    bundle = (stage.studio.folder / "public" / "studio.trust").read_bytes()
    log = open_bundle(bundle, now=stage.clock(), vkey=stage.studio.log_verifier.vkey)
    assert len(log.withdrawn) == 1
    (stage.studio.folder / "public" / "studio.trust").write_bytes(b"damaged")
    assert publish(stage.studio).written == 1


def test_what_was_taken_down_gets_no_code(stage: Stage) -> None:
    made = stage.released()
    made.path.unlink()
    publish(stage.studio, place=place_of("https://films.example", contact="x"))
    assert not made.path.with_suffix(".qr.png").exists()
