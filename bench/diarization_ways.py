"""What bench/diarization.py measures, each way in a process of its own.

`python -m bench.diarization_ways make HOURS FOLDER`, `ours|pyannote KIND FOLDER`, or
`agreement KIND COUNT,BOUND`. Prints one line of JSON. All run on one thread, and the clock starts
once the models are loaded and have heard 12 s.
"""

import json
import resource
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bench import tones
from bench.voices import agreement, clustering_of, prepared, pyannote_labels
from gpu_job.common.settings import WorkerSettings
from gpu_job.contract import Speakers
from gpu_job.diarize.pyannote import PyannoteDiarizer, load_pipeline
from gpu_job.diarize.pyannote import diarizer as diarizer_module
from gpu_job.diarize.pyannote.clusters import SpeakerCount, assign

VOICES = 10
KINDS = ("community-1", "3.1", "resnet34")
_RSS_PER_MB = 1024**2 if sys.platform == "darwin" else 1024

Figures = dict[str, float]
Run = Callable[[Any], tuple[int, int]]


def make(hours: str, folder: str) -> Figures:
    """The recording, and a pipeline of each kind; 'resnet34' embeds with pyannote's own network."""
    load_pipeline.import_pyannote()
    from bench.tone_models import write_pipeline  # noqa: PLC0415

    seconds = float(hours) * 3600
    shape = (1, round(seconds * tones.RATE_HZ))
    path = Path(folder) / "samples.npy"
    out = np.lib.format.open_memmap(path, "w+", np.int16, shape)
    tones.play(tones.plan(seconds, VOICES), out)
    for kind in KINDS:
        write_pipeline(Path(folder) / kind, kind)
    return {"seconds": seconds}


def ours(kind: str, folder: str) -> Figures:
    """PyannoteDiarizer, as the worker calls it; 8 h are never in memory as float32."""
    settings = WorkerSettings(Path(folder), diarization_model=kind, threads=1)
    diarizer = PyannoteDiarizer.load(settings)
    calls, clear = [time.perf_counter()], [0]

    def counted(clustering: Any, voices: Any, *others: Any) -> Any:  # noqa: ANN401  # as assign
        clear.append(int(voices.clear.sum()))
        return assign(clustering, voices, *others)

    diarizer_module.assign = counted

    def run(samples: Any) -> tuple[int, int]:  # noqa: ANN401  # a mapped array
        found = diarizer.diarize(
            samples,
            tones.all_of(samples),
            Speakers(),
            lambda: calls.append(time.perf_counter()),
        )
        return len(found.turns), len({turn.speaker for turn in found.turns})

    figures = _measured(run, folder)
    apart = float(np.diff(calls).max())
    return figures | {"longest_between_checks_seconds": apart, "embeddings": clear[-1]}


def pyannote(kind: str, folder: str) -> Figures:
    """The same pipeline called as pyannote's manual says, with the whole waveform in memory."""
    load_pipeline.import_pyannote()
    import torch  # noqa: PLC0415
    from pyannote.audio import Pipeline  # noqa: PLC0415

    torch.set_num_threads(1)
    settings = WorkerSettings(Path(folder), diarization_model=kind)
    pipeline = Pipeline.from_pretrained(load_pipeline.config_of(settings, None))

    def run(samples: Any) -> tuple[int, int]:  # noqa: ANN401  # a mapped array
        waveform = torch.from_numpy(samples.astype(np.float32) / np.float32(32768))
        found = pipeline({"waveform": waveform, "sample_rate": tones.RATE_HZ}).speaker_diarization
        return len(list(found.itertracks())), len(found.labels())

    return _measured(run, folder)


def label_agreement(kind: str, sizes: str) -> Figures:
    """How many labels are the same when only `bound` of `count` embeddings are linked."""
    load_pipeline.import_pyannote()
    count, bound = (int(each) for each in sizes.split(","))
    crowd, clustering = prepared(count, VOICES), clustering_of(kind)
    began = time.perf_counter()
    mine = assign(clustering, crowd.voices, SpeakerCount(None, 1, np.inf), lambda: None, bound)
    between = time.perf_counter()
    theirs = pyannote_labels(clustering, crowd)
    return {
        "agreement": agreement(mine.speaker, theirs),
        "speakers": float(theirs.max() + 1),
        "embeddings": float(crowd.voices.clear.sum()),
        "ours_seconds": between - began,
        "pyannote_seconds": time.perf_counter() - between,
    }


def _measured(run: Run, folder: str) -> Figures:
    samples = np.load(Path(folder) / "samples.npy", mmap_mode="r")
    run(samples[:, : 12 * tones.RATE_HZ])
    began = time.perf_counter()
    turns, speakers = run(samples)
    return {
        "wall_seconds": time.perf_counter() - began,
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _RSS_PER_MB,
        "turns": turns,
        "speakers": speakers,
    }


def main() -> None:
    warnings.simplefilter("ignore")  # of pyannote, of models without weights
    ways = {"make": make, "ours": ours, "pyannote": pyannote, "agreement": label_agreement}
    way, *arguments = sys.argv[1:]
    print(json.dumps(ways[way](*arguments)))


if __name__ == "__main__":
    main()
