"""What bench/worker.py measures, each in a process of its own.

`python -m bench.worker_ways make COUNT FOLDER`, WAY FOLDER, `idle FOLDER`, or `long FOLDER
SPOKEN_S`. Prints one line of JSON. Every way works through one small file before its clock starts.
"""

import json
import secrets
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from bench.chain_ways import OPTIONS, ROOT, WARM, _models
from bench.chain_ways import make as make_recordings
from bench.worker_bucket import RATE_HZ, Bucket, decoded, write

THREADS = 1
COMPUTE_SECONDS = 2.0  # of the simulated card for each job
IDLE_JOBS = 12
IDLE_MINUTES = 10  # of audio in each of them
HOURS = 8


def make(count: str, folder: str) -> dict[str, float]:
    """The recordings of bench.chain as optimized audio: FLAC, and their speech regions."""
    from escriba.audio.optimize import optimize  # noqa: PLC0415
    from resources.silero_vad import SileroDetector  # noqa: PLC0415

    seconds, detector = make_recordings(count, folder)["audio_s"], SileroDetector()
    for path in sorted(Path(folder).glob("*.m*")):
        with TemporaryDirectory(dir=folder) as scratch:
            made = optimize(path, Path(scratch), detector=detector)
            flac = made.path.rename(path.with_suffix(path.suffix + ".flac"))
        spans = [(region.start_ms, region.end_ms) for region in made.regions]
        flac.with_suffix(".json").write_text(json.dumps(spans))
    return {"audio_s": seconds}


def plain(folder: str, *, batched: bool = False) -> dict[str, object]:
    """faster-whisper itself, one file after another."""
    from faster_whisper import BatchedInferencePipeline, WhisperModel  # noqa: PLC0415

    model = WhisperModel(
        str(_unpacked() / "demo"), device="cpu", compute_type="int8", cpu_threads=THREADS
    )
    options: dict[str, Any] = dict(OPTIONS)
    engine: Any = model
    if batched:
        engine = BatchedInferencePipeline(model)
        options |= {"batch_size": 8, "without_timestamps": False}

    def heard(path: Path) -> list[str]:
        segments, _ = engine.transcribe(str(path), **options)
        return [word.word.strip() for segment in segments for word in segment.words]

    heard(_audio(folder, warm=True)[0])
    began = time.perf_counter()
    found = {_name(path): heard(path) for path in _audio(folder)}
    return {"wall_s": time.perf_counter() - began, "heard": found}


def worker(folder: str) -> dict[str, object]:
    """The worker: a manifest of jobs, as on a machine of its own."""
    from gpu_job.contract import JobResult  # noqa: PLC0415

    bucket = Bucket(Path(folder) / f"bucket-{secrets.token_hex(4)}")
    models = _loaded()
    _work([bucket.request(path) for path in _audio(folder, warm=True)], models)
    requests = {path: bucket.request(path) for path in _audio(folder)}
    began = time.perf_counter()
    _work(list(requests.values()), models)
    wall_s = time.perf_counter() - began
    found = {}
    for path, request in requests.items():
        result = JobResult.model_validate_json(bucket.result(request))
        found[_name(path)] = [word.text for each in result.segments for word in each.words]
    return {"wall_s": wall_s, "heard": found}


def idle(folder: str) -> dict[str, float]:
    """How much of the time between first and last compute a simulated card has nothing to do."""
    from gpu_job.models import Models  # noqa: PLC0415
    from gpu_job.transcribe.window_plan import WindowPlan  # noqa: PLC0415

    spans: list[tuple[float, float]] = []

    class Card:
        """Computes each job for so long; the CPU is free meanwhile, as with a real card."""

        def transcribe(self, *given: Any) -> None:  # noqa: ANN401
            speech = given[3]
            since = time.perf_counter()
            time.sleep(COMPUTE_SECONDS)
            speech.plan = WindowPlan(language="en")
            spans.append((since, time.perf_counter()))

    bucket = Bucket(Path(folder) / "idle")
    path = Path(folder) / "idle.flac"
    once = decoded(_audio(folder)[0])
    minute = np.resize(once, (1, RATE_HZ * 60))
    write(path, [minute] * IDLE_MINUTES)
    path.with_suffix(".json").write_text(json.dumps([(0, 60_000 * IDLE_MINUTES)]))
    _work([bucket.request(path) for _ in range(IDLE_JOBS)], Models(Card()))  # type: ignore[arg-type]
    whole = spans[-1][1] - spans[0][0]
    return {"idle_share": 1 - sum(end - start for start, end in spans) / whole}


