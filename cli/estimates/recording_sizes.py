"""Measures the length of recordings without decoding them, for `escriba estimate`."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import gettempdir

from assets.recordings.input_limits import check_length, check_size, refused
from cli.find_files import find_files, own_folders
from escriba.audio.audio_errors import AudioRefused
from escriba.audio.audio_probe import AudioProbe
from escriba.billing.quotes import JobSize, size_of
from escriba.errors import RecordingError
from escriba.recordings import Recording
from escriba.settings import MEGABYTE, Settings
from escriba.stages import OPTIMIZED_AUDIO, RAW_AUDIO
from intake.inbox import of_tenant, survey_inbox
from intake.quarantine import printable
from intake.recording_options import RecordingOptions, options_of, tenant_options
from intake.stage_records import OptimizedAudioFacts, RawAudio, read_facts
from resources.media.media_pool import MediaPool, open_pool
from resources.storage.base import Storage, StorageError, StoredObject
from resources.storage.ranged_read import ranged_read

_READERS = 8
FLAC_BYTES_A_SECOND = 17_000  # mono 16 kHz speech: about half of its uncompressed size


@dataclass(frozen=True)
class SizedRecording:
    """A recording that can be priced.

    speech_known: an earlier run measured its speech. has_words: only its speakers are missing.
    """

    name: str
    tenant: str
    size: JobSize
    speech_known: bool = False
    has_words: bool = False

    def jobs(self, settings: Settings) -> tuple[JobSize, ...]:
        """The jobs that a run would submit: with SPEAKERS_BACKEND, one for the speakers alone."""
        if not self.size.diarized or self.size.channels > 1:  # each channel is one speaker
            return (self.size,)
        if self.has_words:
            return (self.size.speakers_alone,)
        if settings.speakers_backend:
            return (self.size.words_alone, self.size.speakers_alone)
        return (self.size,)


@dataclass(frozen=True)
class UnsizedRecording:
    """A recording that cannot be priced, why, and what to do."""

    name: str
    message: str
    advice: str


Measurement = Callable[[], SizedRecording | UnsizedRecording]


def measure_files(paths: tuple[Path, ...], tenant: str, settings: Settings) -> list[Measurement]:
    """Return one measurement for each file that `escriba add` would copy."""
    options = tenant_options(tenant, settings)
    media = open_pool(settings, lambda: Path(gettempdir()))
    return [
        partial(_measure_file, file, printable(name), tenant, options, settings, media)
        for file, name in find_files(paths, own_folders(settings))
    ]


def measure_bucket(storage: Storage, tenant: str | None, settings: Settings) -> list[Measurement]:
    """Return one measurement for each recording that the next run would process."""
    seen = of_tenant(survey_inbox(storage), tenant)
    scratch = storage.scratch()
    media = open_pool(settings, lambda: scratch)
    refused = [
        partial(UnsizedRecording, printable(one.key), one.message, one.advice)
        for one in seen.refused
    ]
    work = [
        partial(_measure_recording, recording, storage, scratch, settings, media)
        for recording in seen.work
    ]
    return [*work, *refused]


def run_measurements(
    measurements: Iterable[Measurement],
) -> Iterator[SizedRecording | UnsizedRecording]:
    """Run the measurements concurrently; yield the results in order."""
    with ThreadPoolExecutor(_READERS) as pool:
        yield from pool.map(lambda one: one(), measurements)


def _measure_file(  # noqa: PLR0913, PLR0917  # what all files share comes last
    file: Path,
    name: str,
    tenant: str,
    options: RecordingOptions,
    settings: Settings,
    media: MediaPool,
) -> SizedRecording | UnsizedRecording:
    try:
        found = media.probe(file, tenant)
    except AudioRefused as error:
        return _refused(name, refused(error))
    except OSError as error:
        why = f"The file cannot be read ({error.strerror})."
        return UnsizedRecording(name, why, "Change its permissions so that you can read it.")
    return _sized(name, tenant, found, options, settings)


def _measure_recording(
    recording: Recording, storage: Storage, scratch: Path, settings: Settings, media: MediaPool
) -> SizedRecording | UnsizedRecording:
    name = recording.name
    try:
        options = options_of(recording, settings, storage)
        stored = storage.head(recording.inbox_key)
        if stored is None:
            return UnsizedRecording(name, "The file is no longer in the inbox.", "Upload it again.")
        known = _known(recording, storage, stored, options)
        if known is not None:
            return known
        found = _probe_stored(
            storage, stored, scratch, partial(media.probe, owner=recording.tenant)
        )
    except RecordingError as error:
        return _refused(name, error)
    except AudioRefused as error:
        return _refused(name, refused(error))
    except (StorageError, FileNotFoundError) as error:
        why = f"{error}.".replace("..", ".")
        return UnsizedRecording(name, why, "Try again when the bucket is available.")
    return _sized(name, recording.tenant, found, options, settings)


def _known(
    recording: Recording, storage: Storage, stored: StoredObject, options: RecordingOptions
) -> SizedRecording | None:
    """Return the size that an earlier run measured, if the file has not changed since."""
    raw_facts = read_facts(storage, recording, RAW_AUDIO, RawAudio)
    facts = read_facts(storage, recording, OPTIMIZED_AUDIO, OptimizedAudioFacts)
    if raw_facts is None or facts is None:
        return None
    if raw_facts.etag != stored.etag or raw_facts.sha256 != facts.content_sha256:
        return None
    size = size_of(
        options.job,
        audio_ms=facts.audio_ms,
        speech_ms=facts.speech_ms,
        audio_bytes=facts.size_bytes,
        channels=facts.channels,
    )
    return SizedRecording(recording.name, recording.tenant, size, speech_known=True)


def _probe_stored(
    storage: Storage, stored: StoredObject, scratch: Path, probe: Callable[[Path], AudioProbe]
) -> AudioProbe:
    """Probe both ends of the stored file, or the whole file if that is not enough."""
    with ranged_read(storage, stored, scratch) as ends:
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
) -> SizedRecording | UnsizedRecording:
    """Return the size of a probed file; all of it counts as speech until it is analyzed."""
    try:
        check_size(settings, found.size_bytes)
        check_length(settings, found.declared_ms or 0)
    except RecordingError as error:
        return _refused(name, error)
    if not found.declared_ms:
        why = "The file's header has no length, so the estimate does not include it."
        return UnsizedRecording(name, why, "`escriba run` measures the length.")
    separate = options.channels == "separate" and found.channels > 1
    optimized = found.declared_ms * FLAC_BYTES_A_SECOND // 1000
    size = size_of(
        options.job,
        audio_ms=found.declared_ms,
        speech_ms=found.declared_ms,
        audio_bytes=min(optimized, settings.optimized_limit_mb * MEGABYTE),
        channels=found.channels if separate else 1,
    )
    return SizedRecording(name, tenant, size)


def _refused(name: str, error: RecordingError) -> UnsizedRecording:
    return UnsizedRecording(name, error.message, error.advice)
