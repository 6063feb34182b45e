"""What is wished for a recording: settings, then the tenant's wishes, then its own."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from gpu_job.contract import Channels, JobOptions, Speakers
from pipelines.looks import Look, check_formats
from pipelines.recordings import Recording
from pipelines.settings import Settings
from pipelines.speech_models import AUTO
from pipelines.track_names import AUTO as AUTO_TRACK
from resources.failures import RecordingError
from resources.gpu.model_choice import model_of
from resources.storage.base import Storage
from resources.voices import voices_revision

from .tenants import read_tenants
from .wishes import Wishes, first_fault

OPTIONS_FILE = "options.json"


class RecordingOptions(BaseModel):
    """The wishes, resolved."""

    model_config = ConfigDict(frozen=True)

    channels: Channels
    job: JobOptions
    track: str = AUTO_TRACK
    preview: bool = False
    look: Look = Look()
    own: Wishes = Wishes()


def options_of(recording: Recording, settings: Settings, storage: Storage) -> RecordingOptions:
    """Resolved for one recording.

    Raises:
        RecordingError: the recording's own options cannot be read.
    """
    return tenant_options(recording.tenant, settings, _own_wishes(recording, storage))


def tenant_options(tenant: str, settings: Settings, own: Wishes | None = None) -> RecordingOptions:
    """Resolved for a recording of a tenant that has these wishes of its own, or none."""
    wishes: dict[str, Any] = {}
    for level in (tenant_wishes(settings.tenants_file).get(tenant, Wishes()), own or Wishes()):
        wishes |= _told(level)
    language = wishes.get("language", settings.wished_language)
    candidates = wishes.get("languages", settings.language_candidates)
    diarize = wishes.get("diarize", True)
    channels = wishes.get("channels", settings.channels)
    translate = wishes.get("translate", settings.translate)
    track = str(wishes.get("track", settings.track))
    job = JobOptions(
        model=wishes.get("model") or model_of(settings),
        language=None if language == "auto" else language,
        languages=tuple(sorted(candidates)) if language == "auto" else (),
        detect=wishes.get("detect", settings.language_detection),
        task="translate" if translate else "transcribe",
        beam_size=settings.beam_size,
        hotwords=wishes.get("hotwords", settings.hotwords),
        initial_prompt=wishes.get("initial_prompt", settings.initial_prompt),
        diarizer=settings.diarizer if diarize else "none",
        diarization_model=_diarization_model(settings) if diarize else "",
        speaker_embeddings=settings.speaker_embeddings and diarize,
        speakers=wishes.get("speakers", _speakers(settings)),
        channels=channels,
        track="" if track == AUTO_TRACK else track,
    )
    preview = wishes.get("preview", settings.previews)
    return RecordingOptions(
        channels=channels,
        job=job,
        track=track,
        preview=preview,
        look=_look(settings, wishes),
        own=own or Wishes(),
    )


def _look(settings: Settings, wishes: Mapping[str, object]) -> Look:
    """How the files look; never a part of the job, which is the same for every look."""
    own = {name: wishes[name] for name in Look.model_fields if name in wishes}
    told = {name: getattr(settings, name) for name in Look.model_fields}
    told["formats"] = check_formats(settings.formats)
    return Look.model_validate(told | own)


def _told(level: Wishes) -> dict[str, Any]:
    """What a level says. Who names candidates and no language wants one of them found."""
    told = level.model_dump(exclude_none=True)
    if told.get("languages") and "language" not in told:
        told["language"] = "auto"
    if told.get("model") == AUTO:
        told["model"] = ""
    return told


def _speakers(settings: Settings) -> Speakers:
    return Speakers(minimum=settings.min_speakers or None, maximum=settings.max_speakers or None)


def _diarization_model(settings: Settings) -> str:
    """Of light: the voices that stand here, so that the toy's results are other jobs'."""
    match settings.diarizer:
        case "pyannote":
            return settings.diarization_model
        case "light":
            return voices_revision(settings.models_folder)
        case _:
            return ""


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
