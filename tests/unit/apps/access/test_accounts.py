"""Accounts, first links, sessions that end, and sign-in that tells nothing."""

import base64
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from argon2 import PasswordHasher
from housed import PASSWORD, PLACE, Housed, Visitor, cheap_passwords
from passkeys import Authenticator, b64
from studios import Scene, brief_with

from assent.apps.access.accounts import (
    WELCOME_LIFETIME,
    account_by_welcome,
    add_account,
    count_accounts,
    disable_account,
    enable_account,
    find_account,
    list_accounts,
    remove_account,
    reset_account,
    set_password,
    set_roles,
    who_is,
)
from assent.apps.access.passwords import Passwords
from assent.apps.access.permissions import Action, Role
from assent.apps.access.sessions import ABSOLUTE, IDLE
from assent.apps.access.signin import Entrance
from assent.apps.access.tokens import TokenError, issue, who_holds
from assent.apps.access.who import Membership
from assent.kit.errors import InputError, NotClearedError, NotFoundError
from assent.kit.store.access_tables import AccountRow, SessionRow
from assent.purpose.projects import create_project

PRODUCER = [Membership(Role.PRODUCER)]


def test_an_account_begins_with_a_link_that_is_good_for_once(scene: Scene) -> None:
    account, secret = add_account(scene.studio, handle="kim", name=" Kim ", memberships=PRODUCER)
    assert (account.name, account.password, account.passkeys) == ("Kim", False, 0)
    assert count_accounts(scene.studio) == 1
    assert account_by_welcome(scene.studio, secret).id == account.id
    set_password(scene.studio, account.id, "hash", welcome=secret)
    for again in (secret, "", "x"):
        with pytest.raises(NotClearedError, match="does not work"):
            account_by_welcome(scene.studio, again)
        with pytest.raises(NotClearedError, match="does not work"):
            set_password(scene.studio, account.id, "another", welcome=again)


def test_a_first_link_ends(scene: Scene) -> None:
    _, secret = add_account(scene.studio, handle="kim", name="Kim", memberships=PRODUCER)
    scene.clock.now += WELCOME_LIFETIME
    with pytest.raises(NotClearedError, match="does not work"):
        account_by_welcome(scene.studio, secret)


@pytest.mark.parametrize(
    ("handle", "name", "roles"),
    [
        ("Kim", "Kim", PRODUCER),
        ("", "Kim", PRODUCER),
        ("k" * 41, "Kim", PRODUCER),
        ("<script>", "Kim", PRODUCER),
        ("kim", "  ", PRODUCER),
        ("kim", "Kim", []),
        ("kim", "Kim", [Membership(Role.SUBJECT)]),
    ],
)
def test_accounts_that_make_no_sense(
    scene: Scene, handle: str, name: str, roles: list[Membership]
) -> None:
    with pytest.raises(InputError):
        add_account(scene.studio, handle=handle, name=name, memberships=roles)
    assert count_accounts(scene.studio) == 0


def test_roles_change_at_once_and_nothing_secret_is_shown(scene: Scene) -> None:
    made, _ = add_account(scene.studio, handle="kim", name="Kim", memberships=PRODUCER)
    project = scene.purpose.project_id
    changed = set_roles(scene.studio, "kim", [Membership(Role.REVIEWER, project)] * 2)
    assert changed.memberships == (Membership(Role.REVIEWER, project),)
    who = who_is(scene.studio, made.id)
    assert who.may(Action.SIGN_OFF, project)
    assert not who.may(Action.SIGN_OFF)
    assert not who.may(Action.RELEASE, project)
    with pytest.raises(InputError, match="already"):
        add_account(scene.studio, handle="kim", name="Kim", memberships=PRODUCER)
    assert "hash" not in repr(list_accounts(scene.studio))


def token_of(scene: Scene, handle: str) -> str:
    account = find_account(scene.studio, handle).id
    _, secret = issue(scene.studio, account, name="edit suite", scopes=[Action.READ_PROJECT])
    assert who_holds(scene.studio, secret)[1].account_id == account
    return secret


