"""Signed records, receipts and statements that were tampered with."""

import base64
import hashlib
import hmac
import io
from pathlib import Path

from attempts import ask, forged, paste, payload_of, refused, row_of
from studios import Member, Scene, agree, draw_up, statement_of, take_in, terms_for, vouch_for

from assent.consent.ceremony import accept, offer
from assent.consent.clearance import Act
from assent.consent.ground import say_passed, vouch
from assent.consent.people import add_person
from assent.consent.receipt import countersign, sign_record
from assent.consent.record import ConsentRecord, parse_record
from assent.consent.withdrawal import withdraw
from assent.kit.canonical import canonical
from assent.kit.clock import stamp
from assent.kit.hashing import hash_file
from assent.kit.signing import new_key, public_of, sign, to_jwk
from assent.kit.store.studio import create_studio
from assent.purpose.projects import create_project

KIND = "assent-consent+jws"


def give_in(scene: Scene, member: Member, signed: str, ground: str | None = None) -> None:
    """Hand a signed record in at the studio, as `assent consent accept` does."""
    accept(
        scene.studio, signed, statement=statement_of(member), name="statement.mp4", ground=ground
    )


def widened(record: ConsentRecord) -> ConsentRecord:
    """The record with everything allowed."""
    scope = record.scope.model_copy(update={"acts": frozenset(Act), "most_releases": 10_000})
    return record.model_copy(update={"scope": scope})


def offered(scene: Scene) -> ConsentRecord:
    return draw_up(scene.studio, scene.purpose, scene.cleo, acts=frozenset({Act.INGEST}))


def test_terms_changed_after_signing(scene: Scene) -> None:
    """The terms are widened in a record that was signed already."""
    record = offered(scene)
    head, _, signature = sign_record(record, scene.cleo.key).split(".")
    body = canonical({"record": widened(record).to_json()})
    other = base64.urlsafe_b64encode(body).rstrip(b"=").decode()
    with refused("the signature does not match"):
        give_in(scene, scene.cleo, f"{head}.{other}.{signature}")


def test_terms_changed_before_signing(scene: Scene) -> None:
    """The subject is handed wider terms to sign than the studio's register holds."""
    signed = sign_record(widened(offered(scene)), scene.cleo.key)
    with refused("what was signed is not what was offered"):
        give_in(scene, scene.cleo, signed)


def test_algorithm_none(scene: Scene) -> None:
    """A record is handed in whose header says that it needs no signature ("none")."""
    token = forged({"alg": "none", "typ": KIND}, {"record": offered(scene).to_json()})
    with refused("the signature does not match"):
        give_in(scene, scene.cleo, token)


def test_algorithm_hs256(scene: Scene) -> None:
    """A record is signed with HS256, the subject's public key as the secret."""
    unsigned = forged({"alg": "HS256", "typ": KIND}, {"record": offered(scene).to_json()})
    text = unsigned.rpartition(".")[0]
    for secret in (
        base64.urlsafe_b64decode(str(to_jwk(scene.cleo.person.key)["x"]) + "="),
        canonical(to_jwk(scene.cleo.person.key)),
    ):
        mac = hmac.new(secret, text.encode(), hashlib.sha256).digest()
        signature = base64.urlsafe_b64encode(mac).rstrip(b"=").decode()
        with refused("the signature does not match"):
            give_in(scene, scene.cleo, f"{text}.{signature}")


def test_key_in_the_header(scene: Scene) -> None:
    """The token brings a key of the attacker's own along in its header ("jwk")."""
    record, mine = offered(scene), new_key()
    good = sign({"record": record.to_json()}, mine, kind=KIND)
    header = {"alg": "Ed25519", "typ": KIND, "jwk": to_jwk(public_of(mine))}
    token = forged(header, payload_of(good), good.rpartition(".")[2])
    with refused("the signature does not match"):
        give_in(scene, scene.cleo, token)


