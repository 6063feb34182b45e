"""A worker's life in the ledger: boot, busy and idle seconds, and what they cost."""

import dataclasses
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from escriba.billing.attempts import AttemptEnd, AttemptSession
from escriba.billing.ledger_rows import ledger_row
from escriba.billing.price_book import Price
from escriba.billing.worker_sessions import session_row
from gpu_job.contract import CloudMachine
from resources.ledger.queries import open_ledger
from resources.ledger.writer import write_rows

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
L4 = Price(
    "runpod",
    "l4",
    "gpu_second",
    Decimal("0.001"),
    NOON - timedelta(days=1),
    NOON + timedelta(days=1),
    "test",
)


@pytest.fixture
def life(ended):
    """Makes the row of a job that ran from one second of a worker's life to another."""

    def make(number, since, until, **changes):
        return session_row(ended(number, since, until, **changes), L4)

    return make


@pytest.fixture
def ended(attempt):
    """Makes an attempt that ran from one second of a worker's life to another."""

    def make(  # noqa: PLR0913  # of a process, by name
        number, since, until, *, boot="b1", container=0, ready=40, machine=None, **changes
    ):
        session = AttemptSession(
            boot=boot,
            sequence=number,
            gpu="NVIDIA L4",
            container_started_at=None if container is None else at(container),
            models_ready_at=at(ready),
            machine=machine,
        )
        end = AttemptEnd(
            status="done", worker="pod-1", session=session, started_at=at(since), ended_at=at(until)
        )
        return attempt().model_copy(
            update={
                "attempt": number,
                "backend": "runpod",
                "sku": "l4",
                "quote_usd": Decimal(1),
                "idle_seconds": 5.0,
                "end": end,
                **changes,
            }
        )

    return make


def at(second):
    return NOON + timedelta(seconds=second)


def as_it_ended(job, status):
    return job.model_copy(update={"end": job.end.model_copy(update={"status": status})})


def instances(storage):
    names = "session_id, jobs, boot_seconds, busy_seconds, idle_seconds, paid_seconds, cost_usd"
    with open_ledger(storage) as ledger:
        return ledger.execute(f"SELECT {names} FROM instances ORDER BY session_id").fetchall()


def test_a_life_is_its_boot_its_jobs_and_what_lies_between_and_after(storage, life):
    write_rows(storage, [life(1, 42, 100), life(2, 104, 204)])

    # 40 s of boot, 158 s of work, 2 + 4 s between, 5 s after the last job
    assert instances(storage) == [("runpod:b1", 2, 40, 158, 11, 209, Decimal("0.209"))]


@pytest.mark.parametrize(
    ("changes", "idle"),
    [
        ({}, 10),  # frozen after 5 s, and 5 s at its end
        ({"warm_workers": 1}, 10_805),
        ({"idle_seconds": 0.0}, 10_800),  # nothing ends the waiting of a machine
    ],
)
def test_a_worker_that_resumes_after_three_hours_was_frozen_unless_it_is_kept_warm(
    storage, life, changes, idle
):
    write_rows(storage, [life(1, 40, 100, **changes), life(2, 10_900, 11_000, **changes)])

    [found] = instances(storage)
    assert found[2:6] == (40, 160, idle, 200 + idle)


def test_jobs_at_the_same_time_share_their_seconds(storage, life):
    write_rows(storage, [life(1, 40, 100), life(2, 60, 90), life(3, 80, 150)])

    [found] = instances(storage)
    assert found[2:5] == (40, 110, 5)


def test_a_boot_that_cannot_be_is_none(storage, life):
    """27 hours, as a container's clock once had it."""
    write_rows(storage, [life(1, 42, 100, container=-97_158)])

    [found] = instances(storage)
    assert found[2:5] == (0, 58, 7)


@pytest.mark.parametrize(
    ("first", "last", "idle"),
    [("done", "lost", 4), ("done", "stopped", 4), ("lost", "done", 9), ("done", "failed", 9)],
)
def test_a_worker_that_died_with_its_last_job_waited_for_no_other(
    storage, ended, first, last, idle
):
    """4 s lie between its jobs, and its timeout is 5 s."""
    jobs = [as_it_ended(ended(1, 40, 100), first), as_it_ended(ended(2, 104, 204), last)]
    write_rows(storage, [ledger_row(job, L4) for job in jobs])
    write_rows(storage, [session_row(job, L4) for job in jobs])

    [(_, _, boot, busy, idle_seconds, paid, _)] = instances(storage)
    assert (boot, busy, idle_seconds, paid) == (40, 160, idle, 200 + idle)


def test_a_job_that_was_given_up_and_won_all_the_same_is_no_death(storage, ended):
    for status in ("done", "lost"):
        job = as_it_ended(ended(1, 40, 100), status)
        write_rows(storage, [ledger_row(job, L4), session_row(job, L4)])

    assert [row[4] for row in instances(storage)] == [5]


