from studios import Scene, draw_up

from assent.consent.clearance import Act, Modality
from assent.consent.notice import EFFECT_OF_WITHDRAWAL, write_notice


def test_the_notice_names_what_is_asked_and_nothing_else() -> None:
    text = write_notice(
        studio="Nord",
        project="Spring",
        use="A film for schools.",
        acts=frozenset({Act.TRAIN, Act.RELEASE}),
        modalities=frozenset({Modality.VOICE, Modality.FACE}),
    )
    lines = text.splitlines()
    first = "Nord asks to use your face and voice for the project 'Spring': A film for schools."
    assert lines[0] == first
    assert [line for line in lines if line.startswith("-")] == [
        "- train a face model on your footage",
        "- release the labelled result on the channels named here",
    ]
    assert lines[-1] == f"If you withdraw: {EFFECT_OF_WITHDRAWAL}"


def test_every_act_can_be_explained(scene: Scene) -> None:
    record = draw_up(scene.studio, scene.purpose, scene.cleo)
    assert record.notice.text.count("\n- ") == len(Act)
    assert record.withdrawal.effect == EFFECT_OF_WITHDRAWAL
