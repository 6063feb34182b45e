"""What it costs to read recordings in child processes (docs/decisions/0021).

    python -m bench.media_boundary [--times 4] [FOLDER…]

Decodes the demo's recordings, and those of the folders, in this process and in child processes,
each way in a new interpreter. CPU seconds count all processes; memory is PSS, which counts pages
that several processes share once.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

HOUSE = Path(__file__).parents[1]
SUFFIXES = {".mp3", ".m4a", ".mp4", ".wav", ".flac", ".opus"}
LIMIT_BYTES = 100_000_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--times", type=int, default=4)
    parser.add_argument("--way", choices=["here", "children"])
    asked = parser.parse_args()
    folders = [HOUSE / "demo" / "recordings", *asked.folders]
    paths = sorted(p for f in folders for p in f.rglob("*") if p.suffix in SUFFIXES) * asked.times
    if asked.way:
        print(json.dumps((_here if asked.way == "here" else _children)(paths)))
        return
    here, children = (_other_process(way) for way in ("here", "children"))
    for name in here:
        print(f"{name:>24}: {here[name]:10.3f} here {children[name]:10.3f} in children")
    for name in ("cpu_seconds", "cpu_seconds_with_start"):
        print(f"{name}: {children[name] / here[name] - 1:+.1%}")


def _other_process(way: str) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.media_boundary", *sys.argv[1:], "--way", way]
    return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)


def _here(paths: list[Path]) -> dict[str, float]:
    began = time.perf_counter()
    from escriba.audio.optimize import optimize  # noqa: PLC0415 - measured, import and all
    from escriba.audio.probe import probe  # noqa: PLC0415
    from resources.silero_vad import SileroDetector  # noqa: PLC0415

    detector = SileroDetector()
    started = cpu_seconds()
    audio_ms = 0
    with TemporaryDirectory() as name:
        for path in paths:
            probe(path)
            made = optimize(path, Path(name), detector=detector, limit_bytes=LIMIT_BYTES)
            audio_ms += made.decoded_ms
    return _figures(audio_ms, len(paths), started, time.perf_counter() - began, pss_mb(os.getpid()))


def _children(paths: list[Path]) -> dict[str, float]:
    began = time.perf_counter()
    from escriba.settings import load_settings  # noqa: PLC0415
    from resources.media.media_messages import OptimizeTask  # noqa: PLC0415
    from resources.media.media_pool import open_pool  # noqa: PLC0415
    from resources.media.media_server import shared_server  # noqa: PLC0415

    server = shared_server()
    started = cpu_seconds() + _cpu_of(server.pid)
    audio_ms, task = 0, OptimizeTask(limit_bytes=LIMIT_BYTES)
    with TemporaryDirectory() as name, open_pool(load_settings(), lambda: Path(name)) as pool:
        for path in paths:
            pool.probe(path)
            audio_ms += pool.optimize(path, Path(name), task).decoded_ms
        pids = [os.getpid(), server.pid, *(child.pid for child in pool.children)]
        memory_mb = sum(map(pss_mb, pids))
    server.close()
    return _figures(audio_ms, len(paths), started, time.perf_counter() - began, memory_mb)


def _figures(
    audio_ms: int, files: int, started: float, wall: float, memory_mb: float
) -> dict[str, float]:
    return {
        "files": files,
        "audio_minutes": audio_ms / 60_000,
        "cpu_seconds": cpu_seconds() - started,
        "cpu_seconds_with_start": cpu_seconds(),
        "wall_seconds": wall,
        "memory_mb": memory_mb,
    }


def cpu_seconds() -> float:
    """CPU time of this process and of those that it has waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _cpu_of(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def pss_mb(pid: int) -> float:
    """The process's share of memory."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1000
    return 0.0


if __name__ == "__main__":
    main()
