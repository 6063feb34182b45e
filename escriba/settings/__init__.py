"""Every setting, read from the environment and `.env`: one group of settings per file.

The name of a setting in capitals is its environment variable. Defaults spend no money.
"""

from .aws_settings import AwsSettings
from .base import HOUSE, MEGABYTE
from .budget_settings import BudgetSettings
from .child_environment import child_environment, exported
from .cost_settings import CostSettings
from .dagster_settings import DagsterSettings
from .format_settings import FormatSettings
from .gcp_settings import GcpSettings
from .input_settings import InputSettings
from .load import SettingsError, load
from .local_settings import LocalSettings
from .machine_settings import MachineSettings
from .mail_settings import MailSettings
from .media_settings import MediaSettings
from .night_settings import NightSettings
from .openai_settings import OpenaiSettings
from .page_settings import PageSettings
from .price_settings import PriceSettings
from .pyannote_ai_settings import PyannoteAiSettings
from .retention_settings import RetentionSettings
from .routing_settings import RoutingSettings
from .runpod_settings import RunpodSettings
from .speaker_settings import SpeakerSettings
from .storage_settings import StorageSettings
from .subtitle_settings import SubtitleSettings
from .tenant_settings import TenantSettings
from .terraform_settings import TerraformSettings
from .transcription_settings import TranscriptionSettings

__all__ = [
    "HOUSE",
    "MEGABYTE",
    "NightSettings",
    "RetentionSettings",
    "Settings",
    "SettingsError",
    "child_environment",
    "exported",
    "load_night_settings",
    "load_settings",
    "setting_names",
]


class Settings(
    MailSettings,
    CostSettings,
    PriceSettings,
    MediaSettings,
    InputSettings,
    BudgetSettings,
    LocalSettings,
    GcpSettings,
    TerraformSettings,
    MachineSettings,
    AwsSettings,
    OpenaiSettings,
    PyannoteAiSettings,
    RunpodSettings,
    RoutingSettings,
    RetentionSettings,
    NightSettings,
    TenantSettings,
    SubtitleSettings,
    FormatSettings,
    SpeakerSettings,
    TranscriptionSettings,
    PageSettings,
    DagsterSettings,
    StorageSettings,
):
    """The settings of the orchestrator; `.env.example` shows them all.

    The fields keep the reverse of this order, which is that of `.env.example`.
    """


def load_settings(**overrides: object) -> Settings:
    """All settings; overrides win over the environment and `.env`.

    Raises:
        SettingsError: names each variable that is invalid, and why.
    """
    return load(Settings, overrides)


def load_night_settings() -> NightSettings:
    """Only the settings of the schedules; reads no secret.

    Raises:
        SettingsError: as `load_settings`.
    """
    return load(NightSettings, {})


def setting_names() -> set[str]:
    """Every environment variable that is a setting."""
    names = {name.upper() for name in Settings.model_fields}
    for field in Settings.model_fields.values():
        names |= {str(alias) for alias in getattr(field.validation_alias, "choices", ())}
    return names
