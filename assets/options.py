"""What is wished for a recording: settings, then the tenant's wishes, then its own."""

from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from gpu_job.contract import Channels, JobOptions, Speakers
from pipelines.recordings import Recording
from pipelines.settings import Settings
from pipelines.track_names import AUTO
from resources.failures import RecordingError
from resources.storage.base import Storage

from .tenants import read_tenants
from .wishes import Wishes, first_fault

OPTIONS_FILE = "options.json"


class RecordingOptions(BaseModel):
    """The wishes, resolved."""

    model_config = ConfigDict(frozen=True)

    channels: Channels
    job: JobOptions
    track: str = AUTO
    preview: bool = False


def options_of(recording: Recording, settings: Settings, storage: Storage) -> RecordingOptions:
    """Resolved for one recording.

    Raises:
        RecordingError: the recording's own options cannot be read.
    """
    return tenant_options(recording.tenant, settings, _own_wishes(recording, storage))


def tenant_options(tenant: str, settings: Settings, own: Wishes | None = None) -> RecordingOptions:
    """Resolved for a recording of a tenant that has these wishes of its own, or none."""
    wishes: dict[str, object] = {}
    for level in (tenant_wishes(settings.tenants_file).get(tenant, Wishes()), own or Wishes()):
        wishes |= level.model_dump(exclude_none=True)
    language = wishes.get("language", settings.default_language)
    diarize = wishes.get("diarize", True)
    by_pyannote = diarize and settings.diarizer == "pyannote"
    channels = wishes.get("channels", settings.channels)
    track = str(wishes.get("track", settings.track))
    job = JobOptions(
        model=settings.model,
        language=None if language == "auto" else language,
        detect=wishes.get("detect", settings.language_detection),
        beam_size=settings.beam_size,
        hotwords=wishes.get("hotwords", settings.hotwords),
        initial_prompt=wishes.get("initial_prompt", settings.initial_prompt),
        diarizer=settings.diarizer if diarize else "none",
        diarization_model=settings.diarization_model if by_pyannote else "",
        speaker_embeddings=settings.speaker_embeddings and diarize,
        speakers=wishes.get("speakers", Speakers()),
        channels=channels,
        track="" if track == AUTO else track,
    )
    preview = wishes.get("preview", settings.previews)
    return RecordingOptions(channels=channels, job=job, preview=preview, track=track)


@lru_cache(maxsize=4)
def tenant_wishes(path: Path) -> dict[str, Wishes]:
    """What the tenants of `tenants.yaml` wish for.

    Raises:
        SettingsError: the file is wrong; names the tenant and the key.
    """
    return {
        name: Wishes.model_validate(tenant.model_dump(include=set(Wishes.model_fields)))
        for name, tenant in read_tenants(path).items()
    }


def _own_wishes(recording: Recording, storage: Storage) -> Wishes:
    body = storage.read(recording.work_key(OPTIONS_FILE))
    if body is None:
        return Wishes()
    try:
        return Wishes.model_validate_json(body)
    except ValidationError as error:
        raise RecordingError(
            "options_wrong",
            f"The recording's {OPTIONS_FILE} cannot be used; {first_fault(error, Wishes)}",
            "Add the file again with `escriba add`.",
        ) from error
