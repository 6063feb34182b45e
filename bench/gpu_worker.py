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
    from gpu_job.speech.model import load_whisper  # noqa: PLC0415

    model = load_whisper(settings(size, folder))
    model.model = FixedWhisper(model.model, size.tokens, done)
    model.feature_extractor = TimedFeatures(model.feature_extractor, done)
    return model


def transcribe(model: Any, batch: int, folder: Path, windows: int, *, words: bool) -> None:  # noqa: ANN401
    from gpu_job.contract import JobOptions  # noqa: PLC0415
    from gpu_job.speech.so_far import Speech  # noqa: PLC0415
    from gpu_job.speech.transcriber import Transcriber  # noqa: PLC0415

    speech, options = Speech(), JobOptions(model="speech", language="en", word_times=words)
    heard = samples(folder)[:, : windows * WINDOW_S * tones.RATE_HZ]
    with undoubted():
        Transcriber(model, batch).transcribe(
            heard, regions(windows), options, speech, lambda _: None
        )
    if not any(segment.words for segment in speech.segments):
        raise SystemExit("the worker kept no word")


def work(models: Any, folder: Path, windows: int, laps: dict[str, Any]) -> Any:  # noqa: ANN401
    from gpu_job.contract import JobOptions, JobRequest  # noqa: PLC0415
    from gpu_job.together import Work  # noqa: PLC0415

    options = JobOptions(model="speech", language="en", diarizer="pyannote")
    # of a request, nothing else is asked where nothing is fetched and nothing is written
    request = JobRequest.model_construct(options=options, regions=regions(windows))
    heard = samples(folder)[:, : windows * WINDOW_S * tones.RATE_HZ]
    return Work(
        request,
        models,
        heard,
        check=lambda: None,
        go_on=lambda: None,
        progress=lambda _: None,
        lap=laps.__setitem__,
    )


@contextmanager
def undoubted() -> Iterator[None]:
    """While all is believed that the model writes, and nothing is heard again."""
    from gpu_job.speech import decoding, heard_call  # noqa: PLC0415
    from gpu_job.speech.removals import Believed  # noqa: PLC0415

    with (
        patch.object(heard_call, "believe", lambda found, *_: Believed(tuple(found), ())),
        patch.object(heard_call.HeardCall, "gaps", lambda *_: []),
        patch.object(decoding, "has_failed", lambda *_: False),
    ):
        yield


def regions(windows: int) -> tuple[Any, ...]:
    """Speech that is packed into windows of 30 s, each of which begins where the last one ends."""
    from gpu_job.contract import SpeechRegion  # noqa: PLC0415

    length = WINDOW_S * 1000
    return tuple(
        SpeechRegion(start_ms=at + EDGE_MS, end_ms=at + length - EDGE_MS)
        for at in range(0, windows * length, length)
    )


def settings(size: Size, folder: Path) -> Any:  # noqa: ANN401
    from gpu_job.settings import WorkerSettings  # noqa: PLC0415

    return WorkerSettings(
        folder,
        model="speech",
        diarizer="pyannote",
        diarization_model="speakers",
        device=size.device,
        threads=1 if size.device == "cpu" else 0,
    )


def card(size: Size) -> Any:  # noqa: ANN401
    from gpu_job.card import Card  # noqa: PLC0415
    from gpu_job.card import Memory as Bytes  # noqa: PLC0415

    return Card.find() if size.device == "cuda" else Card("", lambda: Bytes(0, 0))


def samples(folder: Path) -> Any:  # noqa: ANN401
    return np.load(folder / "samples.npy", mmap_mode="r")
