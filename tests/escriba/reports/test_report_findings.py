"""What a report says of hand-made figures: each saving can be worked on paper."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from escriba.reports import figures as rows
from escriba.reports import wording
from escriba.reports.backend_advice import options_at
from escriba.reports.comparison import by_week, change, sums_by, usd_per_audio_hour
from escriba.reports.figures import Figures
from escriba.reports.findings import advice, attention
from escriba.reports.periods import Period, last_days, month

TODAY = date(2026, 3, 21)
FIRST = date(2026, 3, 11)  # of ten days, after as many
DAY = timedelta(days=1)

usd = Decimal


def figures(**parts):
    given = {name: tuple(values) for name, values in parts.items() if name != "first_day"}
    first_day = parts.get("first_day", date(2026, 3, 1))
    return Figures(periods=last_days(10, TODAY), first_day=first_day, **given)


def spend(amount, backend="runpod", day=0, tenant="acme", category="run"):
    return rows.Spend(FIRST + timedelta(days=day), tenant, backend, category, usd(amount))


def speed(hours, backend="runpod", day=0, failed=0, sku="l4"):
    when = FIRST + timedelta(days=day)
    return rows.SpeedFigure(when, backend, sku, 10, 10 - failed, failed, hours, 0.1, 0.2)


def waiting(pauses, timeout=60.0, tails=100, boot=20.0, price="3.6"):
    return rows.Waiting("runpod", "l4", timeout, boot, usd(price), tails, tuple(pauses))


def option(hours, amount, jobs=50, unit="machine_hour", rtf=0.1):
    return rows.BackendOption("aws_gpu", "g5", unit, hours, rtf, jobs, usd(amount), can_do_it=True)


def burn(spent, forecast, limit, level="ok", scope="all"):
    limit = None if limit is None else usd(limit)
    month_ = date(2026, 3, 1)
    return rows.BudgetUse(
        scope, month_, usd(spent), usd(forecast), usd(spent), usd(forecast), None, limit, level
    )


def savings(found):
    return [round(one.saving_usd, 6) for one in advice(found)]


def test_work_at_a_dearer_backend_would_have_cost_what_it_costs_at_the_cheap_one():
    """100 h at 0.36 instead of 0.10."""
    given = figures(
        spend=[spend("10"), spend("36", "openai")], speed=[speed(100.0), speed(100.0, "openai")]
    )
    [one] = advice(given)

    assert one.saving_usd == usd(26)
    assert one.title == ("RunPod costs US$ 0.10 per hour of audio, OpenAI US$ 0.36")
    assert "PRIMARY_BACKEND=runpod" in one.what_to_do
    assert one.rests_on.startswith("100 h of audio on OpenAI")


def test_less_than_half_as_dear_again_or_hardly_any_audio_carries_no_advice():
    close = figures(
        spend=[spend("10"), spend("14", "openai")], speed=[speed(100.0), speed(100.0, "openai")]
    )
    few = figures(
        spend=[spend("10"), spend("36", "openai")], speed=[speed(100.0), speed(4.0, "openai")]
    )
    assert savings(close) == savings(few) == []


def test_on_days_when_the_cheap_one_was_ill_nothing_could_have_gone_there():
    """Of 110 h at OpenAI 100 were on the day on which half of RunPod's attempts failed."""
    given = figures(
        spend=[spend("10"), spend("36", "openai", 1), spend("3.6", "openai", 2), spend("1", day=2)],
        speed=[
            speed(100.0),
            speed(0.0, day=1, failed=5),
            speed(100.0, "openai", 1),
            speed(10.0, "openai", 2),
            speed(10.0, day=2),
        ],
    )
    assert savings(given) == [usd("2.6")]


def test_a_timeout_is_judged_by_the_pauses_that_were():
    """60 s: 80 + 500 s of pauses, 6,000 in vain. 5 s: 80 + 50, ten starts of 20 s, 500 in vain."""
    given = figures(spend=[spend("100")], waiting=[waiting([2.0] * 40 + [50.0] * 10)])
    [one] = advice(given)

    assert one.saving_usd == usd("5.75")
    assert one.title == "RunPod l4 workers wait 60 s for another job; 5 s is enough"
    assert "RUNPOD_IDLE_SECONDS=5" in one.what_to_do


