from pathlib import Path

from pydantic import Field, SecretStr

from .base import SettingsGroup
from .field_types import AbsolutePath


class DagsterSettings(SettingsGroup):
    """Where Dagster keeps its records, and how much one run does."""

    dagster_home: AbsolutePath = Field(
        Path("data/dagster"), description="Folder of Dagster's records (runs, events)."
    )
    dagster_postgres_url: SecretStr = Field(
        SecretStr(""),
        description="PostgreSQL database for Dagster's records: "
        "postgresql://user:password@host/name. Empty: SQLite.",
    )
    batch_size: int = Field(
        500, ge=1, le=5_000, description="Recordings in one run; each run is one process."
    )
    previews: bool = Field(
        default=False,
        description="Show the beginning of each transcript in Dagster, which keeps it permanently.",
    )
