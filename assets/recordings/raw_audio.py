"""raw_audio: the user's file, read once to learn its format and whether it is complete."""

import hashlib
import time
from pathlib import Path

from escriba.audio.audio_errors import AudioRefused
from escriba.audio.audio_probe import AudioProbe
from escriba.errors import RecordingError
from escriba.stages import RAW_AUDIO
from intake.stage_records import RawAudio, stage_fingerprint
from resources.storage.base import StoredObject

from .input_limits import check_length, check_size
from .progress import StageMade
from .refused_files import refused_in
from .run_context import RecordingContext


def raw_audio(context: RecordingContext) -> StageMade:
    """Hash, probe and validate the file; writes only the record."""
    since = time.perf_counter()
    source = check_source(context)
    fingerprint = stage_fingerprint(RAW_AUDIO, source.etag, source.size_bytes)
    reused = context.is_up_to_date(RAW_AUDIO, fingerprint)
    if not reused:
        facts = _examine(context, source)
        context.save(RAW_AUDIO, fingerprint, facts, {}, time.perf_counter() - since)
    facts = context.facts(RAW_AUDIO, RawAudio)
    numbers = facts.model_dump(include={"size_bytes", "container", "codec", "channels"})
    numbers["declared_seconds"] = None if facts.declared_ms is None else facts.declared_ms / 1000
    return StageMade(RAW_AUDIO, reused, time.perf_counter() - since, numbers)


def check_source(context: RecordingContext) -> StoredObject:
    """The file in the inbox, in its current version.

    Raises:
        RecordingError: the file is gone, empty or too large.
    """
    source = context.run_context.storage.head(context.recording.inbox_key)
    if source is None:
        raise RecordingError(
            "vanished",
            "The file is no longer in the inbox.",
            "Upload it again if you still need it.",
        )
    if source.size_bytes == 0:
        raise RecordingError("empty_file", "The file is empty (0 bytes).", "Upload it again.")
    check_size(context.run_context.settings, source.size_bytes)
    return source


def _examine(context: RecordingContext, source: StoredObject) -> RawAudio:
    probed, digest, read_bytes = _read(context, source)
    check_unchanged(context, source.etag)
    if read_bytes != source.size_bytes:
        raise _changed(context)
    return RawAudio(
        etag=source.etag,
        sha256=digest,
        size_bytes=source.size_bytes,
        container=probed.container,
        codec=probed.codec,
        channels=probed.channels,
        sample_rate_hz=probed.sample_rate_hz,
        declared_ms=probed.declared_ms,
        tenant=context.recording.tenant,
        audio_streams=probed.audio_streams,
    )


def _read(context: RecordingContext, source: StoredObject) -> tuple[AudioProbe, str, int]:
    """The file's format, its SHA-256 and the number of bytes read."""
    try:
        path = context.source()
        digest, read_bytes = _digest(path)
        probed = _probe(context, path, source.etag)
        declared_ms = probed.declared_ms or 0 if probed.declared_is_trusted else 0
        check_length(context.run_context.settings, declared_ms)
    except FileNotFoundError:
        raise _changed(context) from None
    except PermissionError as error:
        raise RecordingError(
            "unreadable",
            f"The file cannot be read ({error.strerror}).",
            "Give the user that runs Escriba read permission for it.",
        ) from error
    except RecordingError:
        check_unchanged(context, source.etag)  # a file that is still growing is not damaged
        raise
    return probed, digest, read_bytes


def check_unchanged(context: RecordingContext, etag: str) -> None:
    """Raises RecordingError if the file in the inbox is not the one that was read."""
    now = context.run_context.storage.head(context.recording.inbox_key)
    if now is None or now.etag != etag:
        raise _changed(context)


def _probe(context: RecordingContext, path: Path, etag: str) -> AudioProbe:
    try:
        return context.run_context.media.probe(path, context.recording.tenant, context.watch())
    except AudioRefused as error:
        raise refused_in(context, RAW_AUDIO, etag, error) from error


def _digest(path: Path) -> tuple[str, int]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return digest, file.tell()


def _changed(context: RecordingContext) -> RecordingError:
    gone = context.run_context.storage.head(context.recording.inbox_key) is None
    return RecordingError(
        "vanished" if gone else "still_changing",
        f"The file {'was removed' if gone else 'changed'} while it was read.",
        "Upload it again if you still need it."
        if gone
        else "No action is needed: the next run processes it once its upload is complete.",
        permanent=False,
    )
