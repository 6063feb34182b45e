"""Updates the cost tables from the bucket, with the limits and tags of the settings."""

from typing import TYPE_CHECKING

from escriba.settings import Settings
from resources.storage.base import Storage

from .cost_limits import cost_limits
from .tenants import tag_rules

if TYPE_CHECKING:
    from resources.costs_database.build_marts import Built
    from resources.costs_database.load_ledger import Loaded


def refresh(
    settings: Settings, storage: Storage, *, checks: bool = True, unless_current: bool = False
) -> "tuple[Loaded, Built]":
    """Load new rows and build the marts; see `refresh_costs` for its other errors.

    Raises:
        SettingsError: tenants.yaml is not valid.
    """
    from resources.costs_database.refresh import refresh_costs  # noqa: PLC0415  # loads DuckDB

    return refresh_costs(
        settings,
        storage,
        cost_limits(settings),
        tag_rules(settings.tenants_file),
        checks=checks,
        unless_current=unless_current,
    )
