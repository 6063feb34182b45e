"""`python -m gpu_job --serve` (fed by a parent) or `python -m gpu_job REQUEST.json…`."""

import argparse
import os
import sys
from pathlib import Path

from .settings import WorkerSettings


def main() -> int:
    """Entry point; the models and their libraries are imported where they are loaded."""
    parser = argparse.ArgumentParser(prog="gpu_job", description=__doc__)
    parser.add_argument("--serve", action="store_true", help="take requests, a line each")
    parser.add_argument("requests", nargs="*", type=Path, help="request files to work through")
    arguments = parser.parse_args()
    # numpy's small products gain nothing from a second thread, and on a busy machine its threads
    # wait for each other: 15 s instead of 2 s for the speakers of 45 minutes
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from . import worker  # noqa: PLC0415  # so that --help is quick

    settings = WorkerSettings.from_environment()
    if arguments.serve:
        return worker.serve(settings)
    return worker.run_files(arguments.requests, settings)


if __name__ == "__main__":
    sys.exit(main())
