"""A limit counts what the cost tables count: the same sums, to the nano-dollar, at every moment."""

import dataclasses
import random
from datetime import timedelta
from decimal import Decimal

import pytest

from pipelines.billing.policy import Limits
from pipelines.billing.prices import read_price_book
from pipelines.billing.spells import spell_of
from resources.spending import Reservation, Spending

BURNED = "SELECT scope, today_usd, spent_usd FROM marts.budget_burn WHERE month = '{:%Y-%m-01}'"
STATUSES = ("done", "done", "done", "failed", "lost", "stopped")


def gate_of(costs):
    """As another machine has it, that knows nothing but the bucket."""
    return Spending(costs.storage, read_price_book(costs.settings.price_book))


def settled(costs, row, session, now, reserved="0.05"):
    """As an engine ends an attempt: its rows, then what the limits must know."""
    costs.write(*filter(None, [row, session]))
    one = Reservation(row.tenant, f"{row.job_id:0>64}", row.attempt, "00", Decimal(reserved))
    spell = spell_of(
        row,
        session,
        created_at=row.started_at - timedelta(seconds=30),
        reserved_usd=one.usd,
        overhead_usd=Decimal("0.005"),
    )
    gate_of(costs).settle(one, spell, now)


def counted(gate, now):
    """By scope: what counts today, and this month."""
    sums = gate.sum(now).counted
    scopes = {"all": (sum(sums.day.values()), sum(sums.month.values()))}
    scopes |= {name: (sums.day.get(name, 0), usd) for name, usd in sums.month.items()}
    scopes.pop("unallocated", None)
    return {name: both for name, both in scopes.items() if any(both)}


def burned(costs, now):
    costs.load(all=Limits(day_usd=Decimal(50)))
    costs.build(checks=False, as_of=now)
    rows = costs.ask(BURNED.format(now))
    return {name: (today, month) for name, today, month in rows if today or month}


def fleet(make_attempt, make_session, since, seed):
    """Lives of one to six jobs of two tenants, over two days, in the order in which jobs end."""
    dice, jobs = random.Random(seed), []
    for number in range(12):
        began = since + timedelta(microseconds=dice.randrange(2 * 86_400_000_000))
        at = began + timedelta(microseconds=dice.randrange(120_000_000))
        boot = (at - began).total_seconds()
        for place in range(dice.randint(1, 6)):
            at += timedelta(microseconds=dice.choice([0, dice.randrange(5_000_000)]))
            ran = dice.choice([0.0, dice.randrange(1, 3_000_000_000) / 1e6])
            tenant = dice.choice(["acme", "beta"])
            row = make_attempt(f"{number}x{place}", started_at=at, ran=ran, rtf=None)
            row = dataclasses.replace(row, tenant=tenant, attempt_id=f"{tenant}:{number}x{place}:1")
            row = dataclasses.replace(row, status=dice.choice(STATUSES))
            at = row.ended_at
            jobs.append((row, make_session(row, f"l{number}", place + 1, began=began, boot=boot)))
    return sorted(jobs, key=lambda job: job[0].ended_at)


@pytest.mark.parametrize("seed", [1, 2])
def test_whatever_ends_the_limit_counts_what_the_tables_do(costs, attempt, session, day, seed):
    """Jobs, boots and idle workers span midnight; lives go on while their jobs are settled."""
    knows = gate_of(costs)  # one that lives all the time, and reads only what is new
    jobs = fleet(attempt, session, day + timedelta(days=2, hours=12), seed)
    for third in range(3):
        some = jobs[third * len(jobs) // 3 : (third + 1) * len(jobs) // 3]
        for row, part in some:
            settled(costs, row, part, row.ended_at + timedelta(seconds=20))
        now = some[-1][0].ended_at + timedelta(minutes=1)

        assert counted(gate_of(costs), now) == counted(knows, now) == nearly(burned(costs, now))


def nearly(scopes):
    """Sums of hundreds of parts, each of which may be rounded the other way."""
    part = Decimal("0.000000100")
    return {
        name: tuple(pytest.approx(usd, abs=part) for usd in both) for name, both in scopes.items()
    }
