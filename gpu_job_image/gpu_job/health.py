"""`python -m gpu_job.health`: for Docker's HEALTHCHECK; exit status 0, or 1 and a sentence."""

import sys

from .card import Card
from .fitness import UnfitError, check_card_answers, check_model_is_there
from .pulse import HANGS_AFTER_SECONDS, age_seconds, pulse_file
from .settings import WorkerSettings


def main() -> int:
    """Entry point. It loads nothing, so that it takes a tenth of a second."""
    try:
        settings = WorkerSettings.from_environment()
        check_card_answers(settings, Card.find(settings.visible_cards))
        check_model_is_there(settings)
        check_loop(age_seconds(pulse_file()))
    except (UnfitError, ValueError) as error:
        sys.stdout.write(f"unhealthy: {error}\n")
        return 1
    sys.stdout.write("healthy\n")
    return 0


def check_loop(age: float | None) -> None:
    """Seconds since the event loop's last sign of life, where it gives any.

    Raises:
        UnfitError: it hangs.
    """
    if age is not None and age > HANGS_AFTER_SECONDS:
        raise UnfitError(f"the event loop hangs for {age:.0f} s: restart the container")


if __name__ == "__main__":
    sys.exit(main())
