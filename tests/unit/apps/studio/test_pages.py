"""The wizard, people, claims and signatures: what the pages do, and what they refuse."""

import io
import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from browser_signs import signature
from housed import Housed, Visitor
from reports import report
from studios import PRODUCER, Scene, add_draft, add_member, agree, brief_with

from assent.apps.access.accounts import find_account
from assent.apps.access.permissions import Role
from assent.apps.access.who import Membership
from assent.apps.public.checks import Checks
from assent.apps.studio.routes import PAGES
from assent.consent.invitations import choose, find_invitation
from assent.consent.people import add_person, find_person, list_people
from assent.consent.receipt import sign_record
from assent.consent.sitting import Checked, conclude, prepare
from assent.consent.terms import Choices
from assent.kit.hashing import hash_file
from assent.kit.signing import new_key, public_of, to_jwk
from assent.kit.store.case_tables import CaseRow
from assent.kit.store.tables import ConsentRow, InvitationRow, ProjectRow, ReleaseRow, TickRow
from assent.purpose.projects import create_project, find_project
from assent.purpose.questionnaire import QUESTIONS
from assent.verify.findings import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

HOSTILE = "<img src=x onerror=alert(1)>\"'&{{7*7}}"


@pytest.fixture
def housed(scene: Scene) -> Housed:
    return Housed(scene.studio)


@pytest.fixture
def holder(housed: Housed) -> Visitor:
    return housed.holder()


def answers(**changes: str) -> dict[str, Any]:
    """The wizard, filled in."""
    return {
        "title": "A lesson", "purpose": "Show how it is made.", "category": "education",
        "audience": "Classes", "channels": "classroom, website", "jurisdictions": "EU",
        "languages": ["en"], "starts": "2026-11-20", "ends": "2027-11-19",
        **{question.name: "no" for question in QUESTIONS}, **changes,
    }  # fmt: skip


def projects(scene: Scene) -> int:
    with scene.studio.database.session() as session:
        return session.query(ProjectRow).count()


# The wizard


def test_the_wizard_makes_a_project(holder: Visitor, scene: Scene) -> None:
    told = holder.post("/new", answers(name="my-lesson", realistic="yes"))
    assert told.headers["location"] == "/studio/p/my-lesson"
    brief = find_project(scene.studio, "my-lesson").brief
    assert brief.channels == ("classroom", "website")
    assert brief.risk.realistic
    assert "is begun" in holder.get("/p/my-lesson").text


def test_every_question_must_be_answered(holder: Visitor, scene: Scene) -> None:
    before = projects(scene)
    form = answers()
    del form["crime"]
    told = holder.post("/new", form)
    assert told.status_code == 422
    assert "not answered yet: Is anyone shown committing" in told.text
    assert 'value="A lesson"' in told.text, "what was written is still there"
    assert holder.post("/new", answers(ends="2026-01-01")).status_code == 422
    assert holder.post("/new", answers(name="../evil")).status_code == 422
    assert holder.post("/new", answers(category="weapon")).status_code == 422
    assert projects(scene) == before


def test_a_forbidden_purpose_is_refused_with_its_rule(holder: Visitor, scene: Scene) -> None:
    before = projects(scene)
    told = holder.post("/new", answers(intimate="yes"))
    assert told.status_code == 403
    assert "refused by rule" in told.text
    assert projects(scene) == before


def test_what_the_rules_say_is_told_while_it_is_written(holder: Visitor) -> None:
    empty = json.loads(holder.post("/new/judge", {}).text)
    assert empty["problem"] is None
    form = answers()
    before = json.loads(holder.post("/new/judge", form).text)
    after = json.loads(holder.post("/new/judge", {**form, "political": "yes"}).text)
    new = {each["rule"] for each in after["rulings"]} - {each["rule"] for each in before["rulings"]}
    assert new
    assert all("political" in each["answers"] for each in after["rulings"] if each["rule"] in new)
    refused = json.loads(holder.post("/new/judge", {**form, "intimate": "yes"}).text)
    assert refused["refusal"]
    broken = json.loads(holder.post("/new/judge", {**form, "ends": "yesterday"}).text)
    assert "ends" in broken["problem"]


def test_claims_come_with_their_sources(holder: Visitor, scene: Scene) -> None:
    form = answers(real_world_claims="yes", name="claims")
    told = holder.post(
        "/new",
        {**form, "claim": ["It rained.", ""], "claim_source": ["https://example.org", ""]},
    )
    assert told.status_code == 303
    (claim,) = find_project(scene.studio, "claims").brief.claims
    assert (claim.text, claim.source) == ("It rained.", "https://example.org")


