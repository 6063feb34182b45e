"""Which days a bill speaks for, and whose what it has beside machines is."""

from datetime import timedelta
from decimal import Decimal

import pytest

from resources.invoices.import_invoices import DeliveryFiles, import_invoices

SPENT = "SELECT day, sum(cost_usd) FROM marts.daily_spend GROUP BY 1 ORDER BY 1"


@pytest.fixture
def hours(write_csv, bills):
    """A report of AWS with these hours of the month, at 0.10 each."""

    def write(name, *starts):
        lines = [
            bills.aws
            | {
                "line_item_usage_start_date": f"2026-03-{day:02}T{at:02}:00:00Z",
                "line_item_usage_end_date": f"2026-03-{day:02}T{at:02}:59:59Z",
                "line_item_unblended_cost": "0.10",
                "identity_line_item_id": f"{day}-{at}",
            }
            for day, at in starts
        ]
        return write_csv(name, lines)

    return write


@pytest.fixture
def brought(costs, rates):
    """Imports, loads and builds; what each day cost."""

    def of(path, now):
        import_invoices(costs.storage, [path], rates, DeliveryFiles(), now)
        costs.load()
        costs.build(checks=True)
        return dict(costs.ask(SPENT))

    return of


def test_ten_of_24_hours_never_replace_a_day_and_all_of_it_does(
    brought, hours, costs, attempt, day
):
    """24 hours at 0.47 were measured. Ten are billed at 0.10; then all, and one of the next day."""
    aws = {"backend": "aws_gpu", "sku": "g5.xlarge", "usd_per_hour": Decimal("0.47")}
    costs.write(attempt(started_at=day, ran=86400.0, **aws))
    ten = [(10, at) for at in range(10)]

    april = day + timedelta(days=22)
    assert brought(hours("early.csv", *ten), april) == {day.date(): Decimal("11.28")}
    # nothing ran after ten, which a line of the next day proves: no row of this one is another
    assert brought(hours("later.csv", *ten, (11, 0)), april) == {
        day.date(): Decimal("1.00"),
        (day + timedelta(days=1)).date(): Decimal("0.10"),
    }


def test_tax_goes_to_tenants_where_the_setting_says_so(new_costs, tmp_path, attempt, bill, day):
    """acme has 0.019 of run, beta 0.057: a quarter and three of a tax of 0.40."""
    made = new_costs(tmp_path / "shared")
    made.settings = made.settings.model_copy(update={"shared_costs_by": "cost"})
    beta = attempt("b", ran=300.0, tenant="beta", attempt_id="beta:b:1")
    made.write(attempt("a"), beta, bill("runpod", "0.40", "tax"))
    made.load()
    made.build()

    asked = "SELECT tenant, cost_usd FROM marts.daily_spend WHERE category = 'tax' ORDER BY 1"
    assert made.ask(asked) == [("acme", Decimal("0.10")), ("beta", Decimal("0.30"))]
    made.settings = made.settings.model_copy(update={"shared_costs_by": "apart"})
    assert made.build().was_full
    assert made.ask(asked) == [("unallocated", Decimal("0.40"))]
