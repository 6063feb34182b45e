"""Words that fell to the wrong side of a turn's edge go back to who is speaking."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from gpu_job.contract import Turn, Word

MOST_WORDS = 3
# Chosen: people leave more than this before they answer, and within a sentence mostly less
# (Heldner and Edlund 2010: half of all gaps between speakers are longer than 100 ms, and Whisper's
# word times are off by another 100 to 200 ms).
PAUSE_MS = 300
LEAST_TURN_MS = 300
_SENTENCE_ENDS = (".", "?", "!", "…", "。", "？", "！")


class _Run(NamedTuple):
    speaker: str
    low: int  # first word
    high: int  # one after the last


def without_islands(
    words: Sequence[Word], labels: Sequence[str], turns: Sequence[Turn]
) -> list[str]:
    """The labels, with islands of one to three words given to the speaker around them.

    An island is flanked on both sides by the same other speaker, who says more on either side,
    without a pause, in the middle of a sentence. It stays where it is a back-channel: its speaker
    has a turn there, and who speaks around it is silent meanwhile.

    Args:
        words: In the order in which they were said.
        labels: The speaker of each.
        turns: All turns of the diarizer; they may overlap.
    """
    runs, floor = _runs(labels), _Floor(turns)
    smooth = list(labels)
    for before, island, after in zip(runs, runs[1:], runs[2:], strict=False):
        if _is_island(before, island, after) and not (
            _stands_apart(words, island) or _has_a_turn(words, before.speaker, island, floor)
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
        length <= MOST_WORDS
        and before.speaker == after.speaker
        and min(before.high - before.low, after.high - after.low) > length
    )


def _stands_apart(words: Sequence[Word], island: _Run) -> bool:
    """A pause on one side, or a sentence of its own."""
    first, last = words[island.low], words[island.high - 1]
    before, after = words[island.low - 1], words[island.high]
    if max(first.start_ms - before.end_ms, after.start_ms - last.end_ms) >= PAUSE_MS:
        return True
    return before.text.endswith(_SENTENCE_ENDS) and last.text.endswith(_SENTENCE_ENDS)


class _Floor:
    """Who has the floor when; a bisection for each question, however many turns there are."""

    def __init__(self, turns: Sequence[Turn]) -> None:
        self._spans: dict[str, list[list[int]]] = {}
        for turn in sorted(turns, key=lambda turn: turn.start_ms):
            own = self._spans.setdefault(turn.speaker, [])
            if own and turn.start_ms <= own[-1][1]:
                own[-1][1] = max(own[-1][1], turn.end_ms)
            else:
                own.append([turn.start_ms, turn.end_ms])

    def shared(self, speaker: str, low: int, high: int) -> list[tuple[int, int]]:
        """Of each of the speaker's turns: its length, and how much lies between two times (ms)."""
        own = self._spans.get(speaker, [])
        first = max(0, bisect_right(own, [low]) - 1)
        found = []
        for start, end in own[first:]:
            if start >= high:
                break
            found.append((end - start, max(0, min(end, high) - max(start, low))))
        return found


def _has_a_turn(words: Sequence[Word], around: str, island: _Run, floor: _Floor) -> bool:
    """Whether the island's speaker has the floor for most of it, and the other one has not."""
    low, high = words[island.low].start_ms, words[island.high - 1].end_ms
    half = max(1, high - low) / 2
    own = [
        inside
        for length, inside in floor.shared(island.speaker, low, high)
        if length >= LEAST_TURN_MS
    ]
    return sum(own) >= half and sum(x for _, x in floor.shared(around, low, high)) < half
