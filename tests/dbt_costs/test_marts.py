"""The marts of a day whose figures are worked by hand: every kind of charge, to the nano-dollar."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from escriba.billing.ledger_rows import LedgerRow
from escriba.billing.price_book import read_price_book, total
from escriba.billing.price_periods import run_usd

usd = Decimal


def sums(built, mart, what, by, where="true"):
    query = f"SELECT {by}, sum({what}) FROM marts.{mart} WHERE {where} GROUP BY ALL"
    return {tuple(row[:-1]) if len(row) > 2 else row[0]: row[-1] for row in built.ask(query)}


def test_a_life_is_paid_from_its_boot_to_its_last_second_of_idle(built):
    """60 s of boot, jobs of 100 and 300 s; 5 s of timeout between them, and after, at 0.00019."""
    [life] = built.ask(
        "SELECT boot_usd, idle_usd, boot_micros, idle_micros FROM intermediate.int_life_days "
        "WHERE session_id = 'runpod:life-1'"
    )
    assert life == (usd("0.0114"), usd("0.0019"), 60_000_000, 10_000_000)


def test_boot_and_idle_of_a_life_go_to_its_jobs_by_their_run_seconds(built):
    """A quarter to the job of 100 s, three quarters to the one of 300 s."""
    found = built.ask(
        "SELECT recording, run_usd, boot_usd, idle_usd, cost_usd FROM marts.cost_per_recording "
        "WHERE recording IN ('acme/a.mp3', 'beta/b.mp3') ORDER BY 1"
    )
    assert found == [
        ("acme/a.mp3", usd("0.019"), usd("0.00285"), usd("0.000475"), usd("0.022325")),
        ("beta/b.mp3", usd("0.057"), usd("0.00855"), usd("0.001425"), usd("0.066975")),
    ]


def test_a_life_over_midnight_has_each_day_at_its_own_price(built):
    """60 s of boot and 10 of run at 0.00019 before, 10 s of run and 5 of idle at 0.00016 after."""
    found = built.ask(
        "SELECT day, boot_usd, idle_usd FROM intermediate.int_life_days "
        "WHERE session_id = 'runpod:life-2' ORDER BY 1"
    )
    assert found == [
        (date(2026, 3, 10), usd("0.0114"), usd(0)),
        (date(2026, 3, 11), usd(0), usd("0.0008")),
    ]
    found = built.ask(
        "SELECT day, run_usd, run_seconds, audio_seconds FROM intermediate.int_attempt_charges "
        "WHERE recording = 'acme/h.mp3' ORDER BY 1"
    )
    assert found == [
        (date(2026, 3, 10), usd("0.0019"), 10.0, 600.0),
        (date(2026, 3, 11), usd("0.0016"), 10.0, 0.0),
    ]
    [(cost,)] = built.ask(
        "SELECT cost_usd FROM marts.cost_per_recording WHERE recording = 'acme/h.mp3'"
    )
    assert cost == usd("0.0035") + usd("0.0114") + usd("0.0008")


@pytest.mark.parametrize(
    ("recording", "attempts", "run", "wasted"),
    [
        ("acme/c.mp3", 2, "0.0076", "0.0019"),  # 10 s failed, 40 s done
        ("acme/d.mp3", 2, "0", "0.0798"),  # 400 s lost, 20 s stopped
        ("acme/e.mp3", 1, "0.130555556", "0"),  # 1,000 s at 0.47 an hour
        ("acme/f.mp3", 1, "0.06", "0"),  # ten minutes of audio at 0.006
        ("acme/g.mp3", 2, "0.0095", "0.0114"),  # done twice, 50 and 60 s
        ("acme/s.mp3", 0, "0", "0"),  # silence
    ],
)
def test_each_attempt_is_charged_and_the_wasted_ones_are_told_apart(
    built, recording, attempts, run, wasted
):
    [found] = built.ask(
        "SELECT attempts, run_usd, wasted_usd FROM marts.cost_per_recording "
        f"WHERE recording = '{recording}'"
    )
    assert found == (attempts, usd(run), usd(wasted))


def test_waste_has_its_kinds(built):
    assert sums(built, "waste", "cost_usd", "kind") == {
        "failed": usd("0.0019"),
        "lost": usd("0.076"),
        "preempted": usd("0.0038"),
        "duplicate": usd("0.0114"),
        "cold": usd("0.0342"),  # three boots of 60 s
        "idle": usd("0.0019") + usd("0.0008") + usd("0.00095"),
    }


def test_what_no_job_can_carry_is_unallocated(built):
    """A life whose attempt is not in the ledger: 60 s of boot and 5 s of idle."""
    assert sums(built, "idle", "boot_usd + idle_usd", "tenant", "NOT is_allocated") == {
        "unallocated": usd("0.01235")
    }


def test_what_is_paid_by_the_minute_has_no_boot_and_no_idle(built):
    assert sums(built, "daily_spend", "cost_usd", "category", "backend = 'openai'") == {
        "run": usd("0.06")
    }


def test_the_bill_is_the_total_and_what_nothing_explains_is_a_row(built):
    explained = {
        "run": usd("0.019")
        + usd("0.057")
        + usd("0.0076")
        + usd("0.0095")
        + usd("0.0019"),  # 20 s, of which 10 are after midnight
        "failed_run": usd("0.0019") + usd("0.0798") + usd("0.0114"),  # the last was done already
        "boot": usd("0.0342"),
        "idle": usd("0.0019") + usd("0.00095"),
    }
    spent = sums(built, "daily_spend", "cost_usd", "category", _day("runpod"))
    assert spent == explained | {"unexplained": usd("0.30") - sum(explained.values())}
    assert sum(spent.values()) == usd("0.30")
    assert sums(built, "daily_spend", "cost_usd", "category", _day("aws_gpu")) == {
        "run": usd("0.130555556"),
        "storage": usd("0.01"),
        "unexplained": usd("0.009444444"),
    }


@pytest.fixture
def some_use(attempt, bill):
    """100 s at 0.00019, and what makes a bill."""
    return attempt(ran=100.0), bill


@pytest.mark.parametrize(
    ("category", "hours", "cost"),
    [
        ("compute", 24, "0.05"),
        ("compute", 15, "0.019"),  # read at three in the afternoon: of what was used until then
        ("tax", 24, "0.069"),
        ("storage", 24, "0.069"),
    ],
)
def test_a_bill_of_all_the_days_machines_takes_the_place_of_what_was_measured(
    costs, some_use, category, hours, cost
):
    """What is billed beside machines comes on top of it."""
    attempt, bill = some_use
    read_at = attempt.started_at.replace(hour=0) + timedelta(hours=hours)
    costs.write(attempt, bill("runpod", "0.05", category, imported_at=read_at))
    costs.load()
    costs.build()

    assert costs.ask("SELECT sum(cost_usd) FROM marts.daily_spend") == [(usd(cost),)]
    bills = costs.ask("SELECT count(*) FROM marts.reconciliation")
    assert bills == [(1 if cost == "0.05" else 0,)]


def test_a_credit_is_no_rate_at_which_money_comes_back(costs, attempt, bill, day):
    costs.write(*(attempt(f"{n}", started_at=day + timedelta(days=n)) for n in range(10)))
    costs.write(bill("runpod", "-5", "credit"))
    costs.load()
    costs.build(checks=False)

    [(spent, forecast)] = costs.ask(
        "SELECT spent_usd, forecast_usd FROM marts.budget_burn WHERE scope = 'all'"
    )
    assert forecast > spent


def test_what_workers_did_with_the_time_that_was_paid(built):
    """Of the lives above; busy: nine runs there, and ten minutes of audio by an API are none."""
    [found] = built.ask(
        "SELECT boot_seconds, idle_seconds, busy_seconds, paid_seconds FROM marts.worker_time "
        f"WHERE {_day('runpod')}"
    )
    busy = 100 + 300 + 10 + 40 + 400 + 20 + 50 + 60 + 10
    assert found == (180, 15, busy, 180 + 15 + busy)
    assert sums(built, "worker_time", "paid_seconds", "backend").keys() == {"runpod", "aws_gpu"}


def _day(backend):
    return f"backend = '{backend}' AND day = DATE '2026-03-10'"


def test_a_day_that_is_explained_badly_is_an_alarm(built):
    found = built.ask(
        "SELECT backend, billed_usd, unexplained_usd, is_alarming FROM marts.reconciliation "
        "ORDER BY 1"
    )
    assert found == [
        ("aws_gpu", usd("0.15"), usd("0.009444444"), True),  # 6.3 %
        ("runpod", usd("0.30"), usd("0.07485"), True),  # 25 %
    ]


def test_a_day_without_a_bill_is_what_was_measured(built):
    where = "day = DATE '2026-03-11'"
    assert sums(built, "daily_spend", "cost_usd", "category", where) == {
        "run": usd("0.0016"),  # begun the day before, which has its count
        "idle": usd("0.0008"),
    }
    assert sums(built, "daily_spend", "attempts", "category", where) == {"run": 0, "idle": 0}


def test_backends_have_their_speed_and_their_failures(built):
    [found] = built.ask(
        "SELECT attempts, done, failed, preempted, failure_rate, cold_starts, rtf_p50, "
        f"boot_seconds_p50 FROM marts.backend_performance WHERE {_day('runpod')}"
    )
    # of RTF 100, 300, 40, 50, 60 and 20 s in 600 s the middle is between 50 and 60
    assert found == (9, 6, 2, 1, 2 / 9, 3, pytest.approx(55 / 600), 60.0)


def test_an_hour_of_audio_has_its_price_by_language_and_length(built):
    found = built.ask(
        "SELECT language, length_class, recordings, cost_usd, usd_per_audio_hour "
        "FROM marts.unit_economics WHERE language = 'en'"
    )
    # 0.066975 for ten minutes
    assert found == [("en", "2 under 1 h", 1, usd("0.066975"), usd("0.40185"))]


def test_a_budget_that_the_month_will_pass_warns(built):
    [found] = built.ask(
        "SELECT spent_usd, level, month_usd, basis_days FROM marts.budget_burn WHERE scope = 'all'"
    )
    spent = usd("0.30") + usd("0.15") + usd("0.06") + usd("0.0024")
    assert found == (spent, "warn", usd("0.60"), 10)


def test_the_forecast_of_the_month_is_the_mean_of_its_days_to_the_end(built):
    """0.5124 in ten days; today's mean, and eleven days that are left."""
    [(forecast, low, high)] = built.ask(
        "SELECT forecast_usd, forecast_low_usd, forecast_high_usd FROM marts.budget_burn "
        "WHERE scope = 'all'"
    )
    assert forecast == usd("0.5124") + 12 * usd("0.05124")
    assert low < forecast < high
    assert low >= usd("0.5124")


