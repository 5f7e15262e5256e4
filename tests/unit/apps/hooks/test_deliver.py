import json
import time
from dataclasses import replace
from datetime import timedelta
from socket import create_connection, socket
from typing import Any

import pytest
from served import Served, answer, serve
from sqlalchemy import select
from studios import Scene, agree

from assent.apps.access.accounts import add_account, remove_account, set_roles
from assent.apps.access.permissions import Role
from assent.apps.access.who import Membership
from assent.apps.hooks.deliver import BACK_OFF, GIVES_UP_AFTER, deliver, is_due
from assent.apps.hooks.herald import Herald
from assent.apps.hooks.webhooks import (
    OVERLAP,
    Webhook,
    add_webhook,
    change_webhook,
    find_webhook,
    keys_of,
    list_webhooks,
    remove_webhook,
    renew_key,
)
from assent.consent.withdrawal import withdraw
from assent.kit.errors import AssentError, InputError, NotFoundError
from assent.kit.fetch.wire import Fetch, Limits
from assent.kit.jobs.queue import Queue
from assent.kit.store.api_tables import DeliveryRow
from assent.kit.store.events import note_event
from assent.kit.store.studio import Studio
from assent.kit.webhook import read_message

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])
RELEASE = "release.made"


def happen(scene: Scene, kind: str = RELEASE, project: str | None = "", **ids: str) -> None:
    with scene.studio.database.session() as session:
        note_event(
            session, kind, moment=scene.clock(),
            project_id=scene.purpose.project_id if project == "" else project,
            ids=ids or {"release": "0a"},
        )  # fmt: skip


def hook_to(scene: Scene, served: Served, *kinds: str, **more: Any) -> tuple[Webhook, str]:  # noqa: ANN401 - fields
    return add_webhook(
        scene.studio, url=f"{served.url}hook", kinds=kinds or (RELEASE,), own=True,
        **{"account_id": None, **more},
    )  # fmt: skip


def messages(served: Served, key: str, scene: Scene) -> list[dict[str, Any]]:
    """What came, each message checked as a receiver does."""
    found = []
    for request in served.requests:
        head, _, body = request.partition(b"\r\n\r\n")
        lines = [line.split(": ", 1) for line in head.decode().split("\r\n")[1:]]
        headers = dict(lines)
        now = scene.clock().timestamp()
        told = read_message(body, headers, keys=[key], now=now)
        found.append({"id": headers["webhook-id"], **told})
    return found


def test_an_event_arrives_signed_and_holds_ids_alone(scene: Scene) -> None:
    with serve(answer()) as served:
        _, key = hook_to(scene, served, RELEASE, "consent.given", "consent.withdrawn")
        assert not is_due(scene.studio)
        record = agree(scene.studio, scene.purpose, scene.ada).record.record_id
        withdraw(scene.studio, record)
        happen(scene)
        assert is_due(scene.studio)
        assert deliver(scene.studio) == {"delivered": 3, "failed": 0}
        assert deliver(scene.studio) == {"delivered": 0, "failed": 0}
    told = messages(served, key, scene)
    assert [each["type"] for each in told] == ["consent.given", "consent.withdrawn", RELEASE]
    ids = {"event", "project", "consent", "person"}
    assert set(told[0]["data"]) == ids
    assert told[0]["data"]["person"] == scene.ada.id
    assert b"Ada" not in b"".join(served.requests)
    assert b"ada" not in b"".join(served.requests)


def test_what_fails_is_sent_again_ever_later_with_the_same_id(scene: Scene) -> None:
    said = iter([answer(b"", "500 Oops"), answer(b"", "302 Found", "Location: /x"), answer()])

    def say(connection: socket, request: bytes) -> None:
        connection.sendall(next(said))

    with serve(say) as served:
        hook, key = hook_to(scene, served)
        happen(scene)
        assert deliver(scene.studio)["failed"] == 1
        assert deliver(scene.studio) == {"delivered": 0, "failed": 0}
        assert not is_due(scene.studio)
        scene.clock.now += BACK_OFF[0]
        assert is_due(scene.studio)
        assert deliver(scene.studio)["failed"] == 1
        assert find_webhook(scene.studio, hook.id).failing_since is not None
        scene.clock.now += BACK_OFF[1]
        assert deliver(scene.studio)["delivered"] == 1
    assert find_webhook(scene.studio, hook.id).failing_since is None
    assert len({each["id"] for each in messages(served, key, scene)}) == 1


