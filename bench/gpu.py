"""One GPU: the worker, faster-whisper's batched pipeline and transformers; speakers; cold start.

`python -m bench.gpu [--quick | --tiny] [--json] [--only WAY …] [--folder FOLDER]`. Whisper
large-v3-turbo's architecture in float16, its weights left to chance, made here: nothing is
downloaded. 64 minutes are 128 windows of 30 s for every way, and each gets exactly 100 tokens,
about what half a minute of speech has; a way that does more or less fails. Greedy, in English.

- RTFx by batch size, in which the worker's words and those of the batched pipeline have times.
  transformers does that too slowly to be compared: at batch 32 the other two leave them off too.
- One recording's words and speakers concurrently and one after the other, 32 minutes: pyannote's
  own networks with weights left to chance, beside models that tell ten tones apart.
- Cold start, step by step, the files still in the page cache.

Needs one NVIDIA GPU with 24 GB. Each way has a process of its own and so many seconds; one that
fails stops no other, and after ten minutes all is over: `--only` goes on in a FOLDER in which
`make` was run. `--quick` halves the audio and takes batches of 8 and 32.
`--tiny` runs all of it on a CPU with a tiny model, and only proves that the script works.

Where there is no network: wheels of `gpu_job_image[pyannote,cuda]` and the group `bench-gpu`, or
beside an image with torch, torchaudio, transformers, lightning, onnxruntime and grpcio
(docs/benchmarks.md names them one by one), and `PYTHONPATH=.:gpu_job_image`. PyAV may be left out,
and cuBLAS 12 where cuBLAS 13 is.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench import report
from bench.gpu_libraries import with_cublas
from gpu_job.common.gpu_memory import Card

ROOT = Path(__file__).parents[1]
LIMIT_S = 580  # for all
SECONDS = {  # for each way at most, in this order; what is slowest comes last
    "make": 150,
    "worker": 120,
    "batched": 120,
    "cold": 60,
    "together": 150,
    "transformers": 240,
}

Found = list[dict[str, Any]]


def way(
    name: str, size: str, folder: Path, environment: Mapping[str, str], seconds: float
) -> tuple[Found, str]:
    """All that a way printed, and why it did not come to its end, if so."""
    command = [sys.executable, "-m", "bench.gpu_ways", name, size, str(folder)]
    since = time.perf_counter()
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=dict(environment),
            stdout=subprocess.PIPE,
            timeout=seconds,
            check=False,
        )
        printed, fault = done.stdout, f"exit status {done.returncode}" if done.returncode else ""
    except subprocess.TimeoutExpired as error:
        printed, fault = error.stdout or b"", f"longer than {seconds:.0f} s"
    found: Found = [json.loads(line) for line in printed.splitlines() if line.startswith(b"{")]
    if name == "cold" and not fault:
        found.append({"step": "process", "seconds": time.perf_counter() - since})
    return found, fault


def measured(
    ways: Sequence[str], size: str, folder: Path, environment: Mapping[str, str]
) -> tuple[Found, dict[str, str]]:
    """What all of them printed, and what went wrong; without models nothing is measured."""
    found: Found = []
    faults: dict[str, str] = {}
    until = time.perf_counter() + LIMIT_S
    for name in (each for each in SECONDS if each in ways):
        seconds = max(1.0, min(SECONDS[name], until - time.perf_counter()))
        printed, fault = way(name, size, folder, environment, seconds)
        found += printed
        if fault:
            faults[name] = fault
        if fault and name == "make":
            break
    return found, faults


def speeds(found: Found) -> dict[str, object]:
    """RTFx by way and batch size, and the worker's best."""
    figures: dict[str, object] = {}
    best: dict[str, tuple[float, int]] = {}
    for each in (one for one in found if "way" in one):
        name = f"{each['way']}_b{each['batch']}"
        without = each["way"] != "transformers" and not each["words"]
        figures[f"rtfx_{name}{'_no_word_times' if without else ''}"] = round(_rtfx(each), 1)
        if not without:
            figures[f"vram_mb_{name}"] = each["vram_mb"]
            best[each["way"]] = max(best.get(each["way"], (0.0, 0)), (_rtfx(each), each["batch"]))
    if "worker" in best:
        figures |= {"best_rtfx": round(best["worker"][0], 1), "best_batch": best["worker"][1]}
    for other in sorted(best.keys() - {"worker"}):
        figures[f"best_rtfx_{other}"] = round(best[other][0], 1)
    return figures


