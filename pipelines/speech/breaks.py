"""Where to break a phrase into cues, and a cue into lines."""

from collections.abc import Sequence
from itertools import accumulate, pairwise

from pipelines.speech.phrases import LINE_COLUMNS, Token

MAX_MS = 7_000  # Netflix, Timed Text Style Guide, General Requirements, "Duration"
COLUMNS_PER_SECOND = 17  # Netflix, Brazilian Portuguese guide, adults; English allows 20

# What a break costs, by what it parts. Only their ratios matter; chosen by reading the results.
_AFTER_SENTENCE, _AFTER_CLAUSE, _BEFORE_CONJUNCTION, _ELSEWHERE = 0.0, 15.0, 30.0, 60.0
_PER_CUE = 25.0  # so that two short sentences share a cue
_UNEVEN = 25.0  # for a full cue, less by the square for a smaller one: halves beat 9 to 1
_PER_COLUMN_TOO_FAST = 2.0

# Signs of several scripts, some of which look like others.
_SENTENCE_ENDS = frozenset(".?!…。？！؟۔।")
_CLAUSE_ENDS = frozenset(",;:—–،؛、，；：")
_CLOSING = "\"'”’»)]}"
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


def cue_spans(tokens: Sequence[Token]) -> list[tuple[int, int]]:
    """The cheapest way to cut a phrase into cues, as (first, end) indices of tokens.

    Every cue fits on two lines and is spoken within MAX_MS, except a single word that is not.
    Dynamic programming from the end; a cue holds at most some forty words, so it is linear.
    """
    after_line = _line_ends(tokens)
    edges = list(accumulate((token.columns + 1 for token in tokens), initial=0))
    breaks = [*break_costs(tokens), 0.0]
    best, follows = [0.0] * (len(tokens) + 1), [0] * len(tokens)
    for first in reversed(range(len(tokens))):
        costs = {
            end: _cue_cost(edges[end] - edges[first] - 1, _time_shown_ms(tokens, first, end))
            + breaks[end - 1]
            + best[end]
            for end in _possible_ends(tokens, first, after_line[after_line[first]])
        }
        follows[first] = min(costs, key=costs.__getitem__)
        best[first] = costs[follows[first]]
    return _chained(follows)


def lines(tokens: Sequence[Token]) -> tuple[str, ...]:
    """The words of one cue on one line, or on two, parted at a good place and evenly.

    Args:
        tokens: Words of one of the `cue_spans`, so that two lines are enough.
    """
    total = sum(token.columns + 1 for token in tokens) - 1
    if total <= LINE_COLUMNS:
        return (_joined(tokens),)
    costs: dict[int, float] = {}
    upper = 0
    for cut, cost in enumerate(break_costs(tokens), start=1):
        upper += tokens[cut - 1].columns + (cut > 1)
        if max(upper, total - upper - 1) <= LINE_COLUMNS:
            costs[cut] = cost + abs(2 * upper - total)
    cut = min(costs, key=costs.__getitem__)
    return _joined(tokens[:cut]), _joined(tokens[cut:])


def break_costs(tokens: Sequence[Token]) -> list[float]:
    """What a break costs between each two neighbours."""
    return [_break_cost(old, new) for old, new in pairwise(tokens)]


def _break_cost(old: Token, new: Token) -> float:
    last = old.text.rstrip(_CLOSING)[-1:]
    if last in _SENTENCE_ENDS:
        return _AFTER_SENTENCE
    if last in _CLAUSE_ENDS or new.start_ms - old.end_ms >= _BREATH_MS:
        return _AFTER_CLAUSE
    return _BEFORE_CONJUNCTION if new.text.lower() in _CONJUNCTIONS else _ELSEWHERE


def _time_shown_ms(tokens: Sequence[Token], first: int, end: int) -> int | None:
    """Time until the next cue; None after the last of a phrase, which can stay into silence."""
    return None if end == len(tokens) else tokens[end].start_ms - tokens[first].start_ms


def _cue_cost(filled: int, shown_ms: int | None) -> float:
    """What a cue of `filled` columns costs."""
    cost = _PER_CUE + _UNEVEN * (filled / (2 * LINE_COLUMNS)) ** 2
    if shown_ms is None:
        return cost
    too_fast = filled - shown_ms * COLUMNS_PER_SECOND / 1000
    return cost + too_fast * _PER_COLUMN_TOO_FAST if too_fast > 0 else cost


def _possible_ends(tokens: Sequence[Token], first: int, limit: int) -> list[int]:
    latest = tokens[first].start_ms + MAX_MS
    return [first + 1] + [
        end for end in range(first + 2, limit + 1) if tokens[end - 1].end_ms <= latest
    ]


def _line_ends(tokens: Sequence[Token]) -> list[int]:
    """For each token, the end of the longest line that begins with it; and the end of all."""
    ends, end, filled = [], 0, -1
    for token in tokens:
        while end < len(tokens) and filled + 1 + tokens[end].columns <= LINE_COLUMNS:
            filled += 1 + tokens[end].columns
            end += 1
        ends.append(end)
        filled -= 1 + token.columns
    return [*ends, len(tokens)]


def _chained(follows: Sequence[int]) -> list[tuple[int, int]]:
    spans, first = [], 0
    while first < len(follows):
        spans.append((first, follows[first]))
        first = follows[first]
    return spans


def _joined(tokens: Sequence[Token]) -> str:
    return " ".join(token.text for token in tokens)
