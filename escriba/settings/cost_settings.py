from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr

from .base import SettingsGroup
from .field_types import ResolvedPath


class CostSettings(SettingsGroup):
    """The cost tables: where they are, and how they divide and export costs."""

    # DuckDB names a database after its file, and a lock must be the same under every name
    costs_database: ResolvedPath = Field(
        Path("data/costs.duckdb"),
        description="DuckDB file of the cost tables, for any client. Where it is missing, it is "
        "recreated from the bucket.",
    )
    costs_postgres_url: SecretStr = Field(
        SecretStr(""),
        description="PostgreSQL database that mirrors the cost tables, in the schema `costs`: "
        "postgresql://user:password@host/name. Empty: no mirror.",
    )
    shared_costs_by: Literal["apart", "cost", "audio"] = Field(
        "apart",
        description="How costs that no machine causes (tax, storage, network, fees, credits) are "
        "allocated. `apart`: to no tenant. `cost` or `audio`: to the tenants of that day and "
        "backend, by cost or by hours of audio.",
    )
    focus_version: Literal["1.2", "1.4"] = Field(
        "1.2",
        description="Version of the FOCUS format that `escriba costs --export-focus` writes: 1.2 "
        "or 1.4.",
    )
