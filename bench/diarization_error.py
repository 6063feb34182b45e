"""How wrong speaker turns are: the diarization error rate (DER), and cpWER beside it.

`python -m bench.diarization_error REFERENCE.rttm HYPOTHESIS.rttm` prints DER and its three parts.

DER is NIST's (RT-09 evaluation plan): seconds missed, made up, or given to the wrong speaker, by
the seconds of speech in the reference, of which overlap counts once for each speaker. No collar,
and overlap is judged. Speakers are matched one to one, so that the seconds in common are most.

cpWER (Watanabe et al., CHiME-6, 2020) is the word error rate of each speaker's words in a row,
under the matching of speakers that makes it least.
"""

import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np

Span = tuple[float, float, str]  # start s, end s, speaker
Spans: TypeAlias = Sequence[Span]


class Der(NamedTuple):
    """Shares of the reference's seconds of speech; `der` is the sum of the other three."""

    der: float
    miss: float
    false_alarm: float
    confusion: float


@dataclass(frozen=True)
class Seconds:
    """What one recording adds to the sums of many."""

    reference: float
    miss: float
    false_alarm: float
    confusion: float

    def __add__(self, other: "Seconds") -> "Seconds":
        """Of two recordings together."""
        return Seconds(
            self.reference + other.reference,
            self.miss + other.miss,
            self.false_alarm + other.false_alarm,
            self.confusion + other.confusion,
        )

    @property
    def rate(self) -> Der:
        """The shares; without any speech in the reference, seconds of false alarm are a whole."""
        by = self.reference or 1.0
        parts = (self.miss / by, self.false_alarm / by, self.confusion / by)
        return Der(sum(parts), *parts)


def der(reference: "Spans | str | Path", hypothesis: Iterable[object]) -> Der:
    """DER without collar and with overlap.

    Args:
        reference: Spans, or the RTTM file that holds them.
        hypothesis: Spans, or turns of the job contract.
    """
    return errors(reference, hypothesis).rate


def errors(reference: "Spans | str | Path", hypothesis: Iterable[object]) -> Seconds:
    """As `der`, in seconds, to be added up over recordings before the rate is taken."""
    truth = read_rttm(reference) if isinstance(reference, str | Path) else reference
    pieces = _pieces(_merged(truth), _merged(spans_of(hypothesis)))
    shared: dict[tuple[str, str], float] = defaultdict(float)
    for seconds, said, heard in pieces:
        for one in said:
            for other in heard:
                shared[one, other] += seconds
    same = set(_matching(shared))
    miss = false_alarm = confusion = total = 0.0
    for seconds, said, heard in pieces:
        right = sum((one, other) in same for one in said for other in heard)
        total += seconds * len(said)
        miss += seconds * max(0, len(said) - len(heard))
        false_alarm += seconds * max(0, len(heard) - len(said))
        confusion += seconds * (min(len(said), len(heard)) - right)
    return Seconds(total, miss, false_alarm, confusion)


def cp_errors(
    reference: Mapping[str, Sequence[str]], hypothesis: Mapping[str, Sequence[str]]
) -> int:
    """Words wrong under the best matching of speakers; whoever has no match is all wrong."""
    said, heard = list(reference), list(hypothesis)
    alone = sum(map(len, reference.values())) + sum(map(len, hypothesis.values()))
    gain = {
        (one, other): float(
            len(reference[one])
            + len(hypothesis[other])
            - edit_distance(reference[one], hypothesis[other])
        )
        for one in said
        for other in heard
    }
    return alone - round(sum(gain[pair] for pair in _matching(gain)))


def cp_wer(
    reference: Mapping[str, Sequence[str]], hypothesis: Mapping[str, Sequence[str]]
) -> float:
    """CpWER of each speaker's words, as lists of normalised words in time order."""
    return cp_errors(reference, hypothesis) / max(1, sum(map(len, reference.values())))


def edit_distance(reference: Sequence[str], hypothesis: Sequence[str]) -> int:
    """Words to be put in, taken out or changed, at least."""
    number = {word: i for i, word in enumerate({*reference, *hypothesis})}
    heard = np.array([number[word] for word in hypothesis], np.int64)
    row = steps = np.arange(len(heard) + 1)
    for i, word in enumerate(reference, 1):
        best = np.minimum(row[1:] + 1, row[:-1] + (heard != number[word]))
        row = np.minimum.accumulate(np.concatenate([[i], best]) - steps) + steps
    return int(row[-1])