@pytest.mark.parametrize(
    "one",
    [
        waiting([50.0] * 500, tails=10, boot=1_000.0),  # starting again costs more than waiting
        waiting([2.0] * 40, tails=9),  # too few lives to judge by
        waiting([2.0] * 40, timeout=5.0),  # as short as can be
    ],
)
def test_a_timeout_that_pays_is_left_alone(one):
    assert savings(figures(spend=[spend("100")], waiting=[one])) == []


def test_failures_are_worth_a_line_from_one_per_cent_on():
    def lost(amount):
        waste = [rows.Waste(FIRST, "runpod", "lost", usd(amount), 7)]
        return figures(spend=[spend("300")], waste=waste)

    assert savings(lost("5")) == [usd(5)]
    assert savings(lost("2.9")) == []


def test_idle_and_cold_starts_are_no_failures():
    waste = [rows.Waste(FIRST, "runpod", kind, usd(50), 0) for kind in ("idle", "cold")]
    assert savings(figures(spend=[spend("300")], waste=waste)) == []


@pytest.mark.parametrize(("unexplained", "wanted"), [("10", [usd(10)]), ("1", []), ("-10", [])])
def test_what_is_billed_and_not_explained_is_money_to_be_found(unexplained, wanted):
    bill = rows.BillTotal("runpod", 10, usd(100), usd(unexplained))
    assert savings(figures(spend=[spend("100")], bills=[bill])) == wanted


def test_what_is_not_explained_is_said_with_its_days_and_those_without_a_bill():
    bill = rows.BillTotal("runpod", 1, usd(100), usd(10), (FIRST,), (FIRST + DAY, FIRST + 3 * DAY))
    [one] = advice(figures(spend=[spend("100")], bills=[bill]))

    assert one.rests_on == (
        "10 % of US$ 100.00 billed for 1 day; more than 5 % on 2026-03-11; no bill yet for "
        "2026-03-12, 2026-03-14."
    )


@pytest.mark.parametrize(
    ("numbers", "text"),
    [
        ([0], "2026-03-11"),
        ([0, 1, 2, 5], "2026-03-11 to 2026-03-13, 2026-03-16"),
        (
            [0, 2, 4, 6, 8, 10, 12, 13],
            "2026-03-11, 2026-03-13, 2026-03-15, 2026-03-17, 2026-03-19, 3 days more",
        ),
    ],
)
def test_days_are_said_as_stretches_and_of_many_the_first(numbers, text):
    assert wording.which_days([FIRST + n * DAY for n in numbers]) == text


def test_a_machine_that_is_always_on_is_held_against_a_usual_day():
    """Ten days of 100 h for 20 USD each; 11.28 a day there."""
    days = range(10)
    given = {
        "spend": [spend("20", day=day) for day in days],
        "speed": [speed(100.0, day=day) for day in days],
    }
    around = [option(96, "11.28"), option(120, "11.28")]

    assert savings(figures(**given, options=around)) == [usd("87.2")]
    unmeasured = [option(96, "11.28", jobs=5), option(120, "11.28", jobs=5)]
    assert savings(figures(**given, options=unmeasured)) == []
    too_slow = [option(96, "11.28", rtf=0.2), option(120, "11.28", rtf=0.2)]
    assert savings(figures(**given, options=too_slow)) == []
    hardly = [option(96, "18.5"), option(120, "18.5")]
    assert savings(figures(**given, options=hardly)) == []


def test_no_machine_needs_to_be_on_where_something_paid_by_use_costs_less():
    """11.28 for a day of 100 h; AWS did some of it for 0.11 an hour, so 11 for all."""
    days = range(10)
    given = figures(
        spend=[spend(usd, where, day) for day in days for usd, where in DEAR_AND_CHEAP],
        speed=[speed(50.0, where, day) for day in days for _, where in DEAR_AND_CHEAP],
        options=[option(96, "11.28"), option(120, "11.28")],
    )
    assert [one.title for one in advice(given)] == [
        "AWS costs US$ 0.11 per hour of audio, RunPod US$ 0.29"
    ]