def test_a_message_is_given_up_in_the_end_and_an_address_too(scene: Scene) -> None:
    with serve(answer(b"", "503 Busy")) as served:
        hook, _ = hook_to(scene, served, RELEASE)
        other, _ = add_webhook(
            scene.studio, account_id=None, url=f"{served.url}other", kinds=["webhook.disabled"],
            own=True,
        )  # fmt: skip
        happen(scene)
        began = scene.clock()
        while find_webhook(scene.studio, hook.id).state == "active":
            deliver(scene.studio)
            scene.clock.now += timedelta(hours=6)
        assert scene.clock() - began >= GIVES_UP_AFTER
        told = find_webhook(scene.studio, hook.id)
        assert (told.state, told.reason) == ("disabled", "it has taken nothing for three days")
        deliver(scene.studio)
    bodies = [request.partition(b"\r\n\r\n")[2] for request in served.requests]
    disabled = [json.loads(b) for b in bodies if b"webhook.disabled" in b]
    assert disabled[0]["data"]["webhook"] == hook.id
    happen(scene)
    assert change_webhook(scene.studio, hook.id, active=True).state == "active"
    assert find_webhook(scene.studio, hook.id).reason is None
    assert other.id


def test_a_message_that_nobody_takes_ends(scene: Scene) -> None:
    said = iter([answer(b"", "500 Oops"), *[answer()] * 99])

    def say(connection: socket, request: bytes) -> None:
        connection.sendall(answer(b"", "500 Oops") if b"0bad" in request else next(said))

    with serve(say) as served:
        hook_to(scene, served)
        happen(scene, release="0bad")
        for wait in (*BACK_OFF, timedelta(0)):
            deliver(scene.studio)
            # Others arrive meanwhile, so the address itself is alive.
            happen(scene, release="0a")
            scene.clock.now += wait
            deliver(scene.studio)
        for _ in range(3):
            scene.clock.now += timedelta(days=1)
            deliver(scene.studio)
    with scene.studio.database.session() as session:
        states = {row.state for row in session.scalars(select(DeliveryRow))}
    assert states == {"delivered", "given-up"}


def test_one_that_is_gone_is_told_nothing_more(scene: Scene) -> None:
    with serve(answer(b"", "410 Gone")) as served:
        hook, _ = hook_to(scene, served)
        happen(scene)
        deliver(scene.studio)
    assert find_webhook(scene.studio, hook.id).state == "disabled"


def test_one_address_that_hangs_holds_the_others_up_once(scene: Scene) -> None:
    with serve(answer()) as served:
        nobody = replace(served, port=9)
        hook_to(scene, nobody)
        hook_to(scene, served)
        for _ in range(3):
            happen(scene)
        assert deliver(scene.studio) == {"delivered": 3, "failed": 1}


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1/", "http://169.254.169.254/latest", "http://[::1]/", "http://10.0.0.1/"],
)
def test_a_strangers_address_leads_into_no_private_network(scene: Scene, url: str) -> None:
    hook, _ = add_webhook(scene.studio, account_id=None, url=url, kinds=[RELEASE])
    happen(scene)
    assert deliver(scene.studio)["failed"] == 1
    with scene.studio.database.session() as session:
        row = session.scalars(select(DeliveryRow)).one()
        assert "private network" in str(row.problem)
    rebound = Fetch(resolve=lambda host, port: ["93.184.215.14", "127.0.0.1"])
    scene.clock.now += BACK_OFF[0]
    assert deliver(scene.studio, how=rebound)["failed"] == 1
    assert hook.own is False