def test_signed_by_another_person(scene: Scene) -> None:
    """Ben signs in Cleo's place, with his own key."""
    token = sign({"record": offered(scene).to_json()}, scene.ben.key, kind=KIND)
    with refused("the signature does not match"):
        give_in(scene, scene.cleo, token)


def test_signed_by_the_studio(scene: Scene) -> None:
    """The studio signs in the subject's place, with its own key."""
    token = sign({"record": offered(scene).to_json()}, scene.studio.signing_key, kind=KIND)
    with refused("the signature does not match"):
        give_in(scene, scene.cleo, token)


def test_studio_key_as_a_persons(scene: Scene) -> None:
    """The studio registers its own key as a subject's."""
    with refused("this is the studio's own key"):
        add_person(
            scene.studio, handle="dora", name="Dora", key=public_of(scene.studio.signing_key)
        )


def test_staff_key_for_a_second_person(scene: Scene) -> None:
    """The studio registers a subject with a key that somebody else there holds."""
    with refused("this key is already ada's"):
        add_person(scene.studio, handle="dora", name="Dora", key=public_of(scene.ada.key))


def test_signature_for_another_purpose(scene: Scene) -> None:
    """Something that the subject signed for another purpose is handed in as a consent."""
    token = sign({"record": offered(scene).to_json()}, scene.cleo.key, kind="assent-sign-off+jws")
    with refused("this is not a assent-consent+jws"):
        give_in(scene, scene.cleo, token)


def test_older_version_replayed(scene: Scene) -> None:
    """A signed record is handed in again after the subject signed a narrower one."""
    first = draw_up(scene.studio, scene.purpose, scene.cleo)
    signed = sign_record(first, scene.cleo.key)
    take_in(scene.studio, scene.cleo, first, signed)
    agree(scene.studio, scene.purpose, scene.cleo, acts=frozenset({Act.INGEST}))
    with refused("a newer version of this record is already signed"):
        give_in(scene, scene.cleo, signed)


def test_replayed_after_withdrawal(scene: Scene) -> None:
    """A signed record is handed in again after its withdrawal."""
    record = draw_up(scene.studio, scene.purpose, scene.cleo)
    signed = sign_record(record, scene.cleo.key)
    take_in(scene.studio, scene.cleo, record, signed)
    withdraw(scene.studio, record.record_id)
    with refused("this record was withdrawn; it can't be signed any more"):
        give_in(scene, scene.cleo, signed)


def test_of_another_studio(scene: Scene, tmp_path: Path) -> None:
    """A consent that was given to another studio is handed in here."""
    other = create_studio(tmp_path / "other", name="Other", contact="x@example.org")
    person = add_person(other, handle="cleo", name="Cleo", key=public_of(scene.cleo.key))
    purpose = create_project(other, scene.purpose.brief)
    terms = terms_for(purpose, starts=purpose.brief.starts)
    statement = hash_file(statement_of(scene.cleo))
    record = offer(other, purpose, person, terms, statement_sha256=statement)
    with refused("no consent record"):
        give_in(scene, scene.cleo, sign_record(record, scene.cleo.key))


def test_statement_exchanged(scene: Scene) -> None:
    """Another statement is handed in than the one that the subject's signature covers."""
    record = offered(scene)
    with refused("is not the statement that the record names"):
        accept(
            scene.studio,
            sign_record(record, scene.cleo.key),
            statement=io.BytesIO(b"another film"),
            name="statement.mp4",
            ground=vouch_for(scene.studio, record),
        )


def test_nobody_vouches(scene: Scene) -> None:
    """A ready-made statement is handed in that nobody at the studio answers for."""
    with refused("nobody has vouched for this statement"):
        give_in(scene, scene.cleo, sign_record(offered(scene), scene.cleo.key))


