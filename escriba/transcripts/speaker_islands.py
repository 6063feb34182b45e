"""Returns words that landed on the wrong side of a turn boundary to the surrounding speaker."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from gpu_job.contract import Turn, Word

MAX_ISLAND_WORDS = 3
# Chosen: people mostly pause longer before an answer, and less within a sentence (Heldner and
# Edlund 2010: half of all gaps between speakers are longer than 100 ms, and Whisper's word times
# are off by another 100 to 200 ms).
PAUSE_MS = 300
MIN_TURN_MS = 300
_SENTENCE_ENDS = (".", "?", "!", "…", "。", "？", "！")


class _Run(NamedTuple):
    speaker: str
    low: int  # first word
    high: int  # one after the last


def smooth_speaker_labels(
    words: Sequence[Word], labels: Sequence[str], turns: Sequence[Turn]
) -> list[str]:
    """The labels, with islands of one to three words assigned to the surrounding speaker.

    An island lies between more words of one other speaker on both sides, without a pause and within
    a sentence. It stays if it is a back-channel: its speaker has a turn there, and the surrounding
    speaker is silent meanwhile.

    Args:
        words: Words in time order.
        labels: The speaker of each word.
        turns: All turns of the diarizer; they may overlap.
    """
    runs, turn_index = _runs(labels), _TurnIndex(turns)
    smooth = list(labels)
    for before, island, after in zip(runs, runs[1:], runs[2:], strict=False):
        if _is_island(before, island, after) and not (
            _is_separate(words, island) or _has_a_turn(words, before.speaker, island, turn_index)
        ):
            smooth[island.low : island.high] = [before.speaker] * (island.high - island.low)
    return smooth


def _runs(labels: Sequence[str]) -> list[_Run]:
    runs, low = [], 0
    for speaker, of_run in groupby(labels):
        high = low + len(list(of_run))
        runs.append(_Run(speaker, low, high))
        low = high
    return runs


def _is_island(before: _Run, island: _Run, after: _Run) -> bool:
    length = island.high - island.low
    return (
        length <= MAX_ISLAND_WORDS
        and before.speaker == after.speaker
        and min(before.high - before.low, after.high - after.low) > length
    )


def _is_separate(words: Sequence[Word], island: _Run) -> bool:
    """Whether the island follows or precedes a pause, or is a whole sentence."""
    first, last = words[island.low], words[island.high - 1]
    before, after = words[island.low - 1], words[island.high]
    if max(first.start_ms - before.end_ms, after.start_ms - last.end_ms) >= PAUSE_MS:
        return True
    return before.text.endswith(_SENTENCE_ENDS) and last.text.endswith(_SENTENCE_ENDS)


class _TurnIndex:
    """The turns of each speaker, merged where they overlap; bisection finds those in a span."""

    def __init__(self, turns: Sequence[Turn]) -> None:
        self._spans: dict[str, list[list[int]]] = {}
        for turn in sorted(turns, key=lambda turn: turn.start_ms):
            own = self._spans.setdefault(turn.speaker, [])
            if own and turn.start_ms <= own[-1][1]:
                own[-1][1] = max(own[-1][1], turn.end_ms)
            else:
                own.append([turn.start_ms, turn.end_ms])

    def shared(self, speaker: str, low: int, high: int) -> list[tuple[int, int]]:
        """Length (ms) of each turn of the speaker between two times, and of its part in between."""
        own = self._spans.get(speaker, [])
        first = max(0, bisect_right(own, [low]) - 1)
        found = []
        for start, end in own[first:]:
            if start >= high:
                break
            found.append((end - start, max(0, min(end, high) - max(start, low))))
        return found


def _has_a_turn(words: Sequence[Word], around: str, island: _Run, turns: _TurnIndex) -> bool:
    """Whether turns of the island's speaker cover most of it, and those of the other do not."""
    low, high = words[island.low].start_ms, words[island.high - 1].end_ms
    half = max(1, high - low) / 2
    own = [
        inside
        for length, inside in turns.shared(island.speaker, low, high)
        if length >= MIN_TURN_MS
    ]
    return sum(own) >= half and sum(x for _, x in turns.shared(around, low, high)) < half
