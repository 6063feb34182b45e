"""Each second is paid once, at the price of that second: days whose bills are worked by hand.

An L4 costs 0.00019 a second until 10 March, and 0.00016 from the 11th on.
"""

import dataclasses
import json
import random
from collections import Counter
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from click.testing import CliRunner

from cli.commands.costs import command
from escriba.billing import price_periods
from escriba.billing.permissions import SpendLimits
from escriba.settings import HOUSE

usd = Decimal
FEE_ENDS, ARCHIVE = date(2026, 2, 19), date(2026, 3, 5)


def at(text):
    return datetime.fromisoformat(f"2026-{text}+00:00")


@pytest.fixture(scope="module")
def doubles(attempt):
    """Twenty jobs of one to four attempts, many of them done more than once."""
    dice, rows = random.Random(3), []
    for job in range(20):
        for number in range(1, dice.randint(1, 4) + 1):
            began = at("03-15T12:00") + timedelta(seconds=dice.randrange(0, 600, 100))
            one = attempt(f"d{job}", started_at=began, ran=float(dice.choice([50, 100, 150])))
            one = dataclasses.replace(
                one,
                attempt=number,
                attempt_id=f"twice:d{job}:{number}",
                tenant="twice",
                recording=f"twice/d{job}.mp3",
                status=dice.choice(["done", "done", "done", "failed", "lost"]),
            )
            rows.append(one)
    return rows


def is_of_use(rows):
    """Of each job that was done the attempt that ended first, the lower number at one moment."""
    first = {}
    for row in sorted(rows, key=lambda one: (one.ended_at, one.attempt)):
        if row.status == "done":
            first.setdefault(row.job_id, row.attempt_id)
    return {row.attempt_id: row.attempt_id in first.values() for row in rows}


@pytest.fixture(scope="module")
def makers(attempt, session, bill):
    return attempt, session, bill


@pytest.fixture(scope="module")
def built(tmp_path_factory, new_costs, makers, doubles):
    attempt, session, bill = makers
    made = new_costs(tmp_path_factory.mktemp("seconds"))

    def job(name, began, ran, **changes):
        return attempt(name, started_at=at(began), ran=float(ran), **changes)

    def billed(day, amount):
        since = at(f"{day}T00:00")
        return bill(
            "runpod",
            amount,
            row_id=day,
            period_start=since,
            period_end=since + timedelta(days=1),
        )

    def life(name, *jobs, **changes):
        for place, one in enumerate(jobs, start=1):
            row = session(one, name, place, began=jobs[0].started_at - timedelta(seconds=60))
            made.write(one, dataclasses.replace(row, **changes))

    # 20 min over midnight, ordered before it; another one, ordered at 23:00, that ran at 01:00
    night = job("night", "03-10T23:50", 1200)
    late = job("late", "03-11T01:00", 600, queued_at=at("03-10T23:00"))
    life("night", night)
    life("late", late, models_ready_at=None, container_started_at=None)
    made.write(billed("03-10", "0.1254"), billed("03-11", "0.1936"))
    # frozen for three hours; kept warm for three
    for name, day, warm in (("frozen", "16", 0), ("warm", "17", 1)):
        first, then = (job(f"{name}{n}", f"03-{day}T{n}:00", 100) for n in (12, 15))
        life(name, first, then, warm_workers=warm)
    # frozen, before it was to be kept warm and the timeout became shorter
    first, then = (job(f"turned{n}", f"03-13T{n}:00", 100) for n in (12, 15))
    row = session(then, "turned", 2, began=first.started_at - timedelta(seconds=60))
    life("turned", first, warm_workers=0, idle_timeout_seconds=60.0)
    made.write(then, dataclasses.replace(row, warm_workers=1))
    # 0 to 100 s, 60 to 90, 80 to 150
    overlapping = [("a", "12:00:00", 100), ("b", "12:01:00", 30), ("c", "12:01:20", 70)]
    life("overlapping", *(job(f"o{n}", f"03-18T{when}", ran) for n, when, ran in overlapping))
    made.write(billed("03-18", "0.0344"))  # a minute, 150 s and 5 s
    ages = timedelta(seconds=97_198)
    odd = job("odd", "03-19T12:00", 100)
    life(
        "odd", odd, container_started_at=at("03-19T11:59") - ages, models_ready_at=at("03-19T11:59")
    )
    # one path with two contents, 10 and 20 minutes
    for name, began, audio in (("v1", "03-14T12:00", 600.0), ("v2", "03-14T13:00", 1200.0)):
        made.write(job(name, began, 100, recording="acme/again.mp3", audio_seconds=audio))
    aws = {"backend": "aws_gpu", "sku": "g5.xlarge"}
    for n in range(78):
        began = at("01-01T12:00") + timedelta(days=n)
        many = 3 if began.date() == ARCHIVE else 1
        made.write(*(job(f"aws{n}-{i}", f"{began:%m-%dT%H:%M}", 7200, **aws) for i in range(many)))
        if began.date() < FEE_ENDS:
            day = began.replace(hour=0)
            fee = {"row_id": f"fee{n}", "period_start": day, "period_end": day + timedelta(days=1)}
            made.write(bill("aws_gpu", "0.50", "storage", **fee))
    made.write(*doubles)
    made.load(all=SpendLimits())
    made.warnings = made.build().warnings
    return made


