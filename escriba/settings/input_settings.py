from pydantic import Field

from .base import SettingsGroup


class InputSettings(SettingsGroup):
    """Which files are accepted, and how large the audio sent to a worker may be."""

    max_upload_mb: int = Field(
        500, gt=0, description="Larger files are refused (megabytes of 1,000,000 bytes)."
    )
    max_audio_hours: float = Field(
        24,
        gt=0,
        description="Longer recordings are refused (hours): a file of a few megabytes can hold "
        "days.",
    )
    optimized_limit_mb: int = Field(
        100,
        gt=0,
        description="Optimized audio larger than this is encoded as Opus instead of FLAC "
        "(megabytes).",
    )
