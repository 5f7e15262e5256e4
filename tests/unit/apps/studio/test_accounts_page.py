"""The page of accounts: who is let in, by whom, and what a link is worth."""

import re
from typing import TYPE_CHECKING

from housed import PASSWORD, Housed

from assent.apps.access.accounts import find_account
from assent.apps.access.permissions import Role
from assent.apps.access.who import Membership

if TYPE_CHECKING:
    from studios import Scene


def link_in(page: str) -> str:
    (secret,) = re.findall(r"https://studio\.example/studio/welcome/([\w-]+)", page)
    return str(secret)


def test_somebody_is_invited_and_gets_in_by_the_link(scene: "Scene") -> None:
    housed = Housed(scene.studio, team=True)
    lead = housed.account("lead")
    asked = {
        "handle": "kim", "name": "Kim <b>", "role": "reviewer", "place": scene.purpose.slug,
        "person": "",
    }  # fmt: skip
    told = lead.post("/accounts", asked)
    secret = link_in(told.text)
    assert "Kim &lt;b&gt;" in told.text
    assert secret not in lead.get("/accounts").text, "it is shown once"
    assert find_account(scene.studio, "kim").memberships == (
        Membership(Role.REVIEWER, scene.purpose.project_id),
    )
    kim = housed.stranger()
    assert "Welcome" in kim.get(f"/welcome/{secret}").text
    assert (
        kim.post(f"/welcome/{secret}", {"password": PASSWORD, "again": PASSWORD}).status_code == 303
    )
    assert kim.get("/accounts").status_code == 403
    again = lead.post("/accounts", asked)
    assert (again.status_code, "already an account" in again.text) == (422, True)
    subject = asked | {"handle": "ada", "role": "subject"}
    assert "belongs to a person" in lead.post("/accounts", subject).text
    assert "/welcome/" in lead.post("/accounts", subject | {"person": "ada"}).text
    for wrong in ({"role": "king"}, {"place": "nowhere"}, {"person": "nobody"}):
        assert lead.post("/accounts", asked | {"handle": "max"} | wrong).status_code == 422


def test_roles_are_given_and_taken_and_an_account_disabled_and_reset(scene: "Scene") -> None:
    housed = Housed(scene.studio, team=True)
    lead, kim = housed.account("lead"), housed.account("kim", Membership(Role.AUDITOR))
    path = f"/accounts/{find_account(scene.studio, 'kim').id}"
    role = {"role": "reviewer", "place": scene.purpose.slug}
    assert lead.post(f"{path}/role", role).status_code == 303
    reviewer = Membership(Role.REVIEWER, scene.purpose.project_id)
    assert reviewer in find_account(scene.studio, "kim").memberships
    assert "has a role more" in lead.get("/accounts").text
    assert lead.post(f"{path}/role/drop", role).status_code == 303
    assert reviewer not in find_account(scene.studio, "kim").memberships
    auditor = {"role": "auditor", "place": ""}
    assert lead.post(f"{path}/role/drop", auditor).status_code == 400, "the last one stays"
    assert kim.get("/accounts").status_code == 200
    assert "Invite somebody" not in kim.get("/accounts").text, "who reads only changes nothing"
    assert lead.post(f"{path}/disable").status_code == 303
    assert kim.get("/").status_code == 303
    assert "Let in again" in lead.get("/accounts").text
    assert lead.post(f"{path}/enable").status_code == 303
    assert housed.signed_in("kim").get("/").status_code == 200
    secret = link_in(lead.post(f"{path}/reset").text)
    assert housed.stranger().get(f"/welcome/{secret}").status_code == 200
    assert (
        housed.stranger().post("/signin", {"handle": "kim", "password": PASSWORD}).status_code
        == 403
    )


def test_nobody_changes_their_own_account_or_none(scene: "Scene") -> None:
    housed = Housed(scene.studio, team=True)
    lead = housed.account("lead")
    own = find_account(scene.studio, "lead").id
    for act in ("disable", "enable", "reset", "role", "role/drop"):
        assert lead.post(f"/accounts/{own}/{act}").status_code == 400
        assert lead.post(f"/accounts/{'0' * 32}/{act}").status_code == 404
    assert find_account(scene.studio, "lead").disabled is None


def test_who_is_alone_is_told_so(scene: "Scene") -> None:
    holder = Housed(scene.studio).holder()
    page = holder.get("/accounts").text
    assert "for you alone" in page
    assert "No accounts yet" in page
    assert 'href="/studio/accounts"' not in holder.get("/").text
