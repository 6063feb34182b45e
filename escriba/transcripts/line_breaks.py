"""Splits phrases into cues, and cues into lines."""

from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise

from gpu_job.contract.word_joins import is_blankless

from .cue_text import Token
from .japanese_words import inside_word
from .subtitle_layout import OTHERS, SubtitleLayout

# Costs of a break by place. Only their ratios matter; chosen by reading the results.
_AFTER_SENTENCE, _AFTER_CLAUSE, _BEFORE_CONJUNCTION, _ELSEWHERE = 0.0, 15.0, 30.0, 60.0
_AFTER_LABEL = 1_000.0  # a label alone is useless; it gets its own line only if necessary
_INSIDE_WORD = 180.0  # probably: scripts without blanks do not mark the ends of words
_PER_CUE = 25.0  # so that two short sentences share a cue
_UNEVEN = 25.0  # for a full cue, quadratically less for a smaller one: 5 + 5 beats 9 + 1
_PER_COLUMN_TOO_FAST = 2.0

# Characters of several scripts; some look alike.
_SENTENCE_ENDS = frozenset(".?!…。？！؟۔।။។")
_CLAUSE_ENDS = frozenset(",;:—–،؛、，；：၊")
_CLOSING = "\"'”’»)]}」』）】〉》"
_BREATH_MS = 400  # a silence that separates like a comma
_CONJUNCTIONS = frozenset(
    (
        *(
            "and",
            "or",
            "but",
            "because",
            "that",
            "which",
            "who",
            "so",
            "if",
            "when",
            "while",
            "before",
            "until",
        ),
        *("e", "ou", "mas", "porque", "que", "quando", "se", "enquanto", "pois", "como"),
        *("y", "o", "pero", "cuando", "si", "mientras", "et", "mais", "parce", "quand"),
        *("und", "oder", "aber", "weil", "dass", "wenn"),
    )
)


def cue_spans(tokens: Sequence[Token], guide: SubtitleLayout = OTHERS) -> list[tuple[int, int]]:
    """The cheapest split of a phrase into cues, as (first, end) indices of tokens.

    Every cue fits on the lines of the guide, and is spoken and readable within its maximum
    duration, except for a single word that is too long.
    Dynamic programming from the end; a cue holds at most about forty words, so it is linear.
    """
    widths = _Widths(tokens)
    after_line = widths.line_ends(guide.line_columns)
    breaks = [*break_costs(tokens), 0.0]
    best, follows = [0.0] * (len(tokens) + 1), [0] * len(tokens)
    for first in reversed(range(len(tokens))):
        costs = {
            end: _cue_cost(widths.columns(first, end), _time_shown_ms(tokens, first, end), guide)
            + breaks[end - 1]
            + best[end]
            for end in _possible_ends(tokens, first, widths, after_line, guide)
        }
        follows[first] = min(costs, key=costs.__getitem__)
        best[first] = costs[follows[first]]
    return _chained(follows)


def lines(tokens: Sequence[Token], guide: SubtitleLayout = OTHERS) -> tuple[Sequence[Token], ...]:
    """The words of one cue on as few lines as possible, split evenly and at good places.

    Args:
        tokens: Words of one of the `cue_spans`, which fit on the lines of the guide.
        guide: The guide of these `cue_spans`.
    """
    widths, breaks = _Widths(tokens), break_costs(tokens)
    after_line = widths.line_ends(guide.line_columns)

    def cost(layout: _Layout) -> float:
        filled = [widths.columns(first, end) for first, end in layout]
        return sum(breaks[end - 1] for _, end in layout[:-1]) + max(filled) - min(filled)

    best = min(_layouts(after_line, 0, _lines_needed(after_line)), key=cost)
    return tuple(tokens[first:end] for first, end in best)


_Layout = tuple[tuple[int, int], ...]


