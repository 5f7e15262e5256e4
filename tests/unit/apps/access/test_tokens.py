import re
from datetime import timedelta

import pytest
from studios import Scene

from assent.apps.access.accounts import add_account, remove_account, set_roles
from assent.apps.access.permissions import Action, Role
from assent.apps.access.tokens import (
    LONGEST,
    TokenError,
    issue,
    list_tokens,
    revoke,
    who_holds,
)
from assent.apps.access.who import Membership
from assent.kit.errors import AssentError, InputError, NotFoundError
from assent.kit.store.api_tables import TokenRow

READ = [Action.READ_PROJECT]


def account(scene: Scene, *memberships: Membership) -> str:
    made, _ = add_account(
        scene.studio, handle="kim", name="Kim", memberships=memberships or [Membership(PRODUCER)]
    )
    return made.id


PRODUCER = Role.PRODUCER


def test_a_token_acts_for_its_account_with_its_scopes(scene: Scene) -> None:
    token, secret = issue(scene.studio, account(scene), name="edit suite", scopes=READ)
    found, who = who_holds(scene.studio, secret)
    assert found.id == token.id
    assert who.may(Action.READ_PROJECT, scene.purpose.project_id)
    assert not who.may(Action.RELEASE, scene.purpose.project_id)


def test_only_a_hash_of_it_is_kept(scene: Scene) -> None:
    token, secret = issue(scene.studio, None, name="edit suite", scopes=READ)
    assert re.fullmatch(r"assent_[\w-]{51}", secret)
    with scene.studio.database.session() as session:
        row = session.get_one(TokenRow, token.id)
        kept = str({name: getattr(row, name) for name in TokenRow.__table__.columns.keys()})  # noqa: SIM118
    assert secret not in kept
    assert secret[7:50] not in kept
    assert secret not in str(token.to_json())


def test_an_expired_one_is_refused_as_a_wrong_one_is(scene: Scene) -> None:
    token, secret = issue(
        scene.studio, None, name="edit suite", scopes=READ, lifetime=timedelta(days=2)
    )
    scene.clock.now += timedelta(days=2)
    messages = set()
    wrong = [secret, "", "assent_", secret[:-1] + "x", secret.upper(), "\ud800", "é" * 9]
    for each in wrong:
        with pytest.raises(TokenError) as error:
            who_holds(scene.studio, each)
        messages.add(str(error.value))
    assert len(messages) == 1
    assert token.id not in {each.id for each in list_tokens(scene.studio)}


def test_a_revoked_one_is_refused_at_once(scene: Scene) -> None:
    token, secret = issue(scene.studio, None, name="edit suite", scopes=READ)
    assert who_holds(scene.studio, secret)[0].used is None
    assert list_tokens(scene.studio)[0].used is not None
    assert revoke(scene.studio, token.id[:8]).revoked is not None
    with pytest.raises(TokenError):
        who_holds(scene.studio, secret)
    for nobody in ("", "zz"):
        with pytest.raises(NotFoundError):
            revoke(scene.studio, nobody)


def test_it_may_no_more_than_its_account_may_now(scene: Scene) -> None:
    _, secret = issue(scene.studio, account(scene), name="edit suite", scopes=list(Action))
    assert who_holds(scene.studio, secret)[1].may(Action.RELEASE)
    set_roles(scene.studio, "kim", [Membership(Role.AUDITOR)])
    who = who_holds(scene.studio, secret)[1]
    assert (who.may(Action.RELEASE), who.may(Action.READ_LOG)) == (False, True)
    remove_account(scene.studio, "kim")
    with pytest.raises(TokenError):
        who_holds(scene.studio, secret)


def test_it_can_be_for_some_projects_alone(scene: Scene) -> None:
    own = scene.purpose.project_id
    _, secret = issue(
        scene.studio, None, name="edit suite", scopes=list(Action), projects=[own, "gone"]
    )
    who = who_holds(scene.studio, secret)[1]
    assert who.may(Action.RELEASE, own)
    assert not who.may(Action.RELEASE, "another")
    assert not who.may(Action.CREATE_PROJECT)
    narrow = Membership(PRODUCER, own)
    _, secret = issue(
        scene.studio, account(scene, narrow), name="both", scopes=READ, projects=["other"]
    )
    assert who_holds(scene.studio, secret)[1].memberships == ()


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"name": " "}, InputError),
        ({"name": "a\nb"}, InputError),
        ({"scopes": []}, InputError),
        ({"projects": []}, InputError),
        ({"lifetime": timedelta(0)}, InputError),
        ({"lifetime": LONGEST + timedelta(days=1)}, InputError),
        ({"account_id": "nobody"}, NotFoundError),
    ],
)
def test_a_senseless_one_is_not_made(
    scene: Scene, changes: dict[str, object], kind: type[AssentError]
) -> None:
    fields: dict[str, object] = {"account_id": None, "name": "edit suite", "scopes": READ}
    with pytest.raises(kind):
        issue(scene.studio, **{**fields, **changes})  # type: ignore[arg-type]
    assert list_tokens(scene.studio) == ()


def test_tokens_are_listed_by_account(scene: Scene) -> None:
    mine = account(scene)
    issue(scene.studio, mine, name="edit suite", scopes=READ)
    issue(scene.studio, None, name="holder's", scopes=READ)
    assert [each.name for each in list_tokens(scene.studio, mine)] == ["edit suite"]
    assert len(list_tokens(scene.studio)) == 2
