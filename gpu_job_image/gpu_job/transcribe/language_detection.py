"""Detects the spoken language with Whisper."""

from .encoder import Encoder, Sound


def language_chances(
    encoder: Encoder, sound: Sound, *, is_decoded_later: bool
) -> list[tuple[str, float]]:
    """The probability of each language of the model, the most likely first."""
    encoded = encoder.for_language(sound, is_decoded_later=is_decoded_later)
    [ranked] = encoder.model.model.detect_language(encoded)
    return [(mark.strip("<|>"), float(chance)) for mark, chance in ranked]
