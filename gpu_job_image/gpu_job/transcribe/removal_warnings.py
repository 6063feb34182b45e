"""Warnings about removed words: results keep what was removed, and why."""

from ..contract import JobWarning
from .removed_words import Removal
from .segments import words_of
from .windows import Window

_REASONS = {
    "no_words": "The model wrote only punctuation.",
    "repetition": "The model wrote the same words more often than they were said.",
    "no_speech": "The model wrote words where there is no speech.",
    "boilerplate": "The model wrote a phrase from video subtitles over near-silence.",
    "no_language": "The model wrote words where the sound resembles speech in no language.",
}


def removal_warning(removal: Removal, window: Window) -> JobWarning:
    """The warning about words removed from a window, with their times in the recording."""
    low, high = window.recording_span(removal.start_ms, removal.end_ms)
    return JobWarning(
        code=removal.reason,
        message=_REASONS[removal.reason],
        start_ms=low,
        end_ms=high,
        text=removal.text,
        words=words_of(removal.words, window),
        evidence=removal.evidence,
    )
