"""The worker against what it is made of: the batched pipeline, and plain faster-whisper.

`python -m bench.worker [--quick] [--json]`. The same tiny model, the same FLAC files, one thread,
the language to be detected. The worker does all of a job: it fetches, checks, decodes, packs,
transcribes, doubts, writes the result and its claims; what it does not do is to look for speech,
which was done before on the CPU. It has the environment in which the image and the local backend
start it, which keeps glibc from giving its memory back after every window. The other two decode,
look for speech and transcribe. Every run is a warm process of its own, in alternating order; the
ratio is the median over the rounds.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench import report
from bench.chain import Run
from bench.chain_ways import ROOT
from bench.worker_ways import WAYS, silence_words, windows_ratio
from resources.gpu.backends.local import KEEP_MEMORY

AS_STARTED = KEEP_MEMORY  # as the image and the local backend start a worker
BARS = {
    "wall_ratio_to_batched": 1.1,
    "windows_ratio": 1.39,
    "rss_8h_mb": 2_000,
    "words_on_silence": 0,
    "simulated_idle_share": 0.02,
}
WORSE_THAN_PLAIN = 0.001  # word errors for each word


def started(*arguments: str) -> tuple[dict[str, Any], float]:
    """Runs bench/worker_ways.py without any GPU: what it prints, and its peak memory (MB)."""
    ours = arguments[0] in {"worker", "idle", "long"}
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.worker_ways", *arguments],
        cwd=ROOT,
        env=os.environ | {"CUDA_VISIBLE_DEVICES": ""} | (AS_STARTED if ours else {}),
        stdout=subprocess.PIPE,
    )
    printed = process.stdout.read() if process.stdout else b""
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"bench.worker_ways {' '.join(arguments)} failed")
    return json.loads(printed.splitlines()[-1]), used.ru_maxrss / 1024


def rounds_of(folder: Path, rounds: int) -> dict[str, list[Run]]:
    """Every way once in each round, in one order and then in the other."""
    runs: dict[str, list[Run]] = {way: [] for way in WAYS}
    for i in range(rounds):
        for way in list(WAYS)[:: -1 if i % 2 else 1]:
            runs[way].append(Run(**started(way, str(folder))[0]))
    return runs


def ratio(runs: dict[str, list[Run]], way: str) -> float:
    """Median over the rounds of the worker's wall time over that way's in the same round."""
    pairs = zip(runs["worker"], runs[way], strict=True)
    return statistics.median(ours.wall_s / theirs.wall_s for ours, theirs in pairs)


def main() -> None:
    chosen = report.options(__doc__)
    files, rounds, spoken = (11, 3, "45") if chosen.quick else (41, 3, "1200")
    with tempfile.TemporaryDirectory(prefix="escriba-bench-") as name:
        folder = Path(name)
        audio_s = started("make", str(files), name)[0]["audio_s"]
        told = json.loads((folder / "told.json").read_text(encoding="utf-8"))
        runs = rounds_of(folder, rounds)
        idle = started("idle", name)[0]
        long, rss_mb = started("long", name, spoken)
    wer = {way: of_way[0].wer(told) for way, of_way in runs.items()}
    figures = {
        "wall_ratio_to_batched": round(ratio(runs, "batched"), 3),
        "wall_ratio_to_plain": round(ratio(runs, "plain"), 3),
        "wer": round(wer["worker"], 4),
        "wer_batched": round(wer["batched"], 4),
        "wer_plain": round(wer["plain"], 4),
        "windows_ratio": round(windows_ratio(), 3),
        "rss_8h_mb": round(rss_mb),
        "spoken_of_8h_s": round(long["spoken_s"]),
        "wall_8h_s": round(long["wall_s"], 1),
        "words_on_silence": silence_words(),
        "simulated_idle_share": round(idle["idle_share"], 4),
        "audio_s": round(audio_s),
        "files": files,
        "rounds": rounds,
    }
    rows = [
        (
            way,
            f"{statistics.median(run.wall_s for run in of_way):.1f}",
            f"{audio_s / statistics.median(run.wall_s for run in of_way):.0f}",
            f"{of_way[0].words:,}",
            f"{wer[way]:.4f}",
            f"{ratio(runs, way):.2f}",
        )
        for way, of_way in runs.items()
    ]
    columns = ["way", "median s", "x real time", "words", "WER", "worker / it"]
    title = f"{files} files, {audio_s / 60:.0f} min of speech, {rounds} rounds, one thread"
    report.show(title, columns, rows, figures, as_json=chosen.json)
    above = [name for name, bar in BARS.items() if figures[name] > bar]
    if figures["wer"] > figures["wer_plain"] + WORSE_THAN_PLAIN:
        above.append("wer")
    if above:
        raise SystemExit(f"above the bar: {', '.join(above)}")


if __name__ == "__main__":
    main()