def test_a_machine_that_is_always_on_costs_its_day_and_does_no_more_than_it_can(built):
    """RTF on AWS: 1,000 s for an hour of audio, so 86.4 hours of audio a day."""
    found = built.ask(
        "SELECT audio_hours_a_day, usd_a_day, can_do_it FROM marts.break_even "
        "WHERE backend = 'aws_gpu' AND audio_hours_a_day IN (72, 96) ORDER BY 1"
    )
    assert found == [(72, usd("11.28"), True), (96, usd("11.28"), False)]
    [(api,)] = built.ask(
        "SELECT usd_a_day FROM marts.break_even WHERE backend = 'openai' AND audio_hours_a_day = 2"
    )
    assert api == usd("0.72")


def test_focus_has_all_that_was_spent(built):
    focus = sums(built, "focus_charges", '"x_CostUsd"', '"x_Backend"')
    assert focus == sums(built, "daily_spend", "cost_usd", "backend")
    tenants = built.ask('SELECT DISTINCT "SubAccountId" FROM marts.focus_charges ORDER BY 1')
    assert tenants == [("acme",), ("beta",), (None,)]


def test_the_marts_and_pipelines_billing_come_to_the_same_sums(built, rows):
    """Both read the same price book; each second has the price of its own day."""
    book = read_price_book(built.settings.price_book)
    by_backend = {}
    for row in (one for batch in rows for one in batch if isinstance(one, LedgerRow)):
        if row.backend == "none":
            continue
        price = book.tariff(row.backend, row.sku, row.queued_at)
        cost = run_usd(
            price,
            row.started_at,
            run_seconds=row.run_seconds,
            audio_seconds=row.audio_seconds,
            bought_seconds=row.bought_audio_seconds,
        )
        by_backend.setdefault(row.backend, []).append(cost)

    assert sums(
        built, "daily_spend", "cost_usd", "backend", "category IN ('run', 'failed_run')"
    ) == {backend: total(costs) for backend, costs in by_backend.items()}