# People


def offer(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of a form
    return {
        "name": "Dora", "handle": "dora", "adult": "yes", "modalities": ["face"],
        "acts": ["ingest", "train", "portray"], "hours": "48", "language": "de", **changes,
    }  # fmt: skip


def test_a_link_is_made_and_shown_once(holder: Visitor, scene: Scene) -> None:
    slug = scene.purpose.slug
    told = holder.post(f"/p/{slug}/people/ask", offer())
    assert told.status_code == 200
    (link,) = set(re.findall(r"https://studio\.example(/c/[\w-]+)", told.text))
    assert "Dora" in holder.send("GET", link).text, "the ceremony answers it"
    assert "Asked" in holder.get(f"/p/{slug}/people").text
    shown = holder.get(f"/p/{slug}/people/dora")
    assert shown.status_code == 200
    assert link not in shown.text
    again = holder.post(f"/p/{slug}/people/ask", offer(person="dora"))
    assert link not in again.text
    assert holder.send("GET", link).status_code == 403, "a new link ends the one before"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"adult": ""}, "minors"),
        ({"handle": "", "name": ""}, "nobody is named"),
        ({"handle": "ada"}, "taken"),
        ({"handle": "NO"}, "handle"),
        ({"person": "nobody"}, "nobody is named"),
        ({"acts": []}, "acts"),
        ({"acts": ["everything"]}, "can&#39;t be read"),
        ({"ends": "soon"}, "can&#39;t be read"),
        ({"most_releases": "many"}, "can&#39;t be read"),
        ({"hours": "-1"}, "hours"),
        ({"hours": "9999"}, "days"),
        ({"forbidden": ["nothing"]}, "forbidden"),
    ],
)
def test_offers_that_make_no_sense(
    holder: Visitor, scene: Scene, changes: "Mapping[str, Any]", why: str
) -> None:
    told = holder.post(f"/p/{scene.purpose.slug}/people/ask", offer(**changes))
    assert (told.status_code, why in told.text) == (422, True), told.text
    with scene.studio.database.session() as session:
        assert session.query(InvitationRow).count() == 0


def test_a_consent_is_ended_by_who_is_sure(holder: Visitor, scene: Scene) -> None:
    slug = scene.purpose.slug
    assert "Agreed" in holder.get(f"/p/{slug}/people/ada").text
    unsure = holder.post(f"/p/{slug}/people/ada/end", {"sure": "yes"})
    assert unsure.status_code == 400
    told = holder.post(f"/p/{slug}/people/ada/end", {"sure": "ada"})
    assert told.status_code == 303
    page = holder.get(f"/p/{slug}/people").text
    assert "has ended" in page
    assert "Withdrawn" in page
    assert holder.post(f"/p/{slug}/people/ada/end", {"sure": "ada"}).status_code == 400
    with scene.studio.database.session() as session:
        states = {row.person_id: row.state for row in session.query(ConsentRow)}
    assert states[scene.ada.id] == "withdrawn"


def test_what_ends_soon_is_told(holder: Visitor, scene: Scene) -> None:
    with scene.studio.database.session() as session:
        row = session.query(ConsentRow).filter_by(person_id=scene.ada.id).one()
        ends = row.document["scope"]["ends"]
    scene.clock.to(ends)
    # A session of that day: the one of before has ended.
    late = Housed(scene.studio).holder()
    assert "Ends soon" in late.get(f"/p/{scene.purpose.slug}/people").text
    scene.clock.to(f"{int(ends[:4]) + 1}{ends[4:]}")
    gone = Housed(scene.studio).holder()
    assert "Run out" in gone.get(f"/p/{scene.purpose.slug}/people").text


def test_what_a_file_is_names_no_project_that_who_asks_may_not_see(scene: Scene) -> None:
    draft = add_draft(scene.studio, scene.purpose, donor=scene.ben, performer=scene.ada)
    other = create_project(scene.studio, brief_with(title="Another film"))
    with scene.studio.database.session() as session:
        session.add(ReleaseRow(asset_id="a" * 16, draft_id=draft, state="released", created="t"))
    housed = Housed(scene.studio, team=True)
    verifier = {"name": "assent", "version": "1"}
    for handle, project, named in (("here", scene.purpose, True), ("there", other, False)):
        visitor = housed.account(handle, Membership(Role.REVIEWER, project.project_id))
        check = json.loads(visitor.post("/verify", data={"name": "x.mp4", "size": 9}).text)
        checks = housed.house.services.get(Checks, lambda: pytest.fail("it is there"))
        checks.find(check["ticket"]).result = {
            "file": "x.mp4", "summary": "", "layers": [], "sha256": "", "size": 9,
            "checked": "2026-11-20T12:00:00Z", "verifier": verifier,
            "verdict": Verdict.SEALED.value, "consent_withdrawn": False, "ended": None,
            "asset_id": "a" * 16,
        }  # fmt: skip
        page = visitor.get(f"/verify/{check['ticket']}").text
        assert "What was looked at" in page
        assert (f"/p/{scene.purpose.slug}/" in page) is named
        assert (scene.purpose.brief.title in page) is named


