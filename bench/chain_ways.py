"""The ways that bench/chain.py compares, each run in a process of its own.

`python -m bench.chain_ways make COUNT FOLDER`, or WAY FOLDER. Prints one line of JSON. Every way
works through one small file before its clock starts: models are loaded, modules imported.
"""

import asyncio
import itertools
import json
import logging
import shutil
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).parents[1]
RECORDINGS = ROOT / "demo" / "recordings"
RATE_HZ = 44_100
FORMATS = {".mp3": "libmp3lame", ".m4a": "aac"}
WARM = "warm.mp3"  # the small file
WARM_SECONDS = 6
OPTIONS = {
    "beam_size": 1,
    "temperature": 0,
    "condition_on_previous_text": False,
    "word_timestamps": True,
    "vad_filter": True,
}
TENANT = "bench"


def make(count: str, folder: str) -> dict[str, float]:
    """Conversations of 45 s, no two alike: begun at another sentence, louder, with other noise."""
    import numpy as np  # noqa: PLC0415

    target, dice, seconds = Path(folder), np.random.default_rng(7), 0.0
    told: dict[str, str] = {}
    originals = [_original(path) for path in sorted(RECORDINGS.glob("*.rttm"))]
    for i in range(int(count)):
        sound, starts, sentences = originals[i % len(originals)]
        first = i // len(originals) % len(starts)
        turned = np.roll(sound, -int((starts[first] - 0.2) * RATE_HZ))
        noisy = turned * dice.uniform(0.6, 1.0) + dice.normal(0, 20, len(turned))
        name = f"{i:02}{list(FORMATS)[i % 2]}"
        _write(target / name, noisy)
        told[name] = " ".join(sentences[first:] + sentences[:first])
        seconds += len(noisy) / RATE_HZ
    _write(target / WARM, originals[0][0][: WARM_SECONDS * RATE_HZ])
    (target / "told.json").write_text(json.dumps(told), encoding="utf-8")
    return {"audio_s": seconds}


def _original(rttm: Path) -> tuple[Any, list[float], list[str]]:
    """A demo recording's samples, when each of its sentences begins, and the sentences."""
    import av  # noqa: PLC0415
    import numpy as np  # noqa: PLC0415

    media = next(path for path in rttm.parent.glob(f"{rttm.stem}.m*"))
    resampler, pieces = av.AudioResampler("s16", "mono", RATE_HZ), []
    with av.open(str(media)) as container:
        for frame in container.decode(audio=0):
            pieces += [each.to_ndarray().ravel() for each in resampler.resample(frame)]
    script = rttm.with_suffix(".txt").read_text(encoding="utf-8").splitlines()
    sentences = [line.partition(": ")[2] for line in script if line and not line.startswith("#")]
    starts = [float(line.split()[3]) for line in rttm.read_text().splitlines()]
    if len(starts) != len(sentences):
        raise SystemExit(f"{rttm.name} and its script disagree")
    return np.concatenate(pieces).astype(np.float64), starts, sentences


def _write(path: Path, sound: Any) -> None:  # noqa: ANN401  # an array; numpy is imported later
    import av  # noqa: PLC0415
    import numpy as np  # noqa: PLC0415

    samples = np.clip(sound, -32_768, 32_767).astype(np.int16).reshape(1, -1)
    frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
    frame.sample_rate = RATE_HZ
    with av.open(str(path), "w") as container:
        stream = container.add_stream(FORMATS[path.suffix], rate=RATE_HZ, layout="mono")
        resampler = av.AudioResampler(
            stream.format, "mono", RATE_HZ, frame_size=stream.codec_context.frame_size or 1152
        )
        for block in itertools.chain(resampler.resample(frame), resampler.resample(None)):
            container.mux(stream.encode(block))
        container.mux(stream.encode(None))


