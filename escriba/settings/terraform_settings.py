from pathlib import Path

from pydantic import Field

from .base import SettingsGroup
from .field_types import AbsolutePath


class TerraformSettings(SettingsGroup):
    """Where `escriba deploy aws` and `escriba deploy gcp` keep what they made."""

    terraform_folder: AbsolutePath = Field(
        Path("data/terraform"),
        description="Folder of Terraform's state, for `escriba deploy aws` and `gcp`. Keep it: "
        "without the state, Terraform no longer knows what it made.",
    )
