"""The worker and what it works on, as bench/gpu_ways.py calls them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from bench import tones
from bench.gpu_measures import Done, FixedWhisper, TimedFeatures
from bench.gpu_sizes import WINDOW_S, Size

EDGE_MS = 200  # of a pause, which packing adds at both ends of a window


def whisper(size: Size, folder: Path, done: Done) -> Any:  # noqa: ANN401
    from gpu_job.transcribe.load_whisper import load_whisper  # noqa: PLC0415

    model = load_whisper(settings(size, folder))
    model.model = FixedWhisper(model.model, size.tokens, done)
    model.feature_extractor = TimedFeatures(model.feature_extractor, done)
    return model


def transcribe(model: Any, batch: int, folder: Path, windows: int, *, words: bool) -> None:  # noqa: ANN401
    from gpu_job.contract import JobOptions  # noqa: PLC0415
    from gpu_job.transcribe.progress import TranscriptionProgress  # noqa: PLC0415
    from gpu_job.transcribe.transcriber import Transcriber  # noqa: PLC0415

    speech, options = (
        TranscriptionProgress(),
        JobOptions(model="speech", language="en", word_times=words),
    )
    heard = samples(folder)[:, : windows * WINDOW_S * tones.RATE_HZ]
    with undoubted():
        Transcriber(model, batch).transcribe(
            heard, regions(windows), options, speech, lambda _: None
        )
    if not any(segment.words for segment in speech.segments):
        raise SystemExit("the worker kept no word")


def work(models: Any, folder: Path, windows: int, laps: dict[str, Any]) -> Any:  # noqa: ANN401
    from gpu_job.contract import JobOptions, JobRequest  # noqa: PLC0415
    from gpu_job.parallel_stages import ParallelWork  # noqa: PLC0415

    options = JobOptions(model="speech", language="en", diarizer="pyannote")
    # of a request, nothing else is asked where nothing is fetched and nothing is written
    request = JobRequest.model_construct(options=options, regions=regions(windows))
    heard = samples(folder)[:, : windows * WINDOW_S * tones.RATE_HZ]
    return ParallelWork(
        request,
        models,
        heard,
        check=lambda: None,
        proceed=lambda: None,
        progress=lambda _: None,
        lap=laps.__setitem__,
    )


@contextmanager
def undoubted() -> Iterator[None]:
    """While all is believed that the model writes, and nothing is heard again."""
    from gpu_job.transcribe import decoded_batch, decoder  # noqa: PLC0415
    from gpu_job.transcribe.removed_words import FilteredWindow  # noqa: PLC0415

    with (
        patch.object(
            decoded_batch, "filter_window", lambda found, *_: FilteredWindow(tuple(found), ())
        ),
        patch.object(decoded_batch.DecodedBatch, "gaps", lambda *_: []),
        patch.object(decoder, "has_failed", lambda *_: False),
    ):
        yield


def regions(windows: int) -> tuple[Any, ...]:
    """Speech packed into windows of 30 s that follow each other without a gap."""
    from gpu_job.contract import SpeechRegion  # noqa: PLC0415

    length = WINDOW_S * 1000
    return tuple(
        SpeechRegion(start_ms=at + EDGE_MS, end_ms=at + length - EDGE_MS)
        for at in range(0, windows * length, length)
    )


def settings(size: Size, folder: Path) -> Any:  # noqa: ANN401
    from gpu_job.common.settings import WorkerSettings  # noqa: PLC0415

    return WorkerSettings(
        folder,
        model="speech",
        diarizer="pyannote",
        diarization_model="speakers",
        device=size.device,
        threads=1 if size.device == "cpu" else 0,
    )


def card(size: Size) -> Any:  # noqa: ANN401
    from gpu_job.common.gpu_memory import Card  # noqa: PLC0415
    from gpu_job.common.gpu_memory import Memory as Bytes  # noqa: PLC0415

    return Card.find() if size.device == "cuda" else Card("", lambda: Bytes(0, 0))


def samples(folder: Path) -> Any:  # noqa: ANN401
    return np.load(folder / "samples.npy", mmap_mode="r")
