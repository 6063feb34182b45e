"""Subtitle cues: what stands on the screen, from when until when."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from gpu_job.contract.joins import text_of
from pipelines.speech.breaks import MAX_MS, cue_spans, lines
from pipelines.speech.diarized import DiarizedSegment
from pipelines.speech.guides import OTHERS, Guide
from pipelines.speech.phrases import Phrase, Token, labelled, phrases
from pipelines.speech.width import columns

MIN_MS = 1_000  # Netflix asks for 5/6 s; a round second is easier on slow readers

# Chosen: how late a cue may come, so that the one before it can be read. One bound for all cues,
# since a cue may then be as late as the one before it, and is never squeezed to nothing.
LATE_MS = 1_500


@dataclass(frozen=True, slots=True)
class Cue:
    """One or two lines of one speaker, shown from `start_ms` until before `end_ms`.

    words: those of each line, with the times of the voice.
    """

    start_ms: int
    end_ms: int
    speaker: str
    lines: tuple[str, ...]
    words: tuple[Sequence[Token], ...] = field(default=(), compare=False)
    guide: Guide = field(default=OTHERS, compare=False)

    @property
    def columns(self) -> int:
        """What there is to read: the columns of all lines."""
        return sum(columns(line) for line in self.lines)


def make_cues(
    segments: Iterable[DiarizedSegment], language: str = "", *, labels: bool = False
) -> list[Cue]:
    """Cues for the segments, in time order, never two at once and never of two speakers.

    A cue has at most two lines of 42 columns, or of what the guide of its script allows, and lasts
    at most 7 s. It begins with its first word, or up to LATE_MS later where the cue before it would
    last less than a second, or could not be read because two talk at once. It stays into the
    silence that follows, as long as it takes to read it at the guide's speed (17 columns a second)
    and for one second at least, and ends at the latest where the next one begins: where people
    talk faster, or at once, a cue is shorter. A word of more than 7 s ends early.

    Args:
        segments: Of a transcript.
        language: Of the recording, for what is written in ideographs alone (guides.py).
        labels: Where another speaker begins, `[SPEAKER_00]` stands before the words.
    """
    found = phrases(segments, language)
    spoken = [
        _spoken(phrase, phrase.tokens[first:end])
        for phrase in (labelled(found) if labels else found)
        for first, end in cue_spans(phrase.tokens, phrase.guide)
    ]
    return _shown(sorted(spoken, key=lambda cue: cue.start_ms))


def _spoken(phrase: Phrase, tokens: Sequence[Token]) -> Cue:
    """A cue with the times of the voice."""
    words = lines(tokens, phrase.guide)
    end_ms = max(token.end_ms for token in tokens)
    texts = tuple(map(text_of, words))
    return Cue(tokens[0].start_ms, end_ms, phrase.speaker, texts, words, phrase.guide)


def _shown(spoken: Sequence[Cue]) -> list[Cue]:
    """The cues with the times of the screen in place of those of the voice."""
    starts = _starts(spoken)
    next_starts = [*starts[1:], None]  # one too many where there is no cue at all
    return [
        replace(cue, start_ms=start_ms, end_ms=_end(cue, start_ms, next_ms))
        for cue, start_ms, next_ms in zip(spoken, starts, next_starts, strict=False)
    ]


def _starts(spoken: Sequence[Cue]) -> list[int]:
    """Strictly rising starts; later than allowed only where cues come at one millisecond."""
    starts = [cue.start_ms for cue in spoken[:1]]
    for old, new in pairwise(spoken):
        needed_ms = _reading_ms(old) if new.start_ms < old.end_ms else MIN_MS
        readable = min(starts[-1] + needed_ms, new.start_ms + LATE_MS)
        starts.append(max(new.start_ms, readable, starts[-1] + 1))
    return starts


def _end(cue: Cue, start_ms: int, next_ms: int | None) -> int:
    end_ms = min(max(cue.end_ms, start_ms + _reading_ms(cue)), start_ms + MAX_MS)
    return end_ms if next_ms is None else min(end_ms, next_ms)


def _reading_ms(cue: Cue) -> int:
    """How long a cue should stand at least."""
    return max(MIN_MS, -(-cue.columns * 1000 // cue.guide.columns_per_second))
