"""A leased machine is paid with its disk and its address: by the tables and the limits alike."""

import dataclasses
from datetime import timedelta
from decimal import Decimal

import pytest

from escriba.billing.attempt_times import attempt_times_of
from escriba.billing.permissions import SpendLimits
from escriba.billing.price_book import read_price_book
from resources.spending.reservations import Reservation, Spending

AWS = {"backend": "aws_gpu", "sku": "g5.xlarge"}
BOOK = """\
backend,sku,unit,price_usd,valid_from,valid_to,source,add_on
aws_gpu,g5.xlarge,machine_hour,0.36,2020-01-01,,test,
aws_gpu,disk,machine_hour,0.036,2020-01-01,2026-03-11,test,storage
aws_gpu,disk,machine_hour,0.072,2026-03-11,,test,storage
aws_gpu,address,machine_hour,0.0036,2020-01-01,,test,network
runpod,l4,gpu_second,0.00019,2020-01-01,,test,
"""
BURNED = "SELECT scope, today_usd, spent_usd FROM marts.budget_burn WHERE month = '{:%Y-%m-01}'"


@pytest.fixture
def leased(costs):
    costs.settings.price_book.write_text(BOOK)
    return costs


def settled(costs, row, part, now):
    costs.write(row, part)
    one = Reservation(row.tenant, f"{row.job_id:0>64}", row.attempt, "00", Decimal("0.05"))
    times = attempt_times_of(
        row,
        part,
        created_at=row.started_at - timedelta(seconds=30),
        reserved_usd=one.usd,
        overhead_usd=Decimal("0.005"),
    )
    gate_of(costs).settle(one, times, now)


def gate_of(costs):
    book = read_price_book(costs.settings.price_book)
    return Spending(costs.storage, book, shared_by=costs.settings.shared_costs_by)


def counted(costs, now):
    sums = gate_of(costs).sum(now).counted
    scopes = {"all": (sum(sums.day.values()), sum(sums.month.values()))}
    scopes |= {name: (sums.day.get(name, 0), usd) for name, usd in sums.month.items()}
    scopes.pop("unallocated", None)
    return {name: both for name, both in scopes.items() if any(both)}


def burned(costs, now):
    costs.load(all=SpendLimits(day_usd=Decimal(50)))
    costs.build(checks=False, as_of=now)
    rows = costs.ask(BURNED.format(now))
    return {name: (today, month) for name, today, month in rows if today or month}


def machine_day(costs, attempt, session, day):
    """A machine that works from 22:58:20 for 1,000 s, and again at midnight, for another tenant.

    Two jobs overlap by 100 s, and the idle timeout is 5 s. A worker of RunPod has no disk.
    """
    since = day + timedelta(hours=22, minutes=58, seconds=20)
    midnight = day + timedelta(days=1)
    began = since - timedelta(seconds=60)
    for place, (name, tenant, at, ran) in enumerate(
        [
            ("a", "acme", since, 1000.0),
            ("b", "beta", since + timedelta(seconds=900), 200.0),
            ("c", "beta", midnight - timedelta(seconds=50), 100.0),
        ]
    ):
        row = attempt(name, started_at=at, ran=ran, rtf=None, **AWS)
        row = dataclasses.replace(row, tenant=tenant, attempt_id=f"{tenant}:{name}:1")
        part = session(row, "i-1", place + 1, began=began)
        settled(costs, row, dataclasses.replace(part, instance_id="i-1"), row.ended_at)
    other = attempt("r", started_at=since)
    settled(costs, other, session(other, "runpod-life"), other.ended_at)


def beside(costs):
    rows = costs.ask(
        "SELECT day, category, sum(cost_usd) FROM marts.daily_spend "
        "WHERE category IN ('storage', 'network') GROUP BY ALL ORDER BY ALL"
    )
    return [(f"{when:%d}", category, usd) for when, category, usd in rows]


@pytest.mark.parametrize("rule", ["cost", "audio"])
def test_the_tables_and_the_limits_count_the_same_disks_and_addresses(
    leased, attempt, session, day, rule
):
    """Of the tenth the machine has 60 s of boot and all seconds from 22:58:20: 3,760 s."""
    leased.settings = leased.settings.model_copy(update={"shared_costs_by": rule})
    machine_day(leased, attempt, session, day)
    now = day + timedelta(days=1, hours=2)

    assert burned(leased, now) == counted(leased, now)
    assert beside(leased) == [
        ("10", "network", Decimal("0.00376")),
        ("10", "storage", Decimal("0.0376")),
        ("11", "network", Decimal("0.000055")),  # 50 s and the timeout
        ("11", "storage", Decimal("0.0011")),  # at twice the price
    ]


def test_they_are_charges_of_their_own_in_focus(leased, attempt, session, day):
    machine_day(leased, attempt, session, day)
    burned(leased, day + timedelta(days=2))

    rows = leased.ask(
        'SELECT "ServiceCategory", "ServiceName", "x_CostSource", sum("x_CostUsd") '
        "FROM marts.focus_charges WHERE \"x_Backend\" = 'aws_gpu' GROUP BY ALL ORDER BY ALL"
    )

    assert [row[:3] for row in rows] == [
        ("Compute", "Amazon EC2", "measured"),
        ("Networking", "Amazon VPC", "measured"),
        ("Storage", "Amazon EBS", "measured"),
    ]
    assert rows[1][3] == Decimal("0.003815")
    assert rows[2][3] == Decimal("0.0387")


def test_a_complete_bill_takes_their_place_and_an_early_one_only_if_it_says_more(
    leased, attempt, session, bill, day
):
    machine_day(leased, attempt, session, day)
    now = day + timedelta(days=2)
    early = {"imported_at": day + timedelta(hours=23)}
    leased.write(bill("aws_gpu", "0.001", **early), bill("aws_gpu", "0.002", "storage", **early))
    leased.write(bill("aws_gpu", "0.02", "network", **early))

    assert burned(leased, now) == counted(leased, now)
    assert beside(leased)[:2] == [
        ("10", "network", Decimal("0.02")),
        ("10", "storage", Decimal("0.0376")),
    ]

    leased.write(bill("aws_gpu", "0.4", imported_at=now + timedelta(days=10)))

    assert burned(leased, now) == counted(leased, now)
    assert beside(leased)[:2] == [
        ("10", "network", Decimal("0.02")),
        ("10", "storage", Decimal("0.002")),
    ]


def test_a_machine_that_is_free_in_its_first_hour_still_has_its_disk(leased, attempt, session, day):
    row = attempt(status="stopped", started_at=day + timedelta(hours=12), rtf=None, **AWS)
    part = dataclasses.replace(session(row, "i-2"), instance_id="i-2", is_free=True)
    settled(leased, row, part, row.ended_at)
    now = day + timedelta(hours=14)

    assert burned(leased, now) == counted(leased, now)
    assert beside(leased) == [
        ("10", "network", Decimal("0.00016")),  # 60 s of boot and 100 s of a run
        ("10", "storage", Decimal("0.0016")),
    ]
