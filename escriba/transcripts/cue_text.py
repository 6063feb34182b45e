"""Turns diarized segments into phrases: words of one speaker that may share a cue."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from gpu_job.contract.word_joins import between, is_blankless, may_part, text_of, units

from .diarized import DiarizedSegment, DiarizedWord
from .subtitle_layout import DEFAULT_RULES, OTHERS, SubtitleLayout, layout_for
from .subtitle_rules import SubtitleRules
from .text_width import clusters, columns, tidy_words


@dataclass(frozen=True, slots=True)
class Token:
    """A word as shown, at most one line wide; it never ends before it starts.

    Text that must stay together is one token: "levá-lo", "3,50", a kana with its small vowel.
    joins: No blank precedes the token.
    is_label: The label of the speaker before the words; never alone in a cue.
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
    guide: SubtitleLayout = OTHERS


@dataclass(frozen=True, slots=True)
class _Unit:
    """Words that must stay together; `joins`: no blank precedes them."""

    words: Sequence[DiarizedWord]
    joins: bool


def split_into_phrases(
    segments: Iterable[DiarizedSegment], language: str = "", rules: SubtitleRules = DEFAULT_RULES
) -> list[Phrase]:
    """Splits segments at changes of speaker, at pauses, and where times decrease.

    A speaker who is talking when another one begins is split there too, which keeps their words in
    order. Adjacent segments of one speaker are joined. Sorted by start, then by end.
    """
    ordered = sorted(segments, key=lambda segment: (segment.start_ms, segment.end_ms))
    onsets = [new.start_ms for old, new in pairwise(ordered) if old.speaker != new.speaker]
    runs: defaultdict[tuple[int, str], list[_Unit]] = defaultdict(list)
    for segment in ordered:
        for at, words in enumerate(units(segment.words)):
            run = runs[bisect_right(onsets, words[0].start_ms), segment.speaker]
            run.append(_Unit(words, words[0].joins if at else _joins_last(run, words[0])))
    found = (
        phrase
        for (_, speaker), run in runs.items()
        for phrase in _of(speaker, run, layout_for(_text(run), language, rules))
    )
    return sorted(found, key=lambda it: (it.tokens[0].start_ms, it.tokens[-1].end_ms))


def with_speaker_labels(found: Sequence[Phrase]) -> list[Phrase]:
    """The phrases, with `[SPEAKER]` before each one that starts with a new speaker."""
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
    """Whether no blank separates the first word of a segment from the previous segment."""
    return bool(run) and not between(run[-1].words[-1].text, word.text, joins=word.joins)


def _text(run: Sequence[_Unit]) -> str:
    return "".join(word.text for unit in run for word in unit.words)


def _of(speaker: str, run: Sequence[_Unit], guide: SubtitleLayout) -> Iterator[Phrase]:
    tokens = [token for unit in run for token in _tokens(unit, guide.line_columns)]
    for part in _without_pauses(tokens, guide.pause_ms):
        yield Phrase(speaker, part, guide)


def _without_pauses(tokens: Sequence[Token], pause_ms: int) -> Iterator[tuple[Token, ...]]:
    begin = 0
    for index, (old, new) in enumerate(pairwise(tokens), start=1):
        if not old.start_ms <= new.start_ms < old.end_ms + pause_ms:
            yield tuple(tokens[begin:index])
            begin = index
    if tokens:
        yield tuple(tokens[begin:])


def _tokens(unit: _Unit, line_columns: int) -> list[Token]:
    """The tokens of a unit; text with blanks or wider than a line is split and shares its time."""
    parts = tidy_words(text_of(unit.words))
    pieces = [
        (piece, unit.joins if not (at or number) else number > 0)
        for at, part in enumerate(parts)
        for number, piece in enumerate(_fitting(part, line_columns))
    ]
    start_ms, length_ms = unit.words[0].start_ms, _length_ms(unit)
    edges = [start_ms + length_ms * at // max(1, len(pieces)) for at in range(len(pieces) + 1)]
    return [
        Token(begin_ms, end_ms, piece, columns(piece), joins)
        for (piece, joins), (begin_ms, end_ms) in zip(pieces, pairwise(edges), strict=True)
    ]


def _length_ms(unit: _Unit) -> int:
    return max(0, max(word.end_ms for word in unit.words) - unit.words[0].start_ms)


def _fitting(text: str, line_columns: int) -> list[str]:
    """The text, or slices of it that fit on a line of that many columns.

    Text without blanks is split at allowed places from half a line on: whole sentences are one word
    if a model gives no word times, and in languages such as Khmer.
    """
    filled = columns(text)
    if filled <= line_columns // 2 or (filled <= line_columns and not any(map(is_blankless, text))):
        return [text]
    edges = [at for at in range(1, len(text)) if may_part(text[at - 1], text[at])]
    parts = [text[low:high] for low, high in pairwise([0, *edges, len(text)])]
    return [piece for part in parts for piece in _sliced(part, line_columns)]


def _sliced(text: str, line_columns: int) -> list[str]:
    if columns(text) <= line_columns:
        return [text]
    pieces, left = [""], line_columns
    for cluster in clusters(text):
        if columns(cluster) > left:
            pieces.append("")
            left = line_columns
        pieces[-1] += cluster
        left -= columns(cluster)
    return pieces
