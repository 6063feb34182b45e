"""How much the whole chain takes beyond the bare engine, on the same audio and the same machine.

`python -m bench.chain [--quick] [--json]`. The chain is all five stages over a batch: probe,
decode, find speech, the job with its claims and its result, join and write every format, the
ledger; diarization is off, since the engine has none. The engine is faster-whisper's
`WhisperModel.transcribe`, one file after another, at the number of threads that is best for it;
its batched pipeline is shown beside it. Every run is a warm process of its own, in alternating
order; the figure is the median over the rounds of the chain's wall time over the engine's.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bench import report
from bench.chain_ways import ROOT, WAYS
from demo.training.grammar import bare_words
from demo.training.scores import word_errors

BAR_RATIO = 1.15
CHAIN = "chain"
BARE = ("bare, 1", "bare, 2")
BATCHED = ("batched, 1", "batched, 2")


@dataclass(frozen=True)
class Run:
    """Wall seconds from the first submit to the last file, and what each file was heard to say."""

    wall_s: float
    heard: dict[str, list[str]]

    @property
    def words(self) -> int:
        """Of all files."""
        return sum(len(words) for words in self.heard.values())

    def wer(self, told: Mapping[str, str]) -> float:
        """Word errors for each word of the scripts."""
        scripts = {name: bare_words(script) for name, script in told.items()}
        errors = sum(
            word_errors(script, bare_words(" ".join(self.heard[name])))
            for name, script in scripts.items()
        )
        return errors / sum(map(len, scripts.values()))


def started(*arguments: str) -> dict[str, object]:
    """Runs bench/chain_ways.py, without any GPU, and reads what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.chain_ways", *arguments],
        cwd=ROOT,
        env=os.environ | {"CUDA_VISIBLE_DEVICES": ""},
        stdout=subprocess.PIPE,
        check=True,
    )
    return json.loads(done.stdout)


def rounds_of(folder: Path, rounds: int) -> dict[str, list[Run]]:
    """Every way once in each round, in one order and then in the other."""
    runs: dict[str, list[Run]] = {way: [] for way in WAYS}
    for i in range(rounds):
        for way in list(WAYS)[:: -1 if i % 2 else 1]:
            runs[way].append(Run(**started(way, str(folder))))
    return runs


def ratio(runs: Mapping[str, list[Run]], way: str) -> float:
    """Median over the rounds of the chain's wall time over that way's in the same round."""
    pairs = zip(runs[CHAIN], runs[way], strict=True)
    return statistics.median(ours.wall_s / theirs.wall_s for ours, theirs in pairs)


def best(runs: Mapping[str, list[Run]], ways: tuple[str, ...]) -> str:
    """The way with the least median."""
    return min(ways, key=lambda way: median_s(runs[way]))


def median_s(runs: list[Run]) -> float:
    """Of the wall seconds."""
    return statistics.median(run.wall_s for run in runs)


def main() -> None:
    chosen = report.options(__doc__)
    files, rounds = (11, 3) if chosen.quick else (41, 3)
    with tempfile.TemporaryDirectory(prefix="escriba-bench-") as name:
        folder = Path(name)
        audio_s = started("make", str(files), name)["audio_s"]
        told = json.loads((folder / "told.json").read_text(encoding="utf-8"))
        runs = rounds_of(folder, rounds)
    bare, batched = best(runs, BARE), best(runs, BATCHED)
    rows = [
        (
            way,
            f"{median_s(of_way):.1f}",
            f"{min(run.wall_s for run in of_way):.1f}",
            f"{audio_s / median_s(of_way):.0f}",
            f"{of_way[0].words:,}",
            f"{of_way[0].wer(told):.3f}",
            f"{ratio(runs, way):.2f}",
        )
        for way, of_way in runs.items()
    ]
    figures = {
        "wall_ratio_to_engine": round(ratio(runs, bare), 3),
        "wall_ratio_to_batched_engine": round(ratio(runs, batched), 3),
        "engine": bare,
        "chain_s": round(median_s(runs[CHAIN]), 2),
        "engine_s": round(median_s(runs[bare]), 2),
        "batched_engine_s": round(median_s(runs[batched]), 2),
        "words": runs[CHAIN][0].words,
        "words_engine": runs[bare][0].words,
        "wer": round(runs[CHAIN][0].wer(told), 4),
        "wer_engine": round(runs[bare][0].wer(told), 4),
        "audio_s": round(audio_s),
        "files": files,
        "rounds": rounds,
    }
    columns = ["way, threads", "median s", "best s", "x real time", "words", "WER", "chain / it"]
    title = f"{files} files, {audio_s / 60:.0f} min of speech, {rounds} rounds"
    report.show(title, columns, rows, figures, as_json=chosen.json)
    if figures["wall_ratio_to_engine"] > BAR_RATIO:
        raise SystemExit(f"above the bar: {BAR_RATIO} times the engine")


if __name__ == "__main__":
    main()
