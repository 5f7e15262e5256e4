"""The server of the subjects' pages: routes, and nothing else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from assent.apps.web import camera, ceremony, home, say, signin, watch
from assent.apps.web.assets import Assets
from assent.apps.web.guard import Guard, Place
from assent.apps.web.serving import serve_app
from assent.apps.web.site import Handler, Site, endpoint, error_response
from assent.consent.sitting import finish
from assent.kit.errors import AssentError, NotFoundError
from assent.kit.store.studio import Studio

__all__ = ["build", "serve"]

_GET: dict[str, Handler] = {
    "/c/{secret}": ceremony.answer_link,
    "/consent": ceremony.notice_page,
    "/consent/choices": ceremony.choices_page,
    "/consent/record": camera.record_page,
    "/consent/recording": camera.look_at_recording,
    "/consent/sign": ceremony.sign_page,
    "/": home.front,
    "/home": home.home_page,
    "/home/receipt/{row}": home.receipt_page,
    "/home/receipt/{row}/pdf": home.receipt_pdf,
    "/home/receipt/{row}/json": home.receipt_json,
    "/home/certificate/{row}": home.certificate_page,
    "/home/certificate/{row}/jws": home.certificate_file,
    "/home/preview/{name}": home.preview,
    "/home/withdraw/{row}": home.withdraw_page,
    "/home/narrow/{row}": say.narrow_page,
    "/home/narrow/{row}/sign": say.narrow_sign_page,
    "/home/decide/{draft}/{decision}": say.decide_page,
    "/signin": signin.signin_page,
    "/watch": watch.watch_page,
    "/watch/recording": watch.watched,
}
_POST: dict[str, Handler] = {
    "/c/{secret}": ceremony.enter,
    "/consent/decline": ceremony.decline_all,
    "/consent/choices": ceremony.choose_terms,
    "/consent/challenge": camera.draw_challenge,
    "/consent/challenge/begin": camera.begin_recording,
    "/consent/recording/person": camera.send_to_person,
    "/consent/passkey": ceremony.make_passkey,
    "/consent/key": ceremony.bind_key,
    "/consent/signature": ceremony.sign_record,
    "/home/withdraw/{row}": home.withdraw_now,
    "/home/narrow/{row}": say.narrow_choose,
    "/home/narrow/{row}/key": say.narrow_prepare,
    "/home/narrow/{row}/signature": say.narrow_sign,
    "/home/decide/{draft}/{decision}/key": say.decide_prepare,
    "/home/decide/{draft}/{decision}/signature": say.decide_sign,
    "/signin/challenge": signin.signin_challenge,
    "/signin": signin.signin,
    "/signout": home.sign_out,
}


def build(site: Site) -> Starlette:
    """Return the application; it finishes what a killed process had begun, when it starts."""
    routes = [
        *(Route(path, endpoint(handler), methods=["GET"]) for path, handler in _GET.items()),
        *(Route(path, endpoint(handler), methods=["POST"]) for path, handler in _POST.items()),
        Route("/consent/recording", camera.upload, methods=["POST"]),
        Mount("/static", Assets("assent.apps.web")),
    ]
    app = Starlette(
        routes=routes,
        middleware=[Middleware(Guard, place=site.place, largest=camera.largest)],
        exception_handlers={AssentError: error_response, HTTPException: _not_here},
        lifespan=_lifespan,
    )
    app.state.site = site
    return app


def serve(studio: Studio, place: Place, *, host: str, port: int) -> None:
    """Serve until interrupted."""
    serve_app(build(Site.of(studio, place)), host=host, port=port, at_once=200, head=32 << 10)


@asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    site: Site = app.state.site
    finish(site.studio)
    yield
    site.recordings.close()


async def _not_here(request: Request, error: Exception) -> Response:
    """Tell what no route knows."""
    assert isinstance(error, HTTPException)  # noqa: S101 - as registered
    return await error_response(request, NotFoundError("there is no such page"))
