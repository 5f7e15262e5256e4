"""Certificates: made anew, the organisation's own, in a token, revoked; and the profile."""

import io
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from authorities import Authority, Wanted
from studios import Scene
from tokens import MODULE, SOFTHSM, SoftToken

from assent.kit.c2pa.certificates import Chain
from assent.kit.c2pa.keys import PemKey
from assent.kit.c2pa.manifest import Action, Plan
from assent.kit.c2pa.own import own_chain
from assent.kit.c2pa.read import REVOKED, UNLISTED, Credential, read
from assent.kit.c2pa.sign import sign
from assent.kit.c2pa.token import TokenKey, TokenPlace
from assent.kit.canonical import parse_object
from assent.kit.errors import BriefError, InputError, IntegrityError, NotFoundError, SealError
from assent.kit.hashing import hash_file
from assent.kit.store.certification import configure, renew, revoke, take
from assent.kit.store.credentials import Profile, TokenAccess
from assent.kit.store.studio import Studio, open_studio
from assent.verify.public import PublicLog, open_log

JPEG = "image/jpeg"
PICTURE = (Path(__file__).parents[4] / "docs" / "pictures" / "scene1.jpg").read_bytes()


def signed(studio: Studio) -> io.BytesIO:
    sink = io.BytesIO()
    plan = Plan(
        title="t", generator_name="Assent", generator_version="1", asset_id="00",
        digital_source_type="trainedAlgorithmicMedia", actions=(Action(name="c2pa.created"),),
    )  # fmt: skip
    sign(
        io.BytesIO(PICTURE), sink, mime=JPEG, plan=plan, chain=studio.chain, ingredient=None,
        tsa_url=None,
    )  # fmt: skip
    return sink


def public(studio: Studio) -> PublicLog:
    return open_log(studio.log_folder, vkey=studio.log_verifier.vkey)


def judged(studio: Studio, file: io.BytesIO) -> Credential:
    """What a stranger with the log says of a file."""
    log = public(studio)
    found = read(file, mime=JPEG, anchors_pem=log.root_pem, serials=log.certificates.keys())
    return log.judge(found, hash_file(file))


def own(scene: Scene, authority: Authority) -> Chain:
    leaf, key = authority.issue(Wanted(starts=timedelta(days=-1)))
    return own_chain(
        chain_pem=leaf + authority.middle_pem, root_pem=authority.root_pem, leaf_key_pem=key,
        public=PemKey(key).public, now=scene.clock.now,
    )  # fmt: skip


def test_a_renewed_chain_signs_and_the_old_one_stays_believed(scene: Scene) -> None:
    before = signed(scene.studio)
    made = renew(scene.studio)
    studio = scene.reopened()
    assert studio.chain.fingerprint == made.fingerprint != scene.studio.chain.fingerprint
    after = signed(studio)
    for file in (before, after):
        assert judged(studio, file).state == "trusted"
        chain = studio.chain
        mine = read(file, mime=JPEG, anchors_pem=chain.anchors_pem, serials=chain.serials)
        assert mine.state == "trusted"
    entry = parse_object(studio.log.reader().entry(studio.log.size - 1), name="entry")
    assert entry["kind"] == "credentials.changed"
    assert (entry["certificate"], entry["local"]) == (made.fingerprint, True)
    with pytest.raises(BriefError, match="one in use"):
        take(studio, studio.chain)


def test_of_a_public_root_only_the_named_certificate_counts(scene: Scene) -> None:
    authority = Authority.make(scene.clock.now)
    chain = own(scene, authority)
    take(scene.studio, chain)
    studio = scene.reopened()
    assert (studio.chain.local, studio.chain.organisation) == (False, "Nord Broadcasting")
    assert judged(studio, signed(studio)).state == "trusted"
    neighbour = replace(scene, studio=replace(studio, chain=own(scene, authority)))
    found = judged(studio, signed(neighbour.studio))
    assert found.state == "valid"
    assert found.problems[0].startswith(UNLISTED)


def test_a_key_that_does_not_sign_is_not_taken(scene: Scene) -> None:
    chain = own(scene, Authority.make(scene.clock.now))
    size = scene.studio.log.size
    with pytest.raises(BriefError):
        take(scene.studio, replace(chain, leaf_key_pem=b"lost"))
    assert scene.studio.log.size == size
    assert scene.reopened().chain.fingerprint == scene.studio.chain.fingerprint


