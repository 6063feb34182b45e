"""Limits on money: what passes one is deferred before anything is spent."""

import asyncio
import dataclasses
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from escriba.billing.attempt_times import AttemptTimes
from escriba.billing.permissions import Permission, SpendLimits
from escriba.errors import OverBudgetError
from resources.spending.budget_gate import Budget
from resources.spending.reservations import Reservation, Spending

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)
EVERYTHING = Permission()


def reservation(name, usd, tenant="acme"):
    return Reservation(tenant, name * 64, 1, "0011223344556677", Decimal(usd))


def spell(usd, at=NOON, tenant="acme"):
    """A run of a minute at that cost, on a machine without a known price."""
    began, ran = at - timedelta(minutes=1), timedelta(minutes=1)
    return AttemptTimes(tenant, "runpod", "l4", "done", began, began, at, ran, Decimal(usd))


def of_backends(storage, **limits):
    usd = {name: Decimal(limit) for name, limit in limits.items()}
    return Budget(storage, SpendLimits(), now=lambda: NOON, of_backends=usd)


def on(backend, name, usd):
    return dataclasses.replace(reservation(name, usd), backend=backend)


def budget(storage, now=NOON, **limits):
    return Budget(storage, SpendLimits(**limits), now=lambda: now)


def left(storage, tenant="acme", permission=EVERYTHING, now=NOON, **limits):
    found = asyncio.run(budget(storage, now, **limits).left(tenant, permission))
    return [one.left_usd for one in found]


def test_what_is_reserved_and_what_was_spent_count_against_the_day_and_the_month(storage):
    ours = budget(storage, day_usd="10", month_usd="100")

    async def go():
        await ours.reserve(reservation("a", "2"), EVERYTHING)
        await ours.reserve(reservation("b", "3"), EVERYTHING)
        await ours.settle(reservation("b", "3"), spell("1.5"))

    asyncio.run(go())

    limits = {"day_usd": "10", "month_usd": "100"}
    assert left(storage, **limits) == [Decimal("6.5"), Decimal("96.5")]
    tomorrow = NOON + timedelta(days=1)  # what is still open counts for the day that looks at it
    assert left(storage, now=tomorrow, **limits) == [Decimal(8), Decimal("96.5")]
    next_month = NOON + timedelta(days=20)
    assert left(storage, now=next_month, **limits) == [Decimal(8), Decimal(98)]


def test_a_quote_that_would_pass_the_limit_is_refused_and_leaves_nothing(storage):
    ours = budget(storage, day_usd="3")

    async def go():
        await ours.reserve(reservation("a", "2"), EVERYTHING)
        with pytest.raises(OverBudgetError, match=r"DAILY_COST_THRESHOLD is 3\.00 USD") as caught:
            await ours.reserve(reservation("b", "1.01"), EVERYTHING)
        return caught.value

    error = asyncio.run(go())

    assert (error.needs_usd, error.permanent) == (Decimal("1.01"), False)
    assert [one.job[0] for one, _ in Spending(storage).open()] == ["a"]
    assert left(storage, day_usd="3") == [Decimal(1)]


def test_a_quote_that_just_fills_the_limit_is_taken(storage):
    asyncio.run(budget(storage, day_usd="3").reserve(reservation("a", "3"), EVERYTHING))

    assert left(storage, day_usd="3") == [Decimal(0)]


def test_a_tenant_has_limits_of_its_own_and_others_do_not_share_them(storage):
    own = Permission(budget=SpendLimits(day_usd="1"))
    ours = budget(storage)

    async def go():
        await ours.reserve(reservation("a", "0.9", tenant="acme"), own)
        await ours.reserve(reservation("b", "0.9", tenant="other"), own)
        with pytest.raises(OverBudgetError, match="the daily budget of acme"):
            await ours.reserve(reservation("c", "0.2", tenant="acme"), own)

    asyncio.run(go())

    assert left(storage, tenant="other", permission=own) == [Decimal("0.1")]


def test_runs_that_reserve_at_the_same_moment_never_pass_the_limit_together(storage):
    budgets = [budget(storage, day_usd="10") for _ in range(8)]
    taken = []

    async def one(ours, name):
        try:
            await ours.reserve(reservation(name, "3"), EVERYTHING)
        except OverBudgetError:
            return
        taken.append(name)

    async def go():
        await asyncio.gather(*(one(b, n) for b, n in zip(budgets, "abcdef01", strict=True)))

    asyncio.run(go())

    assert len(taken) <= 3
    assert left(storage, day_usd="10") == [10 - 3 * Decimal(len(taken))]


def test_a_thousand_reservations_of_one_run_share_a_few_looks_at_the_bucket(storage, monkeypatch):
    sums, real = [], Spending.sums

    def counted(spending, now, apart):
        sums.append(now)
        return real(spending, now, apart)

    monkeypatch.setattr(Spending, "sums", counted)
    ours = budget(storage, day_usd="10")

    async def go():
        names = [f"{i:064x}" for i in range(200)]
        ones = [Reservation("acme", name, 1, "00", Decimal("0.01")) for name in names]
        await asyncio.gather(*(ours.reserve(one, EVERYTHING) for one in ones))

    asyncio.run(go())

    assert len(sums) < 50
    assert left(storage, day_usd="10") == [Decimal(8)]