def spans_of(turns: Iterable[object]) -> list[Span]:
    """Spans out of spans, or out of the contract's turns."""
    return [
        turn
        if isinstance(turn, tuple)
        else (turn.start_ms / 1000, turn.end_ms / 1000, turn.speaker)  # type: ignore[attr-defined]
        for turn in turns
    ]


def read_rttm(path: str | Path) -> list[Span]:
    """The spans of an RTTM file, whatever recording they name."""
    lines = (line.split() for line in Path(path).read_text().splitlines())
    fields = [line for line in lines if line and line[0] == "SPEAKER"]
    return [(float(f[3]), float(f[3]) + float(f[4]), f[7]) for f in fields]


def _merged(spans: Iterable[Span]) -> list[Span]:
    """Each speaker's spans without overlap among themselves."""
    own: dict[str, list[list[float]]] = defaultdict(list)
    for start, end, speaker in sorted(spans):
        stack = own[speaker]
        if stack and start <= stack[-1][1]:
            stack[-1][1] = max(stack[-1][1], end)
        elif end > start:
            stack.append([start, end])
    return [(start, end, speaker) for speaker, all_of in own.items() for start, end in all_of]


def _pieces(
    reference: list[Span], hypothesis: list[Span]
) -> list[tuple[float, frozenset[str], frozenset[str]]]:
    """Seconds, who speaks and who is heard, between any two edges."""
    events = [
        (time, way, side, speaker)
        for side, spans in enumerate((reference, hypothesis))
        for start, end, speaker in spans
        for time, way in ((start, 1), (end, -1))
    ]
    active: tuple[set[str], set[str]] = (set(), set())
    found = []
    for (time, way, side, speaker), (after, *_) in pairwise(sorted([*events, (np.inf, 0, 0, "")])):
        (active[side].add if way > 0 else active[side].discard)(speaker)
        if after > time and (active[0] or active[1]):
            found.append((after - time, frozenset(active[0]), frozenset(active[1])))
    return found


def _matching(gain: Mapping[tuple[str, str], float]) -> list[tuple[str, str]]:
    """The one-to-one pairs with the largest sum of gains (Hungarian algorithm, O(n³))."""
    rows, columns = (list(dict.fromkeys(pair[side] for pair in gain)) for side in (0, 1))
    size = max(len(rows), len(columns))
    cost = np.zeros((size + 1, size + 1))
    for (one, other), value in gain.items():
        cost[rows.index(one) + 1, columns.index(other) + 1] = -value
    u, v, owner = np.zeros(size + 1), np.zeros(size + 1), np.zeros(size + 1, int)
    for row in range(1, size + 1):
        owner[0], column, way = row, 0, np.zeros(size + 1, int)
        least, seen = np.full(size + 1, np.inf), np.zeros(size + 1, bool)
        while owner[column]:
            seen[column] = True
            slack = cost[owner[column]] - u[owner[column]] - v
            closer = ~seen & (slack < least)
            closer[0] = False
            least[closer], way[closer] = slack[closer], column
            following = int(
                np.argmin(np.where(seen, np.inf, np.where(np.arange(size + 1), least, np.inf)))
            )
            delta = least[following]
            u[owner[seen]] += delta
            v[seen] -= delta
            least[~seen] -= delta
            column = following
        while column:
            owner[column], column = owner[way[column]], int(way[column])
    pairs = ((owner[j] - 1, j - 1) for j in range(1, size + 1))
    named = [(rows[i], columns[j]) for i, j in pairs if i < len(rows) and j < len(columns)]
    return [pair for pair in named if gain.get(pair, 0) > 0]


def main() -> None:
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    found = der(sys.argv[1], read_rttm(sys.argv[2]))
    print(
        f"DER {found.der:.2%}: missed {found.miss:.2%}, made up {found.false_alarm:.2%}, "
        f"wrong speaker {found.confusion:.2%}"
    )


if __name__ == "__main__":
    main()
