"""Where copies of releases were seen: kept, so that a withdrawal can name them."""

from collections.abc import Iterable

from assent.kit.clock import stamp
from assent.kit.store.studio import Studio
from assent.kit.store.tables import SightingRow
from assent.monitor.scan import Sighting

__all__ = ["remember"]


def remember(studio: Studio, sightings: Iterable[Sighting]) -> int:
    """Keep the sightings that lead to a release; return how many. The same again changes nothing.

    The studio's own files are no sightings.
    """
    own = studio.folder.resolve()
    found = 0
    for sighting in sightings:
        place = sighting.path.resolve()
        if sighting.findings is None or not sighting.findings.asset_id or own in place.parents:
            continue
        with studio.database.session() as session:
            session.merge(
                SightingRow(
                    asset_id=sighting.findings.asset_id,
                    place=str(place),
                    sha256=sighting.findings.sha256,
                    seen=stamp(studio.clock()),
                )
            )
        found += 1
    return found
