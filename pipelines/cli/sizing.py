"""How long recordings are, without decoding them: what `escriba estimate` prices."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pydantic import ValidationError

from assets.bounds import check_length, check_size, refused
from assets.inbox import of_tenant, survey
from assets.names import OPTIMIZED_AUDIO, RAW_AUDIO
from assets.options import RecordingOptions, options_of, tenant_options
from assets.quarantine import printable
from assets.records import OptimizedAudioFacts, RawAudio, read_record
from pipelines.billing.quotes import JobSize, size_of
from pipelines.recordings import Recording
from pipelines.settings import MEGABYTE, Settings
from pipelines.speech.audio_errors import AudioRefused
from pipelines.speech.probe import AudioProbe, probe
from resources.failures import RecordingError
from resources.glimpse import glimpse
from resources.storage.base import Storage, StorageError, Stored

from .add import ours, walk

_READERS = 8
FLAC_BYTES_A_SECOND = 17_000  # of mono 16 kHz speech, about half of what it is undone


@dataclass(frozen=True)
class Sized:
    """A recording that can be priced. speech_known: somebody listened to it already."""

    name: str
    tenant: str
    size: JobSize
    speech_known: bool = False


@dataclass(frozen=True)
class Unsized:
    """One that cannot, why, and what to do."""

    name: str
    message: str
    advice: str


Look = Callable[[], Sized | Unsized]


def looks_at_files(paths: tuple[Path, ...], tenant: str, settings: Settings) -> list[Look]:
    """One look for each local file, and for each below a folder, as `escriba add` would take it."""
    options = tenant_options(tenant, settings)
    return [
        partial(_look_at_file, file, printable(name), tenant, options, settings)
        for file, name in walk(paths, ours(settings))
    ]


def looks_at_bucket(storage: Storage, tenant: str | None, settings: Settings) -> list[Look]:
    """One look for each recording that the next run would take."""
    seen = of_tenant(survey(storage), tenant)
    scratch = storage.scratch()
    refused = [
        partial(Unsized, printable(one.key), one.message, one.advice) for one in seen.refused
    ]
    work = [
        partial(_look_at_recording, recording, storage, scratch, settings)
        for recording in seen.work
    ]
    return [*work, *refused]


def look(looks: Iterable[Look]) -> Iterator[Sized | Unsized]:
    """All of them, several at once, in their order."""
    with ThreadPoolExecutor(_READERS) as pool:
        yield from pool.map(lambda one: one(), looks)


def _look_at_file(
    file: Path, name: str, tenant: str, options: RecordingOptions, settings: Settings
) -> Sized | Unsized:
    try:
        found = probe(file)
    except AudioRefused as error:
        return _refused(name, refused(error))
    except OSError as error:
        why = f"The file cannot be read ({error.strerror})."
        return Unsized(name, why, "Give yourself the right to read it.")
    return _sized(name, tenant, found, options, settings)


def _look_at_recording(
    recording: Recording, storage: Storage, scratch: Path, settings: Settings
) -> Sized | Unsized:
    name = recording.name
    try:
        options = options_of(recording, settings, storage)
        stored = storage.head(recording.inbox_key)
        if stored is None:
            return Unsized(name, "The file is not in the inbox any more.", "Upload it again.")
        known = _known(recording, storage, stored, options)
        if known is not None:
            return known
        found = _probe_stored(storage, stored, scratch)
    except RecordingError as error:
        return _refused(name, error)
    except AudioRefused as error:
        return _refused(name, refused(error))
    except (StorageError, FileNotFoundError) as error:
        return Unsized(name, f"{error}.".replace("..", "."), "Try again when the bucket is well.")
    return _sized(name, recording.tenant, found, options, settings)


def _known(
    recording: Recording, storage: Storage, stored: Stored, options: RecordingOptions
) -> Sized | None:
    """From what an earlier run heard of the same bytes."""
    raw = read_record(storage, recording, RAW_AUDIO)
    heard = read_record(storage, recording, OPTIMIZED_AUDIO)
    if raw is None or heard is None:
        return None
    try:
        raw_facts = RawAudio.model_validate(raw.facts)
        facts = OptimizedAudioFacts.model_validate(heard.facts)
    except ValidationError:
        return None  # of another version: the run does it again
    if raw_facts.etag != stored.etag or raw_facts.sha256 != facts.content_sha256:
        return None
    size = size_of(
        options.job,
        audio_ms=facts.audio_ms,
        speech_ms=facts.speech_ms,
        audio_bytes=facts.size_bytes,
        channels=facts.channels,
    )
    return Sized(recording.name, recording.tenant, size, speech_known=True)


def _probe_stored(storage: Storage, stored: Stored, scratch: Path) -> AudioProbe:
    """From both ends of the file; from all of it where those do not tell."""
    with glimpse(storage, stored, scratch) as ends:
        try:
            found = probe(ends) if ends else None
        except AudioRefused:
            found = None
    if found is not None and found.declared_ms:
        return found
    with storage.local_copy(stored.key, scratch) as whole:
        return probe(whole)


def _sized(
    name: str, tenant: str, found: AudioProbe, options: RecordingOptions, settings: Settings
) -> Sized | Unsized:
    """All of it is taken for speech until somebody has listened."""
    try:
        check_size(settings, found.size_bytes)
        check_length(settings, found.declared_ms or 0)
    except RecordingError as error:
        return _refused(name, error)
    if not found.declared_ms:
        why = "The file does not say how long it is."
        return Unsized(name, why, "`escriba run` finds out; it is not part of the sums.")
    separate = options.channels == "separate" and found.channels > 1
    optimized = found.declared_ms * FLAC_BYTES_A_SECOND // 1000
    size = size_of(
        options.job,
        audio_ms=found.declared_ms,
        speech_ms=found.declared_ms,
        audio_bytes=min(optimized, settings.optimized_limit_mb * MEGABYTE),
        channels=found.channels if separate else 1,
    )
    return Sized(name, tenant, size)


def _refused(name: str, error: RecordingError) -> Unsized:
    return Unsized(name, error.message, error.advice)
