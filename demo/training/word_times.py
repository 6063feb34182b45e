"""From the marks that espeak-ng gives to a start and an end for every word."""

from dataclasses import dataclass

WordTime = tuple[str, float, float]  # as written, start and end in seconds
SHORTEST_WORD_SECONDS = 0.02


@dataclass(frozen=True)
class Clip:
    """The stretch of the raw audio that was kept, in its seconds."""

    start_seconds: float
    end_seconds: float
    kept_seconds: float


def _tokens(text: str) -> list[tuple[str, int]]:
    """The words as written, each with the character it starts at."""
    found, position = [], 0
    for token in text.split():
        position = text.index(token, position)
        found.append((token, position))
        position += len(token)
    return found


def _fill_gaps(starts: list[float | None], clip: Clip) -> list[float]:
    """Half of the way to the next known start, where espeak merged a short word with another."""
    filled: list[float] = []
    for i, start in enumerate(starts):
        if start is not None:
            filled.append(start)
            continue
        following = next((s for s in starts[i + 1 :] if s is not None), clip.end_seconds)
        before = filled[-1] if filled else clip.start_seconds
        filled.append(before + (following - before) / 2)
    return filled


def word_times(text: str, marks: list[tuple[int, float]], clip: Clip) -> list[WordTime]:
    """Every word of `text` with its times within the clip; a word ends where the next begins.

    `marks` are espeak's word events: the character, and seconds in the raw audio.
    """
    tokens = _tokens(text)
    starts: list[float | None] = []
    for token, position in tokens:
        hits = [t for at, t in marks if position <= at < position + len(token)]
        starts.append(hits[0] if hits else None)
    edges = [max(0.0, start - clip.start_seconds) for start in _fill_gaps(starts, clip)]
    edges.append(clip.kept_seconds)
    return [
        (token, float(edges[i]), float(max(edges[i + 1], edges[i] + SHORTEST_WORD_SECONDS)))
        for i, (token, _) in enumerate(tokens)
    ]