def test_a_bill_that_is_right_to_the_cent_is_no_alarm_over_a_change_of_price(built):
    """10 March: a minute of boot and 600 s at 0.00019. 11 March: 600 + 5 and 600 + 5 at 0.00016."""
    found = built.ask(
        "SELECT day, billed_usd, unexplained_usd, is_alarming FROM marts.reconciliation "
        "WHERE backend = 'runpod' AND day < DATE '2026-03-12' ORDER BY 1"
    )
    assert found == [
        (date(2026, 3, 10), usd("0.1254"), 0, False),
        (date(2026, 3, 11), usd("0.1936"), 0, False),
    ]


def test_jobs_at_the_same_time_in_one_life_are_paid_once_and_explain_their_bill(built):
    [found] = built.ask(
        "SELECT run_usd, boot_usd, idle_usd, unexplained_usd FROM marts.reconciliation "
        "WHERE backend = 'runpod' AND day = DATE '2026-03-18'"
    )
    assert found == (usd("0.024"), usd("0.0096"), usd("0.0008"), 0)
    [seconds] = built.ask(
        "SELECT busy_seconds, paid_seconds FROM marts.worker_time "
        "WHERE backend = 'runpod' AND day = DATE '2026-03-18'"
    )
    assert seconds == (150, 215)


@pytest.mark.parametrize(("march", "seconds"), [(13, 65), (16, 10), (17, 10_705)])
def test_a_frozen_worker_is_not_paid_for_while_it_is_frozen_and_a_warm_one_is(
    built, march, seconds
):
    """5 s twice; 60 and 5 s; or 10,700 s between jobs at 12:00 and 15:00, and 5 s at the end."""
    [(idle,)] = built.ask(
        "SELECT sum(cost_usd) FROM marts.daily_spend "
        f"WHERE category = 'idle' AND day = DATE '2026-03-{march}'"
    )
    assert idle == usd("0.00016") * seconds


def test_a_boot_that_cannot_be_costs_nothing_and_people_hear_of_it(built):
    [(boots,)] = built.ask(
        "SELECT count(*) FROM marts.daily_spend WHERE category = 'boot' AND day = DATE '2026-03-19'"
    )
    assert boots == 0
    assert [w for w in built.warnings if "what_clocks_say_can_be" in w]


def test_a_path_that_was_uploaded_again_is_divided_by_what_it_is_charged_for(built):
    """Twice 100 s, for half an hour of audio."""
    [found] = built.ask(
        "SELECT cost_usd, audio_seconds, worked_audio_seconds, usd_per_audio_hour "
        "FROM marts.cost_per_recording WHERE recording = 'acme/again.mp3'"
    )
    assert found == (usd("0.032"), 1200, 1800, usd("0.064"))


