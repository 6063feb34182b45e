"""What is wished for a recording: settings, then the tenant's wishes, then its own."""

from functools import lru_cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from gpu_job.contract import Channels, JobOptions, Speakers
from pipelines.languages import check_language
from pipelines.recordings import NameRefusedError, Recording, check_tenant
from pipelines.settings import Settings, SettingsError
from resources.failures import RecordingError
from resources.storage.base import Storage

OPTIONS_FILE = "options.json"


class Wishes(BaseModel):
    """What may differ by tenant or by recording; None: as the level above says."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    language: str | None = None
    detect: Literal["once", "along"] | None = None
    hotwords: str | None = None
    initial_prompt: str | None = None
    diarize: bool | None = None
    channels: Channels | None = None
    speakers: Speakers | None = None
    preview: bool | None = None

    @field_validator("language")
    @classmethod
    def _known_language(cls, code: str | None) -> str | None:
        return code if code is None else check_language(code)


class RecordingOptions(BaseModel):
    """The wishes, resolved."""

    model_config = ConfigDict(frozen=True)

    channels: Channels
    job: JobOptions
    preview: bool = False


def options_of(recording: Recording, settings: Settings, storage: Storage) -> RecordingOptions:
    """Resolved for one recording.

    Raises:
        RecordingError: the recording's own options cannot be read.
    """
    wishes: dict[str, object] = {}
    for level in (
        tenant_wishes(settings.tenants_file).get(recording.tenant, Wishes()),
        _own_wishes(recording, storage),
    ):
        wishes |= level.model_dump(exclude_none=True)
    language = wishes.get("language", settings.default_language)
    diarize = wishes.get("diarize", True)
    by_pyannote = diarize and settings.diarizer == "pyannote"
    channels = wishes.get("channels", settings.channels)
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
    )
    preview = wishes.get("preview", settings.previews)
    return RecordingOptions(channels=channels, job=job, preview=preview)


@lru_cache(maxsize=4)
def tenant_wishes(path: Path) -> dict[str, Wishes]:
    """`tenants.yaml`: a mapping `tenants:` of name to wishes.

    Raises:
        SettingsError: the file is wrong; names the tenant and the key.
    """
    top = _mapping(_load_yaml(path), path.name)
    unknown = [str(key) for key in top if key != "tenants"]
    if unknown:
        raise SettingsError(
            f"{path.name}: {unknown[0]!r} is not known at the top, where only 'tenants' may be."
        )
    tenants = _mapping(top.get("tenants"), f"{path.name}, 'tenants'")
    return {_tenant(name, path.name): _wishes(tenants[name], name, path.name) for name in tenants}


def _load_yaml(path: Path) -> object:
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SettingsError(f"{path.name} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path.name} is not UTF-8 text: save it as UTF-8.") from error
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date that does not exist
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1})" if mark else ""
        raise SettingsError(f"{path.name} is not valid YAML{where}.") from error


def _mapping(value: object, what: str) -> dict[object, object]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise SettingsError(f"{what} must be a mapping of 'key: value' lines.")
    return value


def _tenant(name: object, file: str) -> str:
    if not isinstance(name, str):
        raise SettingsError(
            f"{file}: YAML reads the tenant {name} as no text: put the name in quotes."
        )
    try:
        check_tenant(name)
    except NameRefusedError as error:
        raise SettingsError(f"{file}: {error}") from error
    return name


def _wishes(value: object, tenant: object, file: str) -> Wishes:
    try:
        return Wishes.model_validate(_mapping(value, f"{file}, tenant {tenant!r}"))
    except ValidationError as error:
        raise SettingsError(f"{file}, tenant {tenant!r}, {_first_fault(error)}") from error


def _first_fault(error: ValidationError) -> str:
    """The key and what is wrong with it, in a sentence."""
    fault = error.errors()[0]
    key = ".".join(map(str, fault["loc"])) or "the whole"
    match fault["type"]:
        case "extra_forbidden" | "invalid_key":
            why = f"it is not known; known are {', '.join(Wishes.model_fields)}"
        case "string_type":
            why = "it must be text: put it in quotes"
        case "model_type":
            why = "it must be a mapping of 'key: value' lines"
        case "json_invalid":
            why = "it is not valid JSON"
        case _:
            why = fault["msg"].removeprefix("Value error, ").replace("Input should", "it must")
    return f"{key!r}: {why.rstrip('.')}" + ("" if why.endswith("?") else ".")


def _own_wishes(recording: Recording, storage: Storage) -> Wishes:
    body = storage.read(recording.work_key(OPTIONS_FILE))
    if body is None:
        return Wishes()
    try:
        return Wishes.model_validate_json(body)
    except ValidationError as error:
        raise RecordingError(
            "options_wrong",
            f"The recording's {OPTIONS_FILE} cannot be used; {_first_fault(error)}",
            "Add the file again with `escriba add`.",
        ) from error
