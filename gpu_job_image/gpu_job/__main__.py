"""`python -m gpu_job --serve`, or `--manifest ADDRESS`, or request files.

--serve: read requests from a parent process, one a line. --manifest: a presigned URL, file:// or a
path.
"""

import argparse
import os
import sys
from pathlib import Path

from .common.settings import WorkerSettings
from .common.url_redaction import keep_addresses_out


def main() -> int:
    """Entry point; models and their libraries are imported only when they are loaded."""
    parser = argparse.ArgumentParser(prog="gpu_job", description=__doc__)
    parser.add_argument(
        "--serve", action="store_true", help="read requests from standard input, one a line"
    )
    parser.add_argument("--manifest", metavar="ADDRESS", help="URL or path of a list of requests")
    parser.add_argument("requests", nargs="*", type=Path, help="request files to process")
    parser.add_argument("--some-failed", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    keep_addresses_out()
    # numpy's small matrix products gain nothing from a second thread, and on a busy machine threads
    # wait for each other: 15 s instead of 2 s for the speakers of 45 minutes
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # ONNX Runtime sends it since 1.29
    try:
        settings = WorkerSettings.from_environment()
    except ValueError as error:
        parser.error(str(error))
    if arguments.serve:
        from .worker import serve  # noqa: PLC0415  # so that --help is quick

        return serve(settings)
    if not arguments.manifest and not arguments.requests:
        parser.error("pass --serve, --manifest ADDRESS, or request files")
    return _process(arguments, settings)


def _process(arguments: argparse.Namespace, settings: WorkerSettings) -> int:
    from . import manifest  # noqa: PLC0415

    try:
        found = manifest.requests_at(arguments.manifest) if arguments.manifest else ()
        found += manifest.requests_in(arguments.requests)
    except manifest.ManifestError as error:
        sys.stderr.write(f"gpu_job: {error}\n")
        return manifest.NO_JOBS_EXIT
    return manifest.process_all(found, settings, some_failed=arguments.some_failed)


if __name__ == "__main__":
    sys.exit(main())
