"""Decides which windows are decoded again: those where the decoder looped or guessed.

Sequential Whisper retries such a window at rising temperatures; the batched pipeline of
faster-whisper does not, and speech under a loop is lost. Here the retry is a beam search: it mostly
helps, is deterministic, and invents nothing, as sampling may. Real repetitions stay: the retry
fails the same test, and the more likely of both results is used.
"""

import zlib
from typing import Any

COMPRESSION = 2.4  # these three: Whisper's own (its transcribe.py)
UNSURE = -1.0
SILENT = 0.6
SLICE_BYTES = 200  # of text at a time: a loop at the end of a long text is hidden in the whole
BEAM = 5


def has_failed(text: str, logprob: float, no_speech: float) -> bool:
    """Whether to decode again by Whisper's rule: for loops and guesses, but not for silence."""
    if logprob < UNSURE:
        return no_speech <= SILENT
    return is_looping(text)


def is_looping(text: str) -> bool:
    """Whether a part of the text is mostly repetition."""
    encoded = text.strip().encode()
    starts = range(0, max(1, len(encoded) - SLICE_BYTES // 2), SLICE_BYTES // 2)
    parts = (encoded[start : start + SLICE_BYTES] for start in starts)
    return any(len(part) > COMPRESSION * len(zlib.compress(part)) for part in parts)


def logprob_of(result: Any) -> float:  # noqa: ANN401  # ctranslate2's WhisperGenerationResult
    """Mean natural logarithm of the token probabilities, including the end of the text."""
    length = len(result.sequences_ids[0])
    return float(result.scores[0] * length / (length + 1))
