"""Decodes windows with the speech model, batch by batch."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from ..common.audio import Samples, as_float, span
from ..common.errors import OutOfMemoryError, is_out_of_memory
from ..contract import JobOptions
from .decoder import Check, Decoder
from .encoder import FRAME_MS, FRAMES, Encoder, Spectrogram
from .raw_segments import RawSegment
from .windows import Window

WINDOWS_A_CALL = 64  # a call's spectrograms are in memory together: 64 of 128 bands are 100 MB
LEAST_FRAMES = 1_500  # of a span decoded again: far below it, Whisper starts to loop
SILENT_FRAMES = 500  # after the span: Whisper expects a text to end in silence
STEP_SECONDS = 45.0  # owners check their fence between batches: none may exceed a minute

Batched = Callable[
    [int], None
]  # called between batches with the milliseconds done of the call's audio


@dataclass(frozen=True)
class Call:
    """Windows of one language, decoded together."""

    windows: tuple[Window, ...]
    language: str

    @property
    def starts_ms(self) -> list[int]:
        """The start of each window in the call's audio, and the end of the last one."""
        return [0, *np.cumsum([window.length_ms for window in self.windows]).tolist()]


def cut(samples: Samples, window: Window) -> Samples:
    """The audio of a window: its pieces, concatenated."""
    return np.concatenate(
        [span(samples, piece.start_ms, piece.end_ms, window.channel) for piece in window.pieces]
    )


class Batches:
    """Decodes calls; remembers the batch size that fits the device."""

    def __init__(self, model: Any, batch_windows: int) -> None:  # noqa: ANN401  # WhisperModel
        self._model = model
        self.encoder = Encoder(model)
        self.batch_windows = batch_windows

    @property
    def windows_a_call(self) -> int:
        """One batch per call, so that a stop loses only work that was not started."""
        return min(self.batch_windows, WINDOWS_A_CALL)

    def decode(
        self, samples: Samples, calls: Sequence[Call], options: JobOptions, batched: Batched
    ) -> Iterator[tuple[Call, list[list[RawSegment]]]]:
        """Yield each call with the decoded segments of each of its windows.

        A thread computes the spectrograms of a call while the device decodes the previous one:
        they take a CPU 10 to 30 ms per window, in which a fast GPU decodes half a window.

        Raises:
            OutOfMemoryError: not even one window fits.
            Exception: whatever `batched` raises.
        """
        with ThreadPoolExecutor(1, thread_name_prefix="spectrograms") as thread:
            made = [thread.submit(self._begin, samples, call, options) for call in calls[:1]]
            for i, call in enumerate(calls):
                begun = made.pop()
                made = [
                    thread.submit(self._begin, samples, following, options)
                    for following in calls[i + 1 : i + 2]
                ]
                decoder, spectrograms = begun.result()
                yield call, self._finish(decoder, spectrograms, call, batched)

    def again(
        self, samples: Samples, call: Call, options: JobOptions, check: Check
    ) -> list[list[RawSegment]]:
        """Decode a call of short spans between two others; `check` is called between batches.

        The encoder also accepts less than 30 s, and 15 s cost a quarter: attention is quadratic.

        Raises:
            OutOfMemoryError: not even one window fits.
            Exception: whatever `check` raises.
        """
        decoder = Decoder(self._model, call.language, options, self.encoder)
        longest_ms = max(window.length_ms for window in call.windows)
        frames = min(FRAMES, max(LEAST_FRAMES, longest_ms // FRAME_MS + SILENT_FRAMES))
        spectrograms = [
            decoder.spectrogram(as_float(cut(samples, window)), frames) for window in call.windows
        ]
        return self._finish(decoder, spectrograms, call, lambda _: check())

    def _begin(
        self, samples: Samples, call: Call, options: JobOptions
    ) -> tuple[Decoder, list[Spectrogram]]:
        decoder = Decoder(self._model, call.language, options, self.encoder)
        sounds = (as_float(cut(samples, window)) for window in call.windows)
        return decoder, [decoder.spectrogram(sound) for sound in sounds]

    def _finish(
        self, decoder: Decoder, spectrograms: list[Spectrogram], call: Call, batched: Batched
    ) -> list[list[RawSegment]]:
        """Decode batch by batch; calls `batched` after each but the last."""
        found: list[list[RawSegment]] = []
        lengths_ms = [window.length_ms for window in call.windows]
        while len(found) < len(lengths_ms):
            check = partial(batched, call.starts_ms[len(found)])
            if found:
                check()
            some = slice(len(found), len(found) + self.batch_windows)
            found += self._batch(decoder, spectrograms[some], lengths_ms[some], check)
        return found

    def _batch(
        self,
        decoder: Decoder,
        spectrograms: list[Spectrogram],
        lengths_ms: list[int],
        check: Check,
    ) -> list[list[RawSegment]]:
        """Decode as many as fit; the batch size is halved when memory runs out."""
        while True:
            since = time.perf_counter()
            try:
                found = decoder.decode(spectrograms, lengths_ms, check)
            except RuntimeError as error:
                if not is_out_of_memory(error):
                    raise
                if len(spectrograms) == 1:
                    raise OutOfMemoryError(
                        "Not even one window of 30 s fits into free GPU memory. Use a smaller "
                        "MODEL, a larger GPU, or COMPUTE_TYPE=int8_float16."
                    ) from error
                self.batch_windows = len(spectrograms) // 2
                spectrograms = spectrograms[: self.batch_windows]
                lengths_ms = lengths_ms[: self.batch_windows]
                continue
            if time.perf_counter() - since > STEP_SECONDS:  # permanently smaller
                self.batch_windows = max(1, min(self.batch_windows, len(spectrograms) // 2))
            return found
