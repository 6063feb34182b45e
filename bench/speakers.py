"""How long it takes to find the speaker of every word of a six-hour recording.

`python -m bench.speakers [--quick] [--json]`. Beside it: a scan of the turns for each word, as
WhisperX 3.8.6 does it, and a plain nested loop, measured on a part of the words and scaled up.
With the package intervaltree installed, a tree is measured too.
"""

import random
import statistics
import time
from collections import Counter
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from itertools import pairwise

import numpy as np

from bench import report
from escriba.transcripts.speakers import REACH_MS, SPEAKER_UNKNOWN, assign_speakers
from gpu_job.contract import Turn, Word

HOURS = 6
WORDS, TURNS = 60_000, 5_000

Assign = Callable[[Sequence[Word], Sequence[Turn]], list[str]]


def recording(hours: float, seed: int = 1) -> tuple[list[Word], list[Turn]]:
    """Words and turns of `hours` of talk among four; one turn in five overlaps the one before."""
    dice = random.Random(seed)  # noqa: S311  dice, not secrets
    share = hours / HOURS
    length_ms = round(hours * 3_600_000)
    words = [
        Word(start_ms=start, end_ms=start + dice.randint(0, 500), text="word", probability=0.9)
        for start in sorted(dice.randrange(length_ms) for _ in range(round(WORDS * share)))
    ]
    edges = sorted(dice.randrange(length_ms) for _ in range(round(TURNS * share) + 1))
    turns = [
        Turn(
            start_ms=start,
            end_ms=end
            + (dice.randint(0, 2_000) if dice.random() < 0.2 else -min(200, end - start)),
            speaker=f"SPEAKER_{dice.randrange(4):02d}",
        )
        for start, end in pairwise(edges)
    ]
    return words, turns


def nested(words: Sequence[Word], turns: Sequence[Turn]) -> tuple[Sequence[Word], list[Turn]]:
    """The same with one turn over all and thousands of long ones over one another."""
    end_ms = words[-1].end_ms
    long = [
        Turn(start_ms=i, end_ms=end_ms - len(turns) + i, speaker="LONG") for i in range(len(turns))
    ]
    return words, [*turns, Turn(start_ms=0, end_ms=end_ms, speaker="ALL"), *long]


def nested_loop(words: Sequence[Word], turns: Sequence[Turn]) -> list[str]:
    """Every turn for every word, in plain Python."""
    spans = [(turn.start_ms, turn.end_ms, turn.speaker) for turn in turns]
    labels = []
    for word in words:
        from_ms, to_ms = word.start_ms, max(word.end_ms, word.start_ms + 1)
        overlap, _, _, speaker = min(
            (max(start, from_ms) - min(end, to_ms), start, -end, speaker)
            for start, end, speaker in spans
            if end > start
        )
        labels.append(speaker if overlap <= REACH_MS else SPEAKER_UNKNOWN)
    return labels


def scan(words: Sequence[Word], turns: Sequence[Turn]) -> list[str]:
    """For each word a look at all turns that began before it ends, as WhisperX 3.8.6 does.

    Overlaps are added up by speaker, and a word that overlaps no turn stays unknown.
    """
    known = sorted(turns, key=lambda turn: turn.start_ms)
    starts = np.array([turn.start_ms for turn in known])
    ends = np.array([turn.end_ms for turn in known])
    labels = []
    for word in words:
        begun = np.searchsorted(starts, word.end_ms, "left")
        shared: Counter[str] = Counter()
        for index in np.flatnonzero(ends[:begun] > word.start_ms):
            overlap = min(ends[index], word.end_ms) - max(starts[index], word.start_ms)
            shared[known[index].speaker] += overlap
        labels.append(max(shared, key=shared.__getitem__) if shared else SPEAKER_UNKNOWN)
    return labels


def interval_tree(words: Sequence[Word], turns: Sequence[Turn]) -> list[str]:
    """A tree of turns asked for each word; it has no nearest turn, so others are unknown."""
    from intervaltree import IntervalTree  # noqa: PLC0415  an optional comparison

    tree = IntervalTree.from_tuples(
        (turn.start_ms, turn.end_ms, turn.speaker) for turn in turns if turn.end_ms > turn.start_ms
    )
    labels = []
    for word in words:
        from_ms, to_ms = word.start_ms, max(word.end_ms, word.start_ms + 1)
        found = min(
            ((max(s, from_ms) - min(e, to_ms), s, -e, who) for s, e, who in tree[from_ms:to_ms]),
            default=None,
        )
        labels.append(found[3] if found else SPEAKER_UNKNOWN)
    return labels


def median_ms(assign: Assign, words: Sequence[Word], turns: Sequence[Turn], runs: int) -> float:
    """Median of `runs` runs, in ms."""
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        assign(words, turns)
        times.append((time.perf_counter() - began) * 1_000)
    return statistics.median(times)


def main() -> None:
    chosen = report.options(__doc__)
    runs = 5 if chosen.quick else 21
    words, turns = recording(HOURS)
    some_words = words[:: 600 if chosen.quick else 60]
    if nested_loop(some_words, turns) != assign_speakers(some_words, turns):
        raise SystemExit("the nested loop and assign_speakers disagree: no figure means anything")

    ours = median_ms(assign_speakers, words, turns, runs)
    loop = median_ms(nested_loop, some_words, turns, 1) * len(words) / len(some_words)
    times = {
        "assign_speakers": ours,
        "assign_speakers, with 5,001 nested turns more": median_ms(
            assign_speakers, *nested(words, turns), runs
        ),
        "scan for each word (WhisperX 3.8.6)": median_ms(scan, words, turns, 3),
        "nested loop, plain Python (scaled)": loop,
    }
    if find_spec("intervaltree"):
        times["interval tree, overlaps only"] = median_ms(interval_tree, words, turns, 3)
    report.show(
        f"{HOURS} h: {WORDS:,} words, {TURNS:,} turns",
        ["way", "ms", "times ours"],
        [(way, f"{ms:,.1f}", f"{ms / ours:,.1f}") for way, ms in times.items()],
        {"ms_6h": round(ours, 2), "words": WORDS, "turns": TURNS, "runs": runs}
        | {"ms_by_way": {way: round(ms, 2) for way, ms in times.items()}},
        as_json=chosen.json,
    )


if __name__ == "__main__":
    main()
