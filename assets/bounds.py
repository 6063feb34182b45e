"""What is too much of a recording, and what the audio code refuses, as the chain tells them."""

from pipelines.settings import MEGABYTE, Settings
from pipelines.speech.audio_errors import AudioRefused
from resources.failures import RecordingError


def check_size(settings: Settings, size_bytes: int) -> None:
    """Raises RecordingError where the file is larger than MAX_UPLOAD_MB."""
    limit_mb = settings.max_upload_mb
    if size_bytes > limit_mb * MEGABYTE:
        raise RecordingError(
            "too_large",
            f"The file has {size_bytes / MEGABYTE:,.1f} MB; the limit is {limit_mb} MB.",
            "Compress or split it, or raise MAX_UPLOAD_MB.",
        )


def check_length(settings: Settings, audio_ms: int) -> None:
    """Raises RecordingError where there is more audio than MAX_AUDIO_HOURS."""
    limit = settings.max_audio_hours
    if audio_ms > limit * 3_600_000:
        raise RecordingError(
            "too_long",
            f"The recording is longer than {limit:g} hours.",
            "Split it, or raise MAX_AUDIO_HOURS.",
        )


def refused(error: AudioRefused) -> RecordingError:
    """A refusal of the audio code."""
    return RecordingError(
        error.code, f"{error.message[:1].upper()}{error.message[1:]}.", error.advice
    )
