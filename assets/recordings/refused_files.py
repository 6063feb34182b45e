"""Refusals by the audio code, as errors of a recording in the chain."""

from escriba.audio.audio_errors import AudioRefused
from escriba.audio.limit_errors import MediaKilled
from escriba.errors import KilledError, RecordingError
from intake.quarantine import count_kill

from .input_limits import refused
from .run_context import RecordingContext


def refused_in(
    context: RecordingContext, stage: str, etag: str, error: AudioRefused
) -> RecordingError:
    """The error of a refusal; one that ended a process is counted in the bucket first.

    Raises:
        StorageError: The count could not be written.
    """
    plain = refused(error)
    if not isinstance(error, MediaKilled):
        return plain
    counted = count_kill(
        context.run_context.storage,
        context.recording.inbox_key,
        context.recording.tenant,
        etag=etag,
        stage=stage,
        code=plain.code,
        message=plain.message,
        advice=plain.advice,
    )
    return KilledError(
        counted.code,
        counted.message,
        counted.advice,
        permanent=counted.permanent,
        kills=counted.kills,
    )