def test_tokens_end_with_what_opens_the_account(scene: Scene) -> None:
    housed = Housed(scene.studio, team=True)
    acts: dict[str, Callable[[], object]] = {
        "reset": lambda: reset_account(scene.studio, "reset"),
        "disable": lambda: disable_account(scene.studio, "disable"),
        "remove": lambda: remove_account(scene.studio, "remove"),
        "password": lambda: set_password(
            scene.studio, find_account(scene.studio, "password").id, "another", welcome=None
        ),
    }
    stays = housed.account("stays")
    kept = token_of(scene, "stays")
    for handle, act in acts.items():
        visitor, secret = housed.account(handle), token_of(scene, handle)
        act()
        with pytest.raises(TokenError):
            who_holds(scene.studio, secret)
        assert visitor.get("/").status_code == 303, handle
    assert who_holds(scene.studio, kept)
    assert stays.get("/").status_code == 200


def test_a_disabled_account_opens_nothing_until_it_is_enabled(scene: Scene) -> None:
    housed = Housed(scene.studio, team=True)
    kim = housed.account("kim", Membership(Role.REVIEWER))
    device = keep_passkey(kim)
    invited, secret = add_account(scene.studio, handle="max", name="Max", memberships=PRODUCER)
    for handle in ("kim", "max"):
        disable_account(scene.studio, handle)
    assert kim.get("/").status_code == 303
    stranger = housed.stranger()
    signing = {"handle": "kim", "password": PASSWORD}
    assert stranger.post("/signin", signing).status_code == 403
    assert sign_in(housed, device) == 403
    with pytest.raises(NotClearedError):
        account_by_welcome(scene.studio, secret)
    with pytest.raises(NotFoundError):
        who_is(scene.studio, invited.id)
    enable_account(scene.studio, "kim")
    assert housed.signed_in("kim").get("/").status_code == 200
    assert sign_in(housed, device) == 200


def test_who_is_removed_or_reset_is_out(scene: Scene) -> None:
    housed = Housed(scene.studio, team=True)
    kim, lee = housed.account("kim"), housed.account("lee")
    secret = reset_account(scene.studio, "kim")
    assert kim.get("/").status_code == 303
    assert (
        housed.stranger().post("/signin", {"handle": "kim", "password": PASSWORD}).status_code
        == 403
    )
    assert account_by_welcome(scene.studio, secret).handle == "kim"
    remove_account(scene.studio, "lee")
    assert lee.get("/").status_code == 303
    with pytest.raises(NotFoundError):
        find_account(scene.studio, "lee")
    with pytest.raises(NotFoundError):
        remove_account(scene.studio, "lee")


def test_the_first_link_in_a_browser(scene: Scene) -> None:
    housed = Housed(scene.studio, team=True)
    _, secret = add_account(scene.studio, handle="kim", name="Kim", memberships=PRODUCER)
    kim = housed.stranger()
    assert "Welcome, Kim" in kim.get(f"/welcome/{secret}").text
    for password, again, why in (
        ("short", "short", "12 to 256"),
        (PASSWORD, "other", "differ"),
        ("aaaaaaaaaaaaaa", "aaaaaaaaaaaaaa", "guessed"),
        ("passwordpassword", "passwordpassword", "guessed"),
        ("kim123456789", "kim123456789", "guessed"),
    ):
        told = kim.post(f"/welcome/{secret}", {"password": password, "again": again})
        assert (told.status_code, why in told.text) == (422, True), password
    told = kim.post(f"/welcome/{secret}", {"password": PASSWORD, "again": PASSWORD})
    assert told.headers["location"] == "/studio/you"
    assert kim.get("/").status_code == 200
    assert housed.stranger().get(f"/welcome/{secret}").status_code == 403
    housed.signed_in("kim")


def test_sessions_end_when_nothing_is_done_and_at_last(scene: Scene) -> None:
    housed = Housed(scene.studio, team=True)
    kim = housed.account("kim")
    for _ in range(3):
        scene.clock.now += IDLE - timedelta(minutes=2)
        assert kim.get("/").status_code == 200
    scene.clock.now += IDLE + timedelta(seconds=1)
    assert kim.get("/").status_code == 303
    kim = housed.signed_in("kim")
    begun = scene.clock.now
    while scene.clock.now < begun + ABSOLUTE - timedelta(minutes=31):
        scene.clock.now += timedelta(minutes=30)
        assert kim.get("/").status_code == 200
    scene.clock.now = begun + ABSOLUTE
    assert kim.get("/").status_code == 303


