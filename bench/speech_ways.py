"""A recording through Escriba's own way, and through faster-whisper as it stands."""

import argparse
import time
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from bench import report
from bench.real_whisper import real_whisper
from bench.speech_sets import RATE_HZ, Clip, Recording, clips_of

BATCH = 8
THREADS = 1
SEED = 1


@dataclass(frozen=True)
class Written:
    """A word, and where it stands in the recording."""

    start_ms: int
    end_ms: int
    text: str


@dataclass
class Heard:
    """What a way made of a recording.

    detect_seconds: the part of `seconds` in which a CPU looks for speech.
    windows: Escriba's, each with what was kept and what was removed.
    """

    words: list[Written]
    seconds: float
    detect_seconds: float = 0.0
    regions: tuple[Any, ...] = ()
    windows: list[tuple[Any, Any]] = field(default_factory=list)
    warnings: list[Any] = field(default_factory=list)


def loaded(model: str, threads: int = THREADS) -> Any:  # noqa: ANN401
    """A Whisper on the CPU, as the worker loads it; plain tries a window again by sampling."""
    import ctranslate2  # noqa: PLC0415
    from faster_whisper import WhisperModel  # noqa: PLC0415

    ctranslate2.set_random_seed(SEED)
    return WhisperModel(model, device="cpu", compute_type="int8", cpu_threads=threads)


def asked(what: str | None) -> tuple[argparse.Namespace, Any, list[Clip]]:
    """Options of a command that does `what`, its Whisper, and its clips: quick, FLEURS alone."""
    parser = report.parser(what)
    parser.add_argument("--model", type=Path, help="a CTranslate2 folder; else the real Whisper")
    parser.add_argument("--speech", type=Path, required=True, help="a folder with manifest.jsonl")
    options = parser.parse_args()
    model = loaded(str(options.model or real_whisper()))
    clips = clips_of(options.speech)
    if options.quick:
        clips = [clip for clip in clips if clip.group.startswith("fleurs")]
    return options, model, clips


def ours(model: Any, recording: Recording, batch: int = BATCH) -> Heard:  # noqa: ANN401
    """What the pipeline does before a GPU is leased, and then the worker's transcriber."""
    from escriba.audio.optimize import optimize  # noqa: PLC0415
    from escriba.settings import Settings  # noqa: PLC0415
    from gpu_job.common.audio import decode  # noqa: PLC0415
    from gpu_job.contract import JobOptions  # noqa: PLC0415
    from gpu_job.transcribe.progress import TranscriptionProgress  # noqa: PLC0415
    from gpu_job.transcribe.transcriber import Transcriber  # noqa: PLC0415
    from resources.silero_vad import SileroDetector  # noqa: PLC0415

    with TemporaryDirectory(prefix="escriba-bench-") as name:
        source = Path(name) / "recording.wav"
        _write(source, recording.sound)
        since = time.process_time()
        made = optimize(source, Path(name), detector=SileroDetector())
        detect_seconds = time.process_time() - since
        samples = decode(made.path, made.channels, made.decoded_ms)
    speech = TranscriptionProgress()
    beams = Settings.model_fields["beam_size"].default
    options = JobOptions(model="base", language=recording.language or None, beam_size=beams)
    since = time.process_time()
    with _overheard() as windows:
        worker = Transcriber(model, batch)
        worker.transcribe(samples, made.regions, options, speech, lambda _: None)
    seconds = time.process_time() - since
    words = [
        Written(word.start_ms, word.end_ms, _joined(word))
        for each in speech.segments
        for word in each.words
    ]
    return Heard(words, seconds, detect_seconds, made.regions, windows, speech.warnings)


def plain(model: Any, recording: Recording) -> Heard:  # noqa: ANN401
    """faster-whisper, window after window."""
    return _theirs(model, recording, {})


def batched(model: Any, recording: Recording, batch: int = BATCH) -> Heard:  # noqa: ANN401
    """faster-whisper's batched pipeline, as it comes."""
    from faster_whisper import BatchedInferencePipeline  # noqa: PLC0415

    return _theirs(BatchedInferencePipeline(model), recording, {"batch_size": batch})


def _theirs(engine: Any, recording: Recording, more: dict[str, Any]) -> Heard:  # noqa: ANN401
    sound = recording.sound.astype(np.float32) / 32768
    since = time.process_time()
    found, _ = engine.transcribe(
        sound,
        language=recording.language,
        vad_filter=True,
        beam_size=1,
        condition_on_previous_text=False,
        word_timestamps=True,
        **more,
    )
    words = [
        Written(round(word.start * 1000), round(word.end * 1000), word.word)
        for segment in found
        for word in segment.words
    ]
    return Heard(words, time.process_time() - since)


def text_of(words: list[Written]) -> str:
    """The words as they are read: a leading blank says that a word begins."""
    return "".join(word.text for word in words)


def _joined(word: Any) -> str:  # noqa: ANN401
    """With the blank before it, unless the result says that it joins the word before."""
    return word.text if getattr(word, "joins", False) else f" {word.text}"


@contextmanager
def _overheard() -> Iterator[list[tuple[Any, Any]]]:
    """Each window with what was believed of it, as the transcriber keeps it."""
    from gpu_job.transcribe import transcriber  # noqa: PLC0415

    windows: list[tuple[Any, Any]] = []
    keep = transcriber._add_window  # noqa: SLF001

    def kept(speech: Any, window: Any, believed: Any, *rest: Any, **more: Any) -> Any:  # noqa: ANN401
        windows.append((window, believed))
        return keep(speech, window, believed, *rest, **more)

    transcriber._add_window = kept  # noqa: SLF001
    try:
        yield windows
    finally:
        transcriber._add_window = keep  # noqa: SLF001


def _write(path: Path, sound: Any) -> None:  # noqa: ANN401
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(sound.tobytes())