@pytest.mark.parametrize("url", ["", "ftp://a.example", "https://u:p@a.example/", "javascript:1"])
def test_an_address_that_is_none_is_not_kept(scene: Scene, url: str) -> None:
    with pytest.raises(AssentError):
        add_webhook(scene.studio, account_id=None, url=url, kinds=[RELEASE])
    with pytest.raises(InputError, match="kind"):
        add_webhook(scene.studio, account_id=None, url="https://a.example", kinds=["all"])
    with pytest.raises(InputError, match="kind"):
        add_webhook(scene.studio, account_id=None, url="https://a.example", kinds=[])
    assert list_webhooks(scene.studio) == ()


def test_who_may_not_see_it_any_more_is_not_told(scene: Scene) -> None:
    own = scene.purpose.project_id
    account, _ = add_account(
        scene.studio, handle="kim", name="Kim", memberships=[Membership(Role.PRODUCER, own)]
    )
    with serve(answer()) as served:
        hook_to(scene, served, account_id=account.id, projects=[own])
        happen(scene)
        happen(scene, project=None)
        happen(scene, kind="sighting.found")
        assert deliver(scene.studio)["delivered"] == 1
        set_roles(scene.studio, "kim", [Membership(Role.PRODUCER, _another(scene))])
        happen(scene)
        assert deliver(scene.studio)["delivered"] == 0
        remove_account(scene.studio, "kim")
        happen(scene)
        deliver(scene.studio)
    (left,) = list_webhooks(scene.studio)
    assert (left.state, left.reason) == ("disabled", "whoever made it is gone")


def _another(scene: Scene) -> str:
    from studios import brief_with

    from assent.purpose.projects import create_project

    return create_project(scene.studio, brief_with(), slug="other").project_id


def test_a_new_key_takes_the_old_ones_place_after_a_day(scene: Scene) -> None:
    with serve(answer()) as served:
        hook, old = hook_to(scene, served)
        new = renew_key(scene.studio, hook.id)
        assert keys_of(scene.studio, hook.id) == (new, old)
        happen(scene)
        deliver(scene.studio)
        assert messages(served, old, scene)
        assert messages(served, new, scene)
        scene.clock.now += OVERLAP
        assert keys_of(scene.studio, hook.id) == (new,)
    newest = renew_key(scene.studio, hook.id)
    assert keys_of(scene.studio, hook.id) == (newest, new)


def test_keys_are_sealed_and_go_with_the_webhook(scene: Scene) -> None:
    hook, key = add_webhook(
        scene.studio, account_id=None, url="https://a.example/", kinds=[RELEASE]
    )
    for path in scene.studio.folder.rglob("*"):
        if path.is_file():
            assert key[6:30].encode() not in path.read_bytes(), path
    remove_webhook(scene.studio, hook.id)
    remove_webhook(scene.studio, hook.id)
    assert not [name for name in scene.studio.secrets.names() if "webhook" in name]
    with pytest.raises(NotFoundError):
        find_webhook(scene.studio, hook.id)


def test_a_paused_one_misses_what_happens_meanwhile(scene: Scene) -> None:
    with serve(answer()) as served:
        hook, key = hook_to(scene, served)
        change_webhook(scene.studio, hook.id, active=False)
        happen(scene)
        assert not is_due(scene.studio)
        change_webhook(scene.studio, hook.id, active=True, kinds=["job.ended"])
        happen(scene, kind="job.ended", job="1", work="render")
        assert deliver(scene.studio)["delivered"] == 1
    assert [each["type"] for each in messages(served, key, scene)] == ["job.ended"]


def jobs(studio: Studio, scene: Scene) -> int:
    return len(Queue(studio.database, scene.clock).list())


def test_the_herald_asks_for_one_job_at_a_time(scene: Scene) -> None:
    moment = [0.0]
    herald = Herald(scene.studio, clock=lambda: moment[0])
    add_webhook(scene.studio, account_id=None, url="https://a.example/", kinds=[RELEASE])
    assert not herald.tick()
    happen(scene)
    assert [herald.tick(), herald.tick()] == [True, True]
    assert jobs(scene.studio, scene) == 1


