"""Which done recordings the current settings would transcribe differently; changes nothing."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache

from escriba.errors import RecordingError
from escriba.recordings import Recording
from escriba.settings import Settings
from escriba.stages import OPTIMIZED_AUDIO, RAW_AUDIO, TRANSCRIPT
from resources.storage.base import Storage

from .inbox import Survey
from .job_options import options_for_file
from .job_plan import is_made_with
from .made_with import NO_SPEECH, Made, made_with
from .recording_options import RecordingOptions, options_of, tenant_options
from .stage_records import OptimizedAudioFacts, RawAudio, TranscriptFacts, read_facts
from .transcription_overrides import TranscriptionOverrides

_READERS = 32
OLDER_AT_MOST = 500  # records of an earlier version that a plain `run` reads: a second or two


@dataclass
class OutdatedRecordings:
    """Recordings that were made with other settings, and how each was made.

    unknown: how many recordings of an earlier version were not checked.
    """

    recordings: dict[Recording, Made] = field(default_factory=dict)
    unknown: int = 0


def outdated(
    inbox: Survey, settings: Settings, storage: Storage, *, at_most: int | None = None
) -> OutdatedRecordings:
    """Decided from the survey; reads only records that an earlier version wrote.

    at_most: how many of those to read; None: all.
    """
    current_digest = _current_digests(settings)
    found, older = OutdatedRecordings(), list[Recording]()
    for recording, made in inbox.made.items():
        if made.made_with is None:
            older.append(recording)
            continue
        now = current_digest(recording.tenant, made.own, made.source_channels, made.audio_streams)
        if made.made_with not in {NO_SPEECH, now}:
            found.recordings[recording] = made
    checked = older[:at_most]
    found.unknown = len(older) - len(checked)
    with ThreadPoolExecutor(_READERS) as pool:
        differ = pool.map(lambda one: _has_other_job(one, settings, storage), checked)
        pairs = zip(checked, differ, strict=True)
        found.recordings |= {one: inbox.made[one] for one, differs in pairs if differs}
    return found


def options_now(recording: Recording, made: Made, settings: Settings) -> RecordingOptions:
    """The current options of a done recording."""
    return tenant_options(
        recording.tenant, settings, TranscriptionOverrides.model_validate_json(made.own)
    )


def _current_digests(settings: Settings) -> Callable[[str, str, int, int], str]:
    """A cached function to the digest of the current options; few differ, however many recordings.

    Its arguments: tenant, the recording's own overrides as JSON, channels and tracks of the file.
    """

    @lru_cache(maxsize=4096)
    def digest(tenant: str, own: str, source_channels: int, audio_streams: int) -> str:
        options = tenant_options(
            tenant, settings, TranscriptionOverrides.model_validate_json(own)
        ).job
        return made_with(options, source_channels, audio_streams)

    return digest


def _has_other_job(recording: Recording, settings: Settings, storage: Storage) -> bool:
    """Whether the current options give another job, judged by records that every version writes."""
    raw = read_facts(storage, recording, RAW_AUDIO, RawAudio)
    audio = read_facts(storage, recording, OPTIMIZED_AUDIO, OptimizedAudioFacts)
    transcript = read_facts(storage, recording, TRANSCRIPT, TranscriptFacts)
    if raw is None or audio is None or transcript is None:
        return False
    try:
        options = options_of(recording, settings, storage).job
    except RecordingError:
        return False  # the run reports what is wrong
    if not transcript.job:
        return False
    options = options_for_file(options, audio.channels, raw.audio_streams)
    return not is_made_with(transcript, options)
