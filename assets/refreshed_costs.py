"""The tables of costs brought up to the bucket, with the limits and the tags of the settings."""

from typing import TYPE_CHECKING

from pipelines.settings import Settings
from resources.storage.base import Storage

from .cost_limits import cost_limits
from .tenants import tag_rules

if TYPE_CHECKING:
    from resources.costs.building import Built
    from resources.costs.loading import Loaded


def refresh(
    settings: Settings, storage: Storage, *, checks: bool = True, unless_current: bool = False
) -> "tuple[Loaded, Built]":
    """What is new, loaded and built; as refresh_costs, which says what it raises.

    Raises:
        SettingsError: tenants.yaml is wrong.
    """
    from resources.costs.refreshing import refresh_costs  # noqa: PLC0415  # no DuckDB until asked

    return refresh_costs(
        settings,
        storage,
        cost_limits(settings),
        tag_rules(settings.tenants_file),
        checks=checks,
        unless_current=unless_current,
    )
