"""What bench/gpu.py compares, each in a process of its own.

`python -m bench.gpu_ways WAY SIZE FOLDER`, of which `make` is the first. Each thing measured is a
line of JSON as soon as it is known, so that nothing is lost with what fails after it. Every batch
size works through one batch before its clock starts.
"""

import importlib.util
import json
import sys
import time
import types
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench import gpu_models, tones
from bench.gpu_measures import Done, Memory, TimedFeatures, counted
from bench.gpu_sizes import SIZES, VOICES, WINDOW_S, Size
from bench.gpu_worker import card, samples, settings, transcribe, undoubted, whisper, work

Say = Callable[[dict[str, Any]], None]


def make(size: Size, folder: Path, say: Say) -> None:
    """The models and a conversation of ten voices."""
    since = time.perf_counter()
    gpu_models.write_speech(folder, size.shape, size.device)
    from gpu_job.diarize.pyannote.load_pipeline import import_pyannote  # noqa: PLC0415

    import_pyannote()
    from bench.heavy_tone_models import write_speakers  # noqa: PLC0415

    write_speakers(folder / "speakers")
    np.save(folder / "samples.npy", tones.conversation(size.audio_s, VOICES))
    say({"make_s": round(time.perf_counter() - since, 1)})


def worker(size: Size, folder: Path, say: Say) -> None:
    """The worker's Transcriber: packed windows, features made ahead, words cut into segments.

    Doubting is off, since it would throw away all that a model without training writes, and hear
    it again; of real speech it asks the speech detector about few windows.
    """
    from gpu_job.transcribe.batched_decoding import WINDOWS_A_CALL  # noqa: PLC0415

    done = Done()
    model = whisper(size, folder, done)
    for batch, words in _runs(size):
        if batch <= WINDOWS_A_CALL:  # it never takes a larger batch

            def run(windows: int, batch: int = batch, *, words: bool = words) -> None:
                transcribe(model, batch, folder, windows, words=words)

            _measure(size, run, done, {"way": "worker", "batch": batch, "words": words}, say)


def batched(size: Size, folder: Path, say: Say) -> None:
    """faster-whisper's pipeline as its manual says, on the same windows."""
    from faster_whisper import BatchedInferencePipeline  # noqa: PLC0415

    done = Done()
    model = whisper(size, folder, done)
    audio = samples(folder)[0].astype(np.float32) / np.float32(32768)
    for batch, words in _runs(size):

        def run(windows: int, batch: int = batch, *, words: bool = words) -> None:
            found, _ = BatchedInferencePipeline(model).transcribe(
                audio[: windows * WINDOW_S * tones.RATE_HZ],
                language="en",
                batch_size=batch,
                beam_size=1,
                temperature=0.0,
                without_timestamps=False,
                word_timestamps=words,
                clip_timestamps=[
                    {"start": i * WINDOW_S, "end": (i + 1) * WINDOW_S} for i in range(windows)
                ],
            )
            for _ in found:
                pass

        _measure(size, run, done, {"way": "batched", "batch": batch, "words": words}, say)


def transformers(size: Size, folder: Path, say: Say) -> None:
    """The pipeline of that name, in chunks of 30 s without overlap, without times of words."""
    from gpu_job.diarize.pyannote.torchaudio_shim import import_torchaudio  # noqa: PLC0415

    import_torchaudio()
    import torch  # noqa: PLC0415
    from transformers import pipeline  # noqa: PLC0415

    precision = torch.float16 if size.device == "cuda" else torch.float32
    engine = pipeline(
        "automatic-speech-recognition",
        str(folder / "original"),
        device=size.device,
        dtype=precision,
    )
    done = Done()
    counted(engine.model, done)
    engine.feature_extractor = TimedFeatures(engine.feature_extractor, done)
    audio = samples(folder)[0].astype(np.float32) / np.float32(32768)
    # five beams are the pipeline's own default
    fixed = {"max_new_tokens": size.tokens, "min_new_tokens": size.tokens, "num_beams": 1}
    for batch in size.batches:

        def run(windows: int, batch: int = batch) -> None:
            engine(
                {"raw": audio[: windows * WINDOW_S * tones.RATE_HZ], "sampling_rate": 16_000},
                batch_size=batch,
                chunk_length_s=WINDOW_S,
                stride_length_s=0,
                generate_kwargs={"language": "en", "task": "transcribe", **fixed},
            )

        _measure(size, run, done, {"way": "transformers", "batch": batch, "words": False}, say)