def test_a_path_like_a_pattern_is_no_page(holder: Visitor) -> None:
    for path in ("/p/{project}", "/p/{project}/brief", "/{project}"):
        assert holder.get(path).status_code == 404


def test_people_of_other_projects_are_not_told(scene: Scene) -> None:
    other = create_project(scene.studio, brief_with(title="Another film"))
    housed = Housed(scene.studio, team=True)
    there = housed.account("there", Membership(Role.PRODUCER, other.project_id))
    page = there.get(f"/p/{other.slug}/people/ask").text
    assert "Ada" not in page
    for path in ("", "/place", "/end"):
        told = (there.get if not path else there.post)(f"/p/{other.slug}/people/ada{path}")
        assert told.status_code == 404
    taken = there.post(f"/p/{other.slug}/people/ask", offer(handle="ada", name="x"))
    assert taken.status_code == 422
    assert find_person(scene.studio, "ada").name not in taken.text


def test_a_link_to_somebodys_own_place_takes_the_right_in_all_their_projects(scene: Scene) -> None:
    agree(scene.studio, scene.purpose, scene.ada)
    other = create_project(scene.studio, brief_with(title="Another film"))
    housed = Housed(scene.studio, team=True)
    producers = [
        housed.account(f"p{n}", Membership(Role.PRODUCER, place))
        for n, place in enumerate((other.project_id, None))
    ]
    asked = producers[1].post(
        f"/p/{other.slug}/people/ask", offer(person="ada", handle="", name="")
    )
    assert asked.status_code == 200
    told = [each.post(f"/p/{other.slug}/people/ada/place").status_code for each in producers]
    assert told == [403, 200]


def test_who_works_for_one_project_reaches_nobody_elses_place_by_a_case(scene: Scene) -> None:
    agree(scene.studio, scene.purpose, scene.ada)
    other = create_project(scene.studio, brief_with(title="Another film"))
    case = report(scene.studio).case
    with scene.studio.database.session() as session:
        session.get_one(CaseRow, case.id).project_id = other.project_id
    housed = Housed(scene.studio, team=True)
    there = housed.account("there", Membership(Role.REVIEWER, other.project_id))
    path = f"/p/{other.slug}/cases/{case.id}"
    assert "<option>ada" not in there.get(path).text
    asked = {"act": "withdrawal-link", "sure": "yes", "person": "ada"}
    assert there.post(f"{path}/acts", asked).status_code == 404
    elsewhere = {"asset": "0123456789abcdef"}
    assert there.post(f"{path}/facts", elsewhere).status_code == 404
    rule = {"happened": "It was wrong.", "rule": "Nothing at all is made.", "effect": "refuse"}
    everywhere = housed.account("everywhere", Membership(Role.REVIEWER))
    learned = [each.post(f"{path}/learned", rule).text for each in (there, everywhere)]
    assert ["counts for every project" in each for each in learned] == [True, False]
    assert "<option>ada" in everywhere.get(path).text
    assert everywhere.post(f"{path}/acts", asked).status_code == 303


def test_who_signs_for_the_studio_makes_the_key_themselves(scene: Scene) -> None:
    housed = Housed(scene.studio, team=True)
    kim = housed.account("kim", Membership(Role.REVIEWER))
    key = to_jwk(public_of(new_key()))
    assert kim.post("/staff", data={"handle": "kim", "name": "Kim", "jwk": key}).status_code == 200
    person = find_person(scene.studio, "kim")
    assert person.staff
    another = {"handle": "lee", "name": "Lee", "jwk": to_jwk(public_of(new_key()))}
    assert kim.post("/staff", data=another).status_code == 400, "one account, one person"
    private = new_key()
    secret = {"handle": "lee", "name": "Lee", "jwk": {**private.as_dict(private=True)}}
    lee = housed.account("lee", Membership(Role.REVIEWER))
    assert lee.post("/staff", data=secret).status_code == 400, "a private key is not taken"
    stolen = {"handle": "lee", "name": "Lee", "jwk": to_jwk(scene.cleo.person.key)}
    assert lee.post("/staff", data=stolen).status_code == 400
    # Who shows another's public key under that other's name is not them.
    known = {"handle": "kim", "name": "Kim", "jwk": key}
    assert lee.post("/staff", data=known).status_code == 400
    assert find_account(scene.studio, "lee").person_id is None


