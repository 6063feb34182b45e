"""A limit counts what the cost tables count: the same sums, to the nano-dollar, at every moment."""

import dataclasses
import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from escriba.billing.attempt_times import AttemptTimes, LifeJob, attempt_times_of
from escriba.billing.permissions import SpendLimits
from escriba.billing.price_book import Price, PriceBook, read_price_book
from escriba.billing.price_periods import run_usd
from escriba.billing.priced_time import PriceLines
from escriba.billing.worker_charges import WorkerLife
from resources.gpu.open_engine import workers_of
from resources.spending.reservations import Reservation, Spending

BURNED = "SELECT scope, today_usd, spent_usd FROM marts.budget_burn WHERE month = '{:%Y-%m-01}'"
LATER = datetime(2026, 3, 20, 12, tzinfo=UTC)
STATUSES = ("done", "done", "done", "failed", "lost", "stopped")


def gate_of(costs):
    """As another machine has it, that knows nothing but the bucket."""
    book = read_price_book(costs.settings.price_book)
    return Spending(costs.storage, book, shared_by=costs.settings.shared_costs_by)


def settled(costs, row, session, now, reserved="0.05"):
    """As an engine ends an attempt: its rows, then what the limits must know."""
    costs.write(*filter(None, [row, session]))
    one = Reservation(row.tenant, f"{row.job_id:0>64}", row.attempt, "00", Decimal(reserved))
    times = attempt_times_of(
        row,
        session,
        created_at=row.started_at - timedelta(seconds=30),
        reserved_usd=one.usd,
        overhead_usd=Decimal("0.005"),
    )
    gate_of(costs).settle(one, times, now)


def counted(gate, now):
    """By scope: what counts today, and this month."""
    sums = gate.sum(now).counted
    scopes = {"all": (sum(sums.day.values()), sum(sums.month.values()))}
    scopes |= {name: (sums.day.get(name, 0), usd) for name, usd in sums.month.items()}
    scopes.pop("unallocated", None)
    return {name: both for name, both in scopes.items() if any(both)}


def burned(costs, now):
    costs.load(all=SpendLimits(day_usd=Decimal(50)))
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
            gap = 900_000_000 if number % 3 == 0 else 5_000_000
            at += timedelta(microseconds=dice.choice([0, dice.randrange(gap)]))
            ran = dice.choice([0.0, dice.randrange(1, 3_000_000_000) / 1e6])
            tenant = dice.choice(["acme", "beta"])
            row = make_attempt(f"{number}x{place}", started_at=at, ran=ran, rtf=None)
            row = dataclasses.replace(row, tenant=tenant, attempt_id=f"{tenant}:{number}x{place}:1")
            row = dataclasses.replace(row, status=dice.choice(STATUSES))
            at = row.ended_at
            part = make_session(row, f"l{number}", place + 1, began=began, boot=boot)
            if number % 3 == 0:  # a leased machine, on which each job has a process of its own
                ready = row.started_at if place else part.models_ready_at
                part = dataclasses.replace(part, instance_id=f"i-{number}", models_ready_at=ready)
                usd = dice.choice([None, Decimal(dice.randrange(10**9)).scaleb(-9)])
                row = dataclasses.replace(row, spot_usd_per_hour=usd)
                is_free = number == 6  # one of them is taken back within an hour
                part = dataclasses.replace(part, spot_usd_per_hour=usd, is_free=is_free)
            jobs.append((row, part))
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


BOOKS = {
    "column": "runpod,l4,gpu_second,0.00019,2020-01-01,,test,0.00013\n",
    "a sku of its own": "runpod,l4,gpu_second,0.00019,2020-01-01,,test,\n"
    "runpod,l4-active,gpu_second,0.00013,2020-01-01,,test,\n",
}


@pytest.mark.parametrize("book", BOOKS.values(), ids=list(BOOKS))
def test_a_worker_that_is_kept_warm_waits_at_its_active_price(costs, attempt, session, day, book):
    """Two runs of 100 s and a minute of boot at 0.00019; an hour and 5 s of waiting at 0.00013.

    Between them the number of warm workers is set to none: what the first job said holds until the
    second, and the timeout after that has the usual price.
    """
    heading = "backend,sku,unit,price_usd,valid_from,valid_to,source,active_price_usd\n"
    costs.settings.price_book.write_text(heading + book)
    now, first = day + timedelta(hours=14), attempt("a")
    second = attempt("b", started_at=first.ended_at + timedelta(hours=1))
    part = session(first)
    settled(costs, first, dataclasses.replace(part, warm_workers=1), now)
    settled(costs, second, session(second, sequence=2, began=part.container_started_at), now)

    usual, waited = (200 + 60 + 5) * Decimal("0.00019"), 3600 * Decimal("0.00013")
    assert counted(gate_of(costs), now)["all"] == (usual + waited, usual + waited)
    assert burned(costs, now) == counted(gate_of(costs), now)


