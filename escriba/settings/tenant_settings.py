from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from .base import SettingsGroup
from .field_types import AbsolutePath


class TenantSettings(SettingsGroup):
    """Where the settings of single tenants are."""

    tenants_file: AbsolutePath = Field(
        Path("tenants.yaml"),
        description="File of the settings that differ by tenant. A file that is set here and "
        "missing stops every command; without this setting, the file is optional.",
    )

    @model_validator(mode="after")
    def _tenants_file_exists(self) -> Self:
        """A missing file would lift every tenant's permissions and budget limits."""
        if "tenants_file" in self.model_fields_set and not self.tenants_file.is_file():
            raise ValueError(
                f"TENANTS_FILE={self.tenants_file} does not exist, so the permissions and budget "
                "limits of the tenants are unknown: correct the path, or remove the setting"
            )
        return self
