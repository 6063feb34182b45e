"""The bills of a simulated fleet, as ledger rows."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from escriba.backend_names import AWS_GPU, RUNPOD
from escriba.billing.exchange_rates import ExchangeRates
from escriba.billing.invoice_rows import (
    BilledLine,
    Category,
    InvoiceRow,
    invoice_rows,
    sums_by_row_id,
)

from .days import MachineDay
from .plan import DAY, HOUR, SimulationPlan, moment
from .rows import usd

# USD per day for disks and traffic of such a fleet
_OTHER_COSTS: tuple[tuple[str, str, Category, str], ...] = (
    (RUNPOD, "network-volume", "storage", "0.12"),
    (AWS_GPU, "EBS:gp3", "storage", "0.18"),
    (AWS_GPU, "DataTransfer-Out", "network", "0.05"),
)


class SimulatedInvoices:
    """Adds up the bills of days; a life across midnight is on the bills of both days."""

    def __init__(self, plan: SimulationPlan) -> None:
        self._plan = plan
        self._nano: Counter[tuple[str, str, int, int]] = Counter()

    def add(self, parts: Iterable[MachineDay]) -> None:
        """Add one day."""
        for part in parts:
            machine = part.machine
            for bucket, nano in zip(part.bill.bucket, part.bill.nano, strict=True):
                begins = int(bucket) * machine.bucket
                self._nano[machine.backend, machine.sku, begins, machine.bucket] += int(nano)

    @property
    def compute_usd(self) -> Decimal:
        """The total compute cost, billed or not yet."""
        return usd(self._nano.total())

    def rows(self, rates: ExchangeRates, now: datetime) -> list[InvoiceRow]:
        """The rows of all days except the last `unbilled_days`, which have no bill yet."""
        return list(invoice_rows(sums_by_row_id([*self._compute(), *self._other()]), rates, now))

    def _until(self) -> int:
        return (self._plan.days - self._plan.unbilled_days) * DAY

    def _compute(self) -> Iterator[BilledLine]:
        for (backend, sku, begins, length), nano in sorted(self._nano.items()):
            is_here = begins < self._until() or not self._plan.unbilled_days
            if is_here and nano:
                yield self._line((backend, sku, "compute"), begins, length, usd(nano))

    def _other(self) -> Iterator[BilledLine]:
        backends = {machine.backend for machine in self._plan.machines}
        for backend, sku, category, amount in _OTHER_COSTS:
            if backend in backends:
                for begins in range(0, self._until(), DAY):
                    yield self._line((backend, sku, category), begins, DAY, Decimal(amount))

    def _line(
        self, what: tuple[str, str, Category], begins: int, length: int, amount: Decimal
    ) -> BilledLine:
        backend, sku, category = what
        start = moment(self._plan, begins)
        return BilledLine(
            backend=backend,
            bill=f"synthetic/{start:%Y-%m}",
            invoice_id=f"synthetic-{start:%Y-%m}",
            sku=sku,
            category=category,
            period_start=start,
            period_end=start + timedelta(hours=length // HOUR),
            amount=amount,
            currency="USD",
            description=f"synthetic: {sku}, {category}",
        )
