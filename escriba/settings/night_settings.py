from pydantic import Field

from .base import SettingsGroup
from .field_types import TimeOfDay, TimezoneName


class NightSettings(SettingsGroup):
    """Times of the schedules: all that the code location needs before anything runs."""

    nightly_at: TimeOfDay = Field(
        "02:00", description="Time at which the nightly job requests whatever is missing."
    )
    nightly_timezone: TimezoneName = Field(
        "America/Sao_Paulo",
        description="Time zone of all schedules; daylight saving time is respected.",
    )
    report_at: TimeOfDay = Field(
        "09:00",
        description="Time at which the cost report is written into reports/ of the bucket.",
    )
    cleanup_at: TimeOfDay = Field(
        "02:00",
        description="Time at which whatever is past its age is deleted (`escriba cleanup`).",
    )
    backup_at: TimeOfDay = Field(
        "03:00", description="Time of the daily backup of Dagster's records (`escriba backup`)."
    )
    database_care_at: TimeOfDay = Field(
        "04:00", description="Time on Sundays at which Dagster's records are compacted."
    )
    retirement_at: TimeOfDay = Field(
        "04:00",
        description="Time at which finished recordings leave Dagster, and old runs are deleted.",
    )