def long(folder: str, spoken_of_20_min: str) -> dict[str, float]:
    """One job of eight hours with so many seconds of speech in every 20 minutes."""
    once = decoded(_audio(folder)[0])
    block = np.zeros((1, RATE_HZ * 1200), np.int16)
    spoken = int(spoken_of_20_min)
    block[:, : RATE_HZ * spoken] = np.resize(once, (1, RATE_HZ * spoken))
    path = Path(folder) / "long.flac"
    write(path, (block for _ in range(HOURS * 3)))
    del block
    regions = [
        (at * 1000, min(at + 29, base + spoken) * 1000)
        for base in range(0, HOURS * 3600, 1200)
        for at in range(base, base + spoken, 29)
    ]
    path.with_suffix(".json").write_text(json.dumps(regions))
    bucket, models = Bucket(Path(folder) / "long"), _loaded()
    request = bucket.request(path)
    began = time.perf_counter()
    _work([request], models)
    bucket.result(request)
    spoken_s = sum(end - start for start, end in regions) / 1000
    return {"wall_s": time.perf_counter() - began, "spoken_s": spoken_s}


def windows_ratio() -> float:
    """Windows over the ideal number (all speech in full windows): the worse of two recordings.

    A lecture and a hearing of eight hours: stretches of speech of 5 s on average, pauses of 0.6
    and 2.5 s.
    """
    from gpu_job.contract import SpeechRegion  # noqa: PLC0415
    from gpu_job.transcribe.windows import WINDOW_MS, pack  # noqa: PLC0415

    ratios = []
    for pause in (0.6, 2.5):
        dice, at, regions = np.random.default_rng(1), 0.0, []
        while at < HOURS * 3600:
            length = min(29, dice.exponential(5) + 0.3)
            regions.append(SpeechRegion(start_ms=int(at * 1e3), end_ms=int((at + length) * 1e3)))
            at += length + dice.exponential(pause)
        spoken_ms = sum(region.end_ms - region.start_ms for region in regions)
        ratios.append(len(pack(regions, int(at * 1000))) / (spoken_ms / WINDOW_MS))
    return max(ratios)


def silence_words() -> int:
    """Words that the worker writes over the silence corpus, in two languages and by detection."""
    from gpu_job.contract import JobOptions, SpeechRegion  # noqa: PLC0415
    from gpu_job.transcribe.progress import TranscriptionProgress  # noqa: PLC0415

    sys.path.insert(0, str(ROOT / "tests" / "gpu_job" / "transcribe"))
    from silences import SECONDS, SOUNDS, samples_of  # noqa: PLC0415

    models, words = _loaded(), 0
    forced = (SpeechRegion(start_ms=0, end_ms=SECONDS * 1000),)
    for sound in SOUNDS.values():
        for language in ("en", "pt", None):
            speech = TranscriptionProgress()
            options = JobOptions(model="demo", language=language)
            models.transcriber.transcribe(
                samples_of(sound), forced, options, speech, lambda _: None
            )
            words += sum(len(segment.words) for segment in speech.segments)
    return words


def _work(requests: Sequence[Any], models: Any) -> None:  # noqa: ANN401
    from gpu_job.manifest import run_all  # noqa: PLC0415
    from gpu_job.stop_request import Stop  # noqa: PLC0415

    outcomes = run_all(requests, models, lambda **_: None, Stop())
    failed = [outcome.error for outcome in outcomes if outcome.state != "done"]
    if failed:
        raise SystemExit(f"{len(failed)} jobs failed: {failed[0]}")


def _loaded() -> Any:  # noqa: ANN401
    from gpu_job.common.settings import WorkerSettings  # noqa: PLC0415
    from gpu_job.models import load_models  # noqa: PLC0415

    settings = WorkerSettings(
        models=_unpacked(), diarizer="none", device="cpu", threads=THREADS, retire_after_jobs=0
    )
    return load_models(settings)


def _unpacked() -> Path:
    from resources.demo_models import unpack_demo_models  # noqa: PLC0415

    return unpack_demo_models(_models())


def _audio(folder: str, *, warm: bool = False) -> list[Path]:
    found = sorted(Path(folder).glob("*.m*.flac"))
    return [path for path in found if (_name(path) == WARM) == warm]


def _name(path: Path) -> str:
    return path.name.removesuffix(".flac")


WAYS: dict[str, Callable[[str], dict[str, object]]] = {
    "worker": worker,
    "batched": lambda folder: plain(folder, batched=True),
    "plain": plain,
}


def main(arguments: Iterable[str]) -> dict[str, Any]:
    """See the module."""
    what, *rest = arguments
    others: dict[str, Callable[..., dict[str, Any]]] = {"make": make, "idle": idle, "long": long}
    return (others | WAYS)[what](*rest)


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1:])))