def sharing(found: Found) -> dict[str, object]:
    """Seconds of one recording concurrently and in sequence, the least of the rounds."""
    runs = {
        shared: [one for one in found if one.get("together") is shared] for shared in (True, False)
    }
    if not all(runs.values()):
        return {}
    once, apart = (min(one["wall_s"] for one in runs[shared]) for shared in (True, False))
    return {
        "together_ratio": round(once / apart, 3),
        "together_s": round(once, 2),
        "in_sequence_s": round(apart, 2),
        "together_vram_mb": max(one["vram_mb"] for one in runs[True]),
        "in_sequence_vram_mb": max(one["vram_mb"] for one in runs[False]),
    }


def steps(found: Found) -> dict[str, object]:
    """Seconds of a cold start; the whole is the process from its start to its end."""
    names = {"process": "cold_start_s"}
    return {
        names.get(one["step"], f"cold_{one['step']}_s"): round(one["seconds"], 2)
        for one in found
        if "step" in one
    }


def row(each: dict[str, Any]) -> tuple[object, ...]:
    return (
        each["way"],
        "yes" if each["words"] else "no",
        each["batch"],
        f"{each['wall_s']:.2f}",
        f"{_rtfx(each):.0f}",
        f"{each['tokens'] / each['wall_s']:,.0f}",
        f"{each['features_s'] / each['wall_s']:.2f}",
        f"{each['vram_mb']:,}",
    )


def _rtfx(each: dict[str, Any]) -> float:
    return float(each["windows"] * 30 / each["wall_s"])


@contextmanager
def _folder(chosen: Path | None) -> Iterator[Path]:
    if chosen is None:
        with TemporaryDirectory(prefix="escriba-bench-") as name:
            yield Path(name)
    else:
        chosen.mkdir(parents=True, exist_ok=True)
        yield chosen.resolve()


def main() -> None:
    parser = report.parser(__doc__)
    parser.add_argument("--tiny", action="store_true", help="on a CPU: proves the script alone")
    parser.add_argument("--only", nargs="+", choices=[*SECONDS], default=list(SECONDS))
    parser.add_argument("--folder", type=Path, help="where models are made, and kept")
    chosen = parser.parse_args()
    card = Card.find()
    if not chosen.tiny and not card.is_there:
        print("No NVIDIA GPU is available (or nvidia-ml-py is missing): --tiny runs on a CPU.")
        raise SystemExit(2)
    size = "tiny" if chosen.tiny else "quick" if chosen.quick else "full"
    hidden = {"CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"} if chosen.tiny else {}
    with _folder(chosen.folder) as folder:
        environment, cublas = with_cublas(folder, {**os.environ, **hidden})
        found, faults = measured(chosen.only, size, folder, environment)
    gpu = "none" if chosen.tiny else card.name
    figures = {**speeds(found), **sharing(found), **steps(found), "gpu": gpu, "cublas": cublas}
    columns = ["way", "word times", "batch", "s", "RTFx", "tokens/s", "features", "MB in use"]
    title = f"{gpu}, {size}: windows of 30 s, as many tokens in each"
    rows = [row(each) for each in found if "way" in each]
    report.show(title, columns, rows, figures, as_json=chosen.json)
    if faults:
        raise SystemExit(f"not measured to the end: {faults}")


if __name__ == "__main__":
    main()