def test_who_is_cancelled_while_it_asks_leaves_nothing_and_disturbs_nobody(storage):
    ours = budget(storage, day_usd="3")

    async def go():
        asking = asyncio.create_task(ours.reserve(reservation("a", "2"), EVERYTHING))
        other = asyncio.create_task(ours.reserve(reservation("b", "2"), EVERYTHING))
        await asyncio.sleep(0)  # its object is being written
        asking.cancel()
        await asyncio.gather(asking, other, return_exceptions=True)

    asyncio.run(go())

    assert "a" not in [one.job[0] for one, _ in Spending(storage).open()]


def test_what_is_settled_twice_or_before_it_was_removed_counts_once(storage):
    spending, one = Spending(storage), reservation("a", "2")
    spending.reserve(one)
    spending.settle(one, spell("1"), NOON)
    spending.settle(one, spell("1"), NOON + timedelta(seconds=5))
    spending.reserve(one)  # a run was killed before it could remove it

    assert left(storage, day_usd="10") == [Decimal(9)]


def test_what_another_machine_writes_later_is_seen_though_its_clock_is_slow(storage):
    ours = Spending(storage)
    assert ours.sum(NOON).day == {}

    late = NOON - timedelta(minutes=10)
    Spending(storage).settle(reservation("a", "1"), spell("1", late), late)

    assert ours.sum(NOON + timedelta(seconds=1)).day == {"acme": Decimal(1)}


def test_without_limits_nothing_is_summed_and_open_attempts_are_listed_all_the_same(
    storage, monkeypatch
):
    monkeypatch.setattr(Spending, "sums", None)
    asyncio.run(budget(storage).reserve(reservation("a", "2"), EVERYTHING))

    assert [one.usd for one, _ in Spending(storage).open()] == [Decimal(2)]


def test_foreign_objects_among_them_are_passed_over(storage):
    storage.write("ledger/open/acme/notes.txt", b"hello")
    storage.write("ledger/spent/2026-03/notes", b"hello")

    assert list(Spending(storage).open()) == []
    assert left(storage, day_usd="10") == [Decimal(10)]


def test_a_clock_that_jumps_back_keeps_no_old_sum(storage):
    wall, steady = [NOON], [0.0]
    ours = Budget(storage, SpendLimits(day_usd="10"), lambda: wall[0], lambda: steady[0])

    async def look():
        [found] = await ours.left("acme", EVERYTHING)
        return found.left_usd

    before = asyncio.run(look())
    Spending(storage).reserve(reservation("a", "2"))  # by another run
    wall[0] -= timedelta(hours=1)
    steady[0] += 61

    assert (before, asyncio.run(look())) == (10, 8)


def test_around_midnight_both_days_have_room_since_clocks_are_apart(storage):
    """Ten minutes before the day is over, and after it has begun; by then it counts alone."""
    spent = NOON.replace(hour=23, minute=0)
    Spending(storage).settle(reservation("a", "9"), spell("9", spent), spent)
    midnight = NOON.replace(hour=0) + timedelta(days=1)

    after = [left(storage, now=midnight + timedelta(minutes=n), day_usd="10") for n in (1, 11)]
    assert after == [[1], [10]]

    early = midnight + timedelta(minutes=5)
    Spending(storage).settle(reservation("b", "4"), spell("4", early), early)
    assert left(storage, now=midnight - timedelta(minutes=2), day_usd="5") == [-4]


def test_the_limit_of_a_backend_counts_what_runs_and_ran_there_alone(storage):
    ours = of_backends(storage, runpod="10", aws_gpu="5")

    async def go():
        await ours.reserve(on("runpod", "a", "2"), EVERYTHING)
        await ours.reserve(on("runpod", "b", "3"), EVERYTHING)
        await ours.settle(on("runpod", "b", "3"), spell("1.5"))
        await ours.reserve(on("aws_gpu", "c", "4"), EVERYTHING)
        await ours.reserve(on("gcp_gpu", "d", "400"), EVERYTHING)
        return await of_backends(storage, runpod="10", aws_gpu="5").left("acme", EVERYTHING)

    left_usd = {one.backend: one.left_usd for one in asyncio.run(go())}
    assert left_usd == {"runpod": Decimal("6.5"), "aws_gpu": Decimal(1)}


def test_what_would_pass_the_limit_of_its_backend_is_refused_and_says_which(storage):
    ours = of_backends(storage, runpod="3")

    async def go():
        await ours.reserve(on("runpod", "a", "2"), EVERYTHING)
        await ours.reserve(on("aws_gpu", "b", "9"), EVERYTHING)
        await ours.reserve(on("runpod", "c", "1.5"), EVERYTHING)

    with pytest.raises(OverBudgetError, match=r"BACKEND_DAILY_LIMITS of runpod is 3\.00") as caught:
        asyncio.run(go())

    assert caught.value.backend == "runpod"
    assert sorted(one.backend for one, _ in Spending(storage).open()) == ["aws_gpu", "runpod"]


def test_a_reservation_of_an_earlier_version_names_no_backend_and_still_counts(storage):
    storage.write(f"ledger/open/acme/{'a' * 64}-1-00-2000000000", b"{}")

    assert left(storage, day_usd="10") == [Decimal(8)]
    [(one, _)] = Spending(storage).open()
    assert (one.backend, one.usd) == ("", Decimal(2))
