"""Limits on the size and length of a recording, and refusals of the audio code, as errors."""

from escriba.audio.audio_errors import AudioRefused
from escriba.errors import RecordingError
from escriba.settings import MEGABYTE, Settings


def check_size(settings: Settings, size_bytes: int) -> None:
    """Raises RecordingError if the file is larger than MAX_UPLOAD_MB."""
    limit_mb = settings.max_upload_mb
    if size_bytes > limit_mb * MEGABYTE:
        raise RecordingError(
            "too_large",
            f"The file is {size_bytes / MEGABYTE:,.1f} MB; the limit is {limit_mb} MB.",
            "Compress or split it, or raise MAX_UPLOAD_MB.",
        )


def check_length(settings: Settings, audio_ms: int) -> None:
    """Raises RecordingError if the audio is longer than MAX_AUDIO_HOURS."""
    limit = settings.max_audio_hours
    if audio_ms > limit * 3_600_000:
        raise RecordingError(
            "too_long",
            f"The recording is longer than {limit:g} hours.",
            "Split it, or raise MAX_AUDIO_HOURS.",
        )


def refused(error: AudioRefused) -> RecordingError:
    """The error of a refusal by the audio code."""
    return RecordingError(
        error.code, f"{error.message[:1].upper()}{error.message[1:]}.", error.advice
    )
