"""The dossier of a project: looked at here, or taken along as a page and as PDF."""

from starlette.responses import Response

from assent.apps.access.permissions import Action
from assent.apps.studio.page import Visit, get
from assent.apps.studio.summaries import Qualities
from assent.monitor.dossier.assemble import assemble
from assent.monitor.dossier.document import Dossier, Facts, Text
from assent.monitor.dossier.html import printable, to_html

__all__ = ["PAGES"]


def dossier_page(visit: Visit) -> Response:
    """Show the dossier; people are told by handle, never by name."""
    dossier = _dossier(visit)
    return visit.show(
        "dossier.html",
        dossier=dossier,
        printable=printable,
        is_text=lambda block: isinstance(block, Text),
        is_facts=lambda block: isinstance(block, Facts),
    )


def dossier_html(visit: Visit) -> Response:
    """Send it as a page that fetches nothing."""
    return _file(visit, to_html(_dossier(visit)).encode(), "text/html", "html")


def dossier_pdf(visit: Visit) -> Response:
    """Send it as PDF."""
    # Only who prints pays for it.
    from assent.monitor.dossier.pdf import to_pdf

    return _file(visit, to_pdf(_dossier(visit)), "application/pdf", "pdf")


def _dossier(visit: Visit) -> Dossier:
    qualities = visit.house.services.get(Qualities, lambda: Qualities(visit.studio))
    return assemble(visit.studio, visit.project.slug, judge=qualities.of)


def _file(visit: Visit, data: bytes, kind: str, ending: str) -> Response:
    name = f"{visit.project.slug}-dossier.{ending}"
    return Response(
        data,
        media_type=kind,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


PAGES = (
    get("/p/{project}/dossier", dossier_page, Action.READ_DOSSIER),
    get("/p/{project}/dossier/html", dossier_html, Action.READ_DOSSIER, shows=False),
    get("/p/{project}/dossier/pdf", dossier_pdf, Action.READ_DOSSIER, shows=False),
)