DEAR_AND_CHEAP = (("14.5", "runpod"), ("5.5", "aws_gpu"))


def test_one_day_of_an_archive_makes_no_usual_day():
    """On nine of ten days there is nothing to do: a machine that is on all day would wait."""
    given = figures(
        spend=[spend("200")],
        speed=[speed(1_000.0)],
        options=[option(1, "11.28"), option(96, "11.28"), option(120, "11.28")],
    )
    assert savings(given) == []


def test_the_largest_saving_comes_first_and_pennies_not_at_all():
    bills = [
        rows.BillTotal("runpod", 10, usd(20), usd("0.9")),
        rows.BillTotal("aws_gpu", 10, usd(50), usd(4)),
        rows.BillTotal("openai", 10, usd(50), usd(9)),
    ]
    assert savings(figures(spend=[spend("100")], bills=bills)) == [usd(9), usd(4)]


def test_what_wants_attention_is_said_with_its_figures():
    anomalies = [
        rows.Anomaly("all", FIRST, usd("115.8"), usd("16")),
        rows.Anomaly("runpod", FIRST, usd("100"), usd("10")),
    ]
    given = figures(
        spend=[spend("600")],
        burn=[
            burn("400", "581", "550"),
            burn("30", "40", "30", "stop", "beta"),
            burn("1", "2", None, scope="free"),
            burn("90", "90", "50", "past", "gone"),
        ],
        anomalies=anomalies,
        bills=[
            rows.BillTotal("runpod", 8, usd(100), usd("-3"), (FIRST, FIRST + DAY), (TODAY - DAY,))
        ],
    )
    assert attention(given) == [
        "All tenants: the forecast exceeds the monthly limit of US$ 550.00 by US$ 31.00.",
        "beta spent US$ 30.00 and reached the monthly limit of US$ 30.00.",
        "The average day costs US$ 60.00, more than US$ 50.00.",
        "2026-03-11: US$ 115.80, much more than the typical US$ 16.00 (RunPod).",
        (
            "RunPod: the ledger does not explain more than 5 % of the bill on 2026-03-11 to "
            "2026-03-12, and 3.0 % over 8 days with a bill; no bill yet for 2026-03-20."
        ),
    ]


def test_sums_are_held_against_the_period_before_where_all_of_it_is_known():
    given = [spend("30"), spend("10", "openai"), spend("20", day=-10), spend("99", day=-11)]
    known = {one.name: (one.usd, one.change) for one in sums_by(figures(spend=given), _backend)}
    assert known == {"runpod": (usd(30), 0.5), "openai": (usd(10), None)}

    unknown = figures(spend=given, first_day=date(2026, 3, 2))
    assert {one.change for one in sums_by(unknown, _backend)} == {None}


def _backend(row):
    return row.backend


def test_an_hour_of_audio_is_all_that_was_spent_over_all_that_was_done():
    given = figures(
        spend=[spend("6"), spend("3", category="idle"), spend("1", "openai")],
        speed=[speed(45.0), speed(5.0, "openai")],
    )
    assert usd_per_audio_hour(given, given.periods.now) == usd("0.2")
    assert usd_per_audio_hour(given, given.periods.now, "runpod") == usd("0.2")
    assert usd_per_audio_hour(given, given.periods.now, "aws_gpu") is None
    assert by_week(given, "openai") == [(FIRST + timedelta(days=n), usd("0.2")) for n in range(7)]


@pytest.mark.parametrize(
    ("text", "now", "before"),
    [
        ("2026-02", (date(2026, 2, 1), date(2026, 2, 28)), (date(2026, 1, 1), date(2026, 1, 31))),
        ("2026-03", (date(2026, 3, 1), date(2026, 3, 20)), (date(2026, 2, 1), date(2026, 2, 20))),
        ("2025-03", (date(2025, 3, 1), date(2025, 3, 31)), (date(2025, 2, 1), date(2025, 2, 28))),
    ],
)
def test_a_month_is_held_against_as_much_of_the_one_before(text, now, before):
    found = month(text, TODAY)

    assert (found.now, found.before) == (Period(*now), Period(*before))


