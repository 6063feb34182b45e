"""raw_audio: the user's file, looked at once: what it is, and whether it is whole."""

import hashlib
import time
from pathlib import Path

from pipelines.speech.audio_errors import AudioRefused
from pipelines.speech.probe import AudioProbe, probe
from resources.failures import RecordingError
from resources.storage.base import Stored

from .bounds import check_length, check_size, refused
from .names import RAW_AUDIO
from .progress import StageMade
from .records import RawAudio, stage_fingerprint
from .workshop import Desk


def raw_audio(desk: Desk) -> StageMade:
    """Hash, probe and validate; nothing is written but the record."""
    since = time.perf_counter()
    seen = look_at_source(desk)
    print_ = stage_fingerprint(RAW_AUDIO, seen.etag, seen.size_bytes)
    reused = desk.stands(RAW_AUDIO, print_)
    if not reused:
        facts = _examine(desk, seen)
        desk.save(RAW_AUDIO, print_, facts, {}, time.perf_counter() - since)
    facts = desk.facts(RAW_AUDIO, RawAudio)
    numbers = facts.model_dump(include={"size_bytes", "container", "codec", "channels"})
    numbers["declared_seconds"] = None if facts.declared_ms is None else facts.declared_ms / 1000
    return StageMade(RAW_AUDIO, reused, time.perf_counter() - since, numbers)


def look_at_source(desk: Desk) -> Stored:
    """The file as it lies in the inbox now.

    Raises:
        RecordingError: it is gone, empty or too large.
    """
    seen = desk.workshop.storage.head(desk.recording.inbox_key)
    if seen is None:
        raise RecordingError(
            "vanished",
            "The file is not in the inbox any more.",
            "Upload it again if it is still wanted.",
        )
    if seen.size_bytes == 0:
        raise RecordingError("empty_file", "The file is empty (0 bytes).", "Upload it again.")
    check_size(desk.workshop.settings, seen.size_bytes)
    return seen


def _examine(desk: Desk, seen: Stored) -> RawAudio:
    try:
        path = desk.source()
        digest, read_bytes = _digest(path)
        found = _probe(path)
        declared_ms = found.declared_ms or 0 if found.declared_is_trusted else 0
        check_length(desk.workshop.settings, declared_ms)
    except FileNotFoundError:
        raise _changed(desk) from None
    except PermissionError as error:
        raise RecordingError(
            "unreadable",
            f"The file cannot be read ({error.strerror}).",
            "Give the user that runs Escriba the right to read it.",
        ) from error
    except RecordingError:
        check_unchanged(desk, seen.etag)  # a file that still grows is not a broken one
        raise
    check_unchanged(desk, seen.etag)
    if read_bytes != seen.size_bytes:
        raise _changed(desk)
    return RawAudio(
        etag=seen.etag,
        sha256=digest,
        size_bytes=seen.size_bytes,
        container=found.container,
        codec=found.codec,
        channels=found.channels,
        sample_rate_hz=found.sample_rate_hz,
        declared_ms=found.declared_ms,
        tenant=desk.recording.tenant,
        audio_streams=found.audio_streams,
    )


def check_unchanged(desk: Desk, etag: str) -> None:
    """Raises RecordingError where the file in the inbox is not the one that was read."""
    now = desk.workshop.storage.head(desk.recording.inbox_key)
    if now is None or now.etag != etag:
        raise _changed(desk)


def _probe(path: Path) -> AudioProbe:
    try:
        return probe(path)
    except AudioRefused as error:
        raise refused(error) from error


def _digest(path: Path) -> tuple[str, int]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return digest, file.tell()


def _changed(desk: Desk) -> RecordingError:
    gone = desk.workshop.storage.head(desk.recording.inbox_key) is None
    return RecordingError(
        "vanished" if gone else "still_changing",
        "The file vanished while it was read." if gone else "The file changed while it was read.",
        "Upload it again if it is still wanted."
        if gone
        else "Nothing to do: the next run takes it when its upload is complete.",
        permanent=False,
    )
