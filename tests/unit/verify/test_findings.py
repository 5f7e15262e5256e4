import json

from assent.kit.canonical import canonical
from assent.verify.findings import Findings, Layer, Source, Status, Verdict, plain


def findings(**changes: object) -> Findings:
    layer = Layer(
        name="log",
        status=Status.BAD,
        says="changed",
        rests_on="a checkpoint",
        facts={"problems": ["a\x1b[31m\nb"], "more": {"deep": ["x" * 9000] * 500}},
    )
    fields = {
        "file": "a.mp4",
        "sha256": "00",
        "size": 7,
        "verdict": Verdict.NOTHING_FOUND,
        "summary": "Nothing.",
        "asset_id": None,
        "consent_withdrawn": False,
        "ended": None,
        "layers": (layer,),
        "source": Source(studio="S", origin="o", size=3, key_from="k", as_of=None),
    }
    return Findings(**{**fields, **changes})  # type: ignore[arg-type]


def test_findings_are_plain_json() -> None:
    again = json.loads(json.dumps(findings().to_json()))
    assert set(again) == set(Findings.__slots__)
    assert again["verdict"] == "nothing-found"
    (layer,) = again["layers"]
    assert (layer["name"], layer["status"], layer["says"]) == ("log", "bad", "changed")
    assert again["source"] == {
        "studio": "S", "log": "o", "entries": 3, "key_from": "k", "as_of": None,
    }  # fmt: skip


def test_findings_can_be_signed() -> None:
    assert canonical(findings().to_json())


def test_what_strangers_wrote_obeys_no_terminal_and_has_an_end() -> None:
    facts = findings().to_json()["layers"][0]["facts"]
    assert facts["problems"] == ["a [31m b"]
    assert len(facts["more"]["deep"]) == 100
    assert {len(each) for each in facts["more"]["deep"]} == {1000}
    assert plain("a\u202eb\u200f\x00c") == "a b c"
