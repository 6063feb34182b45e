"""`python -m gpu_job.runpod_handler`: the image's command on RunPod serverless."""

import sys

from .common.settings import WorkerSettings
from .models import load_models
from .runpod_delivery import RunPodHandler
from .weights_readahead import read_ahead


def main() -> int:
    """Entry point; returns when RunPod or a signal ends the worker."""
    try:
        settings = WorkerSettings.from_environment()
    except ValueError as error:
        sys.stderr.write(f"gpu_job: {error}\n")
        return 2
    read_ahead(settings)
    from .runpod_loop import serve  # noqa: PLC0415  # importing runpod takes seconds

    serve(settings, lambda report: RunPodHandler(load_models(settings), report=report))
    return 0


if __name__ == "__main__":
    sys.exit(main())
