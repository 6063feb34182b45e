from itertools import pairwise

import pytest

from escriba.transcripts.diarized import DiarizedSegment, DiarizedWord


def spoken(speaker, text, *, start_ms=0, word_ms=300, pause_ms=20):
    """A segment whose words come one after another, each `word_ms` long with its pause."""
    parts = text.split(" ")
    edges = [start_ms + word_ms * index for index in range(len(parts) + 1)]
    words = tuple(
        DiarizedWord(
            start_ms=begin, end_ms=end - pause_ms, text=part, probability=0.9, speaker=speaker
        )
        for part, (begin, end) in zip(parts, pairwise(edges), strict=True)
    )
    return DiarizedSegment(
        start_ms=start_ms, end_ms=words[-1].end_ms, speaker=speaker, text=text, words=words
    )


@pytest.fixture(scope="session")
def say():
    return spoken
