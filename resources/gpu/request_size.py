"""The largest job request, refused before it is written and before anything is paid."""

from escriba.errors import RecordingError
from escriba.text_for.visible import visible
from gpu_job.contract.documents import MEBIBYTE, MEDIUM


def check_request_size(recording: str, regions: int, body: bytes) -> None:
    """Raises RecordingError if a request, as written, is larger than its readers take.

    Args:
        recording: The name that people know.
        regions: Number of its regions with speech.
        body: The request.
    """
    if len(body) <= MEDIUM.plain_bytes:
        return
    raise RecordingError(
        "job_too_large",
        f"{visible(recording)} has {regions:,} regions with speech: its job request would have "
        f"{len(body) / MEBIBYTE:.1f} MiB, and may have {MEDIUM.plain_bytes // MEBIBYTE} MiB.",
        "Split the recording into parts of a day or less. If its channels are transcribed "
        "separately, CHANNELS=mixed makes fewer regions.",
    )
