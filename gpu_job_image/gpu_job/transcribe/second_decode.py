"""Further runs of the model on a window that may contain no speech."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..common.audio import Samples, as_float
from ..common.errors import OutOfMemoryError, is_out_of_memory
from .raw_segments import RawSegment
from .silence_prior import SilencePrior


@dataclass
class SecondDecode:
    """For one window: runs the decoder for its words and the encoder for its language.

    `check` is called before each run: on a CPU, those of a call take a minute in total.
    """

    model: Any  # faster_whisper.WhisperModel
    silence_prior: SilencePrior
    audio: Samples
    language: str
    task: str
    check: Callable[[], None]
    language_is_given: bool = False

    @property
    def translates(self) -> bool:
        """Whether the words are a translation."""
        return self.task == "translate"

    def sound_adds(self, segments: Sequence[RawSegment]) -> Sequence[float]:
        """For each segment, how much the sound raises its log probability (nats per word)."""
        self.check()
        with _out_of_memory_by_name():
            return self.silence_prior.sound_adds(segments, self.language, self.task)

    def language_certainty(self) -> float:
        """The probability of the most likely language; 1 for a model with one language."""
        return self._certainty

    def language_certainty_backwards(self) -> float:
        """The same for the time-reversed audio; computed once per window."""
        return self._likeliest(np.ascontiguousarray(self.audio[::-1]))

    @cached_property
    def _certainty(self) -> float:
        return self._likeliest(self.audio)

    def _likeliest(self, audio: Samples) -> float:
        if not self.model.model.is_multilingual:
            return 1.0
        self.check()
        with _out_of_memory_by_name():
            _, probability, _ = self.model.detect_language(as_float(audio))
        return float(probability)


@contextmanager
def _out_of_memory_by_name() -> Iterator[None]:
    """Convert out-of-memory errors, after which transcription and diarization run in turn."""
    try:
        yield
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        raise OutOfMemoryError(
            "Not enough GPU memory to check a window a second time. Use a smaller MODEL, a "
            "larger GPU, or COMPUTE_TYPE=int8_float16."
        ) from error