def together(size: Size, folder: Path, say: Say) -> None:
    """One recording's words and speakers by the worker: concurrently, and one after the other."""
    from gpu_job.diarize.pyannote import PyannoteDiarizer  # noqa: PLC0415
    from gpu_job.gpu_sharing import Sharing  # noqa: PLC0415
    from gpu_job.models import Models  # noqa: PLC0415
    from gpu_job.transcribe.transcriber import Transcriber  # noqa: PLC0415

    class Decided(Sharing):
        """Shares the card, or does not, as it is told."""

        allowed = False

    diarizer = PyannoteDiarizer.load(settings(size, folder))
    model = whisper(size, folder, Done())
    models = Models(Transcriber(model, size.compared), diarizer)
    sharing = models.sharing = Decided(card(size))

    def run(windows: int, *, shared: bool) -> dict[str, Any]:
        laps: dict[str, Any] = {}
        sharing.allowed = shared
        task = work(models, folder, windows, laps)
        since = time.perf_counter()
        with undoubted():
            task.do()
        speakers = {turn.speaker for turn in task.diarization.turns}
        return {"wall_s": time.perf_counter() - since, "speakers": len(speakers), **laps}

    memory = Memory(card(size))
    run(min(size.compared, size.both), shared=False)
    for i in range(size.rounds):
        for shared in (False, True)[:: -1 if i % 2 else 1]:
            with memory.watched():
                figures = run(size.both, shared=shared)
            say({"together": shared, **figures, "vram_mb": memory.peak_bytes >> 20})


def cold(size: Size, folder: Path, say: Say) -> None:
    """From nothing to a worker that may take a job, by the worker's own steps.

    What warms it up decodes 224 tokens a window here, since these models know no end.
    """
    from gpu_job.cold_start import measure  # noqa: PLC0415

    measure(settings(size, folder), lambda step, seconds: say({"step": step, "seconds": seconds}))


def _runs(size: Size) -> Iterator[tuple[int, bool]]:
    """Batch sizes upwards, so that the most memory seen is that of each; with times of words."""
    for batch in size.batches:
        if batch == size.compared:
            yield batch, False
        yield batch, True


def _measure(
    size: Size, run: Callable[[int], None], done: Done, names: dict[str, Any], say: Say
) -> None:
    """Seconds for all windows; fails where the work was not what it should have been."""
    memory = Memory(card(size))
    run(min(names["batch"], size.windows))
    done.clear()
    since = time.perf_counter()
    with memory.watched():
        run(size.windows)
    wall_s = time.perf_counter() - since
    wanted = (size.windows, size.windows * size.tokens)
    if (done.windows, done.tokens) != wanted:
        raise SystemExit(f"{names}: {done.windows, done.tokens} windows and tokens, not {wanted}")
    say({**names, "wall_s": wall_s, **vars(done), "vram_mb": memory.peak_bytes >> 20})


def _do_without_pyav() -> None:
    """faster-whisper imports PyAV to decode files; there are none here."""
    if importlib.util.find_spec("av") is None:
        sys.modules["av"] = types.ModuleType("av")


def _say(figures: dict[str, Any]) -> None:
    line = json.dumps(figures)
    print(line, flush=True)
    print(line, file=sys.stderr, flush=True)


WAYS: dict[str, Callable[[Size, Path, Say], None]] = {
    "make": make,
    "worker": worker,
    "batched": batched,
    "transformers": transformers,
    "together": together,
    "cold": cold,
}


def main(arguments: Sequence[str]) -> None:
    way, size, folder = arguments
    _do_without_pyav()
    WAYS[way](SIZES[size], Path(folder), _say)


if __name__ == "__main__":
    main(sys.argv[1:])
