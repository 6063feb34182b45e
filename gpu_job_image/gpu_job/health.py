"""`python -m gpu_job.health`: for Docker's HEALTHCHECK; exit status 0, or 1 with a message."""

import sys

from .common.gpu_memory import Card
from .common.settings import WorkerSettings
from .liveness import HANGS_AFTER_SECONDS, age_seconds, heartbeat_file
from .startup_checks import UnfitError, check_card_answers, check_model_is_there


def main() -> int:
    """Entry point. It loads no model, so it takes a tenth of a second."""
    try:
        settings = WorkerSettings.from_environment()
        check_card_answers(settings, Card.find(settings.visible_cards))
        check_model_is_there(settings)
        check_loop(age_seconds(heartbeat_file()))
    except (UnfitError, ValueError) as error:
        sys.stdout.write(f"unhealthy: {error}\n")
        return 1
    sys.stdout.write("healthy\n")
    return 0


def check_loop(age: float | None) -> None:
    """Check `age`, the seconds since the event loop's last heartbeat; None: it has none.

    Raises:
        UnfitError: the event loop hangs.
    """
    if age is not None and age > HANGS_AFTER_SECONDS:
        raise UnfitError(f"the event loop has not responded for {age:.0f} s: restart the container")


if __name__ == "__main__":
    sys.exit(main())