def test_the_thirtieth_of_march_is_held_against_all_of_february():
    found = month("2026-03", date(2026, 3, 31))

    assert found.before == Period(date(2026, 2, 1), date(2026, 2, 28))


@pytest.mark.parametrize("text", ["2026-13", "March", "2026-3", "2026-04"])
def test_a_month_that_is_none_or_has_not_begun_is_refused(text):
    with pytest.raises(ValueError, match=r"not a month such as|no day of 2026-04 has ended"):
        month(text, TODAY)


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (usd("1234.565"), "US$ 1,234.56"),
        (usd("999.995"), "US$ 1,000.00"),
        (usd("0.0763"), "US$ 0.0763"),
        (usd("-3.2"), "−US$ 3.20"),
        (usd("-0.00001"), "US$ 0.0000"),
        (usd(0), "US$ 0.00"),
        (None, "–"),
    ],
)
def test_money_is_said_in_cents_and_small_prices_to_a_hundredth_of_one(amount, text):
    assert wording.usd(amount) == text


@pytest.mark.parametrize(
    ("amount", "text"), [(99.94, "99.9 h"), (99.96, "100 h"), (1234.5, "1,234 h"), (0.04, "0.0 h")]
)
def test_hours_are_rounded_before_they_are_written(amount, text):
    assert wording.hours(amount) == text


@pytest.mark.parametrize(
    ("share", "text"), [(0.0994, "9.9 %"), (0.0996, "10 %"), (0.0, "0 %"), (None, "–")]
)
def test_shares_as_well(share, text):
    assert wording.percent(share) == text


@pytest.mark.parametrize(
    ("now", "before", "text"),
    [
        (112, 100, "+12 %"),
        (96.6, 100, "−3.4 %"),
        (100.4, 100, "unchanged"),
        (5, 0, "–"),
        (5, None, "–"),
    ],
)
def test_a_change_is_said_as_a_share_of_what_was(now, before, text):
    assert wording.changed(change(now, before)) == text


def test_advice_names_no_backend_that_this_version_cannot_send_work_to():
    """AWS did an hour for 0.11; without it RunPod's 0.29 is the cheapest, OpenAI's 0.58 dearer."""
    days = range(10)
    places = (*DEAR_AND_CHEAP, ("29", "openai"))
    given = {
        "spend": [spend(amount, where, day) for day in days for amount, where in places],
        "speed": [speed(50.0, where, day) for day in days for _, where in places],
        "options": [option(96, "1"), option(120, "1")],
    }
    of_aws = [rows.Waiting("aws_gpu", "g5", 300.0, 9.0, usd(9), 500, (2.0, 90.0))]

    found = advice(replace(figures(**given, waiting=of_aws), backends=frozenset({"runpod"})))

    assert [one.title for one in found] == [
        "RunPod costs US$ 0.29 per hour of audio, OpenAI US$ 0.58"
    ]
    assert found[0].saving_usd == usd("145")  # 500 h at 0.29 less
    assert not any("aws" in f"{one}".casefold() for one in found)


@pytest.mark.parametrize(
    ("hours", "by_use", "machine"),
    [(0.0, "0", "11.28"), (0.5, "0.18", "11.28"), (100.0, "36", "11.28"), (1000.0, "360", None)],
)
def test_a_day_costs_in_proportion_and_a_machine_its_day_at_none_and_at_many_hours(
    hours, by_use, machine
):
    """0.36 an hour of audio; a machine at 11.28 a day, which does 10 h of audio in one (RTF 0.1)
    up to four fifths of a day: 192 h."""
    given = [
        *(
            rows.BackendOption(
                "openai", "w", "audio_minute", n, 0.0, 9, usd(n) * usd("0.36"), can_do_it=True
            )
            for n in (0, 1, 240)
        ),
        *(option(n, "11.28") for n in (0, 1, 240)),
    ]

    found = {one.backend: one.usd_a_day for one in options_at(tuple(given), hours)}

    assert found == {"openai": usd(by_use)} | ({"aws_gpu": usd(machine)} if machine else {})
