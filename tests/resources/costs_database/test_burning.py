"""Limits: how far each is used, where the month goes, and that each level is told once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from escriba.billing.budget_burn import Burn, levels
from escriba.billing.permissions import SpendLimits
from resources.costs_database.budget_levels import read_levels, report_once

TODAY = date(2026, 3, 11)


@pytest.fixture
def burn():
    """Makes a scope with 40 of 100 USD spent in the month, and 1 of 10 today."""

    def make(**changes):
        usual = {"scope": "all", "today": TODAY, "spent_usd": 40, "today_usd": 1, "usd_a_day": 2}
        usual |= {"forecast_usd": 80, "forecast_low_usd": 70, "forecast_high_usd": 90}
        usual |= {"day_usd": 10, "month_usd": 100}
        return Burn(
            **{
                name: Decimal(value) if isinstance(value, int) else value
                for name, value in (usual | changes).items()
            }
        )

    return make


@pytest.mark.parametrize(
    ("changes", "states"),
    [
        ({}, ["ok", "ok"]),
        ({"spent_usd": 80}, ["warn", "ok"]),
        ({"spent_usd": 79}, ["ok", "ok"]),
        ({"forecast_usd": 101}, ["warn", "ok"]),
        ({"spent_usd": 100}, ["stop", "ok"]),
        ({"today_usd": 8}, ["warn", "ok"]),
        ({"today_usd": 10, "spent_usd": 100}, ["stop", "stop"]),
        ({"day_usd": None, "month_usd": None}, []),
        ({"day_usd": 0}, ["stop", "ok"]),
    ],
)
def test_a_limit_warns_at_its_share_or_forecast_and_stops_at_its_amount(burn, changes, states):
    assert [one.state for one in levels([burn(**changes)], Decimal("0.8"))] == states


def test_a_level_says_what_is_spent_left_burned_and_expected(burn):
    day, month = levels([burn(scope="law")], Decimal("0.8"))

    assert day.sentence == "the daily budget of law: 1.00 of 10.00 USD, 9.00 left, today."
    assert month.sentence == (
        "the monthly budget of law: 40.00 of 100.00 USD, 60.00 left, this month; 2.00 per day; "
        "forecast 80.00 (70.00 to 90.00)."
    )
    assert (day.period, month.period) == ("2026-03-11", "2026-03")


def test_two_who_find_the_same_level_tell_it_once_and_the_next_day_again(burn, storage):
    found = levels([burn(today_usd=10)], Decimal("0.8"))
    with ThreadPoolExecutor(2) as pool:
        told = list(pool.map(lambda _: report_once(storage, found), range(2)))
    tomorrow = levels([burn(today_usd=10, today=date(2026, 3, 12))], Decimal("0.8"))
    month = levels([burn(today_usd=10, spent_usd=100)], Decimal("0.8"))

    assert sorted(len(one) for one in told) == [0, 1]
    assert [one.limit for one in report_once(storage, tomorrow)] == ["DAILY_COST_THRESHOLD"]
    assert [one.limit for one in report_once(storage, month)] == ["MONTHLY_COST_THRESHOLD"]


def test_limits_are_read_with_what_was_spent_and_those_of_who_spent_nothing(costs, attempt):
    now = datetime.now(UTC).replace(microsecond=0)
    costs.write(attempt("a", started_at=now, ran=100.0))
    costs.load(all=SpendLimits(day_usd=Decimal("0.01")), law=SpendLimits(month_usd=Decimal(5)))
    costs.build(checks=False, as_of=now)

    everybody, law = read_levels(costs.settings.costs_database, Decimal("0.8"), now)

    assert (everybody.state, everybody.spent_usd) == ("stop", Decimal("0.016"))
    assert (law.state, law.left_usd) == ("ok", Decimal(5))