def test_nobody_chooses_anothers_session(scene: Scene) -> None:
    housed = Housed(scene.studio, team=True)
    housed.account("kim")
    victim = housed.stranger()
    victim.cookies["__Host-assent-studio"] = fixed = "a" * 43
    victim.post("/signin", {"handle": "kim", "password": PASSWORD})
    assert victim.cookies["__Host-assent-studio"] != fixed
    attacker = housed.stranger()
    attacker.cookies["__Host-assent-studio"] = fixed
    assert attacker.get("/").status_code == 303
    before = dict(victim.cookies)
    victim.get("/you")
    victim.post("/signin", {"handle": "kim", "password": PASSWORD})
    old = housed.stranger()
    old.cookies = before
    assert old.get("/").status_code == 303, "the session of before has ended"


def test_the_cookie_is_for_this_host_alone(scene: Scene) -> None:
    housed = Housed(scene.studio, team=True)
    housed.account("kim")
    told = housed.stranger().post("/signin", {"handle": "kim", "password": PASSWORD})
    cookie = told.headers["set-cookie"].lower()
    assert cookie.startswith("__host-")
    for part in ("httponly", "secure", "samesite=lax", "path=/"):
        assert part in cookie
    assert "domain" not in cookie
    with scene.studio.database.session() as session:
        kept = [row.id for row in session.query(SessionRow)]
        passwords = [row.password for row in session.query(AccountRow)]
    secret = told.headers["set-cookie"].partition("=")[2].partition(";")[0]
    assert secret not in kept
    assert all(str(each).startswith("$argon2id$") for each in passwords)


def test_tries_are_counted_by_address_and_by_account(scene: Scene) -> None:
    housed = Housed(scene.studio, team=True)
    housed.account("kim")
    guesser = housed.stranger()
    for _ in range(10):
        wrong = guesser.post("/signin", {"handle": "kim", "password": "guess guess"})
        assert "match" in wrong.text
    right = guesser.post("/signin", {"handle": "kim", "password": PASSWORD})
    assert (right.status_code, "too many tries" in right.text) == (403, True)
    elsewhere = housed.stranger()
    elsewhere.address = "198.51.100.7"
    assert elsewhere.post("/signin", {"handle": "kim", "password": PASSWORD}).status_code == 303
    for number in range(40):
        machine = housed.stranger()
        machine.address = f"198.51.100.{number + 10}"
        machine.post("/signin", {"handle": "kim", "password": "guess guess"})
    elsewhere = housed.stranger()
    elsewhere.address = "203.0.113.1"
    told = elsewhere.post("/signin", {"handle": "kim", "password": PASSWORD})
    assert "too many tries" in told.text, "many machines against one account"


def test_other_sites_cant_use_up_somebodys_tries(scene: Scene) -> None:
    housed = Housed(scene.studio, team=True)
    housed.account("kim")
    visitor = housed.stranger()
    for path in ("/enter?token=x", "/welcome/x") * 12:
        assert visitor.get(path).status_code == 403
    for _ in range(12):
        visitor.post(
            "/signin",
            {"handle": "kim", "password": "guess guess"},
            headers={"origin": "https://evil.example"},
        )
    right = visitor.post("/signin", {"handle": "kim", "password": PASSWORD})
    assert right.status_code == 303


def test_where_one_is_led_afterwards_is_in_the_studio(scene: Scene) -> None:
    housed = Housed(scene.studio, team=True)
    housed.account("kim")
    for wanted in (
        "https://evil.example/", "//evil.example", "/studio//evil.example", "/\\evil.example",
        "javascript:alert(1)", "/studio/\r\nSet-Cookie: a=b", "/home", "/studio/ä",
    ):  # fmt: skip
        told = housed.stranger().post(
            "/signin", {"handle": "kim", "password": PASSWORD, "next": wanted}
        )
        assert told.headers["location"] == "/studio/", wanted
    told = housed.stranger().post(
        "/signin", {"handle": "kim", "password": PASSWORD, "next": "/studio/you"}
    )
    assert told.headers["location"] == "/studio/you"


