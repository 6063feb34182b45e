"""Jobs that wait in one process: `python -m bench.waiting_ways COUNT SECONDS [CANCEL_AFTER]`.

Prints one line of JSON: peak and idle memory, CPU, and how long the end took.
"""

import json
import os
import resource
import signal
import sys
import threading
import time
from pathlib import Path

from bench.instant import InstantBackend
from bench.orchestration_ways import bucket_of


def wait(count: int, seconds: float, cancel_after: float = 0.0) -> dict[str, object]:
    """A batch run with jobs of `seconds` each; optionally interrupted as by the UI."""
    import resources.gpu.open_engine  # noqa: PLC0415
    from cli.runs.progress_bars import OutcomeCollector  # noqa: PLC0415
    from cli.runs.run_recordings import run_batches  # noqa: PLC0415
    from escriba.recordings import from_partition_key  # noqa: PLC0415
    from escriba.settings import load_settings  # noqa: PLC0415

    backend, ended = InstantBackend(seconds), [0.0]
    resources.gpu.open_engine.open_backends = lambda _: [backend]
    with bucket_of(count) as keys:
        settings, progress = load_settings(), OutcomeCollector()
        before = _memory_mb()
        if cancel_after:
            threading.Timer(cancel_after, lambda: _interrupt(ended)).start()
        cpu, began = time.process_time(), time.perf_counter()
        recordings = [from_partition_key(key) for key in keys]
        run_batches(settings, recordings, progress, retry=False)
        return {
            "done": len([o for o in progress.outcomes if o.failed is None]),
            "cancelled": backend.cancelled,
            "wall_s": time.perf_counter() - began,
            "cpu_s": time.process_time() - cpu,
            "before_mb": before,
            "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            "cancel_s": time.perf_counter() - ended[0] if cancel_after else None,
        }


def _interrupt(ended: list[float]) -> None:
    """As Dagster's launcher does when a user terminates the run in the UI."""
    ended[0] = time.perf_counter()
    os.kill(os.getpid(), signal.SIGINT)


def _memory_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


if __name__ == "__main__":
    count, seconds, *rest = sys.argv[1:]
    print(json.dumps(wait(int(count), float(seconds), *map(float, rest))))
