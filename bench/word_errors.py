"""Words that were said against words that were written: WER, and what became of each word.

Texts are normalized as Whisper's authors do it (package whisper-normalizer) and aligned by
Levenshtein distance (package jiwer), so figures compare with published ones.
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any


@dataclass(frozen=True)
class WordErrors:
    """Counts of an alignment; they add up over recordings."""

    words: int = 0
    substitutions: int = 0
    deletions: int = 0
    insertions: int = 0

    def __add__(self, other: "WordErrors") -> "WordErrors":
        return WordErrors(
            self.words + other.words,
            self.substitutions + other.substitutions,
            self.deletions + other.deletions,
            self.insertions + other.insertions,
        )

    @property
    def wer(self) -> float:
        """Errors for each word that was said; 0 where nothing was said and nothing written."""
        errors = self.substitutions + self.deletions + self.insertions
        return errors / self.words if self.words else float(errors > 0)

    @property
    def told(self) -> str:
        """`11.22 (165/25/24)`: WER in percent, then substitutions, deletions, insertions."""
        parts = f"{self.substitutions}/{self.deletions}/{self.insertions}"
        return f"{100 * self.wer:.2f} ({parts})"


def normalized(text: str, language: str) -> list[str]:
    """The words of a text without case, punctuation and, in English, ways of spelling."""
    return str(_normalizer(language)(text)).split()


def word_errors(said: Sequence[str], written: Sequence[str]) -> WordErrors:
    """Counts of the best alignment of two lists of normalized words."""
    if not said or not written:
        return WordErrors(len(said), deletions=len(said), insertions=len(written))
    found = _aligned(said, written)
    return WordErrors(len(said), found.substitutions, found.deletions, found.insertions)


def matched(said: Sequence[str], written: Sequence[str]) -> set[int]:
    """The places in `written` of words that were said, by the best alignment."""
    if not said or not written:
        return set()
    chunks = _aligned(said, written).alignments[0]
    equal = (chunk for chunk in chunks if chunk.type == "equal")
    return {i for chunk in equal for i in range(chunk.hyp_start_idx, chunk.hyp_end_idx)}


def aligned(said: Sequence[str], written: Sequence[str]) -> Iterator[tuple[int | None, int | None]]:
    """Pairs of places by the best alignment; None where one side has no word."""
    if not said or not written:
        yield from ((i, None) for i in range(len(said)))
        yield from ((None, j) for j in range(len(written)))
        return
    for chunk in _aligned(said, written).alignments[0]:
        places = range(chunk.ref_start_idx, chunk.ref_end_idx)
        others = range(chunk.hyp_start_idx, chunk.hyp_end_idx)
        yield from itertools.zip_longest(places, others)


def _aligned(said: Iterable[str], written: Iterable[str]) -> Any:  # noqa: ANN401  # jiwer has types of its own
    import jiwer  # noqa: PLC0415  # of the group `speech`

    split = jiwer.Compose([jiwer.ReduceToListOfListOfWords()])
    return jiwer.process_words(" ".join(said), " ".join(written), split, split)


@lru_cache(maxsize=2)
def _normalizer(language: str) -> Any:  # noqa: ANN401
    from whisper_normalizer.basic import BasicTextNormalizer  # noqa: PLC0415
    from whisper_normalizer.english import EnglishTextNormalizer  # noqa: PLC0415

    return EnglishTextNormalizer() if language == "en" else BasicTextNormalizer()
