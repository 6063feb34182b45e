"""A limit counts what the cost tables count: the same sums, to the nano-dollar, at every moment."""

import dataclasses
import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from pipelines.billing.lives import Life
from pipelines.billing.policy import Limits
from pipelines.billing.priced_time import Lines
from pipelines.billing.prices import Price, PriceBook, read_price_book
from pipelines.billing.spells import LifePart, Spell, spell_of
from resources.spending import Reservation, Spending

BURNED = "SELECT scope, today_usd, spent_usd FROM marts.budget_burn WHERE month = '{:%Y-%m-01}'"
LATER = datetime(2026, 3, 20, 12, tzinfo=UTC)
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


def test_a_bill_of_a_whole_day_takes_the_place_of_what_was_counted_for_it(
    costs, attempt, session, bill, day
):
    """100 s, a minute of boot and 5 s of idle are 0.03135; the bill says 0.30, and 0.05 beside."""
    row, noon = attempt("a"), day + timedelta(hours=13)
    settled(costs, row, session(row), noon)
    assert counted(gate_of(costs), noon)["all"] == (Decimal("0.03135"), Decimal("0.03135"))

    early = bill("runpod", "0.02", imported_at=noon)  # of some of the day's hours
    costs.write(early)
    assert counted(gate_of(costs), noon)["all"] == (Decimal("0.03135"), Decimal("0.03135"))

    late = dataclasses.replace(early, amount_usd=Decimal("0.30"), imported_at=LATER)
    costs.write(late, bill("runpod", "0.05", "storage"))

    now = day + timedelta(days=2)
    found = counted(gate_of(costs), now)
    assert found == burned(costs, now)
    assert found == {"all": (0, Decimal("0.35")), "acme": (0, Decimal("0.03135"))}


def test_a_worker_that_nobody_saw_is_held_until_the_bill_has_come(
    costs, attempt, session, bill, day
):
    """Two jobs of one life: the second may have started another worker, for 0.005 at most."""
    first, now = attempt("a"), day + timedelta(hours=14)
    second = attempt("b", started_at=first.ended_at)
    began = session(first).container_started_at
    settled(costs, first, session(first), now)
    settled(costs, second, session(second, sequence=2, began=began), now)

    held = gate_of(costs).sum(now).held
    assert held.day == {"unallocated": Decimal("0.00519")}  # and a second, rounded up

    costs.write(bill("runpod", "0.30"))
    tomorrow = gate_of(costs).sum(day + timedelta(days=1, hours=1))
    assert sum(tomorrow.month.values()) == Decimal("0.30")


def test_what_a_lost_worker_had_reserved_is_held_beyond_its_last_beat(costs, attempt, session, day):
    row, now = attempt("a", status="lost"), day + timedelta(hours=13)
    settled(costs, row, session(row), now)

    assert gate_of(costs).sum(now).held.day == {"acme": Decimal("0.031"), "unallocated": 0}


def test_what_an_earlier_version_wrote_down_counts_until_a_bill_has_it(costs, bill, day):
    name = f"10T120000_{'a' * 64}-1-00_250000000_acme"
    costs.storage.write(f"ledger/spent/2026-03/{name}", b"{}")
    now = day + timedelta(days=1)
    assert counted(gate_of(costs), now)["all"] == (0, Decimal("0.25"))

    costs.write(bill("runpod", "0.30"))
    assert counted(gate_of(costs), now)["all"] == (0, Decimal("0.30"))


def test_a_clock_that_was_set_puts_no_money_on_a_day_that_no_limit_looks_at(costs, attempt, day):
    row, now = attempt("a", started_at=day - timedelta(days=300)), day + timedelta(hours=13)
    one = Reservation("acme", "a" * 64, 1, "00", Decimal("0.05"))
    spell = spell_of(row, None, created_at=now, reserved_usd=one.usd, overhead_usd=Decimal(0))

    gate_of(costs).settle(one, spell, now)

    assert counted(gate_of(costs), now)["all"] == (Decimal("0.019"), Decimal("0.019"))


def test_a_worker_that_was_frozen_is_paid_for_its_timeout_and_two_jobs_at_once_are_paid_once():
    """Three hours between two jobs and a timeout of 5 s; the third begins 10 s before its time."""
    at, life = datetime(2026, 3, 12, 12, tzinfo=UTC), Life(Lines(book()))
    for sequence, (start, ran) in enumerate([(0, 100), (10_900, 50), (10_940, 50)], start=1):
        began, timeout = at - timedelta(seconds=60), timedelta(seconds=5)
        part = LifePart("boot", sequence, began, at, timeout)
        since, run = at + timedelta(seconds=start), timedelta(seconds=ran)
        spell = Spell("acme", "runpod", "l4", "done", since, since, since + run, run, Decimal(1))
        life.put(str(sequence), spell, part)

    # boot 60 s, idle 5 and 5 s, and 10 s that were paid already, at 0.00016
    assert sum(one.nano for one in life.charges()) == 60 * 160_000


def book():
    since, until = datetime(2020, 1, 1, tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    return PriceBook((Price("runpod", "l4", "gpu_second", Decimal("0.00016"), since, until, ""),))
