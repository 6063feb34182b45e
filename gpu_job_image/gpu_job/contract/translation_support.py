"""Which models can translate speech into English."""


def cannot_translate(model: str) -> str:
    """Why the named model cannot translate; empty if it can or if that is unknown.

    large-v3-turbo was fine-tuned without translations (openai/whisper, discussion 2363), and the
    distilled models and those named `.en` know only English.
    """
    name = model.rstrip("/").rpartition("/")[2].lower()
    if "turbo" in name:
        return "it was trained without translations and writes the spoken language"
    if name.endswith(".en") or "distil" in name:
        return "it knows only English"
    return ""
