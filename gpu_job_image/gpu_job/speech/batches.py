"""Windows through faster-whisper's batched pipeline, call by call, as fast as the device goes."""

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..audio import Samples, as_float, span
from ..contract import JobOptions
from ..errors import OutOfMemoryError, is_out_of_memory
from .raw import RawSegment, raw_segment
from .windows import Window

WINDOWS_A_CALL = 64  # features of a call are built at once: 64 windows of 128 bands are 100 MB
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


@dataclass(frozen=True)
class _Begun:
    """A call whose features are made; its segments are decoded as they are asked for."""

    batch_windows: int
    segments: Iterator[Any]


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

        The features of a call are made in a thread while the device decodes the one before:
        they take a CPU 10 to 30 ms a window, in which a fast card would decode half of one.

        Raises:
            OutOfMemoryError: not even one window fits.
            Exception: whatever `batched` raises.
        """
        with ThreadPoolExecutor(1, thread_name_prefix="features") as thread:
            made = [thread.submit(self._begin, samples, call, options) for call in calls[:1]]
            for i, call in enumerate(calls):
                begun = made.pop()
                made = [
                    thread.submit(self._begin, samples, following, options)
                    for following in calls[i + 1 : i + 2]
                ]
                yield call, self._finish(begun.result(), samples, call, options, batched)

    def _finish(
        self,
        begun: _Begun,
        samples: Samples,
        call: Call,
        options: JobOptions,
        batched: Batched,
    ) -> list[list[RawSegment]]:
        """A call that ran out of memory is done again, in batches of half the size."""
        while True:
            try:
                return self._sorted(begun, call, batched)
            except RuntimeError as error:
                if not is_out_of_memory(error):
                    raise
                if begun.batch_windows == 1:
                    raise OutOfMemoryError(
                        "Not even one window of 30 s fits the memory that is free: take a smaller "
                        "MODEL, a larger card, or COMPUTE_TYPE=int8_float16."
                    ) from error
            smaller = max(1, min(begun.batch_windows, len(call.windows)) // 2)
            self.batch_windows = min(self.batch_windows, smaller)  # it was begun ahead: maybe known
            begun = self._begin(samples, call, options)

    def _sorted(self, begun: _Begun, call: Call, batched: Batched) -> list[list[RawSegment]]:
        """By window; told of each batch but the last, which is kept before anybody may stop."""
        starts, batch = call.starts_ms, begun.batch_windows
        found: list[list[RawSegment]] = [[] for _ in call.windows]
        since, decoded = time.perf_counter(), batch
        for each in begun.segments:
            middle = (each.start + each.end) * 500
            place = min(int(np.searchsorted(starts, middle, side="right")) - 1, len(found) - 1)
            if place >= decoded:
                self._took(time.perf_counter() - since, batch)
                batched(starts[decoded])
                since, decoded = time.perf_counter(), (place // batch + 1) * batch
            raw = raw_segment(each, starts[place])
            if raw is not None:
                found[place].append(raw)
        self._took(time.perf_counter() - since, batch)
        return found

    def _took(self, seconds: float, batch: int) -> None:
        """A batch that took too long is made smaller from now on."""
        if seconds > STEP_SECONDS:
            self.batch_windows = max(1, min(self.batch_windows, batch // 2))

    def _begin(self, samples: Samples, call: Call, options: JobOptions) -> _Begun:
        """faster-whisper makes all features before it returns, and decodes as it is asked on."""
        from faster_whisper import BatchedInferencePipeline  # noqa: PLC0415

        starts, batch = call.starts_ms, self.batch_windows
        # a new pipeline for each call: state survives in one whose generator was left early
        segments, _ = BatchedInferencePipeline(self._model).transcribe(
            as_float(np.concatenate([cut(samples, window) for window in call.windows])),
            language=call.language,
            batch_size=batch,
            without_timestamps=False,  # or segments grow to paragraphs (faster-whisper#1396)
            clip_timestamps=[
                {"start": low / 1000, "end": high / 1000}
                for low, high in itertools.pairwise(starts)
            ],
            **wishes(options),
        )
        return _Begun(batch, iter(segments))


def wishes(options: JobOptions) -> dict[str, Any]:
    """What both of faster-whisper's ways are asked."""
    return {
        "task": options.task,
        "beam_size": options.beam_size,
        "temperature": 0.0,  # the batched pipeline knows no fallback
        "condition_on_previous_text": False,
        "word_timestamps": options.word_times,
        "hotwords": options.hotwords or None,
        "initial_prompt": options.initial_prompt or None,
    }
