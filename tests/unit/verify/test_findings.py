import json

from assent.verify.findings import Findings, Layer, Status, Verdict


def test_findings_are_plain_json() -> None:
    layer = Layer(name="log", status=Status.BAD, says="changed", rests_on="a checkpoint")
    findings = Findings(
        file="a.mp4",
        sha256="00",
        verdict=Verdict.NOTHING_FOUND,
        summary="Nothing.",
        asset_id=None,
        consent_withdrawn=False,
        layers=(layer,),
    )
    again = json.loads(json.dumps(findings.to_json()))
    assert set(again) == set(Findings.__slots__)
    assert again["verdict"] == "nothing-found"
    assert again["layers"] == [
        {"name": "log", "status": "bad", "says": "changed", "rests_on": "a checkpoint"}
    ]
