from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from assent.kit.errors import InputError, IntegrityError
from assent.kit.tlog.note import (
    NoteSigner,
    NoteVerifier,
    VerifierKey,
    add_signatures,
    decode_base64,
    open_note,
    signatures_of,
)

# The example of Go's golang.org/x/mod/sumdb/note.
GO_VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
GO_NOTE = (
    f"{GO_TEXT}\n\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZ"
    "SNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
Signers = Callable[..., NoteSigner]
KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))


def test_opens_a_note_of_go() -> None:
    verifier = NoteVerifier.parse(GO_VKEY)
    assert verifier.vkey == GO_VKEY
    assert open_note(GO_NOTE, [verifier]) == GO_TEXT


def test_a_changed_text_is_refused() -> None:
    with pytest.raises(IntegrityError, match="PeterNeumann"):
        open_note(GO_NOTE.replace("answer", "Answer"), [NoteVerifier.parse(GO_VKEY)])


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"])))
def test_sign_then_open(text: str) -> None:
    signer = NoteSigner("a", KEY)
    body = f"{text}\n\n{text}\n"
    assert open_note(signer.sign(body), [signer.verifier]) == body


def test_unknown_signatures_are_passed_over(make_signer: Signers) -> None:
    ours, other = make_signer(1, "ours"), make_signer(2, "other")
    note = other.sign("x\n") + ours.sign("x\n").split("\n\n")[1]
    assert open_note(note, [ours.verifier]) == "x\n"
    assert open_note(note, [ours.verifier, other.verifier]) == "x\n"


def test_no_known_signature(make_signer: Signers) -> None:
    note = make_signer(2).sign("x\n")
    with pytest.raises(IntegrityError, match="isn't signed by"):
        open_note(note, [make_signer(1).verifier])
    with pytest.raises(IntegrityError, match="isn't signed by"):
        open_note(note, [])


def test_one_wrong_signature_of_a_known_key_refuses_the_note(make_signer: Signers) -> None:
    ours, other = make_signer(1, "ours"), make_signer(2, "other")
    wrong = other.sign("y\n").split("\n\n")[1]
    with pytest.raises(IntegrityError, match="of other"):
        open_note(ours.sign("x\n") + wrong, [ours.verifier, other.verifier])


@pytest.mark.parametrize(
    "note",
    [
        "",
        "text\n",
        "text\n\n",
        "text\n\n\u2014 a AAAAAAAA",
        "te\txt\n\n\u2014 a AAAAAAAA\n",
        "te\ud800xt\n\n\u2014 a AAAAAAAA\n",
        "text\n\n- a AAAAAAAA\n",
        "text\n\n\u2014  AAAAAAAA\n",
        "text\n\n\u2014 a AAAA\n",
        "text\n\n\u2014 a A*AAAAAA\n",
        "text\n\n\u2014 a AAAAAB==\n",
        "text\n\n" + "\u2014 a AAAAAAAA\n" * 101,
    ],
)
def test_malformed_notes(note: str) -> None:
    with pytest.raises(IntegrityError):
        open_note(note, [NoteVerifier.parse(GO_VKEY)])


@pytest.mark.parametrize("body", ["no newline", "tab\t\n", "\ud800\n"])
def test_bodies_that_cant_be_signed(signer: NoteSigner, body: str) -> None:
    with pytest.raises(InputError):
        signer.sign(body)


@pytest.mark.parametrize(
    "name", ["", "a b", "a+b", "a\u2003b", "a\nb", "a\x01", "a\x9b", "a\u202eb", "a\ud800"]
)
def test_bad_names(name: str) -> None:
    with pytest.raises(InputError):
        NoteSigner(name, KEY)


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "PeterNeumann",
        GO_VKEY.replace("c74f", "c74e"),
        GO_VKEY.replace("Peter", "Paul"),
        GO_VKEY[:-4],
        GO_VKEY.replace("+ARpc", "+BBpc"),
        GO_VKEY + "*",
    ],
)
def test_bad_vkeys(vkey: str) -> None:
    with pytest.raises(InputError, match=r"no public key|no log's key|can't name a key"):
        NoteVerifier.parse(vkey)


def test_base64_has_one_spelling() -> None:
    assert decode_base64("AA==") == b"\0"
    with pytest.raises(ValueError, match="canonical"):
        decode_base64("AB==")


def test_a_vkey_whose_key_is_too_short() -> None:
    with pytest.raises(InputError, match="is no log's key"):
        NoteVerifier.parse(VerifierKey("a", 1, b"short").text)


def test_more_signatures(make_signer: Signers) -> None:
    ours, other = make_signer(1, "ours"), make_signer(2, "other")
    note = ours.sign("x\n")
    line = other.sign("x\n").split("\n\n")[1]
    both = add_signatures(note, [line])
    assert both == note + line
    assert [each.name for each, _ in signatures_of(both, [ours.verifier, other.verifier])] == [
        "ours",
        "other",
    ]
    # A newer line of the same key takes the older one's place.
    assert add_signatures(both, [line]) == both
    with pytest.raises(IntegrityError, match="malformed"):
        add_signatures(note, ["no signature"])
    with pytest.raises(IntegrityError, match="more than 100"):
        add_signatures(note, [f"\u2014 w{i} AAAAAAAA" for i in range(100)])
    with pytest.raises(IntegrityError, match="not a signed note"):
        add_signatures("x", [line])


def test_a_key_of_the_same_name_or_the_same_id_is_unknown(make_signer: Signers) -> None:
    """Only both together name a key."""
    ours = make_signer(1, "ours")
    line = ours.sign("x\n").split("\n\n")[1]
    encoded = line.split(" ")[2]
    renamed = f"x\n\n\u2014 theirs {encoded}"
    assert signatures_of(renamed, [ours.verifier]) == []
    assert signatures_of(make_signer(2, "ours").sign("x\n"), [ours.verifier]) == []
