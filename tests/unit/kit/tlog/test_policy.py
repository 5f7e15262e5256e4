from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from assent.kit.errors import InputError
from assent.kit.tlog import policy as policies
from assent.kit.tlog.cosignature import Cosigner
from assent.kit.tlog.note import NoteSigner, VerifierKey
from assent.kit.tlog.policy import Policy


def private(seed: int) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(seed.to_bytes(32, "big"))


def witness(seed: int, name: str = "w.example") -> str:
    return Cosigner(f"{name}/{seed}", private(seed)).verifier.vkey


def log(seed: int) -> str:
    return NoteSigner(f"log.example/{seed}", private(seed)).vkey


# The example of c2sp.org/tlog-policy, with keys.
EXAMPLE = f"""
log {log(100)}

witness X1 {witness(1)}
witness X2 {witness(2)}
witness X3 {witness(3)}
group X-witnesses 2 X1 X2 X3

witness Y1 {witness(4)}
witness Y2 {witness(5)}
witness Y3 {witness(6)}
group Y-witnesses any Y1 Y2 Y3

group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
"""
NAMES = ("X1", "X2", "X3", "Y1", "Y2", "Y3")


@given(st.sets(st.sampled_from(NAMES)))
def test_the_example_of_the_specification(names: set[str]) -> None:
    policy = Policy.parse(EXAMPLE)
    expected = len(names & {"X1", "X2", "X3"}) >= 2 and bool(names & {"Y1", "Y2", "Y3"})
    assert policy.met_by(names) is expected
    assert Policy.parse(policy.text()).met_by(names) is expected


def test_its_parts() -> None:
    policy = Policy.parse(EXAMPLE)
    assert [each.key.name for each in policy.logs] == ["log.example/100"]
    assert tuple(each.name for each in policy.witnesses) == NAMES
    assert [(g.name, g.need, len(g.members)) for g in policy.groups] == [
        ("X-witnesses", 2, 3),
        ("Y-witnesses", 1, 3),
        ("X-and-Y", 2, 2),
    ]
    assert policy.needs_witnesses


def test_none_is_always_met() -> None:
    policy = Policy.parse(f"witness A {witness(1)}\nquorum none\n")
    assert policy.met_by([])
    assert not policy.needs_witnesses


def test_a_single_witness() -> None:
    policy = Policy.parse(f"witness A {witness(1)}\nwitness B {witness(2)}\nquorum A\n")
    assert policy.met_by(["A", "B"])
    assert not policy.met_by(["B"])
    # Only the policy's own names count.
    assert not policy.met_by(["none", "stranger"])


def test_white_space_comments_and_addresses() -> None:
    text = f"\t# a comment with A+B\n\n  witness\tÄ  {witness(1)} https://w.example/a/ \n quorum\tÄ"
    (found,) = Policy.parse(text).witnesses
    assert (found.name, found.url) == ("Ä", "https://w.example/a")
    # A space of another kind is a part of a name.
    assert Policy.parse(f"witness a\u2003b {witness(1)}\nquorum a\u2003b\n").met_by(["a\u2003b"])


W1, W2 = f"witness A {witness(1)}\n", f"witness B {witness(2)}\n"
SAME_KEY = f"witness B {Cosigner('other.example', private(1)).verifier.vkey}\n"
OWN_KEY = f"log {NoteSigner('log.example', private(1)).vkey}\n"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no line with its quorum"),
        (W1, "no line with its quorum"),
        (f"{W1}quorum A\nquorum A\n", "line 3 of the policy: the quorum is given twice"),
        (f"{W1}quorum B\n", "'B' is defined nowhere above"),
        (f"quorum A\n{W1}", "'A' is defined nowhere above"),
        ("quorum\n", "has other parts"),
        ("quorum a b\n", "has other parts"),
        ("witnesses A\n", "'witnesses' is no kind of line"),
        ("log\n", "has other parts"),
        (f"witness A {witness(1)} https://a b\n", "has other parts"),
        (f"witness none {witness(1)}\n", "'none' is taken"),
        (W1 + W1, "'A' is taken"),
        (f"{W1}group A any A\n", "'A' is taken"),
        (f"{W1}group g any B\n", "'B' is defined nowhere above"),
        (f"{W1}group g any g\n", "'g' is defined nowhere above"),
        (f"{W1}group g any none\n", "'none' is defined nowhere above"),
        (f"{W1}group g any A A\n", "is in a group already"),
        (f"{W1}group g any A\ngroup h any A\n", "is in a group already"),
        (f"{W1}group g any\n", "has other parts"),
        (f"{W1}group g 0 A\n", "'0' of 1"),
        (f"{W1}group g 2 A\n", "'2' of 1"),
        (f"{W1}group g 01 A\n", "'01' of 1"),
        (f"{W1}group g \u0661 A\n", "of 1"),
        (f"{W1}group g {'1' * 5000} A\n", "of 1"),
        (f"{W1}{SAME_KEY}quorum none\n", "are one key"),
        # A log that names its own key as a witness would be its own witness.
        (f"{OWN_KEY}{W1}quorum A\n", "are one key"),
        (f"witness A {log(1)}\n", "line 1 of the policy: .* is no witness's key"),
        (f"log {witness(1)}\n", "is no log's key"),
        (f"witness A {witness(1)} ftp://w.example\n", "no address of the web"),
        (f"witness A {witness(1)} file:///etc/passwd\n", "no address of the web"),
        ("quorum none\r\n", "control characters"),
        ("quorum none\x7f\n", "control characters"),
        ("#" * 70_000, "longer than"),
        (
            "".join(f"witness W{i} {witness(i)}\n" for i in range(65)) + "quorum none",
            "64 witnesses",
        ),
    ],
)
def test_what_is_no_policy(text: str, says: str) -> None:
    with pytest.raises(InputError, match=says) as caught:
        Policy.parse(text)
    assert caught.value.advice


def test_names_and_ids_that_collide(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key can be made to share name and id with another; a policy never holds both."""
    one = f"witness A {witness(1, 'x')}\n".replace("x/1", "x")
    monkeypatch.setattr("assent.kit.tlog.note.key_id", lambda *_: b"same")
    monkeypatch.setattr("assent.kit.tlog.cosignature.key_id", lambda *_: b"same")

    def vkey(seed: int) -> str:
        return VerifierKey("x", 4, private(seed).public_key().public_bytes_raw()).text

    assert one
    with pytest.raises(InputError, match="have the same id"):
        Policy.parse(f"witness A {vkey(1)}\nwitness B {vkey(2)}\nquorum A\n")


@given(st.text())
def test_any_text_is_a_policy_or_refused(text: str) -> None:
    try:
        Policy.parse(text)
    except InputError:
        return
    assert "quorum" in text


def test_it_is_written_as_it_was_read(make_signer: Callable[..., NoteSigner]) -> None:
    text = f"log {make_signer().vkey} https://log.example\n{W1}{W2}group g 2 A B\nquorum g\n"
    assert Policy.parse(text).text() == text
    assert policies.NONE == "none"
