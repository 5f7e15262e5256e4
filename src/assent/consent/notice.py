"""The notice: what the subject is told, in plain words, before signing."""

from assent.consent.clearance import Act, Modality

__all__ = ["EFFECT_OF_WITHDRAWAL", "write_notice"]

_ACTS = {
    Act.INGEST: "keep the footage of you, encrypted, and match your face with your statement",
    Act.TRAIN: "train a face model on your footage",
    Act.PORTRAY: "put your face onto another performer's footage",
    Act.PERFORM: "give your performance another person's face",
    Act.RELEASE: "release the labelled result on the channels named here",
}

EFFECT_OF_WITHDRAWAL = (
    "At once: no more training, rendering or release. The key of your footage, face set and "
    "models is destroyed, so nobody can open them again. Copies already published can't be "
    "called back, but anyone who verifies them is told that you withdrew."
)


def write_notice(
    *, studio: str, project: str, use: str, acts: frozenset[Act], modalities: frozenset[Modality]
) -> str:
    """Return the notice in English, one line an item."""
    things = " and ".join(sorted(modality.value for modality in modalities))
    lines = [
        f"{studio} asks to use your {things} for the project '{project}': {use}",
        "You would allow the studio to:",
        *(f"- {_ACTS[act]}" for act in Act if act in acts),
        "Everything made is labelled, marked, signed and logged, and can be recognised anywhere.",
        "You can say no, now or later, without giving a reason.",
        f"If you withdraw: {EFFECT_OF_WITHDRAWAL}",
    ]
    return "\n".join(lines)
