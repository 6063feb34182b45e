"""What its money hangs on of an attempt that is over, as a limit on money must know it."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from .attempts import LedgerRow, Status
from .sessions import SessionRow

MICROSECOND = timedelta(microseconds=1)
_CLOCKS_APART = timedelta(minutes=15)
_LONGEST_BOOT = timedelta(hours=1)  # what is longer is a clock that was set, and costs nothing


@dataclass(frozen=True, slots=True)
class LifePart:
    """Of which worker's life it was a part, and the how manieth, as `ledger/instances` has it.

    is_endless: it is paid until its next job, however late that comes, since warm workers were
    asked for; any other that waits longer than its timeout was frozen, and resumed.
    """

    boot: str
    sequence: int
    began_at: datetime
    ready_at: datetime
    idle_timeout: timedelta
    is_endless: bool = False


@dataclass(frozen=True, slots=True)
class Spell:
    """One attempt. life: None where no worker ever began it, or said who.

    run_usd: what the ledger's row has; reserved_usd: what it might have cost at most, and of that
    overhead_usd for a boot and an idle worker.
    """

    tenant: str
    backend: str
    sku: str
    status: Status
    created_at: datetime
    started_at: datetime
    ended_at: datetime
    run: timedelta
    run_usd: Decimal
    reserved_usd: Decimal = Decimal(0)
    overhead_usd: Decimal = Decimal(0)
    life: LifePart | None = None

    @property
    def busy(self) -> timedelta:
        """Of its worker, by the times of the ledger."""
        return self.ended_at - self.started_at

    @property
    def died(self) -> bool:
        """Whether its worker went with it, so that it waited for no other job."""
        return self.status in {"lost", "stopped"}


def spell_of(
    row: LedgerRow,
    session: SessionRow | None,
    *,
    created_at: datetime,
    reserved_usd: Decimal,
    overhead_usd: Decimal,
) -> Spell:
    """Of the very rows of the ledger of which the cost tables are made."""
    return Spell(
        tenant=row.tenant,
        backend=row.backend,
        sku=row.sku,
        status=row.status,
        created_at=created_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
        run=timedelta(microseconds=round(row.run_seconds * 1_000_000)),
        run_usd=row.cost_usd,
        reserved_usd=reserved_usd,
        overhead_usd=overhead_usd,
        life=None if session is None else _part(session),
    )


def in_time(spell: Spell, now: datetime) -> Spell:
    """The same; ending now where its worker's clock cannot be right.

    That is where it began before it was asked for, or ends in the future: no wrong clock puts money
    on a day that no limit looks at.
    """
    early = spell.started_at < spell.created_at - _CLOCKS_APART
    if not early and spell.ended_at <= now + _CLOCKS_APART:
        return spell
    by = now - spell.ended_at
    life = spell.life
    if life is not None:
        life = replace(life, began_at=life.began_at + by, ready_at=life.ready_at + by)
    return replace(spell, started_at=spell.started_at + by, ended_at=spell.ended_at + by, life=life)


def _part(row: SessionRow) -> LifePart:
    """A worker that does not say when it began, began with its job."""
    began, ready = row.container_started_at or row.job_started_at, row.models_ready_at
    ready = ready or row.job_started_at
    warm = row.warm_workers or 0
    return LifePart(
        boot=row.session_id.partition(":")[2],
        sequence=row.sequence,
        began_at=ready if ready - began > _LONGEST_BOOT else began,
        ready_at=ready,
        idle_timeout=timedelta(seconds=row.idle_timeout_seconds),
        is_endless=warm > 0 or not row.idle_timeout_seconds,
    )
