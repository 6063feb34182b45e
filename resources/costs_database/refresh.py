"""Loading new ledger files, then building the marts."""

from collections.abc import Mapping, Sequence
from functools import partial

from escriba.billing.cost_tags import TagRule
from escriba.billing.permissions import SpendLimits
from escriba.settings import Settings
from resources.storage.base import Storage

from .build_marts import Built, CostsLostError, build_marts
from .load_ledger import Loaded, load_ledger


def refresh_costs(  # noqa: PLR0913  # as of build_marts
    settings: Settings,
    storage: Storage,
    limits: Mapping[str, SpendLimits],
    tag_rules: Sequence[TagRule] | None = None,
    *,
    full: bool = False,
    checks: bool = True,
    unless_current: bool = False,
) -> tuple[Loaded, Built]:
    """Load, then build; raises what both raise. A damaged database is loaded again, once."""
    build = partial(build_marts, settings, full=full, checks=checks, unless_current=unless_current)
    load = partial(load_ledger, storage, settings.costs_database, limits, tag_rules)
    loaded = load()
    try:
        return loaded, build()
    except CostsLostError:
        return load(), build()
