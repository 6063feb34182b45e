from pydantic import Field

from .base import SettingsGroup


class MediaSettings(SettingsGroup):
    """Limits of the child process in which a recording is opened and decoded."""

    media_cpu_seconds: int = Field(
        60,
        ge=1,
        description="CPU seconds that opening and decoding one file may take, besides those of "
        "MEDIA_CPU_SECONDS_PER_HOUR. A recording of an hour takes about 20.",
    )
    media_cpu_seconds_per_hour: int = Field(
        600,
        ge=1,
        description="CPU seconds added to MEDIA_CPU_SECONDS for each hour of audio decoded so far.",
    )
    media_wall_seconds: int = Field(
        300,
        ge=1,
        description="Seconds that opening and decoding one file may take, besides the length of "
        "the audio decoded so far.",
    )
    media_memory_mb: int = Field(
        256,
        ge=64,
        description="Memory that opening and decoding one file may take, besides about 110 MB of "
        "programs that all files share (megabytes; on Linux).",
    )
    media_output_mb: int = Field(
        1_000, ge=1, description="Largest file that decoding one recording may write (megabytes)."
    )
    media_slow_seconds: float = Field(
        3.0,
        gt=0,
        description="A file that decodes slower than ten times real time after this many seconds "
        "leaves its place of CPU_SLOTS to others.",
    )
    media_spare_slots: int = Field(
        2, ge=1, description="Places for such slow files, besides CPU_SLOTS."
    )
