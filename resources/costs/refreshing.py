"""What is new in the bucket, into the database and through the marts."""

from collections.abc import Mapping, Sequence
from functools import partial

from pipelines.billing.policy import Limits
from pipelines.billing.tags import TagRule
from pipelines.settings import Settings
from resources.storage.base import Storage

from .building import Built, CostsLostError, build_marts
from .loading import Loaded, load_ledger


def refresh_costs(  # noqa: PLR0913  # as of build_marts
    settings: Settings,
    storage: Storage,
    limits: Mapping[str, Limits],
    tag_rules: Sequence[TagRule] | None = None,
    *,
    full: bool = False,
    checks: bool = True,
    unless_current: bool = False,
) -> tuple[Loaded, Built]:
    """Load, then build; each says what it raises. A damaged database is loaded anew, once."""
    build = partial(build_marts, settings, full=full, checks=checks, unless_current=unless_current)
    load = partial(load_ledger, storage, settings.costs_database, limits, tag_rules)
    loaded = load()
    try:
        return loaded, build()
    except CostsLostError:
        return load(), build()
