"""The fleet of `escriba demo --costs`: 90 days with typical incidents."""

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

from escriba.backend_names import AWS_GPU, RUNPOD
from escriba.billing.price_book import PriceBook

from .plan import SimulationPlan
from .prices import with_changes

DAYS = 90
SEED = 42
DAY_LIMIT_USD, MONTH_LIMIT_USD = Decimal(50), Decimal(550)
TENANT_MONTH_USD = {"synthetic-court": Decimal(220), "synthetic-clinic": Decimal(25)}
# finance settings of the tenants: cost centers, projects and charges
TENANT_TERMS = {
    "synthetic-university": """\
    cost_center: "4100"
    paths:
      - {match: "lecture-*-0000*", project: archive}
      - {match: "lecture-*", project: teaching}
    charge: {markup: 0.15}
""",
    "synthetic-court": """\
    cost_center: "2000"
    project: hearings
""",
    "synthetic-council": """\
    charge: {usd_per_audio_hour: 0.2}
""",
}
_RECORDINGS_A_DAY = 120
_OUTAGE_DAYS_AGO, _ANOMALY_DAYS_AGO = 17, 8
_UNBILLED_DAYS = 2  # providers bill a day late, and today is not over


def showcase(book: PriceBook, now: datetime) -> SimulationPlan:
    """Ninety days up to today (UTC), at the built-in prices with two changes before."""
    today = now.astimezone(UTC).date()
    start = datetime.combine(today - timedelta(days=DAYS - 1), time(), UTC)
    # the built-in prices apply today; earlier, the L4 was more expensive, and spot cheaper
    prices = with_changes(
        book,
        [
            (RUNPOD, "l4", datetime(2020, 1, 2, tzinfo=UTC), Decimal("1.2")),
            (RUNPOD, "l4", start + timedelta(days=35), 1 / Decimal("1.2")),
            (AWS_GPU, "g5.xlarge", datetime(2020, 1, 2, tzinfo=UTC), Decimal("0.8")),
            (AWS_GPU, "g5.xlarge", start + timedelta(days=66), 1 / Decimal("0.8")),
        ],
    )
    return SimulationPlan(
        seed=SEED,
        first_day=start.date(),
        days=DAYS,
        recordings_a_day=_RECORDINGS_A_DAY,
        prices=prices,
        outage=DAYS - 1 - _OUTAGE_DAYS_AGO,
        anomaly=DAYS - 1 - _ANOMALY_DAYS_AGO,
        unbilled_days=_UNBILLED_DAYS,
    )