@pytest.mark.parametrize("rule", ["cost", "audio"])
def test_what_bills_have_beside_machines_is_shared_out_as_the_tables_do(  # noqa: PLR0913, PLR0917
    costs, attempt, session, bill, day, rule
):
    """Taxes, a disk and a credit of two days; of the jobs one was done twice, and counts once."""
    since, now, dice = day + timedelta(hours=12), day + timedelta(days=5), random.Random(7)
    for row, part in fleet(attempt, session, since, 3):
        audio = dice.randrange(1, 3_600_000) / 1000
        settled(costs, dataclasses.replace(row, audio_seconds=audio), part, now)
    for number in (1, 2):
        begins = {"started_at": since + timedelta(hours=number)}
        again = attempt("twice", attempt_id=f"acme:twice:{number}", attempt=number, **begins)
        settled(costs, again, None, now)
    for place, (usd, category) in enumerate(
        [("0.7", "tax"), ("0.05", "storage"), ("-0.3", "credit")]
    ):
        begins = day + timedelta(days=place // 2)
        ends = begins + timedelta(days=1)
        costs.write(bill("runpod", usd, category, period_start=begins, period_end=ends))
    apart = counted(gate_of(costs), now)
    costs.settings = costs.settings.model_copy(update={"shared_costs_by": rule})

    found = counted(gate_of(costs), now)

    assert found == nearly(burned(costs, now))
    assert found["all"] == apart["all"]
    more = found["acme"][1] + found["beta"][1] - apart["acme"][1] - apart["beta"][1]
    assert more == Decimal("0.45")  # all that was nobody's


@pytest.mark.parametrize("rule", ["cost", "audio"])
def test_audio_counts_as_it_was_bought_and_shares_costs_as_it_was_heard(
    costs, attempt, bill, day, rule
):
    """At 0.006 a minute: acme bought 5 minutes, was killed, and 6 more; beta all 10, which nobody
    noted. acme's speakers, 10 minutes at 0.006, were a job of their own.

    A tax of 0.24 is shared by cost, 0.126 to 0.06; or by audio, of which each heard ten minutes.
    """
    api = {"backend": "openai", "sku": "whisper-1"}
    began, now = day + timedelta(hours=9), day + timedelta(days=2)
    book = read_price_book(costs.settings.price_book)

    def bought(name, number, seconds, **changes):
        id_ = f"{changes.get('tenant', 'acme')}:{name}:{number}"
        row = attempt(name, started_at=began + timedelta(hours=number), attempt_id=id_, **changes)
        row = dataclasses.replace(row, attempt=number, bought_audio_seconds=seconds, **api)
        ran = {"run_seconds": row.run_seconds, "audio_seconds": row.audio_seconds}
        price = book.tariff(row.backend, row.sku, row.started_at)
        usd = run_usd(price, row.started_at, **ran, bought_seconds=row.bought_audio_seconds)
        settled(costs, dataclasses.replace(row, cost_usd=usd), None, now)

    bought("a", 1, 300.0, status="lost", rtf=None)
    bought("a", 2, 360.0)
    bought("people", 1, 600.0, model="speakers:light", recording="acme/a.mp3")
    bought("b", 1, None, tenant="beta", recording="beta/b.mp3")
    assert counted(gate_of(costs), now)["all"][1] == Decimal("0.186")
    costs.write(bill("openai", "0.24", "tax"))
    costs.settings = costs.settings.model_copy(update={"shared_costs_by": rule})

    found = counted(gate_of(costs), now)

    assert found == nearly(burned(costs, now))
    taxes = {"cost": "0.162580645", "audio": "0.12"}[rule]
    assert found["acme"][1] == Decimal("0.126") + Decimal(taxes)


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


@pytest.mark.parametrize("backend", ["runpod", "aws_gpu", "gcp_gpu"])
def test_no_more_is_held_than_so_many_workers_can_cost_while_there_were_jobs(
    costs, attempt, session, day, backend
):
    """Ten jobs within 130 s on one worker: each may have started one, but one at a time."""
    heading = "backend,sku,unit,price_usd,valid_from,valid_to,source,active_price_usd\n"
    line = f"{backend},l4,gpu_second,0.00019,2020-01-01,,test,\n"
    costs.settings.price_book.write_text(heading + line)
    one_worker = {"runpod_workers_max": 1, "machines_at_once": 1}
    settings = costs.settings.model_copy(update=one_worker)
    book, now = read_price_book(settings.price_book), day + timedelta(hours=14)
    for number in range(10):
        row = attempt(str(number), backend=backend)
        settled(costs, row, session(row, "one life", number + 1), now)

    unlimited = Spending(costs.storage, book).sum(now).held.day["unallocated"]
    limited = Spending(costs.storage, book, workers_of(settings)).sum(now).held.day["unallocated"]

    assert 0 < limited < unlimited / 2


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
    times = attempt_times_of(
        row, None, created_at=now, reserved_usd=one.usd, overhead_usd=Decimal(0)
    )

    gate_of(costs).settle(one, times, now)

    assert counted(gate_of(costs), now)["all"] == (Decimal("0.019"), Decimal("0.019"))


def test_a_worker_that_was_frozen_is_paid_for_its_timeout_and_two_jobs_at_once_are_paid_once():
    """Three hours between two jobs and a timeout of 5 s; the third begins 10 s before its time."""
    at, life = datetime(2026, 3, 12, 12, tzinfo=UTC), WorkerLife(PriceLines(book()))
    for sequence, (start, ran) in enumerate([(0, 100), (10_900, 50), (10_940, 50)], start=1):
        began, timeout = at - timedelta(seconds=60), timedelta(seconds=5)
        part = LifeJob("boot", sequence, began, at, timeout)
        since, run = at + timedelta(seconds=start), timedelta(seconds=ran)
        times = AttemptTimes(
            "acme", "runpod", "l4", "done", since, since, since + run, run, Decimal(1)
        )
        life.put(str(sequence), times, part)

    # boot 60 s, idle 5 and 5 s, and 10 s that were paid already, at 0.00016
    assert sum(one.nano for one in life.charges()) == 60 * 160_000


def book():
    since, until = datetime(2020, 1, 1, tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    return PriceBook((Price("runpod", "l4", "gpu_second", Decimal("0.00016"), since, until, ""),))
