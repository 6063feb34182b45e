"""A second try for a window in which the decoder ran into a loop, or guessed.

Plain Whisper decodes such a window again, at higher and higher temperatures; the batched pipeline
of faster-whisper does not, and what was said under a loop is lost. Here it is a beam: that mostly
does, gives the same every time, and invents nothing as sampling may. What was really said over and
over stays: the second try does not pass either, and the likelier of both is taken.
"""

import zlib
from typing import Any

COMPRESSION = 2.4  # these three: Whisper's own (its transcribe.py)
UNSURE = -1.0
SILENT = 0.6
LOOKED_AT_BYTES = 200  # of text at once: a loop at the end of a long one hides in the whole
BEAM = 5


def has_failed(text: str, logprob: float, no_speech: float) -> bool:
    """Whether it is worth a second try, as Whisper has it: loops and guesses, but not silence."""
    if logprob < UNSURE:
        return no_speech <= SILENT
    return is_looping(text)


def is_looping(text: str) -> bool:
    """Whether a part of the text is nearly nothing but repetition."""
    told = text.strip().encode()
    starts = range(0, max(1, len(told) - LOOKED_AT_BYTES // 2), LOOKED_AT_BYTES // 2)
    parts = (told[start : start + LOOKED_AT_BYTES] for start in starts)
    return any(len(part) > COMPRESSION * len(zlib.compress(part)) for part in parts)


def logprob_of(result: Any) -> float:  # noqa: ANN401  # ctranslate2's WhisperGenerationResult
    """Mean natural logarithm of the tokens' probabilities, the end of the text among them."""
    length = len(result.sequences_ids[0])
    return float(result.scores[0] * length / (length + 1))