def bare(folder: str, threads: int, *, batched: bool = False) -> dict[str, object]:
    """faster-whisper itself, one file after another."""
    from faster_whisper import BatchedInferencePipeline, WhisperModel  # noqa: PLC0415

    from resources.demo_models import DEMO_MODEL, unpack_demo_models  # noqa: PLC0415

    unpacked = str(unpack_demo_models(_models()) / DEMO_MODEL)
    model = WhisperModel(unpacked, device="cpu", compute_type="int8", cpu_threads=threads)
    options: dict[str, Any] = dict(OPTIONS)
    engine: Any = model
    if batched:
        engine = BatchedInferencePipeline(model)
        options |= {"batch_size": 8, "without_timestamps": False}

    def heard(path: Path) -> list[str]:
        segments, _ = engine.transcribe(str(path), **options)
        return [word.word.strip() for segment in segments for word in segment.words]

    heard(Path(folder) / WARM)
    began = time.perf_counter()
    found = {path.name: heard(path) for path in _files(folder)}
    return {"wall_s": time.perf_counter() - began, "heard": found}


def chain(folder: str) -> dict[str, object]:
    """All stages of Escriba but diarization, in a bucket of its own."""
    from assets.recordings.progress import LogProgress  # noqa: PLC0415
    from escriba.settings import load_settings  # noqa: PLC0415

    with TemporaryDirectory(prefix="escriba-bench-") as root:
        bucket = Path(root) / "bucket"
        inbox = bucket / "inbox" / TENANT
        inbox.mkdir(parents=True)
        for path in (*_files(folder), Path(folder) / WARM):
            shutil.copyfile(path, inbox / path.name)
        settings = load_settings(
            storage_url=bucket.as_uri(),
            default_language="auto",
            model="demo",
            diarizer="none",
            models_folder=_models(),
        )
        names = [path.name for path in _files(folder)]
        return asyncio.run(_batch(settings, LogProgress(logging.getLogger("escriba")), names))


async def _batch(settings: Any, progress: Any, names: list[str]) -> dict[str, object]:  # noqa: ANN401
    from assets.recordings.batch import _process, run_batch  # noqa: PLC0415
    from assets.recordings.run_context import open_run_context  # noqa: PLC0415
    from escriba.recordings import Recording  # noqa: PLC0415
    from escriba.stages import STAGES  # noqa: PLC0415
    from gpu_job.contract import JobResult  # noqa: PLC0415

    run_context = open_run_context(settings, progress)
    await _process(run_context, Recording(TENANT, WARM), STAGES)  # as run_batch does for each
    recordings, ended = [Recording(TENANT, name) for name in names], [0.0]
    began = time.perf_counter()
    outcomes = await run_batch(
        run_context, recordings, on_done=lambda _: ended.__setitem__(0, time.perf_counter())
    )
    failed = [outcome.failed.message for outcome in outcomes if outcome.failed]
    if failed:
        raise SystemExit(f"{len(failed)} recordings failed: {failed[0]}")
    found = {}
    for recording in recordings:
        body = run_context.storage.read(recording.transcript_key("transcript.json")) or b""
        result = JobResult.model_validate_json(body)
        found[recording.path] = [word.text for each in result.segments for word in each.words]
    return {"wall_s": ended[0] - began, "heard": found}


def _files(folder: str) -> list[Path]:
    return sorted(path for path in Path(folder).glob("*.m*") if path.name != WARM)


def _models() -> Path:
    return ROOT / ".cache" / "models"


WAYS: dict[str, Callable[[str], dict[str, object]]] = {
    "chain": chain,
    "bare, 1": lambda folder: bare(folder, 1),
    "bare, 2": lambda folder: bare(folder, 2),
    "batched, 1": lambda folder: bare(folder, 1, batched=True),
    "batched, 2": lambda folder: bare(folder, 2, batched=True),
}


def main(arguments: Iterable[str]) -> dict[str, Any]:
    """`make COUNT FOLDER`, or WAY FOLDER."""
    way, *rest = arguments
    return make(*rest) if way == "make" else WAYS[way](*rest)


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1:])))