def test_a_fee_that_ends_is_told_once(built):
    """0.94 a day for machines, and 0.50 beside them for seven weeks; thrice the work on a day."""
    found = built.ask("SELECT day FROM marts.anomalies WHERE is_anomaly AND scope = 'aws_gpu'")
    assert sorted(found) == [(FEE_ENDS,), (ARCHIVE,)]


@pytest.fixture
def told(built, monkeypatch):
    """`escriba costs`, by group."""
    for name in ("storage_url", "costs_database", "price_book"):
        monkeypatch.setenv(name.upper(), str(getattr(built.settings, name)))

    def of(group):
        done = CliRunner().invoke(command, ["--by", group, "--json"])
        assert done.exit_code == 0, done.output
        answer = json.loads(done.stdout)
        return {row["name"]: row for row in answer["rows"]} | {"": answer}

    return of


def test_everybody_means_the_same_by_a_duplicate(built, told, doubles):
    """The first to end is the job, and each other one is waste, and no audio that was done."""
    of_use = is_of_use(doubles)
    run, vain, kinds = Decimal(0), Decimal(0), Counter()
    for row in doubles:
        cost = usd("0.00016") * int(row.run_seconds)
        if of_use[row.attempt_id]:
            run += cost
        else:
            vain += cost
            kinds["duplicate" if row.status == "done" else row.status] += 1
    jobs = sum(of_use.values())
    assert kinds["duplicate"] > 3

    here = "day = DATE '2026-03-15'"
    mine = f"{here} AND tenant = 'twice' GROUP BY 1 ORDER BY 1"
    spend = built.ask(
        "SELECT category, sum(cost_usd), sum(audio_seconds) FILTER (category = 'run') "
        f"FROM marts.daily_spend WHERE {mine}"
    )
    assert spend == [("failed_run", vain, None), ("run", run, 600 * jobs)]
    focus = built.ask(
        "SELECT x_Charge AS kind, sum(BilledCost), sum(x_AudioSeconds) FILTER (kind = 'run') "
        f"FROM (SELECT *, SubAccountName AS tenant FROM marts.focus_charges) WHERE {mine}"
    )
    assert focus == spend
    waste = built.ask(
        f"SELECT kind, sum(attempts), sum(cost_usd) FROM marts.waste WHERE {here} "
        "AND tenant = 'twice' GROUP BY 1"
    )
    assert {kind: count for kind, count, _ in waste} == kinds
    assert sum(cost for *_, cost in waste) == vain
    [(hours,)] = built.ask(
        f"SELECT audio_hours FROM marts.backend_performance WHERE {here} AND backend = 'runpod'"
    )
    assert hours == jobs / 6
    [(wasted, wasted_usd)] = built.ask(
        "SELECT sum(wasted_attempts), sum(wasted_usd) FROM marts.cost_per_recording "
        "WHERE tenant = 'twice'"
    )
    assert (wasted, wasted_usd) == (kinds.total(), vain)
    row = told("tenant")["twice"]
    assert (row["wasted_attempts"], usd(row["wasted_usd"])) == (kinds.total(), vain)
    assert (row["audio_seconds"], usd(row["cost_usd"])) == (600 * jobs, run + vain)


def test_escriba_costs_has_the_money_of_the_marts(built, told):
    """The ledger has each of the jobs at the same time whole: 200 s, of which 150 are paid."""
    answer = told("day")[""]
    [(total,)] = built.ask("SELECT sum(cost_usd) FROM marts.daily_spend")
    assert usd(answer["all_usd"]) == total
    rows = told("recording")
    paid = [usd(rows[f"acme/o{name}.mp3"]["cost_usd"]) for name in "abc"]
    assert paid == [usd("0.016"), 0, usd("0.008")]


def test_the_tables_believe_what_pipelines_billing_believes():
    said = (HOUSE / "dbt_costs" / "dbt_project.yml").read_text()
    assert f"longest_boot_seconds: {price_periods.LONGEST_BOOT_SECONDS}\n" in said
    assert f"longest_run_seconds: {price_periods.LONGEST_RUN_SECONDS}\n" in said
