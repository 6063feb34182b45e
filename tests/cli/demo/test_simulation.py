"""A fleet whose every dollar is known, and how close the marts come to the truth."""

from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pyarrow as pa
import pytest

from bench.costs_truth import CHARGED, EXPLAINED, allocation_errors, quantile, unexplained
from bench.simulated_ledger import attempts_table, sessions_table
from cli.demo.simulation.bills import bill_of_lives
from cli.demo.simulation.days import simulate_day
from cli.demo.simulation.fleet import simulate
from cli.demo.simulation.lives import Lives
from cli.demo.simulation.meters import meter
from cli.demo.simulation.plan import MACHINES, SENDERS, SimulationPlan
from cli.demo.simulation.prices import with_changes
from cli.demo.simulation.rows import ledger_rows, session_rows
from escriba.billing.price_book import read_price_book
from escriba.billing.price_csv import book_csv
from escriba.billing.price_periods import run_usd
from escriba.settings import HOUSE
from resources.ledger.tables import schema
from resources.ledger.writer import write_rows

FIRST_DAY = date(2026, 3, 1)
CHEAPER = datetime(2026, 3, 8, tzinfo=UTC)


@pytest.fixture(scope="module")
def book():
    """As shipped, and an L4 that becomes dearer in the middle."""
    shipped = read_price_book(HOUSE / "dbt_costs" / "seeds" / "price_book.csv")
    return with_changes(shipped, [("runpod", "l4", CHEAPER, Decimal("1.25"))])


@pytest.fixture(scope="module")
def plan(book):
    """Two weeks, an outage on the tenth day, an archive on the twelfth."""
    return SimulationPlan(6, FIRST_DAY, 14, 150, book, outage=9, anomaly=11)


@pytest.fixture(scope="module")
def fleet(plan):
    return simulate(plan)


def test_the_same_seed_makes_the_same_fleet_and_another_one_another(plan, fleet, book):
    again = simulate(plan)

    assert again.attempts == fleet.attempts
    assert again.sessions == fleet.sessions
    assert again.invoices == fleet.invoices
    assert again.truth.recordings == fleet.truth.recordings
    other = simulate(SimulationPlan(7, FIRST_DAY, 1, 150, book))
    assert other.attempts[0] != fleet.attempts[0]


def test_what_is_true_of_recordings_and_of_nobody_is_what_is_billed(fleet):
    """To a nano-dollar for each line: bills are rounded, the truth is not."""
    lines = [row for row in fleet.invoices if row.category == "compute"]

    assert sum(row.amount_usd for row in lines) == fleet.billed_usd
    assert abs(fleet.truth.total_usd - fleet.billed_usd) < len(lines) * Decimal("1e-9")
    assert fleet.truth.unused_nano > 0


def test_an_attempt_is_written_down_at_the_price_of_each_of_its_seconds(fleet, book):
    for row in fleet.attempts:
        if row.status != "none":
            price = book.tariff(row.backend, row.sku, row.started_at)
            assert row.usd_per_hour == price.at(row.started_at).usd_per_hour
            assert row.cost_usd == run_usd(
                price,
                row.started_at,
                run_seconds=row.run_seconds,
                audio_seconds=row.audio_seconds,
            )


def test_everything_that_befalls_a_fleet_befalls_this_one(fleet, plan):
    assert {row.tenant for row in fleet.attempts} == {sender.name for sender in SENDERS}
    kinds = Counter((row.backend, row.status) for row in fleet.attempts)
    for kind in [("runpod", "lost"), ("aws_gpu", "stopped"), ("openai", "failed")]:
        assert kinds[kind], kind
    assert kinds["none", "none"]  # copies
    jobs = defaultdict(list)
    for row in fleet.attempts:
        jobs[row.tenant, row.job_id].append(row)
    chains = {tuple(r.status for r in sorted(j, key=lambda r: r.attempt)) for j in jobs.values()}
    assert ("lost", "done") in chains
    assert ("failed",) in chains  # nobody tried again
    assert ("done", "done") in chains  # was given up and won
    assert all(len(r) == 1 or r[0].audio_seconds == r[1].audio_seconds for r in jobs.values())
    midnight = [
        row for row in fleet.sessions if row.container_started_at.date() != row.job_ended_at.date()
    ]
    assert midnight
    hours = Counter(row.started_at.hour for row in fleet.attempts)
    assert sum(hours[h] for h in range(6)) > 2 * sum(hours[h] for h in range(10, 16))


def test_a_worker_has_one_job_at_a_time_and_waits_no_longer_than_its_timeout(fleet):
    lives = defaultdict(list)
    for row in fleet.sessions:
        lives[row.session_id].append(row)
    for rows in lives.values():
        assert [row.sequence for row in rows] == list(range(1, len(rows) + 1))
        assert rows[0].container_started_at <= rows[0].models_ready_at <= rows[0].job_started_at
        for one, following in pairwise(rows):
            pause = (following.job_started_at - one.job_ended_at).total_seconds()
            assert 0 <= pause <= one.idle_timeout_seconds


