"""The bills of a simulated fleet, as rows of the ledger."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from pipelines.billing.currencies import ExchangeRates
from pipelines.billing.invoices import BilledLine, Category, InvoiceRow, added_up, invoice_rows

from .days import Part
from .plan import DAY, HOUR, Plan, moment
from .rows import usd

# beside machines, in USD a day: what disks and traffic of such a fleet may cost
_BESIDE: tuple[tuple[str, str, Category, str], ...] = (
    ("runpod", "network-volume", "storage", "0.12"),
    ("aws_gpu", "EBS:gp3", "storage", "0.18"),
    ("aws_gpu", "DataTransfer-Out", "network", "0.05"),
)


class Bills:
    """Adds up days; a life that goes on after midnight is on the bills of both."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._nano: Counter[tuple[str, str, int, int]] = Counter()

    def add(self, parts: Iterable[Part]) -> None:
        """What one day brought."""
        for part in parts:
            machine = part.machine
            for bucket, nano in zip(part.bill.bucket, part.bill.nano, strict=True):
                begins = int(bucket) * machine.bucket
                self._nano[machine.backend, machine.sku, begins, machine.bucket] += int(nano)

    @property
    def compute_usd(self) -> Decimal:
        """All of it, billed by now or not."""
        return usd(self._nano.total())

    def rows(self, rates: ExchangeRates, now: datetime) -> list[InvoiceRow]:
        """Of all days but the last `unbilled_days`, of which no provider has written yet."""
        return list(invoice_rows(added_up([*self._compute(), *self._beside()]), rates, now))

    def _until(self) -> int:
        return (self._plan.days - self._plan.unbilled_days) * DAY

    def _compute(self) -> Iterator[BilledLine]:
        for (backend, sku, begins, length), nano in sorted(self._nano.items()):
            is_here = begins < self._until() or not self._plan.unbilled_days
            if is_here and nano:
                yield self._line((backend, sku, "compute"), begins, length, usd(nano))

    def _beside(self) -> Iterator[BilledLine]:
        backends = {machine.backend for machine in self._plan.machines}
        for backend, sku, category, amount in _BESIDE:
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