def test_ready_made_statement_passed_off_as_recorded(scene: Scene) -> None:
    """A ready-made statement is passed off as one that was recorded and checked in the ceremony."""
    record = offered(scene)
    ground = say_passed(scene.studio, record, {"verdict": "passed"})
    with refused("only a recording made in the ceremony can pass by itself"):
        give_in(scene, scene.cleo, sign_record(record, scene.cleo.key), ground)


def test_subject_vouches_for_themselves(scene: Scene) -> None:
    """Somebody of the studio vouches for the statement in which they agree themselves."""
    key = new_key()
    dora = add_person(scene.studio, handle="dora", name="Dora", key=public_of(key), staff=True)
    record = draw_up(scene.studio, scene.purpose, Member(person=dora, key=key))
    with refused("nobody decides about their own statement"):
        vouch(scene.studio, record, dora, key, reason="it is me")


def test_stranger_vouches(scene: Scene) -> None:
    """Somebody vouches who doesn't work for the studio."""
    with refused("ben does not decide for the studio"):
        vouch(scene.studio, offered(scene), scene.ben.person, scene.ben.key, reason="I know her")


def test_word_for_another_statement(scene: Scene) -> None:
    """The word that a producer gave for Ben's statement is used for Cleo's."""
    word = vouch_for(scene.studio, draw_up(scene.studio, scene.purpose, scene.ben))
    with refused("what is said about the statement is about another one"):
        give_in(scene, scene.cleo, sign_record(offered(scene), scene.cleo.key), word)


def test_forged_word(scene: Scene) -> None:
    """The producer's word is signed with another key."""
    record = offered(scene)
    good = payload_of(vouch_for(scene.studio, record))
    word = sign(good, new_key(), kind="assent-ground+jws")
    with refused("what is said about the statement was altered"):
        give_in(scene, scene.cleo, sign_record(record, scene.cleo.key), word)


def test_forged_countersignature(scene: Scene) -> None:
    """A receipt is countersigned with a key that isn't the studio's."""
    record = offered(scene)
    signed = sign_record(record, scene.cleo.key)
    paste(scene, scene.cleo, countersign(signed, record, new_key(), moment="now"))
    with scene.studio.database.session() as session:
        session.merge(row_of(scene, scene.cleo)).state = "live"
    scene.studio.keyring.create(record.record_id)
    with refused("cleo's consent record was altered: the signature does not match"):
        ask(scene, scene.cleo, Act.INGEST)


def test_receipt_without_a_signature(scene: Scene) -> None:
    """A receipt is put into the register that needs no signature ("none")."""
    receipt = str(row_of(scene, scene.ada).receipt)
    paste(scene, scene.ada, forged({"alg": "none", "typ": "vc+jwt"}, payload_of(receipt)))
    with refused("ada's consent record was altered"):
        ask(scene, scene.ada)


def test_receipt_of_another_person(scene: Scene) -> None:
    """Ben's receipt is laid into Ada's row."""
    paste(scene, scene.ada, str(row_of(scene, scene.ben).receipt))
    with refused("ada's consent record was altered"):
        ask(scene, scene.ada)


def test_receipt_that_was_never_logged(scene: Scene) -> None:
    """A receipt is made with the studio's own key, past the ceremony and its log."""
    record = parse_record(row_of(scene, scene.ada).document)
    signed = sign_record(widened(record), scene.ada.key)
    moment = stamp(scene.clock())
    paste(
        scene,
        scene.ada,
        countersign(signed, widened(record), scene.studio.signing_key, moment=moment),
    )
    with refused("the log does not hold ada's consent where it should"):
        ask(scene, scene.ada)


def test_a_child(scene: Scene) -> None:
    """The record says that the subject is no adult, or nothing of it."""
    document = offered(scene).to_json()
    for principal in (
        {**document["principal"], "adult": False},
        {key: value for key, value in document["principal"].items() if key != "adult"},
    ):
        with refused("the consent record can't be used"):
            parse_record({**document, "principal": principal})