def test_on_the_day_of_an_outage_others_do_the_work_and_workers_boot_for_nothing(plan):
    usual, out = simulate_day(plan, 8), simulate_day(plan, 9)

    def jobs(parts):
        return Counter({part.machine.backend: 0 for part in parts}) + Counter(
            part.machine.backend for part in parts for _ in part.job
        )

    assert jobs(out)["runpod"] < jobs(usual)["runpod"] / 3
    assert jobs(out)["openai"] > jobs(usual)["openai"]
    share = [
        sum(p.unused_nano for p in day) / sum(p.true_nano.sum() for p in day)
        for day in (usual, out)
    ]
    assert share[1] > share[0]


def test_machines_have_days_without_any_work(book):
    small = simulate(SimulationPlan(6, FIRST_DAY, 30, 3, book))

    days = {(row.backend, row.started_at.date()) for row in small.attempts}
    assert 0 < len(days) < 30 * len({machine.backend for machine in MACHINES})


def test_bills_that_have_not_come_are_not_there(book):
    late = simulate(SimulationPlan(6, FIRST_DAY, 4, 50, book, unbilled_days=2))

    assert {row.period_start.date() for row in late.invoices} == {FIRST_DAY, date(2026, 3, 2)}


def test_rows_by_the_million_are_the_same_rows(plan):
    for day in (0, 9):
        for number, part in enumerate(simulate_day(plan, day)):
            for rows, table in (
                (
                    list(ledger_rows(plan, day, number, part)),
                    attempts_table(plan, day, number, part),
                ),
                (
                    list(session_rows(plan, day, number, part)),
                    sessions_table(plan, day, number, part),
                ),
            ):
                wanted = [{name: getattr(row, name) for name in row.__slots__} for row in rows]
                assert table.to_pylist() == pa.Table.from_pylist(wanted, table.schema).to_pylist()
                assert not rows or table.schema == schema(type(rows[0]))


@pytest.fixture(scope="module")
def measured(tmp_path_factory, new_costs, fleet, book):
    """The same fleet through the ledger and the marts."""
    costs = new_costs(tmp_path_factory.mktemp("fleet"))
    costs.settings.price_book.write_text(book_csv(book))
    write_rows(costs.storage, [*fleet.attempts, *fleet.sessions, *fleet.invoices])
    costs.load()
    costs.build(as_of=datetime(2026, 3, 15, 12, tzinfo=UTC))
    return costs


def test_each_recording_is_charged_what_it_really_cost(measured, fleet):
    charged = dict(measured.ask(CHARGED))
    errors = allocation_errors(fleet, charged)

    assert quantile(errors, 0.95) < Decimal("0.005")
    assert quantile(errors, 0.99) < Decimal("0.01")
    assert max(errors) < Decimal("0.05")  # those of workers that were killed among them
    assert set(charged) - set(fleet.truth.recordings) == {
        row.recording for row in fleet.attempts if row.status == "none"
    }


def test_of_lives_above_five_minutes_little_stays_unexplained(measured, fleet):
    share, lives = unexplained(fleet, dict(measured.ask(EXPLAINED)))

    assert lives > 100
    assert share < Decimal("0.02")


def test_workers_that_never_had_a_job_stay_unexplained(measured, fleet):
    [(left,)] = measured.ask("SELECT sum(unexplained_usd) FROM marts.reconciliation")
    nobody = Decimal(round(fleet.truth.unused_nano)).scaleb(-9)

    assert abs(left - nobody) < fleet.billed_usd * Decimal("0.01")
    assert {machine.backend for machine in MACHINES} == {
        backend for (backend,) in measured.ask("SELECT DISTINCT backend FROM marts.reconciliation")
    }


def test_no_day_is_an_alarm_but_those_on_which_workers_without_a_job_cost_that_much(measured, plan):
    """What is billed of a day and what is measured of it are cut at the same midnight."""
    nobody = nobody_by_day(plan)
    days = measured.ask(
        "SELECT backend, day, machines_usd, unexplained_usd, is_alarming FROM marts.reconciliation"
    )

    for backend, day, billed, left, _ in days:
        assert abs(left - nobody[backend, day]) < billed * Decimal("0.005"), (backend, day)
    alarms = {(backend, day) for backend, day, *_, is_alarming in days if is_alarming}
    assert alarms == {
        (backend, day)
        for backend, day, billed, *_ in days
        if nobody[backend, day] > billed * Decimal("0.05")
    }
    assert alarms == {("runpod", FIRST_DAY + timedelta(days=plan.outage))}


def nobody_by_day(plan):
    """USD of lives without a job, by backend and day."""
    nobody = defaultdict(Decimal)
    for part in (part for day in range(plan.days) for part in simulate_day(plan, day)):
        moments = ("began", "seen", "ready", "ended", "paid_until")
        lives = {name: getattr(part.lives, name)[part.lives.with_jobs :] for name in moments}
        bill = bill_of_lives(part.machine, meter(plan, part.machine), Lives(**lives, with_jobs=0))
        for bucket, nano in zip(bill.bucket, bill.nano, strict=True):
            day = FIRST_DAY + timedelta(microseconds=int(bucket) * part.machine.bucket)
            nobody[part.machine.backend, day] += Decimal(int(nano)).scaleb(-9)
    return nobody
