from pathlib import Path

from studios import Scene

from assent.kit.store.tables import SightingRow
from assent.monitor.scan import Sighting
from assent.monitor.sightings import remember
from assent.verify.findings import Findings, Source, Verdict


def sighting(path: Path, asset_id: str | None) -> Sighting:
    findings = Findings(
        file=path.name, sha256="5" * 64, verdict=Verdict.COPY, summary="", asset_id=asset_id,
        consent_withdrawn=False, layers=(), size=1,
        source=Source(studio="S", origin="o", size=1, key_from="k", as_of=None),
    )  # fmt: skip
    return Sighting(path=path, findings=findings, problem=None)


def rows(scene: Scene) -> list[tuple[str, str, str]]:
    with scene.studio.database.session() as session:
        found = session.query(SightingRow).order_by(SightingRow.place)
        return [(row.asset_id, row.place, row.seen) for row in found]


def test_what_leads_to_a_release_is_kept_once(scene: Scene, tmp_path: Path) -> None:
    copy, other = tmp_path / "copy.mp4", tmp_path / "other.mp4"
    seen = [
        sighting(copy, "00ff"),
        sighting(other, None),
        Sighting(path=tmp_path / "broken.mp4", findings=None, problem="broken"),
        sighting(scene.studio.releases_folder / "own.mp4", "00ff"),
    ]
    assert remember(scene.studio, seen) == 1
    scene.clock.to("2026-12-24")
    assert remember(scene.studio, seen) == 1
    assert rows(scene) == [("00ff", str(copy), "2026-12-24T12:00:00Z")]