def test_a_password_is_changed_by_who_knows_it(scene: Scene) -> None:
    housed = Housed(scene.studio, team=True)
    kim, other = housed.account("kim"), housed.signed_in("kim")
    new = {"password": "four other words now", "again": "four other words now"}
    assert kim.post("/you/password", {"now": "guessed", **new}).status_code == 422
    assert kim.post("/you/password", {"now": PASSWORD, **new}).status_code == 303
    assert kim.get("/you").status_code == 200
    assert other.get("/you").status_code == 303, "other sessions have ended"


def challenge_in(asked: dict[str, Any]) -> bytes:
    text = str(asked["options"]["challenge"])
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def keep_passkey(visitor: Visitor) -> Authenticator:
    """Make a passkey for whose account that is."""
    device = Authenticator(rp_id=PLACE.rp_id, origin=PLACE.origin)
    asked = json.loads(visitor.post("/you/passkey/offer", data={}).text)
    made = {"nonce": asked["nonce"], "passkey": device.register(challenge_in(asked))}
    assert visitor.post("/you/passkey", data=made).status_code == 200
    return device


def sign_in(housed: Housed, device: Authenticator) -> int:
    """Try a passkey; returns the status."""
    visitor = housed.stranger()
    begun = json.loads(visitor.post("/signin/challenge", data={}).text)
    said = device.answer(challenge_in(begun))
    sent = {"nonce": begun["nonce"], "id": b64(device.credential_id), **said}
    return visitor.post("/signin/passkey", data=sent).status_code


def test_passkeys(scene: Scene) -> None:
    housed = Housed(scene.studio, team=True)
    kim = housed.account("kim")
    device = Authenticator(rp_id=PLACE.rp_id, origin=PLACE.origin)
    asked = json.loads(kim.post("/you/passkey/offer", data={}).text)
    made = {"nonce": asked["nonce"], "passkey": device.register(challenge_in(asked))}
    assert kim.post("/you/passkey", data=made).status_code == 200
    assert kim.post("/you/passkey", data=made).status_code == 403, "a challenge is good for once"
    assert "1 passkey" in kim.get("/you").text
    assert sign_in(housed, device) == 200
    twin = Authenticator(rp_id=PLACE.rp_id, origin=PLACE.origin)
    assert sign_in(housed, twin) == 403, "the same name, another key"
    assert kim.post("/you/passkeys/forget").status_code == 303
    assert sign_in(housed, device) == 403


def test_without_accounts_there_is_none_to_change(scene: Scene) -> None:
    holder = Housed(scene.studio).holder()
    assert holder.post("/you/password", {"now": "x"}).status_code == 404
    assert holder.post("/signin", {"handle": "kim", "password": PASSWORD}).status_code == 404
    assert holder.get("/welcome/x").status_code == 404


def test_a_project_that_is_not_ones_own_is_not_listed(scene: Scene) -> None:
    other = create_project(scene.studio, brief_with(title="Another film"))
    housed = Housed(scene.studio, team=True)
    told = housed.account("kim", Membership(Role.PRODUCER, other.project_id)).get("/").text
    assert "Another film" in told
    assert scene.purpose.brief.title not in told
    subject = housed.account(
        "ada", Membership(Role.SUBJECT, scene.purpose.project_id), person_id=scene.ada.id
    )
    assert "your own place" in subject.get("/").text
    assert subject.get(f"/p/{scene.purpose.slug}").status_code == 403


def test_what_passwords_are() -> None:
    passwords = cheap_passwords()
    stored = passwords.hash(PASSWORD, handle="kim")
    assert passwords.matches(stored, PASSWORD)
    assert not passwords.matches(stored, f"{PASSWORD} ")
    assert not passwords.matches(None, "nobody has this password")
    assert not passwords.matches("broken", PASSWORD)
    assert passwords.hash(PASSWORD, handle="kim") != stored


class Counted(Passwords):
    """Passwords that take a while, and how many were tried."""

    tries = 0

    def matches(self, stored: str | None, password: str) -> bool:
        self.tries += 1
        time.sleep(0.02)
        return super().matches(stored, password)


def test_tries_that_come_at_once_are_counted_like_others(scene: Scene) -> None:
    passwords = Counted(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    entrance = Entrance.of(scene.studio, PLACE, passwords=passwords)

    def guess(number: int) -> None:
        with pytest.raises(NotClearedError):
            entrance.by_password(f"somebody{number}", "wrong password", address="192.0.2.9")

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(guess, range(20)))
    assert passwords.tries == 10