def test_two_keys_of_one_account_at_once_are_one(scene: Scene) -> None:
    housed = Housed(scene.studio, team=True)
    kim = housed.account("kim", Membership(Role.REVIEWER))
    asked = [
        {"handle": f"kim{number}", "name": "Kim", "jwk": to_jwk(public_of(new_key()))}
        for number in range(4)
    ]
    with ThreadPoolExecutor(len(asked)) as pool:
        told = list(pool.map(lambda data: kim.post("/staff", data=data).status_code, asked))
    assert sorted(told) == [200, 400, 400, 400]
    made = [each for each in list_people(scene.studio) if each.handle.startswith("kim")]
    assert [each.id for each in made] == [find_account(scene.studio, "kim").person_id]


# Recordings that somebody has to look at


def test_somebody_looks_at_a_recording_and_decides(
    holder: Visitor, scene: Scene, samples: Path
) -> None:
    slug = scene.purpose.slug
    add_person(scene.studio, handle="kim", name="Kim", key=public_of(PRODUCER), staff=True)
    told = holder.post(f"/p/{slug}/people/ask", offer(acts=["ingest"])).text
    secret = re.findall(r"https://studio\.example/c/([\w-]+)", told)[0]
    statement = (samples / "cleo_statement.mp4").read_bytes()
    sign_doubtfully(scene, secret, statement)
    path = f"/p/{slug}/people/dora/recording"
    assert "Look and decide" in holder.get(f"/p/{slug}/people").text
    assert "Kim" in holder.get(path).text
    assert holder.send("GET", f"/studio{path}/film?by=kim").content == statement
    housed = Housed(scene.studio, team=True)
    lee = housed.account("lee", Membership(Role.REVIEWER))
    # The log says who looked: nobody looks in another's name.
    assert lee.get(f"{path}/film?by=kim").status_code == 403
    assert "Make your key first" in lee.get(path).text
    kim = find_person(scene.studio, "kim").id
    own = housed.account("kims", Membership(Role.REVIEWER), person_id=kim)
    assert own.send("GET", f"/studio{path}/film?by=kim").content == statement
    for who in ("ada", "dora", ""):
        assert holder.get(f"{path}/film?by={who}").status_code == 403
        assert holder.post(f"{path}/key?by={who}", data={"outcome": "approve"}).status_code == 403
    for said in ({}, {"outcome": "maybe", "reason": "well"}, {"outcome": "approve", "reason": ""}):
        assert holder.post(f"{path}/key?by=kim", data=said).status_code == 400
    said = {"outcome": "approve", "reason": "I was there"}
    asked = json.loads(holder.post(f"{path}/key?by=kim", data=said).text)
    done = holder.post(f"{path}/signature?by=kim", data=signature(asked["text"], PRODUCER))
    assert done.status_code == 200, done.text
    page = holder.get(f"/p/{slug}/people").text
    assert "The consent is in force" in page
    assert holder.get(path).status_code == 404, "it waits no more"


def sign_doubtfully(scene: Scene, secret: str, statement: bytes) -> None:
    """Go through the ceremony with a recording that no machine could pass."""
    studio, key = scene.studio, new_key()
    asked = find_invitation(studio, secret).terms
    assert asked is not None
    choices = Choices(
        language="en", adult=True, face_matching=True, acts=asked.acts,
        modalities=asked.modalities, channels=asked.channels, ends=asked.ends,
        most_releases=asked.most_releases,
    )  # fmt: skip
    choose(studio, find_invitation(studio, secret), choices)
    invitation = find_invitation(studio, secret)
    sha256 = hash_file(io.BytesIO(statement))
    record = prepare(studio, invitation, key=public_of(key), statement_sha256=sha256)
    finding = {"check": "dark", "verdict": "look", "value": 31, "limit": 40}
    conclude(
        studio, invitation, record, sign_record(record, key), key=public_of(key),
        statement=io.BytesIO(statement),
        checked=Checked(passed=False, findings={"face": "new", "findings": [finding]}),
    )  # fmt: skip


# Signatures


@pytest.fixture
def claimed(scene: Scene) -> str:
    """A project with a claim that Cleo may tick off."""
    brief = brief_with(
        title="Claimed", reviewer="cleo",
        claims=[{"text": "It rained.", "source": "https://example.org"}],
    )  # fmt: skip
    return create_project(scene.studio, brief, slug="claimed").slug


