"""A worker of this machine for bench/remote.py that asks no API: as `python -m gpu_job --serve`.

It reads requests from its parent, and writes what a worker writes after SECONDS, so that the
engine's own cost is measured, and not that of encoding audio.
"""

import json
import sys
import time
from datetime import UTC, datetime

from bench.remote_workers import put_claim, put_result
from gpu_job.contract import JobRequest, process_identity
from gpu_job.parent_pipe import ParentPipe


def main() -> None:
    seconds, where = float(sys.argv[1]), process_identity.here()
    parent = ParentPipe(open(0, "rb", closefd=False))  # noqa: SIM115  # open as long as the worker
    _tell(event="ready", load_seconds=0.0)
    while (line := parent.lines.get()) is not None:
        request, began = JobRequest.model_validate_json(line), datetime.now(UTC)
        put_claim(request, began, where, "running", 0)
        time.sleep(seconds)
        put_result(request, began, where)
        _tell(event="ended", state="done", error=None, retire="", **_named(request))


def _named(request: JobRequest) -> dict[str, object]:
    return {"job": request.job, "attempt": request.attempt}


def _tell(**event: object) -> None:
    print(json.dumps(event), flush=True)


if __name__ == "__main__":
    main()
