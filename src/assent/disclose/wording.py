"""What the spoken notice says, in the languages that it can be said in, and the manifest."""

from assent.kit.errors import InputError

__all__ = ["BYSTANDERS_HIDDEN", "NOT_STAMPED", "SPOKEN", "spoken_notice"]

BYSTANDERS_HIDDEN = "Faces of bystanders made unrecognisable"
"""What the credential says of footage that showed people who were not to be seen."""

NOT_STAMPED = "Not time-stamped: the time-stamping service gave no stamp"
"""What the credential says where a stamp was to be had and the studio chose to do without."""

SPOKEN = {
    "de": "Das Gesicht in diesem Video wurde mit künstlicher Intelligenz ersetzt.",
    "en": "The face in this video was replaced with artificial intelligence.",
    "es": "El rostro en este vídeo fue sustituido con inteligencia artificial.",
    "fr": "Le visage dans cette vidéo a été remplacé par intelligence artificielle.",
    "it": "Il volto in questo video è stato sostituito con intelligenza artificiale.",
    "nl": "Het gezicht in deze video is vervangen met kunstmatige intelligentie.",
    "pt": "O rosto neste vídeo foi substituído com inteligência artificial.",
}


def spoken_notice(language: str) -> str:
    """Return the notice in `language`, a tag such as en or pt-br; raises `InputError`."""
    sentence = SPOKEN.get(language.lower().partition("-")[0])
    if sentence is None:
        raise InputError(
            f"there is no spoken notice in '{language}'",
            advice=f"Choose one of {', '.join(SPOKEN)}.",
        )
    return sentence
