"""Which models can write English of other languages."""


def cannot_translate(model: str) -> str:
    """Why a model, by its name, cannot; empty where it can, or where nobody knows.

    large-v3-turbo was fine-tuned without translations (openai/whisper, discussion 2363), and the
    distilled ones and those of `.en` know English alone.
    """
    name = model.rstrip("/").rpartition("/")[2].lower()
    if "turbo" in name:
        return "it was trained without translations, and writes the language that it hears"
    if name.endswith(".en") or "distil" in name:
        return "it knows English alone"
    return ""
