"""Windows through the speech model, batch by batch, as fast as the device goes."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from ..audio import Samples, as_float, span
from ..contract import JobOptions
from ..errors import OutOfMemoryError, is_out_of_memory
from .decoding import FRAME_MS, FRAMES, Check, Decoder, Spectrogram
from .raw import RawSegment
from .windows import Window

WINDOWS_A_CALL = 64  # spectrograms of a call are made at once: 64 of 128 bands are 100 MB
LEAST_FRAMES = 1_500  # of a stretch that is heard again: far below it a Whisper begins to loop
SILENT_FRAMES = 500  # after it: a Whisper expects that a text ends in silence
STEP_SECONDS = 45.0  # an owner fences itself between batches, so none may take over a minute

Batched = Callable[[int], None]  # called between the batches of a call: ms of its audio done


@dataclass(frozen=True)
class Call:
    """Windows of one language that are decoded together."""

    windows: tuple[Window, ...]
    language: str

    @property
    def starts_ms(self) -> list[int]:
        """Where each window begins in the audio of the call, and where the last one ends."""
        return [0, *np.cumsum([window.length_ms for window in self.windows]).tolist()]


def cut(samples: Samples, window: Window) -> Samples:
    """The audio of a window: its pieces, end to end."""
    return np.concatenate(
        [span(samples, piece.start_ms, piece.end_ms, window.channel) for piece in window.pieces]
    )


class Batches:
    """Decodes calls; remembers the batch size that the device can bear."""

    def __init__(self, model: Any, batch_windows: int) -> None:  # noqa: ANN401  # WhisperModel
        self._model = model
        self.batch_windows = batch_windows

    @property
    def windows_a_call(self) -> int:
        """One batch: what a stop leaves undone is what was not begun yet."""
        return min(self.batch_windows, WINDOWS_A_CALL)

    def decode(
        self, samples: Samples, calls: Sequence[Call], options: JobOptions, batched: Batched
    ) -> Iterator[tuple[Call, list[list[RawSegment]]]]:
        """Each call with what was written for each of its windows.

        The spectrograms of a call are made in a thread while the device decodes the one before:
        they take a CPU 10 to 30 ms a window, in which a fast card would decode half of one.

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
        """A call of short stretches, between two others; `check` is called between its batches.

        The encoder takes less than 30 s too, and 15 s cost it a quarter: attention is quadratic.

        Raises:
            OutOfMemoryError: not even one window fits.
            Exception: whatever `check` raises.
        """
        decoder = Decoder(self._model, call.language, options)
        longest_ms = max(window.length_ms for window in call.windows)
        frames = min(FRAMES, max(LEAST_FRAMES, longest_ms // FRAME_MS + SILENT_FRAMES))
        spectrograms = [
            decoder.spectrogram(as_float(cut(samples, window)), frames) for window in call.windows
        ]
        return self._finish(decoder, spectrograms, call, lambda _: check())

    def _begin(
        self, samples: Samples, call: Call, options: JobOptions
    ) -> tuple[Decoder, list[Spectrogram]]:
        decoder = Decoder(self._model, call.language, options)
        sounds = (as_float(cut(samples, window)) for window in call.windows)
        return decoder, [decoder.spectrogram(sound) for sound in sounds]

    def _finish(
        self, decoder: Decoder, spectrograms: list[Spectrogram], call: Call, batched: Batched
    ) -> list[list[RawSegment]]:
        """Batch by batch; told of each but the last, which is kept before anybody may stop."""
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
        """Those that fit: a batch that ran out of memory is halved from now on."""
        while True:
            since = time.perf_counter()
            try:
                found = decoder.decode(spectrograms, lengths_ms, check)
            except RuntimeError as error:
                if not is_out_of_memory(error):
                    raise
                if len(spectrograms) == 1:
                    raise OutOfMemoryError(
                        "Not even one window of 30 s fits the memory that is free: take a smaller "
                        "MODEL, a larger card, or COMPUTE_TYPE=int8_float16."
                    ) from error
                self.batch_windows = len(spectrograms) // 2
                spectrograms = spectrograms[: self.batch_windows]
                lengths_ms = lengths_ms[: self.batch_windows]
                continue
            if time.perf_counter() - since > STEP_SECONDS:  # it is made smaller from now on
                self.batch_windows = max(1, min(self.batch_windows, len(spectrograms) // 2))
            return found
