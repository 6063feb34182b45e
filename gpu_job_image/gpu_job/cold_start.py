"""`python -m gpu_job.cold_start`: the seconds of each step before the first job, as JSON lines.

It loads the configured models as a worker does, and so also verifies an image: exit status 1 if
a model does not load.
"""

import json
import sys
import time
from collections.abc import Callable
from typing import TypeVar

from .common.errors import JobFailedError
from .common.gpu_memory import Card
from .common.settings import WorkerSettings
from .weights_readahead import read_ahead

Given = TypeVar("Given")


def main() -> int:
    """Entry point."""
    try:
        measure(WorkerSettings.from_environment(), _print_step)
    except (JobFailedError, ValueError) as error:
        sys.stderr.write(f"cold_start: {error}\n")
        return 1
    return 0


def measure(settings: WorkerSettings, report: Callable[[str, float], None]) -> None:
    """Run the steps in the worker's order; `report` gets the name and seconds of each.

    Raises:
        JobFailedError: a model does not load.
    """
    began = time.perf_counter()
    read_ahead(settings)

    def step(name: str, work: Callable[[], Given]) -> Given:
        since = time.perf_counter()
        done = work()
        report(name, time.perf_counter() - since)
        return done

    def of_speech() -> tuple[Callable[..., object], ...]:
        import faster_whisper  # noqa: F401, PLC0415

        from .transcribe.load_whisper import batch_for, load_whisper, warm_up  # noqa: PLC0415

        return load_whisper, warm_up, batch_for

    def of_speakers() -> Callable[..., object]:
        if settings.diarizer == "pyannote":
            from .diarize.pyannote.load_pipeline import import_pyannote  # noqa: PLC0415

            import_pyannote()
        from .models import load_diarizer  # noqa: PLC0415

        return load_diarizer

    load_diarizer = step("import_speakers", of_speakers)
    load_whisper, warm_up, batch_for = step("import_speech", of_speech)
    card = Card.of(settings)
    step("load_speakers", lambda: load_diarizer(settings))
    model = step("load_speech", lambda: load_whisper(settings))
    step("warm_up", lambda: warm_up(model))
    step("choose_batch", lambda: batch_for(model, card, settings.batch_windows))
    report("all", time.perf_counter() - began)


def _print_step(name: str, seconds: float) -> None:
    sys.stdout.write(json.dumps({"step": name, "seconds": round(seconds, 3)}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
