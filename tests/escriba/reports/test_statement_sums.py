"""The thinking behind a statement: cents that add up, lines, budgets, and what is charged."""

import html
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as some
from pydantic import ValidationError

from escriba.reports.html.statement_page import page
from escriba.reports.periods import month
from escriba.reports.statement.cents import CENT, in_cents, rounded
from escriba.reports.statement.figures import (
    AllocatedCost,
    MonthCosts,
    Tagged,
    TenantMonth,
    Terms,
    TranscribedAudio,
)
from escriba.reports.statement.statement import make_statement
from escriba.reports.statement.sums import month_sums
from escriba.reports.statement.terms import ChargeTerms, charge_usd

usd = Decimal
NANO = some.integers(-5_000_000_000, 90_000_000_000).map(lambda nano: Decimal(nano).scaleb(-9))
PERIODS = month("2026-03", date(2026, 4, 2))


def test_the_largest_remainder_is_rounded_up():
    """By hand: they come to 1.00, the floors to 0.99, so one cent is missing."""
    parts = {"a": usd("0.333"), "b": usd("0.333"), "c": usd("0.333"), "d": usd("0.001")}

    assert in_cents(parts) == {
        "a": usd("0.34"),
        "b": usd("0.33"),
        "c": usd("0.33"),
        "d": usd("0.00"),
    }


@given(some.dictionaries(some.integers(0, 50), NANO, min_size=1))
def test_parts_add_up_and_none_is_a_cent_or_more_from_itself(parts):
    cents = in_cents(parts)

    assert sum(cents.values()) == rounded(sum(parts.values()))
    assert all(abs(cents[key] - exact) < CENT for key, exact in parts.items())


def test_a_total_that_rounding_does_not_explain_is_refused():
    with pytest.raises(ValueError, match="cannot be the rounded sum"):
        in_cents({"a": usd("0.50")}, usd("0.60"))


CARRIED = some.builds(
    AllocatedCost,
    some.sampled_from(["acme", "beta", "gamma", "unallocated"]),
    some.sampled_from(["run", "failed_run", "boot", "idle", "storage", "tax", "credit"]),
    NANO,
)


@given(some.lists(CARRIED, min_size=1), some.lists(CARRIED))
def test_statements_and_what_is_kept_apart_are_the_house_to_the_cent(now, before):
    house = MonthCosts(PERIODS, tuple(now), tuple(before))
    sums = month_sums(house)

    statements = [make_statement(house, own(name), Terms()) for name in ("acme", "beta", "gamma")]

    assert sum((row.usd for row in now), usd(0)).quantize(CENT) == sums.total
    assert sum(one.usd for one in statements) + sum(sums.apart.values()) == sums.total
    whole_before = sum((row.usd for row in before), usd(0))
    apart_before = sum((row.usd for row in before if row.tenant == "unallocated"), usd(0))
    assert abs(sum(one.before_usd for one in statements) + apart_before - whole_before) < 2 * CENT


def own(tenant="acme", seconds="7200", tagged=()):
    done = TranscribedAudio(3, usd(seconds))
    return TenantMonth(tenant, done, TranscribedAudio(2, usd(3600)), (), tuple(tagged), 20, 18)


HOUSE = MonthCosts(
    PERIODS,
    now=(
        AllocatedCost("acme", "run", usd("10.004")),
        AllocatedCost("acme", "boot", usd("0.503")),
        AllocatedCost("acme", "idle", usd("0.253")),
        AllocatedCost("acme", "failed_run", usd("1.242")),
        AllocatedCost("acme", "tax", usd("0.998")),
        AllocatedCost("beta", "run", usd("7")),
        AllocatedCost("unallocated", "storage", usd("2.5")),
    ),
    before=(AllocatedCost("acme", "run", usd(8)),),
)


def test_a_statement_has_own_work_failed_work_and_shared_costs_apart():
    """By hand: acme has 13.00; the floors of its five lines come to 12.98, so that the two with
    the largest remainders are rounded up: tax (0.008) and run (0.004)."""
    one = make_statement(HOUSE, own(), Terms(month_usd=usd(12)))

    assert [(part.title, part.usd) for part in one.parts] == [
        ("Work", usd("10.76")),
        ("Failed work", usd("1.24")),
        ("Shared costs", usd("1.00")),
    ]
    assert (one.usd, one.before_usd) == (usd("13.00"), usd("8.00"))
    assert one.usd_per_audio_hour == usd("6.5")
    assert one.left_usd == usd("-1.00")


def test_tags_add_up_to_the_total():
    tagged = [Tagged("100", "", usd("6.505")), Tagged("200", "x", usd("6.495"))]

    one = make_statement(HOUSE, own(tagged=tagged), Terms())

    assert sum(tag.usd for tag in one.tags) == one.usd == usd("13.00")
    assert make_statement(HOUSE, own(tagged=[Tagged("", "", usd(13))]), Terms()).tags == ()


@pytest.mark.parametrize(
    ("charge", "due"),
    [
        (ChargeTerms(usd_per_audio_hour=usd("0.50")), "1.02"),  # 2.03 h: 1.015, halves to even
        (ChargeTerms(markup=usd("0.15")), "14.95"),  # 13.00 and 1.95
        (ChargeTerms(markup=usd("-0.5")), "6.50"),
        (ChargeTerms(usd_per_audio_hour=usd(0)), "0.00"),
    ],
)
def test_what_is_charged_can_be_worked_out_from_the_statement(charge, due):
    assert charge_usd(charge, usd("13.00"), usd("7310")) == usd(due)


@pytest.mark.parametrize("told", [{}, {"markup": "0.1", "usd_per_audio_hour": "1"}])
def test_a_charge_is_a_price_or_a_markup(told):
    with pytest.raises(ValidationError, match="set either usd_per_audio_hour or markup, not both"):
        ChargeTerms.model_validate(told)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("apart", "besides jobs. "),
        ("cost", "in proportion to job costs of each day"),
        ("audio", "by hours of audio"),
    ],
)
def test_the_page_names_the_rule_by_which_costs_are_shared(rule, said):
    one = make_statement(HOUSE, own(), Terms(shared_by=rule))

    text = html.unescape(page(one, datetime(2026, 4, 2, tzinfo=UTC)))
    assert said in text
    assert "US$ 1.00" in text  # the tenant's tax, 0.998
