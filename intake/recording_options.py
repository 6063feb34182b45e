"""The options of a recording: the settings, then the tenant's overrides, then its own."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from escriba.audio.track_names import AUTO as AUTO_TRACK
from escriba.backend_names import PYANNOTE_AI
from escriba.errors import RecordingError
from escriba.model_names import AUTO
from escriba.recordings import Recording
from escriba.settings import Settings, SettingsError
from escriba.transcripts.render_options import RenderOptions, check_formats
from gpu_job.contract import Channels, Diarizer, JobOptions, Speakers
from gpu_job.contract.documents import SMALL
from resources.diarizer_weights import voices_revision
from resources.gpu.model_choice import model_of
from resources.storage.base import Storage
from resources.storage.read_documents import read_stored_bytes

from .tenants import read_tenants
from .transcription_overrides import TranscriptionOverrides, first_fault

OPTIONS_FILE = "options.json"
_BY_SCRIPT = {"subtitle_chars_per_line", "subtitle_chars_per_second"}


class RecordingOptions(BaseModel):
    """The resolved options of a recording; `own`: its own overrides."""

    model_config = ConfigDict(frozen=True)

    channels: Channels
    job: JobOptions
    track: str = AUTO_TRACK
    preview: bool = False
    render_options: RenderOptions = RenderOptions()
    own: TranscriptionOverrides = TranscriptionOverrides()


def options_of(recording: Recording, settings: Settings, storage: Storage) -> RecordingOptions:
    """The resolved options of one recording.

    Raises:
        RecordingError: the recording's own options cannot be read, or contradict the settings.
        SettingsError: tenants.yaml is not valid, or contradicts the settings.
    """
    own = _own_overrides(recording, storage)
    try:
        return tenant_options(recording.tenant, settings, own)
    except SettingsError as error:
        check_tenants(settings)  # a fault of the tenant is not the recording's
        key = recording.work_key(OPTIONS_FILE)
        raise _unusable_options(str(error), key, permanent=True) from error


def tenant_options(
    tenant: str, settings: Settings, own: TranscriptionOverrides | None = None
) -> RecordingOptions:
    """The resolved options of a tenant's recording; `own`: its own overrides, if any."""
    overrides = _all_overrides(tenant, settings, own)
    return RecordingOptions(
        channels=overrides.get("channels", settings.channels),
        job=_job_options(settings, overrides),
        track=str(overrides.get("track", settings.track)),
        preview=overrides.get("preview", settings.previews),
        render_options=_render_options(tenant, settings, overrides),
        own=own or TranscriptionOverrides(),
    )


def _job_options(settings: Settings, overrides: Mapping[str, Any]) -> JobOptions:
    language = overrides.get("language", settings.requested_language)
    candidates = overrides.get("languages", settings.language_candidates)
    diarize = overrides.get("diarize", True)
    translate = overrides.get("translate", settings.translate)
    track = str(overrides.get("track", settings.track))
    return JobOptions(
        model=overrides.get("model") or model_of(settings),
        language=None if language == "auto" else language,
        languages=tuple(sorted(candidates)) if language == "auto" else (),
        detect=overrides.get("detect", settings.language_detection),
        task="translate" if translate else "transcribe",
        beam_size=settings.beam_size,
        hotwords=overrides.get("hotwords", settings.hotwords),
        initial_prompt=overrides.get("initial_prompt", settings.initial_prompt),
        diarizer=_diarizer(settings) if diarize else "none",
        diarization_model=_diarization_model(settings) if diarize else "",
        speaker_embeddings=settings.speaker_embeddings and diarize,
        speakers=overrides.get("speakers", _speakers(settings)),
        channels=overrides.get("channels", settings.channels),
        track="" if track == AUTO_TRACK else track,
    )


def tenant_render_options(
    tenant: str, settings: Settings, own: TranscriptionOverrides | None = None
) -> RenderOptions:
    """How the files of a tenant's recordings are rendered; never a part of the job.

    Raises:
        SettingsError: the subtitle rules contradict each other.
    """
    return _render_options(tenant, settings, _all_overrides(tenant, settings, own))


