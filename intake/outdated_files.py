"""Which done recordings have files that the current settings would write differently.

Formats and subtitles derive from a finished transcript: a run writes them again on the CPU, without
a new transcript. Nothing is changed here.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

from escriba.recordings import Recording
from escriba.settings import Settings, SettingsError
from escriba.stages import DIARIZED_TRANSCRIPT, TRANSCRIPT
from escriba.transcripts.render_options import RenderOptions
from resources.storage.base import Storage

from .inbox import Survey
from .made_with import written_with
from .recording_options import check_tenants, tenant_render_options
from .rendered_files import is_rendered_with
from .stage_records import TranscriptFacts, read_facts, read_record
from .transcription_overrides import TranscriptionOverrides

_READERS = 32


def outdated_files(inbox: Survey, settings: Settings, storage: Storage) -> list[Recording]:
    """The recordings in the order of their names, decided from the survey.

    For a recording that an earlier version finished, two more small records are read.

    Raises:
        SettingsError: tenants.yaml is not valid, or contradicts the settings.
    """
    check_tenants(settings)
    current_options = _current_render_options(settings)
    found, older = list[Recording](), dict[Recording, RenderOptions]()
    for recording, made in inbox.made.items():
        render_options = current_options(recording.tenant, made.own)
        if render_options is None:
            found.append(recording)  # its own options contradict the settings: the run reports it
        elif made.written_with is None:
            older[recording] = render_options
        elif made.written_with != written_with(render_options):
            found.append(recording)
    with ThreadPoolExecutor(_READERS) as pool:
        differ = pool.map(lambda item: _differs(storage, *item), older.items())
        found += [one for one, differs in zip(older, differ, strict=True) if differs]
    return sorted(found)


def _current_render_options(settings: Settings) -> Callable[[str, str], RenderOptions | None]:
    """A cached function from tenant and own overrides (JSON) to the current render options.

    It returns None where the overrides contradict the settings.
    """

    @lru_cache(maxsize=4096)
    def render_options(tenant: str, own: str) -> RenderOptions | None:
        overrides = TranscriptionOverrides.model_validate_json(own)
        try:
            return tenant_render_options(tenant, settings, overrides)
        except SettingsError:
            return None

    return render_options


def _differs(storage: Storage, recording: Recording, render_options: RenderOptions) -> bool:
    """Whether its files have other options, judged by records that every version writes."""
    transcript = read_facts(storage, recording, TRANSCRIPT, TranscriptFacts)
    if transcript is None:
        return False  # there is no transcript to write them from
    files = read_record(storage, recording, DIARIZED_TRANSCRIPT)
    return files is None or not is_rendered_with(files, recording, transcript, render_options)
