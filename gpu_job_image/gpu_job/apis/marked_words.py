"""Puts the marks of the text back to words that an API lists without them.

whisper-1 lists "hello" where its text has "Hello,". Texts and words are matched in order; a word of
the text without a partner gets the time between its neighbours.
"""

import unicodedata
from collections.abc import Sequence
from difflib import SequenceMatcher

from .answers import TimedText

_LEAST_MATCHED = 0.8  # of the words; otherwise the list is kept as it came


def marked(text: str, words: Sequence[TimedText]) -> list[TimedText]:
    """The words as the text writes them, each after a blank, with the times of the list."""
    written = text.split()
    if not written or not words:
        return list(words)
    pairs = _pairs([_bare(each) for each in written], [_bare(word.text) for word in words])
    if len(pairs) < _LEAST_MATCHED * max(len(written), len(words)):
        return list(words)
    found, last_ms = [], words[0].start_ms
    for i, each in enumerate(written):
        if i in pairs:
            word = words[pairs[i]]
            start_ms, end_ms = word.start_ms, word.end_ms
        else:
            follows = next(
                (words[pairs[j]] for j in range(i + 1, len(written)) if j in pairs), None
            )
            start_ms, end_ms = last_ms, follows.start_ms if follows else words[-1].end_ms
        found.append(TimedText(f" {each}", start_ms, max(start_ms, end_ms)))
        last_ms = found[-1].end_ms
    return found


def _pairs(written: Sequence[str], listed: Sequence[str]) -> dict[int, int]:
    blocks = SequenceMatcher(None, written, listed, autojunk=False).get_matching_blocks()
    return {block.a + i: block.b + i for block in blocks for i in range(block.size)}


def _bare(word: str) -> str:
    return "".join(sign for sign in word.casefold() if unicodedata.category(sign)[0] in "LNM")
