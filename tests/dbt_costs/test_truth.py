"""Random fleets against plain arithmetic: every life second by second, with Decimal and no SQL."""

import dataclasses
import random
from collections import defaultdict
from datetime import timedelta
from decimal import ROUND_HALF_EVEN, Decimal

import pytest

from escriba.billing.price_book import NANODOLLAR, read_price_book

MICRO = timedelta(microseconds=1)
STATUSES = ("done", "done", "done", "failed", "lost", "stopped")


def fleet(make_attempt, make_session, day, seed):
    """Lives of one to six jobs around midnight, at which the price changes.

    Some jobs begin before the one before has ended, some workers are warm, some have no timeout,
    some say that they booted for a day, and some are machines on which each job has a process of
    its own.
    """
    dice = random.Random(seed)
    lives = []
    for number in range(25):
        began = day + timedelta(microseconds=dice.randrange(2 * 86_400_000_000))
        at = began + timedelta(microseconds=dice.randrange(120_000_000))
        if number % 8 == 0:
            began = at - timedelta(seconds=97_198)
        boot = (at - began).total_seconds()
        kind = {
            "warm_workers": int(number % 3 == 1),
            "idle_timeout_seconds": 0 if number % 7 == 3 else 5,
            "instance_id": f"i-{number}" if number % 5 == 2 else None,
        }
        jobs = []
        for place in range(dice.randint(1, 6)):
            at += timedelta(microseconds=dice.choice([0, dice.randrange(900_000_000)]))
            if jobs and dice.random() < 0.3:
                before = jobs[-1][0]
                at = before.ended_at - (before.ended_at - before.started_at) * dice.random()
            seconds = dice.choice([0.0, dice.randrange(1, 3_000_000_000) / 1e6])
            name = f"{number}-{place}"
            one = make_attempt(name, started_at=at, ran=seconds, rtf=None)
            one = dataclasses.replace(
                one, status=dice.choice(STATUSES), job_id=f"{number}-{place // 2}", attempt=place
            )
            at = max(one.ended_at, jobs[-1][0].ended_at) if jobs else one.ended_at
            row = make_session(one, f"l{number}", place + 1, began=began, boot=boot)
            if kind["instance_id"] and place:
                row = dataclasses.replace(row, models_ready_at=one.started_at)
            jobs.append((one, dataclasses.replace(row, **kind)))
        lives.append(jobs)
    return lives


def given_up(one, dice):
    """What was said of an attempt that was done all the same: up to two midnights too late."""
    ran = dice.randrange(170_000_000_000) / 1e6
    ended = one.started_at + timedelta(seconds=ran)
    return dataclasses.replace(one, status="lost", run_seconds=ran, ended_at=ended)


def stretches(jobs):
    """Everything of a life that is no job: (kind, since, until)."""
    first = jobs[0][1]
    if first.models_ready_at - first.container_started_at <= timedelta(hours=1):
        yield "boot", first.container_started_at, first.models_ready_at
    until, timeout = first.models_ready_at, timedelta(seconds=first.idle_timeout_seconds)
    for _, row in jobs:
        waits_on = row.warm_workers or not timeout or row.instance_id
        yield (
            "idle",
            until,
            row.job_started_at if waits_on else min(row.job_started_at, until + timeout),
        )
        until = max(until, row.job_ended_at)
    last, _ = max(jobs, key=lambda job: (job[1].job_ended_at, job[1].sequence))
    if last.status not in {"lost", "stopped"}:  # else the worker died with it
        yield "idle", until, until + timeout


def runs(jobs):
    """What of each job is its own: the second that two have is that of the first."""
    busy_until = jobs[0][0].started_at
    for one, _ in jobs:
        yield one, max(one.started_at, busy_until), one.ended_at
        busy_until = max(busy_until, one.ended_at)


def by_day(since, until):
    while since < until:
        midnight = since.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        yield since, min(until, midnight)
        since = min(until, midnight)


def charged(book, since, until):
    seconds = Decimal((until - since) // MICRO) / 1_000_000
    return book.at("runpod", "l4", since).cost_usd(seconds).quantize(NANODOLLAR, ROUND_HALF_EVEN)


@pytest.mark.parametrize("seed", [1, 2])
def test_every_day_and_every_recording_has_what_plain_arithmetic_says(
    costs, attempt, session, day, seed
):
    lives = fleet(attempt, session, day, seed)
    parts = [row for jobs in lives for pair in jobs for row in pair]
    dice = random.Random(seed)
    dice.shuffle(parts)
    parts += [given_up(row, dice) for row in parts[:90] if getattr(row, "status", "") == "done"]
    dice.shuffle(parts)
    for place in range(3):  # the last two builds are incremental
        costs.write(*parts[place::3])
        costs.load()
        costs.build(checks=place == 2, piece_rows=40)
    incremental = costs.tables()
    book = read_price_book(costs.settings.price_book)

    days, recordings = expected(book, lives)

    found = costs.ask(
        "SELECT day, sum(run_usd + boot_usd + idle_usd) FROM intermediate.int_attempt_charges "
        "GROUP BY 1 HAVING sum(run_usd + boot_usd + idle_usd) > 0"
    )
    assert dict(found) == {one: usd for one, usd in days.items() if usd}
    assert dict(costs.ask("SELECT recording, cost_usd FROM marts.cost_per_recording")) == {
        name: pytest.approx(usd, abs=Decimal("0.00000001")) for name, usd in recordings.items()
    }
    costs.build(full=True, checks=False)
    for table in ("intermediate.int_attempt_charges", "intermediate.int_life_days"):
        assert costs.tables()[table] == incremental[table]


def expected(book, lives):
    """USD by day to the nano-dollar, and by recording but for the rounding of shares."""
    days, recordings = defaultdict(Decimal), defaultdict(Decimal)
    for jobs in lives:
        beside = Decimal(0)
        for _, since, until in stretches(jobs):
            for a, b in by_day(since, until):
                usd = charged(book, a, b)
                days[a.date()] += usd
                beside += usd
        busy = sum((row.job_ended_at - row.job_started_at) // MICRO for _, row in jobs)
        for one, since, until in runs(jobs):
            parts = {a.date(): charged(book, a, b) for a, b in by_day(since, until)}
            for midnight, usd in parts.items():
                days[midnight] += usd
            own = (one.ended_at - one.started_at) // MICRO
            share = beside * own / busy if busy else 0
            recordings[one.recording] += sum(parts.values()) + share
    return days, recordings
