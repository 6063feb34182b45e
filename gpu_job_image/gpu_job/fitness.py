"""Whether this machine can work: told before the first job, and asked again by the health check."""

from .card import GIB, Card
from .settings import WorkerSettings

LEAST_FREE_BYTES = 2 * GIB  # large-v3-turbo as float16 takes 1.6 GB before its first window


class UnfitError(Exception):
    """What is missing, and what to do."""


def check_card(settings: WorkerSettings, card: Card) -> None:
    """A machine that is paid for its card must have one, with room on it.

    Raises:
        UnfitError: the driver shows none, or it is full already.
    """
    if settings.device != "cuda":
        return
    if not card.is_there:
        raise UnfitError(
            "DEVICE=cuda, but the driver shows no card. Start the container with a GPU "
            "(docker run --gpus all), or set DEVICE=auto to work on the CPU."
        )
    free = card.memory().free
    if free < LEAST_FREE_BYTES:
        raise UnfitError(
            f"{card.name} has only {free >> 20} MiB free, and {LEAST_FREE_BYTES >> 20} are needed. "
            "End what else uses it: one worker needs a card of its own."
        )


def check_card_answers(settings: WorkerSettings, card: Card) -> None:
    """While the worker works its memory is in use: then the driver must only answer.

    Raises:
        UnfitError: the card is gone (it fell off the bus, or its driver was lost).
    """
    if settings.device == "cuda" and not card.is_there:
        raise UnfitError("DEVICE=cuda, but the driver does not answer any more: end this machine.")


def check_model_is_there(settings: WorkerSettings) -> None:
    """A model that lies in MODELS_FOLDER must be whole; one of the hub is not looked for.

    Raises:
        UnfitError: its weights are missing.
    """
    folder = settings.models / settings.model
    if folder.is_dir() and not (folder / "model.bin").is_file():
        raise UnfitError(
            f"MODEL={settings.model}: its folder has no model.bin. Build the image anew."
        )
