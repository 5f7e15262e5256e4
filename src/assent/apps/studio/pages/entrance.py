"""Coming in and going out: the printed link, passwords, passkeys, first links, one's account."""

import hmac

from starlette.responses import JSONResponse, Response

from assent.apps.access.accounts import (
    Account,
    account_by_welcome,
    find_account,
    set_password,
)
from assent.apps.access.permissions import Action
from assent.apps.studio.page import ROOT, Visit, get, post
from assent.apps.web.reading import see
from assent.kit.errors import InputError, NotClearedError, NotFoundError

__all__ = ["PAGES"]


def enter(visit: Visit) -> Response:
    """Let the holder of the printed link in."""
    token = visit.house.token
    given = visit.request.query_params.get("token", "")
    if token is None or not hmac.compare_digest(given.encode(), token.encode()):
        # Nothing is counted: it can't be guessed, and other sites could use up somebody's tries.
        raise NotClearedError(
            "this link does not work", advice="Use the link that `assent studio` printed."
        )
    response = see(f"{ROOT}/")
    visit.house.sessions.begin(response, account_id=None)
    return response


def signin_page(visit: Visit) -> Response:
    """Ask who it is."""
    return _signin(visit, "")


def _signin(visit: Visit, problem: str, status: int = 200) -> Response:
    return visit.show(
        "signin.html",
        status=status,
        team=visit.house.team,
        problem=problem,
        next=_safe(visit.request.query_params.get("next", "") or visit.field("next")),
        passkeys=visit.house.place.rp_id != "127.0.0.1",
    )


def signin(visit: Visit) -> Response:
    """Begin a session for who gave the right password."""
    _check_team(visit)
    entrance = visit.house.entrance
    try:
        account_id = entrance.by_password(
            visit.field("handle"), visit.field("password"), address=visit.address
        )
    except NotClearedError as error:
        return _signin(visit, f"{error}. {error.advice}", 403)
    response = see(_safe(visit.field("next")))
    _begin(visit, response, account_id)
    return response


def passkey_challenge(visit: Visit) -> Response:
    """Draw what a passkey has to answer."""
    _check_team(visit)
    visit.house.entrance.check_open(visit.address)
    return JSONResponse(visit.house.entrance.ask_for_passkey())


def passkey_signin(visit: Visit) -> Response:
    """Begin a session for whose passkey answered."""
    _check_team(visit)
    account_id = visit.house.entrance.by_passkey(visit.data, address=visit.address)
    response = JSONResponse({"next": _safe(str(visit.data.get("next", "")))})
    _begin(visit, response, account_id)
    return response


def _begin(visit: Visit, response: Response, account_id: str) -> None:
    """Begin a session in the place of the one that this browser may have had."""
    visit.house.sessions.end(visit.request, response)
    visit.house.sessions.begin(response, account_id=account_id)


def _check_team(visit: Visit) -> None:
    if not visit.house.team:
        raise NotFoundError(
            "this studio runs without accounts", advice="Use the link that it printed."
        )


def _safe(path: str) -> str:
    """Return a path within the studio, whatever was asked for."""
    plain = path.isascii() and path.isprintable() and "\\" not in path
    return path if plain and path.startswith(f"{ROOT}/") and "//" not in path else f"{ROOT}/"


# The first link of an account


def welcome_page(visit: Visit) -> Response:
    """Let who was invited choose a password."""
    return _welcome(visit, _welcomed(visit), "")


def _welcome(visit: Visit, account: Account, problem: str, status: int = 200) -> Response:
    return visit.show("welcome.html", status=status, account=account, problem=problem)


def welcome(visit: Visit) -> Response:
    """Keep the password, use the link up, and let them in."""
    account = _welcomed(visit)
    try:
        hashed = _chosen(visit, account)
    except InputError as error:
        return _welcome(visit, account, f"{error}. {error.advice}", 422)
    set_password(visit.studio, account.id, hashed, welcome=visit.path("secret"))
    response = see(f"{ROOT}/you")
    _begin(visit, response, account.id)
    return response


def _welcomed(visit: Visit) -> Account:
    _check_team(visit)
    return account_by_welcome(visit.studio, visit.path("secret"))


def _chosen(visit: Visit, account: Account) -> str:
    password = visit.field("password")
    if password != visit.field("again"):
        raise InputError("the two passwords differ", advice="Type them again.")
    return visit.house.entrance.passwords.hash(password, handle=account.handle)


# One's own account


def you_page(visit: Visit) -> Response:
    """Show one's account: roles, password, passkeys."""
    return _you(visit, "")


def _you(visit: Visit, problem: str, status: int = 200) -> Response:
    account = _own(visit) if visit.who.account_id else None
    return visit.show(
        "you.html",
        status=status,
        account=account,
        problem=problem,
        passkeys=visit.house.place.rp_id != "127.0.0.1",
    )


def _own(visit: Visit) -> Account:
    if visit.who.account_id is None:
        raise NotFoundError("this studio runs without accounts", advice="Go back.")
    return find_account(visit.studio, visit.who.handle)


def change_password(visit: Visit) -> Response:
    """Set another password; every session of the account ends but the new one."""
    account, entrance = _own(visit), visit.house.entrance
    try:
        entrance.by_password(account.handle, visit.field("now"), address=visit.address)
        hashed = _chosen(visit, account)
    except (InputError, NotClearedError) as error:
        return _you(visit, f"{error}. {error.advice}", 422)
    set_password(visit.studio, account.id, hashed, welcome=None)
    response = see(f"{ROOT}/you")
    _begin(visit, response, account.id)
    return response


def offer_passkey(visit: Visit) -> Response:
    """Return what the browser needs to make a passkey."""
    return JSONResponse(visit.house.entrance.offer_passkey(_own(visit)))


def keep_passkey(visit: Visit) -> Response:
    """Keep the passkey that the browser made."""
    visit.house.entrance.keep_passkey(_own(visit), visit.data)
    return JSONResponse({"next": f"{ROOT}/you"})


def forget_passkeys(visit: Visit) -> Response:
    """Forget one's passkeys."""
    visit.house.entrance.forget_passkeys(_own(visit))
    return visit.see("/you", notice="Your passkeys are forgotten.")


def sign_out(visit: Visit) -> Response:
    """End the session."""
    response = see(f"{ROOT}/signin")
    visit.house.sessions.end(visit.request, response)
    return response


PAGES = (
    get("/enter", enter, None),
    get("/signin", signin_page, None),
    post("/signin", signin, None),
    post("/signin/challenge", passkey_challenge, None),
    post("/signin/passkey", passkey_signin, None),
    get("/welcome/{secret}", welcome_page, None),
    post("/welcome/{secret}", welcome, None),
    post("/signout", sign_out, Action.ENTER),
    get("/you", you_page, Action.OWN_ACCOUNT),
    post("/you/password", change_password, Action.OWN_ACCOUNT),
    post("/you/passkey/offer", offer_passkey, Action.OWN_ACCOUNT),
    post("/you/passkey", keep_passkey, Action.OWN_ACCOUNT),
    post("/you/passkeys/forget", forget_passkeys, Action.OWN_ACCOUNT),
)
