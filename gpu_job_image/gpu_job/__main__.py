"""`python -m gpu_job --serve`, or `--manifest ADDRESS`, or request files.

--serve: requests come from a parent, a line each. --manifest: a presigned URL, file:// or a path.
"""

import argparse
import os
import sys
from pathlib import Path

from .logs import keep_addresses_out
from .settings import WorkerSettings


def main() -> int:
    """Entry point; the models and their libraries are imported where they are loaded."""
    parser = argparse.ArgumentParser(prog="gpu_job", description=__doc__)
    parser.add_argument("--serve", action="store_true", help="take requests, a line each")
    parser.add_argument("--manifest", metavar="ADDRESS", help="where a list of requests lies")
    parser.add_argument("requests", nargs="*", type=Path, help="request files to work through")
    parser.add_argument("--some-failed", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    keep_addresses_out()
    # numpy's small products gain nothing from a second thread, and on a busy machine its threads
    # wait for each other: 15 s instead of 2 s for the speakers of 45 minutes
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        settings = WorkerSettings.from_environment()
    except ValueError as error:
        parser.error(str(error))
    if arguments.serve:
        from .worker import serve  # noqa: PLC0415  # so that --help is quick

        return serve(settings)
    if not arguments.manifest and not arguments.requests:
        parser.error("give --serve, --manifest ADDRESS, or request files")
    return _through(arguments, settings)


def _through(arguments: argparse.Namespace, settings: WorkerSettings) -> int:
    from . import manifest  # noqa: PLC0415

    try:
        found = manifest.requests_at(arguments.manifest) if arguments.manifest else ()
        found += manifest.requests_in(arguments.requests)
    except manifest.ManifestError as error:
        sys.stderr.write(f"gpu_job: {error}\n")
        return manifest.NO_JOBS_EXIT
    return manifest.work_through(found, settings, some_failed=arguments.some_failed)


if __name__ == "__main__":
    sys.exit(main())
