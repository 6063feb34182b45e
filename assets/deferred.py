"""Recordings that wait for money, and which of them may be had now."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from pipelines.billing.policy import Left
from pipelines.recordings import Recording
from pipelines.settings import Settings
from resources.gpu.opening import open_budget
from resources.storage.base import Storage

from .inbox import standing
from .quarantine import Refusal, read_refusals
from .tenants import tenant_permission


def deferred(storage: Storage) -> dict[Recording, Refusal]:
    """All that a limit on money holds back, the oldest first."""
    found: dict[Recording, Refusal] = {}
    for _, refusal in read_refusals(storage):
        recording = standing(storage, refusal.inbox_key) if refusal.is_deferred else None
        if recording is not None:
            found[recording] = refusal
    return dict(sorted(found.items(), key=lambda one: one[1].at))


def request_name(taken: Mapping[Recording, Refusal], now: datetime) -> str:
    """Of the request for these deferrals: another one in the next hour, as a run of it may die."""
    told = "".join(f"{one.name}{why.at}" for one, why in taken.items())
    return f"deferred-{hashlib.sha256(f'{now:%Y-%m-%dT%H} {told}'.encode()).hexdigest()[:16]}"


async def affordable(
    settings: Settings, storage: Storage, waiting: Mapping[Recording, Refusal]
) -> dict[Recording, Refusal]:
    """The first of them, as far as the limits allow all together at this moment."""
    budget, taken = open_budget(settings, storage), dict[Recording, Refusal]()
    promised: dict[str, Decimal] = {}  # by limit
    for recording, refusal in waiting.items():
        permission = tenant_permission(settings.tenants_file, recording.tenant)
        lefts = await budget.left(recording.tenant, permission)
        needs = refusal.needs_usd or Decimal(0)
        if all(_has_room(left, promised, needs) for left in lefts):
            taken[recording] = refusal
            for left in lefts:
                promised[left.limit] = promised.get(left.limit, Decimal(0)) + needs
    return taken


def _has_room(left: Left, promised: Mapping[str, Decimal], needs_usd: Decimal) -> bool:
    return left.left_usd - promised.get(left.limit, Decimal(0)) >= needs_usd