def test_a_row_that_is_told_twice_counts_once(storage, life):
    write_rows(storage, [life(1, 42, 100)])
    write_rows(storage, [life(1, 42, 100)])

    assert [row[1:4] for row in instances(storage)] == [(1, 40, 58)]


def test_lives_are_apart_and_one_whose_start_is_unknown_has_no_boot(storage, life):
    write_rows(storage, [life(1, 42, 100), life(1, 50, 60, boot="b2", container=None)])

    assert [row[:4] for row in instances(storage)] == [
        ("runpod:b1", 1, 40, 58),
        ("runpod:b2", 1, 0, 10),
    ]


def test_an_attempt_that_no_worker_began_is_part_of_no_life(attempt):
    buried = AttemptEnd(status="buried", ended_at=NOON)

    assert session_row(attempt().model_copy(update={"end": buried}), L4) is None
    assert session_row(attempt().model_copy(update={"end": None}), L4) is None


def test_a_machine_that_nobody_pays_for_has_no_boot(life, attempt):
    unpaid = attempt().model_copy(update={"quote_usd": Decimal(0)})
    session = AttemptSession(boot="b", sequence=1, container_started_at=at(-90_000))
    end = AttemptEnd(status="done", session=session, started_at=at(0), ended_at=at(1))

    row = session_row(unpaid.model_copy(update={"end": end}), L4)

    assert row.container_started_at is None


MACHINE = CloudMachine(
    id="i-0123456789abcdef0", type="g5.xlarge", zone="us-east-1b", is_spot=True, started_at=at(-60)
)


def on_machine(life):
    """Two processes on one machine, which booted a minute before the first container began.

    The first is ready at 40 and has two jobs; the second begins at 250, is ready at 290, and has
    one. The machine's idle timeout is 5 s.
    """
    return [
        life(1, 42, 100, machine=MACHINE),
        life(2, 104, 204, machine=MACHINE),
        life(1, 300, 400, machine=MACHINE, boot="b2", container=250, ready=290),
    ]


def test_a_machine_boots_once_whatever_processes_follow_one_another_on_it(storage, life):
    """100 s of boot; 258 s of work; 2 + 4 + 96 s between jobs, and 5 s after the last one."""
    write_rows(storage, on_machine(life))

    assert instances(storage) == [
        ("runpod:i-0123456789abcdef0", 3, 100, 258, 107, 465, Decimal("0.465"))
    ]


def test_the_rows_of_a_machine_are_in_the_order_of_its_jobs_and_say_where_it_ran(life):
    rows = on_machine(life)

    assert [row.sequence for row in rows] == [102_000, 164_000, 360_000]
    assert len({row.row_id for row in rows}) == 3
    assert {(row.instance_type, row.zone, row.is_spot) for row in rows} == {
        ("g5.xlarge", "us-east-1b", True)
    }


def test_a_machine_whose_start_is_unknown_is_billed_from_its_container(life):
    row = life(1, 42, 100, machine=CloudMachine(id="i-1"))

    assert (row.session_id, row.container_started_at, row.zone) == ("runpod:i-1", at(0), None)


@pytest.mark.parametrize(
    ("until", "changes", "backend", "is_free"),
    [
        (3_530, {"is_reclaimed": True}, "aws_gpu", True),
        (3_550, {"is_reclaimed": True}, "aws_gpu", False),  # 3,610 s after its start
        (3_530, {}, "aws_gpu", False),  # ended by us
        (3_530, {"is_reclaimed": True}, "gcp_gpu", False),
    ],
)
def test_a_machine_that_ec2_takes_back_within_its_first_hour_is_free(
    ended, until, changes, backend, is_free
):
    job = as_it_ended(ended(1, 42, until, machine=MACHINE, backend=backend), "stopped")
    job = job.model_copy(update={"end": job.end.model_copy(update=changes)})

    assert session_row(job, L4).is_free is is_free


def test_a_run_at_the_spot_price_of_its_zone_costs_that(ended):
    """100 s at 0.36 USD an hour."""
    job = ended(1, 42, 142, machine=MACHINE)
    spot = {"spot_usd_per_hour": Decimal("0.36")}
    job = job.model_copy(update={"end": job.end.model_copy(update=spot)})

    row, session = ledger_row(job, L4), session_row(job, L4)

    assert (row.cost_usd, row.usd_per_hour) == (Decimal("0.01"), Decimal("0.36"))
    assert session.usd_per_hour == session.spot_usd_per_hour == Decimal("0.36")


def test_the_view_of_machines_has_no_cost_for_one_that_was_free(storage, life):
    rows = on_machine(life)
    write_rows(storage, [*rows[:2], dataclasses.replace(rows[2], is_free=True)])

    [found] = instances(storage)
    assert found[5:] == (465, 0)