def test_that_it_was_told_is_not_told(scene: Scene) -> None:
    with serve(answer()) as served:
        hook_to(scene, served, "job.ended")
        queue = Queue(scene.studio.database, scene.clock)
        queue.cancel(queue.put("verify", None, {}).id)
        assert is_due(scene.studio)
        assert deliver(scene.studio) == {"delivered": 1, "failed": 0}
        queue.cancel(queue.put("webhooks", None, {}).id)
        assert not is_due(scene.studio)
        assert deliver(scene.studio) == {"delivered": 0, "failed": 0}


def test_a_consent_that_ends_soon_is_told_once(scene: Scene) -> None:
    moment = [0.0]
    herald = Herald(scene.studio, clock=lambda: moment[0])
    with serve(answer()) as served:
        _, key = hook_to(scene, served, "consent.expiring")
        herald.tick()
        assert deliver(scene.studio)["delivered"] == 0
        scene.clock.to("2027-10-20")
        for _ in range(3):
            moment[0] += 601
            herald.tick()
        assert deliver(scene.studio)["delivered"] == 2
    people = {each["data"]["person"] for each in messages(served, key, scene)}
    assert people == {scene.ada.id, scene.ben.id}


def test_a_slow_address_is_waited_for_no_longer_than_allowed(scene: Scene) -> None:
    def say(connection: socket, request: bytes) -> None:
        connection.settimeout(30)
        connection.recv(1)

    limits = Limits(seconds=1.0, silence=0.5)
    with serve(say) as served:
        hook_to(scene, served)
        happen(scene)
        began = time.monotonic()
        assert deliver(scene.studio, how=Fetch(limits=limits))["failed"] == 1
        assert time.monotonic() - began < 15


def test_many_silent_addresses_hold_a_round_up_for_no_longer_than_one_does(scene: Scene) -> None:
    """What is left stays due; who takes what is sent comes first from then on."""
    moment = [0.0]

    def connect(address: tuple[str, int], seconds: float) -> socket:
        moment[0] += seconds
        raise TimeoutError

    silent = [
        add_webhook(
            scene.studio, account_id=None, url=f"http://silent{number}.example/", kinds=[RELEASE]
        )[0]
        for number in range(49)
    ]
    public = Fetch(
        limits=Limits(seconds=10.0, silence=5.0), connect=connect,
        resolve=lambda host, port: ["93.184.215.14"], clock=lambda: moment[0],
    )  # fmt: skip
    for _ in range(3):
        happen(scene)
    rounds, asked = 0, 0
    while is_due(scene.studio):
        began = moment[0]
        asked += deliver(scene.studio, how=public, monotonic=lambda: moment[0])["failed"]
        assert moment[0] - began <= 40
        rounds += 1
    # Each was asked once for its three messages, and the others wait as long as that one.
    assert asked == len(silent)
    assert rounds > 5
    with serve(answer()) as served:
        hook_to(scene, served)
        happen(scene)
        mixed = Fetch(
            limits=public.limits, clock=lambda: moment[0],
            connect=lambda address, seconds: (
                _dial(address, seconds) if address[0] == "127.0.0.1" else connect(address, seconds)
            ),
            resolve=lambda host, port: (
                ["127.0.0.1"] if host == "127.0.0.1" else ["93.184.215.14"]
            ),
        )  # fmt: skip
        assert deliver(scene.studio, how=mixed, monotonic=lambda: moment[0])["delivered"] == 1


def _dial(address: tuple[str, int], seconds: float) -> socket:
    return create_connection(address, seconds)


def test_one_message_that_is_refused_holds_no_other_up(scene: Scene) -> None:
    def say(connection: socket, request: bytes) -> None:
        connection.sendall(answer(b"", "500 Oops") if b"0bad" in request else answer())

    with serve(say) as served:
        hook_to(scene, served)
        happen(scene, release="0bad")
        happen(scene, release="0a")
        assert deliver(scene.studio) == {"delivered": 0, "failed": 1}
        assert deliver(scene.studio) == {"delivered": 1, "failed": 0}
