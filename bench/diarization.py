"""Diarization: against pyannote called directly at 2 h, alone at 8 h, and labels of both ways.

`python -m bench.diarization [--quick] [--json]`, in the worker's environment. Each way runs in a
process of its own, on one thread, on a conversation of ten. The models hear tones
(bench/tone_models.py), since the real ones come with terms to accept: calls, shapes, clustering
and reconstruction are those of the real pipelines, only the networks are cheaper. That makes
what surrounds them weigh more, not less; 'resnet34' has pyannote's own embedding network, with
random weights, on two minutes. At 8 h there are ten speakers and more embeddings than are linked,
or the bench fails. Label agreement is measured on synthetic embeddings (bench/voices.py), of
which as small a part is linked as of an 8 h recording.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from tempfile import TemporaryDirectory

from bench import report
from gpu_job.diarize.pyannote.clusters import MOST_CLUSTERED

MOST_WALL_RATIO = 1.1
MOST_RSS_MB = 6_000
LEAST_AGREEMENT = 0.99
VOICES = 10
KINDS = ("community-1", "3.1")
_EMBEDDINGS_8H = 58_000  # two voices in each of 28,800 windows
_NETWORK_HOURS = 2 / 60

Figures = dict[str, float]
Row = tuple[str, ...]


def run_way(way: str, *arguments: str) -> Figures:
    """One way in a process of its own; its figures."""
    command = [sys.executable, "-m", "bench.diarization_ways", way, *arguments]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{way} {arguments}: {done.stderr[-2000:]}")
    figures: Figures = json.loads(done.stdout.splitlines()[-1])
    return figures


def against_pyannote(hours: float, kinds: tuple[str, ...], tell: Callable[[Row], None]) -> float:
    """The highest ratio of our wall time to pyannote's; their turns must be as many."""
    ratios = []
    with TemporaryDirectory() as folder:
        run_way("make", str(hours), folder)
        for kind in kinds:
            both = {way: run_way(way, kind, folder) for way in ("ours", "pyannote")}
            for way, figures in both.items():
                tell(_row(f"{kind}, {_length(hours)}: {way}", figures))
            mine, theirs = both.values()
            ratios.append(mine["wall_seconds"] / theirs["wall_seconds"])
            if abs(mine["turns"] - theirs["turns"]) > 0.01 * theirs["turns"]:
                raise SystemExit(f"{kind}: {mine['turns']} turns, but pyannote {theirs['turns']}")
    return max(ratios)


def alone(hours: float, tell: Callable[[Row], None], *, quick: bool) -> tuple[float, float]:
    """The highest memory of both pipelines on a long recording, in MB, and s between checks."""
    peaks, apart = [], []
    with TemporaryDirectory() as folder:
        run_way("make", str(hours), folder)
        for kind in KINDS:
            figures = run_way("ours", kind, folder)
            tell(_row(f"{kind}, {_length(hours)}: ours", figures))
            enough = quick or figures["embeddings"] > MOST_CLUSTERED
            if figures["speakers"] != VOICES or not enough:
                raise SystemExit(f"{kind}: not the recording that was meant: {figures}")
            peaks.append(figures["peak_rss_mb"])
            apart.append(figures["longest_between_checks_seconds"])
    return max(peaks), max(apart)


def same_labels(count: int, tell: Callable[[Row], None]) -> float:
    """The lowest share of labels that both ways give alike."""
    shares = []
    for kind in KINDS:
        bound = count * MOST_CLUSTERED // _EMBEDDINGS_8H
        figures = run_way("agreement", kind, f"{count},{bound}")
        for way in ("ours", "pyannote"):
            title = f"{kind}, {count:,} embeddings: {way}"
            tell((title, f"{figures[f'{way}_seconds']:.1f}", "", f"{figures['speakers']:.0f}", ""))
        shares.append(figures["agreement"])
    return min(shares)


def _length(hours: float) -> str:
    return f"{hours:g} h" if hours >= 1 else f"{hours * 60:g} min"


def _row(title: str, figures: Figures) -> Row:
    return (
        title,
        f"{figures['wall_seconds']:.1f}",
        f"{figures['peak_rss_mb']:,.0f}",
        f"{figures['speakers']:.0f}",
        f"{figures['turns']:,.0f}",
    )


def main() -> None:
    chosen = report.options(__doc__)
    short, long, count = (0.25, 1.0, 6_000) if chosen.quick else (2.0, 8.0, 18_000)
    rows: list[Row] = []
    network = against_pyannote(
        _NETWORK_HOURS / 4 if chosen.quick else _NETWORK_HOURS, ("resnet34",), rows.append
    )
    ratio = against_pyannote(short, KINDS, rows.append)
    peak, apart = alone(long, rows.append, quick=chosen.quick)
    agreement = same_labels(count, rows.append)
    figures = {
        "wall_ratio_2h": round(ratio, 3),
        "peak_rss_mb_8h": round(peak),
        "label_agreement": round(agreement, 4),
        "wall_ratio_resnet34": round(network, 3),
        "longest_between_checks_seconds_8h": round(apart, 1),
        "hours": [short, long],
    }
    columns = ["way", "wall s", "peak MB", "speakers", "turns"]
    report.show("Diarization of ten voices", columns, rows, figures, as_json=chosen.json)
    if ratio > MOST_WALL_RATIO or peak > MOST_RSS_MB or agreement < LEAST_AGREEMENT:
        raise SystemExit(
            f"outside the bars of {MOST_WALL_RATIO}, {MOST_RSS_MB:,} MB and {LEAST_AGREEMENT}"
        )


if __name__ == "__main__":
    main()