def _lines_needed(after_line: Sequence[int]) -> int:
    first, count = 0, 0
    while first < len(after_line) - 1:
        first, count = after_line[first], count + 1
    return count


def _layouts(after_line: Sequence[int], first: int, count: int) -> Iterator[_Layout]:
    """All layouts of the tokens from `first` on that many lines: (first, end) of each line."""
    total = len(after_line) - 1
    if count == 1:
        if after_line[first] == total:
            yield ((first, total),)
        return
    for end in range(first + 1, min(after_line[first], total - 1) + 1):
        for rest in _layouts(after_line, end, count - 1):
            yield ((first, end), *rest)


class _Widths:
    """Columns of adjacent tokens, including the blanks between them."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._blanks = [int(not token.joins) for token in tokens]
        columns = (token.columns + blank for token, blank in zip(tokens, self._blanks, strict=True))
        self._edges = list(accumulate(columns, initial=0))

    def columns(self, first: int, end: int) -> int:
        """Columns of the tokens from `first` until before `end`, without a leading blank."""
        return self._edges[end] - self._edges[first] - self._blanks[first]

    def line_ends(self, line_columns: int) -> list[int]:
        """The end of the longest line that begins with each token, then the number of tokens."""
        ends, end, count = [], 0, len(self._blanks)
        for first in range(count):
            end = max(end, first + 1)
            while end < count and self.columns(first, end + 1) <= line_columns:
                end += 1
            ends.append(end)
        return [*ends, count]


def break_costs(tokens: Sequence[Token]) -> list[float]:
    """The cost of a break after each token but the last."""
    return [_break_cost(old, new) for old, new in pairwise(tokens)]


def _break_cost(old: Token, new: Token) -> float:
    if old.is_label:
        return _AFTER_LABEL
    last = old.text.rstrip(_CLOSING)[-1:]
    if last in _SENTENCE_ENDS:
        return _AFTER_SENTENCE
    if last in _CLAUSE_ENDS or new.start_ms - old.end_ms >= _BREATH_MS:
        return _AFTER_CLAUSE
    if new.joins:
        return _INSIDE_WORD if inside_word(old.text, new.text) else _ELSEWHERE
    if is_blankless(last or " ") and is_blankless(new.text[0]):
        return _AFTER_CLAUSE  # such scripts write a blank only between phrases
    return _BEFORE_CONJUNCTION if new.text.lower() in _CONJUNCTIONS else _ELSEWHERE


def _time_shown_ms(tokens: Sequence[Token], first: int, end: int) -> int | None:
    """Time until the next cue; None for the last cue of a phrase, which can extend into silence."""
    return None if end == len(tokens) else tokens[end].start_ms - tokens[first].start_ms


def _cue_cost(filled: int, shown_ms: int | None, guide: SubtitleLayout) -> float:
    """The cost of a cue of `filled` columns."""
    cost = _PER_CUE + _UNEVEN * (filled / (guide.lines * guide.line_columns)) ** 2
    if shown_ms is None:
        return cost
    too_fast = filled - shown_ms * guide.columns_per_second / 1000
    return cost + too_fast * _PER_COLUMN_TOO_FAST if too_fast > 0 else cost


def _possible_ends(
    tokens: Sequence[Token],
    first: int,
    widths: _Widths,
    after_line: Sequence[int],
    guide: SubtitleLayout,
) -> list[int]:
    limit = first
    for _ in range(guide.lines):
        limit = after_line[limit]
    latest = tokens[first].start_ms + guide.max_ms
    readable = guide.columns_per_second * guide.max_ms // 1000
    return [first + 1] + [
        end
        for end in range(first + 2, limit + 1)
        if tokens[end - 1].end_ms <= latest and widths.columns(first, end) <= readable
    ]


def _chained(follows: Sequence[int]) -> list[tuple[int, int]]:
    spans, first = [], 0
    while first < len(follows):
        spans.append((first, follows[first]))
        first = follows[first]
    return spans