def test_a_claim_is_ticked_off_with_the_reviewers_key(
    holder: Visitor, scene: Scene, claimed: str
) -> None:
    path = f"/p/{claimed}/brief/claims/1"
    assert scene.cleo.person.name in holder.get(path).text
    asked = json.loads(holder.post(f"{path}/key?by=cleo", data={}).text)
    forged = holder.post(f"{path}/signature?by=cleo", data=signature(asked["text"], new_key()))
    assert (forged.status_code, "signature" in forged.text) == (403, True)
    again = signature(asked["text"], scene.cleo.key)
    assert holder.post(f"{path}/signature?by=cleo", data=again).status_code == 400, "asked anew"
    asked = json.loads(holder.post(f"{path}/key?by=cleo", data={}).text)
    signed = signature(asked["text"], scene.cleo.key)
    assert holder.post(f"{path}/signature?by=cleo", data=signed).status_code == 200
    assert "cleo" in holder.get(f"/p/{claimed}/brief").text
    for who in ("ada", "nobody", ""):
        assert holder.post(f"{path}/key?by={who}", data={}).status_code == 403
    with scene.studio.database.session() as session:
        assert session.query(TickRow).count() == 1


def test_an_account_signs_as_its_own_person_alone(scene: Scene, claimed: str) -> None:
    housed = Housed(scene.studio, team=True)
    dan = add_member(scene.studio, "dan")
    impostor = housed.account("dan", Membership(Role.REVIEWER), person_id=dan.id)
    path = f"/p/{claimed}/brief/claims/1"
    assert impostor.post(f"{path}/key?by=cleo", data={}).status_code == 403
    assert "your account is not theirs" in impostor.get(path).text
    cleo = housed.account("cleo", Membership(Role.REVIEWER), person_id=scene.cleo.id)
    asked = json.loads(cleo.post(f"{path}/key?by=cleo", data={}).text)
    # What was asked in one session can't be answered in another.
    stolen = impostor.post(
        f"{path}/signature?by=cleo", data=signature(asked["text"], scene.cleo.key)
    )
    assert stolen.status_code == 403


def test_a_draft_of_another_project_is_none(holder: Visitor, scene: Scene, claimed: str) -> None:
    draft = add_draft(scene.studio, scene.purpose, donor=scene.ben, performer=scene.ada)
    for path in ("", "/sheet/anything"):
        assert holder.get(f"/p/{claimed}/review/{draft}{path}").status_code == 404
    for path in ("/key?by=cleo", "/signature?by=cleo"):
        assert holder.post(f"/p/{claimed}/review/{draft}{path}", data={}).status_code == 404


# Hostile names


def test_names_are_shown_as_they_are_written(scene: Scene) -> None:
    housed = Housed(scene.studio, team=True)
    holder = housed.account("kim")
    fields = {"title": HOSTILE, "purpose": HOSTILE, "audience": HOSTILE, "channels": [HOSTILE[:40]]}
    project = create_project(
        scene.studio,
        brief_with(**fields, claims=[{"text": HOSTILE, "source": HOSTILE}], reviewer="cleo"),
        slug="hostile",
    )
    add_person(scene.studio, handle="eve", name=HOSTILE, key=None)
    assert holder.post("/p/hostile/people/ask", offer(person="eve", use=HOSTILE)).status_code == 200
    paths = [
        "/", "/p/hostile", "/p/hostile/brief", "/p/hostile/brief/claims/1", "/p/hostile/people",
        "/p/hostile/people/eve", "/p/hostile/people/ask", "/p/hostile/review", "/staff",
        "/p/<script>alert(1)</script>", f"/signin?next={HOSTILE}", "/new",
    ]  # fmt: skip
    for path in paths:
        text = holder.get(path).text
        assert "<img src=x" not in text, path
        assert "<script>alert" not in text, path
        assert "49" not in re.findall(r"&amp;(\w+)", text), "templates aren't read twice"
    again = holder.post("/new", {**answers(), "title": HOSTILE, "intimate": "yes"}).text
    assert "<img src=x" not in again
    assert project.slug == "hostile"


def test_every_step_of_a_project_with_nothing_in_it_is_there(holder: Visitor, scene: Scene) -> None:
    slug = create_project(scene.studio, brief_with(title="Just begun")).slug
    for page in PAGES:
        if page.method == "GET" and page.shows and page.path.count("{") == 1:
            path = page.path.replace("{project}", slug)
            if "{" not in path:
                assert holder.get(path).status_code == 200, path
