"""The likely cause of a failure by its kind, and the command that mends it."""

from typing import Final

_RETRY = "escriba retry"
_CAUSES: Final = {
    "out_of_memory": (
        "The model and its batches do not fit into the GPU's memory.",
        "BATCH_WINDOWS in the worker's environment to half, or a larger GPU; then escriba retry",
    ),
    "model_missing": (
        "The worker cannot find or download its model.",
        "escriba doctor (model); on RunPod, check the image",
    ),
    "audio_expired": (
        "The signed addresses expired while the job waited in the queue.",
        "QUEUE_LIMIT_SECONDS in .env, or more workers; then escriba retry",
    ),
    "queue_limit": (
        "The backend had no free worker for the whole queue limit.",
        "escriba doctor (stock of GPUs), then another GPU or backend; escriba retry",
    ),
    "backend_down": ("The backend did not accept the jobs.", "escriba doctor; then escriba retry"),
    "out_of_time": (
        "The job took longer than its limit; the next attempt goes on where it ended.",
        "JOB_TIMEOUT_SECONDS in .env; then escriba retry",
    ),
    "interrupted": ("The run or the machine was stopped.", "escriba run"),
    "lost": (
        "The worker died or was cut off: a spot machine, memory, or the network.",
        "escriba reconcile; where it goes on, a backend that is not spot",
    ),
    "buried": ("No worker ever started it.", "escriba doctor; then escriba retry"),
    "stopped": ("The worker was stopped in an orderly way, such as by a spot notice.", _RETRY),
}


def failure_cause(kind: str) -> tuple[str, str]:
    """The likely cause and the command; kind: an error's type, or how the attempt ended."""
    return _CAUSES.get(
        kind, ("`escriba status` shows the error of each recording.", f"escriba status; {_RETRY}")
    )
