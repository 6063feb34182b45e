"""Diarized segments become phrases: words of one speaker that may share a subtitle."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from gpu_job.contract.joins import between, is_blankless, may_part, text_of, units
from pipelines.speech.diarized import DiarizedSegment, DiarizedWord
from pipelines.speech.guides import OTHERS, Guide, guide_for
from pipelines.speech.width import clusters, columns, tidy_words

PAUSE_MS = 1_000  # chosen: a longer silence would show words before they are said


@dataclass(frozen=True, slots=True)
class Token:
    """A word as it will be shown, at most a line wide; ends no earlier than it starts.

    What must not be parted is one token: "levá-lo", "3,50", a kana with its small vowel.
    joins: no blank stands before it.
    is_label: the name of the speaker, before what is said; never alone.
    """

    start_ms: int
    end_ms: int
    text: str
    columns: int
    joins: bool = False
    is_label: bool = False


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words of one speaker in time order, without a long pause."""

    speaker: str
    tokens: tuple[Token, ...]
    guide: Guide = OTHERS


@dataclass(frozen=True, slots=True)
class _Unit:
    """Words that must not be parted, and whether they stand without a blank after the last."""

    words: Sequence[DiarizedWord]
    joins: bool


def phrases(segments: Iterable[DiarizedSegment], language: str = "") -> list[Phrase]:
    """Cut the segments where another speaker begins, where somebody pauses, or time runs back.

    Who talks while another one begins is cut there too, so that what they say stays in order.
    Segments of one speaker with nothing in between are joined. Sorted by start, then by end.
    """
    ordered = sorted(segments, key=lambda segment: (segment.start_ms, segment.end_ms))
    onsets = [new.start_ms for old, new in pairwise(ordered) if old.speaker != new.speaker]
    runs: defaultdict[tuple[int, str], list[_Unit]] = defaultdict(list)
    for segment in ordered:
        for at, words in enumerate(units(segment.words)):
            run = runs[bisect_right(onsets, words[0].start_ms), segment.speaker]
            run.append(_Unit(words, words[0].joins if at else _joins_last(run, words[0])))
    found = (phrase for (_, speaker), run in runs.items() for phrase in _of(speaker, run, language))
    return sorted(found, key=lambda it: (it.tokens[0].start_ms, it.tokens[-1].end_ms))


def labelled(found: Sequence[Phrase]) -> list[Phrase]:
    """The same phrases; those with another speaker than the one before begin with `[SPEAKER]`."""
    speakers = ["", *(phrase.speaker for phrase in found)]
    return [
        phrase if phrase.speaker == before else _with_label(phrase)
        for before, phrase in zip(speakers, found, strict=False)
    ]


def _with_label(phrase: Phrase) -> Phrase:
    at_ms = phrase.tokens[0].start_ms
    (name, *_) = [*_fitting(f"[{' '.join(phrase.speaker.split())}]", phrase.guide.line_columns), ""]
    label = Token(at_ms, at_ms, name, columns(name), is_label=True)
    return replace(phrase, tokens=(label, *phrase.tokens))


def _joins_last(run: Sequence[_Unit], word: DiarizedWord) -> bool:
    """Whether the first word of a segment stands without a blank after the segment before."""
    return bool(run) and not between(run[-1].words[-1].text, word.text, joins=word.joins)


def _of(speaker: str, run: Sequence[_Unit], language: str) -> Iterator[Phrase]:
    guide = guide_for("".join(word.text for unit in run for word in unit.words), language)
    tokens = [token for unit in run for token in _tokens(unit, guide.line_columns)]
    for part in _without_pauses(tokens):
        yield Phrase(speaker, part, guide)


def _without_pauses(tokens: Sequence[Token]) -> Iterator[tuple[Token, ...]]:
    begin = 0
    for index, (old, new) in enumerate(pairwise(tokens), start=1):
        if not old.start_ms <= new.start_ms < old.end_ms + PAUSE_MS:
            yield tuple(tokens[begin:index])
            begin = index
    if tokens:
        yield tuple(tokens[begin:])


def _tokens(unit: _Unit, room: int) -> list[Token]:
    """The pieces of what has blanks inside, or is wider than a line; they share its time."""
    parts = tidy_words(text_of(unit.words))
    pieces = [
        (piece, unit.joins if not (at or number) else number > 0)
        for at, part in enumerate(parts)
        for number, piece in enumerate(_fitting(part, room))
    ]
    start_ms, length_ms = unit.words[0].start_ms, _length_ms(unit)
    edges = [start_ms + length_ms * at // max(1, len(pieces)) for at in range(len(pieces) + 1)]
    return [
        Token(begin_ms, end_ms, piece, columns(piece), joins)
        for (piece, joins), (begin_ms, end_ms) in zip(pieces, pairwise(edges), strict=True)
    ]


def _length_ms(unit: _Unit) -> int:
    return max(0, max(word.end_ms for word in unit.words) - unit.words[0].start_ms)


def _fitting(text: str, room: int) -> list[str]:
    """The text, or its slices that each fit on a line of so many columns.

    What is written without blanks is parted where it may be, from half a line on: whole sentences
    come as one word where a model gives no times of words, and in languages such as Khmer.
    """
    filled = columns(text)
    if filled <= room // 2 or (filled <= room and not any(map(is_blankless, text))):
        return [text]
    edges = [at for at in range(1, len(text)) if may_part(text[at - 1], text[at])]
    parts = [text[low:high] for low, high in pairwise([0, *edges, len(text)])]
    return [piece for part in parts for piece in _sliced(part, room)]


def _sliced(text: str, room: int) -> list[str]:
    if columns(text) <= room:
        return [text]
    pieces, left = [""], room
    for cluster in clusters(text):
        if columns(cluster) > left:
            pieces.append("")
            left = room
        pieces[-1] += cluster
        left -= columns(cluster)
    return pieces
