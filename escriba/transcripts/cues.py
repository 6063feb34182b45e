"""Subtitle cues: what the screen shows, and when."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from gpu_job.contract.word_joins import text_of

from .cue_text import Phrase, Token, split_into_phrases, with_speaker_labels
from .diarized import DiarizedSegment
from .line_breaks import cue_spans, lines
from .subtitle_layout import DEFAULT_RULES, OTHERS, SubtitleLayout
from .subtitle_rules import SubtitleRules
from .text_width import columns


@dataclass(frozen=True, slots=True)
class Cue:
    """A few lines of one speaker, shown from `start_ms` until before `end_ms`.

    words: The words of each line, with the times at which they are spoken.
    """

    start_ms: int
    end_ms: int
    speaker: str
    lines: tuple[str, ...]
    words: tuple[Sequence[Token], ...] = field(default=(), compare=False)
    guide: SubtitleLayout = field(default=OTHERS, compare=False)

    @property
    def columns(self) -> int:
        """Columns of all lines together."""
        return sum(columns(line) for line in self.lines)


def make_cues(
    segments: Iterable[DiarizedSegment],
    language: str = "",
    *,
    labels: bool = False,
    rules: SubtitleRules = DEFAULT_RULES,
) -> list[Cue]:
    """Cues for the segments, in time order, without overlaps; each has one speaker.

    A cue has at most `subtitle_lines` lines, as wide as the rules allow for its script, and lasts
    at most `subtitle_max_ms`. It begins with its first word, or up to `subtitle_delay_ms` later if
    the previous cue would otherwise last less than `subtitle_min_ms`, or could not be read because
    two people talk simultaneously. It extends into the following silence for as long as reading
    takes at the speed of its script, and for at least `subtitle_min_ms`, but ends when the next cue
    begins: where people talk faster or simultaneously, a cue is shorter. A word that lasts longer
    than `subtitle_max_ms` ends early.

    Args:
        segments: Segments of a transcript.
        language: Language of the recording, for text in ideographs alone (`subtitle_layout.py`).
        labels: Writes `[SPEAKER_00]` before the words at each change of speaker.
        rules: The rules of the cues.
    """
    found = split_into_phrases(segments, language, rules)
    spoken = [
        _spoken(phrase, phrase.tokens[first:end])
        for phrase in (with_speaker_labels(found) if labels else found)
        for first, end in cue_spans(phrase.tokens, phrase.guide)
    ]
    return _shown(sorted(spoken, key=lambda cue: cue.start_ms))


def _spoken(phrase: Phrase, tokens: Sequence[Token]) -> Cue:
    """A cue with the times of its speech."""
    words = lines(tokens, phrase.guide)
    end_ms = max(token.end_ms for token in tokens)
    texts = tuple(map(text_of, words))
    return Cue(tokens[0].start_ms, end_ms, phrase.speaker, texts, words, phrase.guide)


def _shown(spoken: Sequence[Cue]) -> list[Cue]:
    """The cues with the times at which they are shown instead of those of the speech."""
    starts = _starts(spoken)
    next_starts = [*starts[1:], None]  # one too many if there are no cues
    return [
        replace(cue, start_ms=start_ms, end_ms=_end(cue, start_ms, next_ms))
        for cue, start_ms, next_ms in zip(spoken, starts, next_starts, strict=False)
    ]


def _starts(spoken: Sequence[Cue]) -> list[int]:
    """Strictly rising starts; later than allowed only if several cues share one millisecond."""
    starts = [cue.start_ms for cue in spoken[:1]]
    for old, new in pairwise(spoken):
        needed_ms = _reading_ms(old) if new.start_ms < old.end_ms else old.guide.min_ms
        readable = min(starts[-1] + needed_ms, new.start_ms + new.guide.delay_ms)
        starts.append(max(new.start_ms, readable, starts[-1] + 1))
    return starts


def _end(cue: Cue, start_ms: int, next_ms: int | None) -> int:
    end_ms = min(max(cue.end_ms, start_ms + _reading_ms(cue)), start_ms + cue.guide.max_ms)
    return end_ms if next_ms is None else min(end_ms, next_ms)


def _reading_ms(cue: Cue) -> int:
    """Minimum time that a cue should be shown."""
    return max(cue.guide.min_ms, -(-cue.columns * 1000 // cue.guide.columns_per_second))
