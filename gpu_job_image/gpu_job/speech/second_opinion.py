"""The model, asked again about a window in which something says that nobody speaks."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ..audio import Samples, as_float
from ..errors import OutOfMemoryError, is_out_of_memory
from .raw import RawSegment
from .unheard import Unheard


@dataclass
class AskedAgain:
    """About one window: the decoder is run for its words, the encoder for its language.

    `check` is called before each run: on a CPU those of a call take a minute together.
    """

    model: Any  # faster_whisper.WhisperModel
    unheard: Unheard
    audio: Samples
    language: str
    task: str
    check: Callable[[], None]
    language_is_told: bool = False

    @property
    def translates(self) -> bool:
        """Whether the words are English of another language."""
        return self.task == "translate"

    def sound_adds(self, segments: Sequence[RawSegment]) -> Sequence[float]:
        """For each segment, how much likelier its words are for having been heard (nats a word)."""
        self.check()
        with _memory_told():
            return self.unheard.sound_adds(segments, self.language, self.task)

    def language_certainty(self) -> float:
        """The probability of the likeliest of all languages; 1 where the model knows only one."""
        return self._certainty

    @cached_property
    def _certainty(self) -> float:
        if not self.model.model.is_multilingual:
            return 1.0
        self.check()
        with _memory_told():
            _, probability, _ = self.model.detect_language(as_float(self.audio))
        return float(probability)


@contextmanager
def _memory_told() -> Iterator[None]:
    """Want of memory by its name: words and speakers that share a card are then done in turn."""
    try:
        yield
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        raise OutOfMemoryError(
            "No memory is left to ask the model again about one window: take a smaller MODEL, a "
            "larger card, or COMPUTE_TYPE=int8_float16."
        ) from error