def check_tenants(settings: Settings) -> dict[str, TranscriptionOverrides]:
    """The overrides of all tenants.

    Raises:
        SettingsError: tenants.yaml is not valid, or contradicts the settings.
    """
    overrides = tenant_overrides(settings.tenants_file)
    for tenant in overrides:
        tenant_render_options(tenant, settings)
    return overrides


def _all_overrides(
    tenant: str, settings: Settings, own: TranscriptionOverrides | None
) -> dict[str, Any]:
    """The overrides of the tenant, then those of the recording."""
    overrides: dict[str, Any] = {}
    for level in (
        tenant_overrides(settings.tenants_file).get(tenant, TranscriptionOverrides()),
        own or TranscriptionOverrides(),
    ):
        overrides |= _merged(overrides, _values(level))
    return overrides


def _render_options(tenant: str, settings: Settings, overrides: Mapping[str, Any]) -> RenderOptions:
    own = {name: overrides[name] for name in RenderOptions.model_fields if name in overrides}
    defaults = {name: getattr(settings, name) for name in RenderOptions.model_fields}
    defaults |= settings.subtitle_rules.model_dump()
    defaults["formats"] = check_formats(settings.formats)
    try:
        return RenderOptions.model_validate(defaults | _merged(defaults, own))
    except ValidationError as error:
        raise SettingsError(
            f"The settings and the overrides of tenant {tenant!r} contradict each other: "
            f"{first_fault(error, RenderOptions)}"
        ) from error


def _merged(above: Mapping[str, Any], level: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a level; numbers by script that it does not name come from the level above."""
    return {
        name: above[name] | value if name in _BY_SCRIPT and name in above else value
        for name, value in level.items()
    }


def _values(level: TranscriptionOverrides) -> dict[str, Any]:
    """The values that a level sets; candidates without a language ask for detection."""
    values = level.model_dump(exclude_none=True)
    if values.get("languages") and "language" not in values:
        values["language"] = "auto"
    if values.get("model") == AUTO:
        values["model"] = ""
    return values


def _speakers(settings: Settings) -> Speakers:
    return Speakers(minimum=settings.min_speakers or None, maximum=settings.max_speakers or None)


def _diarizer(settings: Settings) -> Diarizer:
    """What finds the speakers: the backend of the speakers' job, if it has a diarizer of its own.

    So the identity of a job names who found its turns.
    """
    return PYANNOTE_AI if settings.speakers_backend == PYANNOTE_AI else settings.diarizer


def _diarization_model(settings: Settings) -> str:
    """For `light`: the revision of the installed voices, so that toy voices give other jobs."""
    if _diarizer(settings) == PYANNOTE_AI:
        return settings.pyannote_ai_model
    match settings.diarizer:
        case "pyannote":
            return settings.diarization_model
        case "light":
            return voices_revision(settings.models_folder)
        case _:
            return ""


@lru_cache(maxsize=4)
def tenant_overrides(path: Path) -> dict[str, TranscriptionOverrides]:
    """The overrides of the tenants in `tenants.yaml`.

    Raises:
        SettingsError: the file is not valid; names the tenant and the key.
    """
    return {
        name: TranscriptionOverrides.model_validate(
            tenant.model_dump(include=set(TranscriptionOverrides.model_fields))
        )
        for name, tenant in read_tenants(path).items()
    }


def _own_overrides(recording: Recording, storage: Storage) -> TranscriptionOverrides:
    key = recording.work_key(OPTIONS_FILE)
    mend = f"Add the file again with `escriba add`, or delete {key!r}."
    body = read_stored_bytes(storage, key, SMALL, mend)
    if not body:
        return TranscriptionOverrides()
    try:
        return TranscriptionOverrides.model_validate_json(body)
    except ValidationError as error:
        reason = first_fault(error, TranscriptionOverrides)
        raise _unusable_options(reason, key) from error


def _unusable_options(reason: str, key: str, *, permanent: bool = False) -> RecordingError:
    """permanent: somebody must decide; else the next run looks again, and spends nothing."""
    return RecordingError(
        "options_wrong",
        f"{key!r} cannot be used: {reason}",
        f"Add the file again with `escriba add`, or delete {key!r}.",
        permanent=permanent,
    )
