"""An API for bench/remote.py, in a process of its own: `python -m bench.remote_api openai SECONDS`.

It says the settings of an orchestrator that uses it; when its standard input ends it says in one
line of JSON how much the orchestrator asked. Its workers (bench/remote_api_worker.py) ask nothing.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

from bench.orchestration_ways import ROOT
from bench.remote_workers import most_within
from tests.fake_openai import FakeOpenAI

JOBS_AT_ONCE = 8
MODEL = "large-v3-turbo"


def worker(folder: Path, seconds: float) -> Path:
    """A command that starts a light worker, whatever its arguments are."""
    path = folder / "python"
    own = f'exec "{sys.executable}" -m bench.remote_api_worker {seconds}\n'
    path.write_text(f'#!/bin/sh\ncd "{ROOT}"\n{own}')
    path.chmod(0o755)
    return path


def main() -> None:
    with (
        tempfile.TemporaryDirectory(prefix="escriba-bench-") as folder,
        FakeOpenAI(models=(MODEL,)) as api,
    ):
        own = {
            "openai_times": "word",
            "openai_jobs_at_once": JOBS_AT_ONCE,
            "diarizer": "none",
            "local_worker_python": str(worker(Path(folder), float(sys.argv[2]))),
        }
        print(json.dumps(api.settings | own), flush=True)
        sys.stdin.read()
        told = {
            "requests": len(api.looks),
            "status_10s": most_within(10, api.looks),
            "run_10s": 0,
            "most_in_flight": JOBS_AT_ONCE,
            "fake_cpu_s": round(time.process_time(), 1),
        }
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
