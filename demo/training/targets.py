"""What the decoder reads and should write for a window, and where each token is heard."""

from dataclasses import dataclass, field

from demo.training.acoustics import Dice
from demo.training.material import PER_SECOND, Material
from demo.training.tokens import (
    END,
    LANGUAGE,
    NO_SPEECH,
    NO_TIMESTAMPS,
    NOT_SCORED,
    PREVIOUS,
    START,
    TRANSCRIBE,
)
from demo.training.whisper_model import FRAMES
from demo.training.windows import Placed, Window

Span = tuple[int, int]  # positions of 20 ms in the window
NOWHERE: Span = (-1, -1)
LONGEST_PROMPT = 223  # tokens, as in faster-whisper


@dataclass
class Target:
    """`tokens` are read, `scored` is what should follow each, `spans` where each is heard."""

    tokens: list[int] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    scored: list[int] = field(default_factory=list)

    def put(self, token: int, span: Span = NOWHERE) -> None:
        """Append one token."""
        self.tokens.append(token)
        self.spans.append(span)

    def score(self, *, after: int) -> None:
        """Set the targets: all tokens but those of the prompt."""
        targets = [NOT_SCORED if k < after else token for k, token in enumerate(self.tokens)]
        self.scored = targets[1:]


class TargetWriter:
    """Writes targets; `prompts` is the share with earlier text, long ones above 0.2."""

    def __init__(self, material: Material, dice: Dice, prompts: float) -> None:
        self.material, self.rng, self.prompts = material, dice.one, prompts
        self.first_time = material.vocabulary.first_time

    def target(self, window: Window, shift: int, *, full: bool) -> Target:
        """The target of a window that starts at position `shift` of the 30 s axis."""
        target = Target()
        if window.placed and self.rng.random() < self.prompts:
            for token in self._prompt(window.language, full=full):
                target.put(token)
        prompted = len(target.tokens)
        for token in (START, LANGUAGE[window.language], TRANSCRIBE):
            target.put(token)
        if not window.placed:
            return self._silence(target)
        self._transcript(target, window.placed, shift)
        target.put(END)
        target.score(after=prompted)
        return target

    def _silence(self, target: Target) -> Target:
        """No-speech flag, and an empty transcript if it is decoded nevertheless."""
        timed = self.rng.random() < 0.5
        target.put(self.first_time if timed else NO_TIMESTAMPS)
        target.put(END)
        target.score(after=0)
        target.scored[0] = NO_SPEECH
        return target

    def _transcript(self, target: Target, placed: list[Placed], shift: int) -> None:
        timed = self.rng.random() < 0.65 or placed[-1].end_seconds is None
        if not timed:
            target.put(NO_TIMESTAMPS)
        for number, segment in enumerate(placed):
            if timed and number == 0 and self._is_late(segment, shift):
                target.put(self.first_time + self.rng.randint(0, 50))
            elif timed:
                self._put_time(target, segment.start_seconds, shift)
            if segment.end_seconds is None:
                return
            self._put_words(target, segment, shift)
            if timed:
                self._put_time(target, segment.end_seconds, shift)

    def _is_late(self, segment: Placed, shift: int) -> bool:
        """Whether to pretend an early start: faster-whisper has max_initial_timestamp=1.0."""
        return segment.start_seconds > 1 and shift == 0 and self.rng.random() < 0.5

    def _put_time(self, target: Target, seconds: float, shift: int) -> None:
        at = _position(seconds, shift)
        span = (at - 4, at + 5)
        if span[0] >= 0:  # at the very start of the axis the shift is small enough to leave out
            span = (span[0] - shift, span[1] - shift)
        target.put(self.first_time + at, span)

    def _put_words(self, target: Target, segment: Placed, shift: int) -> None:
        start = segment.start_seconds
        for written, begins, ends in self.material.pool.meta[segment.utterance]["words"]:
            word, punctuation = self.material.vocabulary.word_tokens[written]
            first, last = _position(start + begins, shift), _position(start + ends, shift)
            for token in word:
                target.put(token, (first - shift, max(last, first + 2) - shift))
            for token in punctuation:
                target.put(token, (last - shift - 6, last - shift + 6))

    def _prompt(self, language: str, *, full: bool) -> list[int]:
        """Earlier sentences, with or without timestamps, as faster-whisper passes them."""
        tokens: list[int] = []
        timed, clock_seconds = self.rng.random() < 0.5, 0.0
        longest = (22 if self.prompts > 0.2 else 10) if full else 2
        for _ in range(self.rng.randint(1, longest)):
            words = self._sentence(language)
            if timed:
                start = min(27.0, clock_seconds + self.rng.uniform(0, 1))
                clock_seconds = start + self.rng.uniform(1, 3)
                first, last = int(start * PER_SECOND), int(clock_seconds * PER_SECOND)
                words = [self.first_time + first, *words, self.first_time + last]
            tokens += words
        return [PREVIOUS, *tokens[-LONGEST_PROMPT:]]

    def _sentence(self, language: str) -> list[int]:
        """The tokens of any sentence of the pool."""
        number = self.rng.choice(self.material.by_language[language])
        words = self.material.pool.meta[number]["words"]
        pairs = [self.material.vocabulary.word_tokens[written] for written, _, _ in words]
        return [token for word, punctuation in pairs for token in (*word, *punctuation)]


def _position(seconds: float, shift: int) -> int:
    return min(FRAMES, shift + round(seconds * PER_SECOND))
