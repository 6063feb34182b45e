"""Whether this machine can work: checked before the first job and by the health check."""

from .common.gpu_memory import GIB, Card
from .common.settings import WorkerSettings

LEAST_FREE_BYTES = 2 * GIB  # large-v3-turbo as float16 takes 1.6 GB before its first window


class UnfitError(Exception):
    """What is missing, and what to do."""


def check_card(settings: WorkerSettings, card: Card) -> None:
    """Check that a DEVICE=cuda machine has a GPU with free memory.

    Raises:
        UnfitError: the driver shows no GPU, or its memory is full.
    """
    if settings.device != "cuda":
        return
    if not card.is_there:
        raise UnfitError(
            "DEVICE=cuda, but the driver shows no GPU. Start the container with a GPU "
            "(docker run --gpus all), or set DEVICE=auto to use the CPU."
        )
    free = card.memory().free
    if free < LEAST_FREE_BYTES:
        raise UnfitError(
            f"{card.name} has only {free >> 20} MiB free, but {LEAST_FREE_BYTES >> 20} are needed. "
            "Stop other processes on it: each worker needs a GPU of its own."
        )


def check_card_answers(settings: WorkerSettings, card: Card) -> None:
    """Check that the driver answers; a working worker uses the memory itself.

    Raises:
        UnfitError: the GPU is gone (it fell off the bus, or its driver was lost).
    """
    if settings.device == "cuda" and not card.is_there:
        raise UnfitError("DEVICE=cuda, but the driver no longer answers: terminate this machine.")


def check_model_is_there(settings: WorkerSettings) -> None:
    """Check that a model in MODELS_FOLDER has its weights; a model of the hub is not checked.

    Raises:
        UnfitError: its weights are missing.
    """
    folder = settings.models / settings.model
    if folder.is_dir() and not (folder / "model.bin").is_file():
        raise UnfitError(f"MODEL={settings.model}: its folder has no model.bin. Rebuild the image.")
