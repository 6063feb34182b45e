"""Which done recordings the settings of today would make otherwise; nothing is changed here."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache

from pydantic import ValidationError

from pipelines.recordings import Recording
from pipelines.settings import Settings
from resources.failures import RecordingError
from resources.gpu.identity import job_id
from resources.storage.base import Storage

from .inbox import Survey
from .made_with import NOTHING_SAID, Made, made_with
from .names import OPTIMIZED_AUDIO, RAW_AUDIO, TRANSCRIPT
from .options import RecordingOptions, options_of, tenant_options
from .records import OptimizedAudioFacts, RawAudio, TranscriptFacts, read_record
from .transcript import as_the_file_allows, revision_of
from .wishes import Wishes

_READERS = 32
OLDER_AT_MOST = 500  # records of an earlier version that a mere `run` opens: a second or two


@dataclass
class Outdated:
    """Recordings that were done with other settings, and how each was made.

    unknown: of an earlier version, which nobody opened yet.
    """

    recordings: dict[Recording, Made] = field(default_factory=dict)
    unknown: int = 0


def outdated(
    seen: Survey, settings: Settings, storage: Storage, *, at_most: int | None = None
) -> Outdated:
    """By what the survey has read already; only records of earlier versions are opened.

    at_most: how many of those; None: all.
    """
    wanted = _wanted(settings)
    found, older = Outdated(), list[Recording]()
    for recording, made in seen.made.items():
        if made.made_with is None:
            older.append(recording)
            continue
        now = wanted(recording.tenant, made.own, made.source_channels, made.audio_streams)
        if made.made_with not in {NOTHING_SAID, now}:
            found.recordings[recording] = made
    opened = older[:at_most]
    found.unknown = len(older) - len(opened)
    with ThreadPoolExecutor(_READERS) as pool:
        differ = pool.map(lambda one: _differs(one, settings, storage), opened)
        pairs = zip(opened, differ, strict=True)
        found.recordings |= {one: seen.made[one] for one, other in pairs if other}
    return found


def options_now(recording: Recording, made: Made, settings: Settings) -> RecordingOptions:
    """What is wished for a done recording now."""
    return tenant_options(recording.tenant, settings, Wishes.model_validate_json(made.own))


def _wanted(settings: Settings) -> Callable[[str, str, int, int], str]:
    """The digest for a tenant and a recording's own wishes: few, for however many recordings."""

    @lru_cache(maxsize=4096)
    def digest(tenant: str, own: str, source_channels: int, audio_streams: int) -> str:
        options = tenant_options(tenant, settings, Wishes.model_validate_json(own)).job
        return made_with(options, source_channels, audio_streams)

    return digest


def _differs(recording: Recording, settings: Settings, storage: Storage) -> bool:
    """Whether its job would be another one; by the records that every version has kept."""
    source = read_record(storage, recording, RAW_AUDIO)
    heard = read_record(storage, recording, OPTIMIZED_AUDIO)
    said = read_record(storage, recording, TRANSCRIPT)
    if source is None or heard is None or said is None:
        return False
    try:
        raw = RawAudio.model_validate(source.facts)
        audio = OptimizedAudioFacts.model_validate(heard.facts)
        facts = TranscriptFacts.model_validate(said.facts)
        options = options_of(recording, settings, storage).job
    except (ValidationError, RecordingError):
        return False  # the run says what is wrong with it
    if not facts.job:
        return False
    options = as_the_file_allows(options, audio.channels, raw.audio_streams)
    now = job_id(facts.content_sha256, options, revision_of(options), again=facts.again)
    return now != facts.job
