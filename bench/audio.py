"""What a recording costs on the CPU before a GPU is leased: time, memory, and against whom.

`python -m bench.audio [--quick] [--json]`. A stereo MP3 of 2 h (30 min with --quick) becomes mono
16 kHz FLAC of compression level 5, by us, by the ffmpeg command line with the same settings, and by
pydub. CPU is user and system time of the whole process, its start and imports included, the best
of three runs. Memory is measured on 8 h (with --quick: of mono at 16 kHz). Needs `imageio-ffmpeg`
and `pydub`: `uv run --group bench python -m bench.audio`.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from bench import report
from bench.audio_ways import LEVEL

ROOT = Path(__file__).parents[1]
ROUNDS = 3
BAR_CPU_RATIO = 1.3
BAR_RSS_MB = 80


@dataclass(frozen=True)
class Run:
    """One process: its CPU and wall seconds, peak memory, and what it printed."""

    user_s: float
    system_s: float
    wall_s: float
    rss_mb: float
    said: dict[str, float]

    @property
    def cpu_s(self) -> float:
        """User and system time."""
        return self.user_s + self.system_s


def measured(command: list[str]) -> Run:
    """Starts a command, waits, and reads what the kernel counted."""
    began = time.perf_counter()
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen(command, stdout=out, cwd=ROOT)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"{command[:4]} ended with {process.returncode}")
        out.seek(0)
        said = json.loads(out.read() or "{}")
    wall_s = time.perf_counter() - began
    rss_mb = said.get("peak_rss_mb", usage.ru_maxrss / 1024)
    return Run(usage.ru_utime, usage.ru_stime, wall_s, rss_mb, said)


def way(name: str, source: object, target: object) -> Run:
    """Runs one of bench/audio_ways.py."""
    return measured([sys.executable, "-m", "bench.audio_ways", name, str(source), str(target)])


def by_ffmpeg(source: Path, target: Path) -> Run:
    """The command line that does the same."""
    import imageio_ffmpeg  # noqa: PLC0415 - of the bench group; the message of its absence is clear

    options = ["-ac", "1", "-ar", "16000", "-sample_fmt", "s16", "-c:a", "flac"]
    quiet = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "fatal", "-y", "-i", str(source)]
    return measured([*quiet, *options, "-compression_level", LEVEL, str(target)])


def best(runs: list[Run]) -> Run:
    """The run with the least CPU: whatever disturbed the others was not ours."""
    return min(runs, key=lambda run: run.cpu_s)


def row(name: str, hours: float, run: Run) -> list[str]:
    """A line of the table."""
    return [
        name,
        f"{run.user_s:.1f}",
        f"{run.system_s:.1f}",
        f"{run.wall_s:.1f}",
        f"{hours * 3600 / run.cpu_s:.0f}",
        f"{run.rss_mb:.0f}",
    ]


def main() -> None:
    wishes = report.options(__doc__)
    hours = 0.5 if wishes.quick else 2.0
    with tempfile.TemporaryDirectory(prefix="escriba-bench-") as name:
        folder = Path(name)
        source, target, long = folder / "a.mp3", folder / "audio.flac", folder / "8h.mp3"
        way("make", hours, source)
        ours: list[Run] = []
        ffmpeg: list[Run] = []
        for _ in range(ROUNDS):
            ours.append(way("ours", source, target))
            ffmpeg.append(by_ffmpeg(source, target))
        pydub = way("pydub", source, target)
        whole, inline = way("whole", source, target), way("inline", source, target)
        way("make_small" if wishes.quick else "make", 8, long)
        eight = way("ours", long, target)
    mine, theirs = best(ours), best(ffmpeg)
    rows = [
        row(f"ours, {hours} h", hours, mine),
        row(f"ffmpeg command line, {hours} h", hours, theirs),
        row(f"pydub, {hours} h", hours, pydub),
        row(f"ours with speech detection, {hours} h", hours, whole),
        row(f"the same in one thread, {hours} h", hours, inline),
        row("ours, 8 h", 8, eight),
    ]
    columns = [
        "mp3 to FLAC, 16 kHz, mono",
        "user s",
        "system s",
        "wall s",
        "x real time",
        "MB peak",
    ]
    figures = {
        "cpu_ratio_to_ffmpeg": round(mine.cpu_s / theirs.cpu_s, 2),
        "user_cpu_ratio_to_ffmpeg": round(mine.user_s / theirs.user_s, 2),
        "cpu_ratio_to_pydub": round(mine.cpu_s / pydub.cpu_s, 2),
        "peak_rss_mb_8h": round(eight.rss_mb),
        "peak_rss_mb_with_vad": round(whole.rss_mb),
        "peak_rss_mb_pydub": round(pydub.rss_mb),
        "vad_cpu_s_per_audio_h": round(whole.said["vad_cpu_s"] / whole.said["audio_hours"], 2),
        "cpu_s_per_audio_h": round(mine.cpu_s / hours, 2),
        "wall_share_of_one_thread": round(whole.wall_s / inline.wall_s, 2),
        "hours_measured": hours,
    }
    report.show("Audio on the CPU", columns, rows, figures, as_json=wishes.json)
    if figures["cpu_ratio_to_ffmpeg"] > BAR_CPU_RATIO or figures["peak_rss_mb_8h"] > BAR_RSS_MB:
        raise SystemExit(f"above the bars: {BAR_CPU_RATIO} times ffmpeg, {BAR_RSS_MB} MB")


if __name__ == "__main__":
    main()
