"""Recordings that a budget limit defers, and which of them fit into the budget now."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from escriba.billing.permissions import BudgetLeft
from escriba.recordings import Recording
from escriba.settings import Settings
from resources.gpu.open_engine import open_budget
from resources.storage.base import Storage

from .inbox import existing_recording
from .quarantine import Refusal, read_refusals
from .tenants import tenant_permission


def deferred(storage: Storage) -> dict[Recording, Refusal]:
    """All recordings that a budget limit holds back, oldest first."""
    found: dict[Recording, Refusal] = {}
    for _, refusal in read_refusals(storage):
        if not refusal.is_deferred:
            continue
        recording = existing_recording(storage, refusal.inbox_key)
        if recording is not None:
            found[recording] = refusal
    return dict(sorted(found.items(), key=lambda item: item[1].at))


def request_name(taken: Mapping[Recording, Refusal], now: datetime) -> str:
    """The name of the request for these deferrals.

    It changes every hour, so that recordings of a run that crashed are requested again.
    """
    deferrals = "".join(f"{recording.name}{why.at}" for recording, why in taken.items())
    text = f"{now:%Y-%m-%dT%H} {deferrals}"
    return f"deferred-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


async def affordable(
    settings: Settings, storage: Storage, waiting: Mapping[Recording, Refusal]
) -> dict[Recording, Refusal]:
    """The oldest recordings that fit together into what all limits leave now."""
    budget, taken = open_budget(settings, storage), dict[Recording, Refusal]()
    reserved: dict[str, Decimal] = {}  # USD, by limit
    for recording, refusal in waiting.items():
        permission = tenant_permission(settings.tenants_file, recording.tenant)
        lefts = await budget.left(recording.tenant, permission)
        needs = refusal.needs_usd or Decimal(0)
        if all(_has_room(left, reserved, needs) for left in lefts):
            taken[recording] = refusal
            for left in lefts:
                reserved[left.limit] = reserved.get(left.limit, Decimal(0)) + needs
    return taken


def _has_room(left: BudgetLeft, reserved: Mapping[str, Decimal], needs_usd: Decimal) -> bool:
    return left.left_usd - reserved.get(left.limit, Decimal(0)) >= needs_usd
