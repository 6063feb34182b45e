"""Where to break a phrase into cues, and a cue into lines."""

from collections.abc import Sequence
from itertools import accumulate, pairwise

from gpu_job.contract.joins import is_blankless
from pipelines.speech.guides import OTHERS, Guide
from pipelines.speech.japanese import inside_word
from pipelines.speech.phrases import Token

MAX_MS = 7_000  # Netflix, Timed Text Style Guide, General Requirements, "Duration"

# What a break costs, by what it parts. Only their ratios matter; chosen by reading the results.
_AFTER_SENTENCE, _AFTER_CLAUSE, _BEFORE_CONJUNCTION, _ELSEWHERE = 0.0, 15.0, 30.0, 60.0
_AFTER_LABEL = 1_000.0  # a name alone says nothing; it may take a line where it must
_INSIDE_WORD = 180.0  # probably: in scripts without blanks nothing says where a word ends
_PER_CUE = 25.0  # so that two short sentences share a cue
_UNEVEN = 25.0  # for a full cue, less by the square for a smaller one: halves beat 9 to 1
_PER_COLUMN_TOO_FAST = 2.0

# Signs of several scripts, some of which look like others.
_SENTENCE_ENDS = frozenset(".?!…。？！؟۔।။។")
_CLAUSE_ENDS = frozenset(",;:—–،؛、，；：၊")
_CLOSING = "\"'”’»)]}」』）】〉》"
_BREATH_MS = 400  # a silence that parts like a comma
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


def cue_spans(tokens: Sequence[Token], guide: Guide = OTHERS) -> list[tuple[int, int]]:
    """The cheapest way to cut a phrase into cues, as (first, end) indices of tokens.

    Every cue fits on two lines and is spoken within MAX_MS, except a single word that is not.
    Dynamic programming from the end; a cue holds at most some forty words, so it is linear.
    """
    room = _Room(tokens)
    after_line = room.line_ends(guide.line_columns)
    breaks = [*break_costs(tokens), 0.0]
    best, follows = [0.0] * (len(tokens) + 1), [0] * len(tokens)
    for first in reversed(range(len(tokens))):
        costs = {
            end: _cue_cost(room.columns(first, end), _time_shown_ms(tokens, first, end), guide)
            + breaks[end - 1]
            + best[end]
            for end in _possible_ends(tokens, first, after_line[after_line[first]])
        }
        follows[first] = min(costs, key=costs.__getitem__)
        best[first] = costs[follows[first]]
    return _chained(follows)


def lines(tokens: Sequence[Token], guide: Guide = OTHERS) -> tuple[Sequence[Token], ...]:
    """The words of one cue on one line, or on two, parted at a good place and evenly.

    Args:
        tokens: Words of one of the `cue_spans`, so that two lines are enough.
        guide: That of these `cue_spans`.
    """
    room = _Room(tokens)
    total = room.columns(0, len(tokens))
    if total <= guide.line_columns:
        return (tokens,)
    costs: dict[int, float] = {}
    for cut, cost in enumerate(break_costs(tokens), start=1):
        upper, lower = room.columns(0, cut), room.columns(cut, len(tokens))
        if max(upper, lower) <= guide.line_columns:
            costs[cut] = cost + abs(upper - lower)
    cut = min(costs, key=costs.__getitem__)
    return tokens[:cut], tokens[cut:]


class _Room:
    """How many columns tokens fill side by side, with the blanks between them."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._blanks = [int(not token.joins) for token in tokens]
        widths = (token.columns + blank for token, blank in zip(tokens, self._blanks, strict=True))
        self._edges = list(accumulate(widths, initial=0))

    def columns(self, first: int, end: int) -> int:
        """Of the tokens from `first` until before `end`; no blank stands before the first."""
        return self._edges[end] - self._edges[first] - self._blanks[first]

    def line_ends(self, line_columns: int) -> list[int]:
        """For each token, the end of the longest line that begins with it; and the end of all."""
        ends, end, count = [], 0, len(self._blanks)
        for first in range(count):
            end = max(end, first + 1)
            while end < count and self.columns(first, end + 1) <= line_columns:
                end += 1
            ends.append(end)
        return [*ends, count]


def break_costs(tokens: Sequence[Token]) -> list[float]:
    """What a break costs between each two neighbours."""
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
        return _AFTER_CLAUSE  # a blank is written between phrases there
    return _BEFORE_CONJUNCTION if new.text.lower() in _CONJUNCTIONS else _ELSEWHERE


def _time_shown_ms(tokens: Sequence[Token], first: int, end: int) -> int | None:
    """Time until the next cue; None after the last of a phrase, which can stay into silence."""
    return None if end == len(tokens) else tokens[end].start_ms - tokens[first].start_ms


def _cue_cost(filled: int, shown_ms: int | None, guide: Guide) -> float:
    """What a cue of `filled` columns costs."""
    cost = _PER_CUE + _UNEVEN * (filled / (2 * guide.line_columns)) ** 2
    if shown_ms is None:
        return cost
    too_fast = filled - shown_ms * guide.columns_per_second / 1000
    return cost + too_fast * _PER_COLUMN_TOO_FAST if too_fast > 0 else cost


def _possible_ends(tokens: Sequence[Token], first: int, limit: int) -> list[int]:
    latest = tokens[first].start_ms + MAX_MS
    return [first + 1] + [
        end for end in range(first + 2, limit + 1) if tokens[end - 1].end_ms <= latest
    ]


def _chained(follows: Sequence[int]) -> list[tuple[int, int]]:
    spans, first = [], 0
    while first < len(follows):
        spans.append((first, follows[first]))
        first = follows[first]
    return spans