@pytest.mark.skipif(not SOFTHSM, reason="no SoftHSM here: `apt-get install softhsm2`")
def test_a_key_in_a_token_is_reached_from_outside_alone(scene: Scene, token: SoftToken) -> None:
    public_key = token.make_key("studio claims")
    authority = Authority.make(scene.clock.now)
    leaf, _ = authority.issue(Wanted(public=public_key, starts=timedelta(days=-1)))
    place = TokenPlace(token=token.label, key="studio claims")
    key = TokenKey(place=place, module=MODULE, pin=token.pin, public=public_key)
    chain = own_chain(
        chain_pem=leaf + authority.middle_pem, root_pem=authority.root_pem, token=key,
        public=public_key, now=scene.clock.now,
    )  # fmt: skip
    take(scene.studio, chain, place)
    access = TokenAccess(module=MODULE, pin=token.pin)
    assert token.pin not in repr(access)
    studio = open_studio(scene.studio.folder, clock=scene.clock, token=access)
    assert judged(studio, signed(studio)).state == "trusted"
    blind = scene.reopened()
    assert blind.chain.key.algorithm == "es256"
    with pytest.raises(InputError, match="nothing says how to reach the token") as caught:
        signed(blind)
    assert "ASSENT_PKCS11_MODULE" in caught.value.advice
    for path in scene.studio.folder.rglob("*"):
        if path.is_file():
            assert str(MODULE).encode() not in path.read_bytes(), path


def test_what_was_revoked_vouches_for_nothing_new(scene: Scene) -> None:
    stolen = scene.studio
    gone = revoke(stolen, stolen.chain.fingerprint[:12].upper(), reason="key-compromise")
    assert gone == stolen.chain.fingerprint
    studio = scene.reopened()
    with pytest.raises(SealError, match="revoked"):
        signed(studio)
    forged = judged(studio, signed(stolen))
    assert forged.state == "invalid"
    assert forged.problems[0].startswith(REVOKED)
    renew(studio)
    anew = scene.reopened()
    assert judged(anew, signed(anew)).state == "trusted"
    assert judged(anew, signed(stolen)).state == "invalid", "nothing takes it back"
    with pytest.raises(BriefError, match="was revoked"):
        take(anew, stolen.chain)
    with pytest.raises(InputError, match="revoked before"):
        revoke(anew, gone, reason="superseded")


def test_a_revoked_certificate_stays_good_for_what_was_logged_before(scene: Scene) -> None:
    file = signed(scene.studio)
    entry = {
        "kind": "seal", "media": "still", "asset": "00" * 8, "sha256": hash_file(file),
        "fingerprint": "", "frames": 1, "receipts": [], "time": "2026-11-20T12:00:00Z",
    }  # fmt: skip
    scene.studio.log.append([json.dumps(entry, sort_keys=True, separators=(",", ":")).encode()])
    revoke(scene.studio, scene.studio.chain.fingerprint, reason="superseded")
    assert judged(scene.reopened(), file).state == "trusted"
    # Logged afterwards, as a thief of both keys would, it is not.
    late = signed(scene.studio)
    entry["sha256"] = hash_file(late)
    scene.studio.log.append([json.dumps(entry, sort_keys=True, separators=(",", ":")).encode()])
    assert judged(scene.reopened(), late).state == "invalid"


@pytest.mark.parametrize("which", ["", "zz", "ffffffffffffffffffff"])
def test_only_a_certificate_of_the_studio_is_revoked(scene: Scene, which: str) -> None:
    with pytest.raises(NotFoundError, match="0 certificates"):
        revoke(scene.studio, which, reason="ceased")
    with pytest.raises(InputError, match="none of"):
        revoke(scene.studio, scene.studio.chain.fingerprint, reason="because")


def test_the_profile_is_kept_and_its_clock_told_once(scene: Scene) -> None:
    root = Authority.make(scene.clock.now).root_pem.decode()
    profile = Profile(
        tsa_url="https://tsa.example.org", tsa_root_pem=root, unstamped="say-so",
        log_url="https://films.example/log/", aigc_producer="001191310",
    )  # fmt: skip
    size = scene.studio.log.size
    configure(scene.studio, profile)
    configure(scene.studio, profile)
    assert scene.studio.log.size == size + 1
    studio = scene.reopened()
    assert studio.profile == profile
    assert root.encode() in studio.chain.anchors_pem
    assert root.encode() in public(studio).root_pem


@pytest.mark.parametrize(
    "wrong",
    [
        {"tsa_url": "ftp://tsa"},
        {"log_url": "films.example"},
        {"tsa_root_pem": "nothing"},
        {"unstamped": "perhaps"},
        {"aigc_producer": " "},
        {"aigc_producer": "x" * 200},
        {"aigc_producer": "a\nb"},
    ],
)
def test_a_senseless_profile_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(BriefError):
        Profile(**wrong)  # type: ignore[arg-type] # some are wrong on purpose


@pytest.mark.parametrize("secret", [b"{", b"[]", b"{}", b'{"token": 1}'])
def test_damaged_secrets_are_told(scene: Scene, secret: bytes) -> None:
    for name, what in (("c2pa", "signing chain is damaged"), ("c2pa-profile", "profile is")):
        before = scene.studio.secrets.get("c2pa")
        scene.studio.secrets.put(name, secret)
        if (name, secret) != ("c2pa-profile", b"{}"):
            with pytest.raises(IntegrityError, match=what):
                scene.reopened()
        scene.studio.secrets.put("c2pa", before)
