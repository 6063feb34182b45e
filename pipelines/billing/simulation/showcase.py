"""The fleet that `escriba demo --costs` shows: a quarter with all that may happen in one."""

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

from pipelines.billing.prices import PriceBook

from .plan import Plan
from .prices import with_changes

DAYS = 90
SEED = 42
DAY_LIMIT_USD, MONTH_LIMIT_USD = Decimal(50), Decimal(550)
TENANT_MONTH_USD = {"synthetic-court": Decimal(220), "synthetic-clinic": Decimal(25)}
# what finance says of the tenants: whose money it is, and what they are charged beside the cost
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
_UNBILLED_DAYS = 2  # providers write a day late, and today is not over


def showcase(book: PriceBook, now: datetime) -> Plan:
    """Ninety days up to today (UTC), at shipped prices that changed twice on the way."""
    today = now.astimezone(UTC).date()
    start = datetime.combine(today - timedelta(days=DAYS - 1), time(), UTC)
    # what is shipped is what holds today: before, the L4 was dearer, and spot cheaper
    prices = with_changes(
        book,
        [
            ("runpod", "l4", datetime(2020, 1, 2, tzinfo=UTC), Decimal("1.2")),
            ("runpod", "l4", start + timedelta(days=35), 1 / Decimal("1.2")),
            ("aws_gpu", "g5.xlarge", datetime(2020, 1, 2, tzinfo=UTC), Decimal("0.8")),
            ("aws_gpu", "g5.xlarge", start + timedelta(days=66), 1 / Decimal("0.8")),
        ],
    )
    return Plan(
        seed=SEED,
        first_day=start.date(),
        days=DAYS,
        recordings_a_day=_RECORDINGS_A_DAY,
        prices=prices,
        outage=DAYS - 1 - _OUTAGE_DAYS_AGO,
        anomaly=DAYS - 1 - _ANOMALY_DAYS_AGO,
        unbilled_days=_UNBILLED_DAYS,
    )
