"""What was said: faster-whisper over packed windows of speech."""

import itertools
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .audio import Samples, as_float, span
from .contract import JobOptions, Segment, SpeechRegion, Word
from .settings import WorkerSettings
from .windows import Window, pack

WINDOWS_A_CALL = 64  # features of a call are built at once: 64 windows of 128 bands are 100 MB
_SMALL_MODEL_BYTES = 50_000_000  # below it, one thread was twice as fast as two


class ModelMissingError(Exception):
    """The model is neither a folder nor to be had from the hub."""


@dataclass(frozen=True)
class Speech:
    """What the model wrote."""

    language: str
    language_probability: float
    segments: tuple[Segment, ...]


class Transcriber:
    """A loaded Whisper. Made by `load`, used for one job after another."""

    def __init__(self, model: Any, batch_windows: int) -> None:  # noqa: ANN401  # faster_whisper is imported in load
        self._model = model
        self._batch_windows = batch_windows

    @classmethod
    def load(cls, settings: WorkerSettings) -> "Transcriber":
        """Load the model of the settings.

        Raises:
            ModelMissingError: with what was tried and what to do.
        """
        from faster_whisper import WhisperModel  # noqa: PLC0415  # 0.5 s and 460 MB of packages

        unpacked = settings.models / settings.model
        source = str(unpacked) if unpacked.is_dir() else settings.model
        try:
            model = WhisperModel(
                source,
                device="auto",
                compute_type="auto",  # the fastest that the device has
                cpu_threads=settings.threads or _threads_for(Path(source)),
            )
        except Exception as error:
            raise ModelMissingError(_advice(settings.model, error)) from error
        return cls(model, settings.batch_windows)

    def transcribe(
        self,
        samples: Samples,
        regions: tuple[SpeechRegion, ...],
        options: JobOptions,
        progress: Callable[[int], None],
    ) -> Speech:
        """Words with times in the recording; `progress` gets milliseconds of speech done.

        Raises:
            Exception: whatever `progress` raises; it is how the owner stops the work.
        """
        audio_ms = samples.shape[1] // 16
        windows = pack(regions, audio_ms)
        packed_ms = sum(window.length_ms for window in windows) or 1
        share = sum(region.end_ms - region.start_ms for region in regions) / packed_ms
        language, probability = options.language or "", 1.0
        segments: list[Segment] = []
        done_ms = 0
        for first in range(0, len(windows), WINDOWS_A_CALL):
            call = windows[first : first + WINDOWS_A_CALL]
            found, info = self._run(samples, call, options, language or None)
            if not language:
                language, probability = info.language, info.language_probability
            starts = _starts_ms(call)
            for raw in found:
                segments.extend(_segment(raw, call, starts))
                progress(round(share * (done_ms + raw.end * 1000)))
            done_ms += starts[-1]
            progress(round(share * done_ms))
        segments.sort(key=lambda segment: (segment.start_ms, segment.channel))
        return Speech(language, probability, tuple(segments))

    def _run(
        self, samples: Samples, windows: list[Window], options: JobOptions, language: str | None
    ) -> tuple[Iterator[Any], Any]:
        from faster_whisper import BatchedInferencePipeline  # noqa: PLC0415

        audio = np.concatenate([_cut(samples, window) for window in windows])
        starts = _starts_ms(windows)
        # a new pipeline for each call: state survives in one whose generator was left early
        segments, info = BatchedInferencePipeline(self._model).transcribe(
            as_float(audio),
            language=language,
            task=options.task,
            beam_size=options.beam_size,
            temperature=0.0,  # the batched pipeline knows no fallback
            condition_on_previous_text=False,
            without_timestamps=False,  # or segments grow to paragraphs (faster-whisper#1396)
            word_timestamps=True,
            hotwords=options.hotwords or None,
            initial_prompt=options.initial_prompt or None,
            batch_size=self._batch_windows,
            clip_timestamps=[
                {"start": low / 1000, "end": high / 1000}
                for low, high in itertools.pairwise(starts)
            ],
        )
        return iter(segments), info


def _cut(samples: Samples, window: Window) -> Samples:
    return np.concatenate(
        [span(samples, piece.start_ms, piece.end_ms, window.channel) for piece in window.pieces]
    )


def _starts_ms(windows: list[Window]) -> list[int]:
    """Where each window begins in the audio of a call, and where the last one ends."""
    return [0, *np.cumsum([window.length_ms for window in windows]).tolist()]


def _segment(raw: Any, windows: list[Window], starts: list[int]) -> Iterator[Segment]:  # noqa: ANN401
    middle = (raw.start + raw.end) * 500
    index = min(int(np.searchsorted(starts, middle, side="right")) - 1, len(windows) - 1)
    window, at_ms = windows[index], starts[index]
    words = tuple(_word(word, window, at_ms) for word in raw.words or () if word.word.strip())
    if words:
        ends = max(word.end_ms for word in words)
        yield Segment(start_ms=words[0].start_ms, end_ms=ends, words=words, channel=window.channel)


def _word(raw: Any, window: Window, at_ms: int) -> Word:  # noqa: ANN401
    start, end = round(raw.start * 1000) - at_ms, round(raw.end * 1000) - at_ms
    low, high = window.recording_span(start, end)
    return Word(
        start_ms=low,
        end_ms=high,
        text=raw.word.strip(),
        probability=round(float(raw.probability), 4),
        channel=window.channel,
    )


def _threads_for(folder: Path) -> int:
    weights = folder / "model.bin"
    small = weights.is_file() and weights.stat().st_size < _SMALL_MODEL_BYTES
    return 1 if small else os.cpu_count() or 1


def _advice(model: str, error: Exception) -> str:
    return (
        f"MODEL={model} could not be loaded ({type(error).__name__}). It is not a folder with a "
        "CTranslate2 model, and the model hub gave none: check the name and the network, give a "
        "local folder as MODEL, or set MODEL=demo for the embedded demo model."
    )
