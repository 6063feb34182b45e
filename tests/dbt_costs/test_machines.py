"""Leased machines in the cost tables, with figures worked out by hand."""

import dataclasses
from datetime import date, timedelta
from decimal import Decimal

import pytest

AWS = {"backend": "aws_gpu", "sku": "g5.xlarge", "usd_per_hour": Decimal("0.47")}


@pytest.fixture(scope="module")
def built(tmp_path_factory, new_costs, attempt, session, bill, day):  # noqa: PLR0913, PLR0917
    """10 March: a machine with two processes, at 0.36 in its zone; its bill is what it cost.

    It boots at 11:59, its first process is ready at 12:00. Jobs: 100 s at 12:00, 300 s at 12:10 by
    another process that was ready at 12:09, 300 s at 13:30 by a third one. Its timeout is 300 s.

    11 March: a machine that EC2 takes back after 200 s of work in its first hour, and one that it
    takes back later.
    """
    made = new_costs(tmp_path_factory.mktemp("machines"))

    def at(text, march=10):
        hours, minutes = text.split(":")
        return day + timedelta(days=march - 10, hours=int(hours), minutes=int(minutes))

    def job(name, began, ran, spot=Decimal("0.36"), **changes):
        return attempt(name, started_at=began, ran=ran, spot_usd_per_hour=spot, **AWS, **changes)

    def on(machine, began, *jobs, **changes):
        """Each job with the moment at which its process was ready."""
        for place, (one, ready) in enumerate(jobs, start=1):
            row = session(one, machine, place, began=began)
            row = dataclasses.replace(
                row,
                models_ready_at=ready,
                idle_timeout_seconds=300.0,
                instance_id=machine,
                zone="us-east-1a",
                is_spot=True,
                spot_usd_per_hour=one.spot_usd_per_hour,
            )
            is_last = place == len(jobs)
            made.write(one, dataclasses.replace(row, **changes if is_last else {}))

    on(
        "i-one",
        at("11:59"),
        (job("a", at("12:00"), 100.0), at("12:00")),
        (job("b", at("12:10"), 300.0), at("12:09")),
        (job("c", at("13:30"), 300.0), at("13:29")),
    )
    made.write(bill("aws_gpu", "0.606"))
    stopped = {"status": "stopped", "rtf": None}
    on(
        "i-free",
        at("09:00", 11),
        (job("d", at("09:01", 11), 100.0, spot=None), at("09:01", 11)),
        (job("e", at("09:05", 11), 100.0, **stopped), at("09:01", 11)),
        is_free=True,
    )
    on(
        "i-late",
        at("09:00", 11),
        (job("f", at("09:01", 11), 100.0, spot=None, **stopped), at("09:01", 11)),
        is_free=False,
    )
    made.load()
    made.warnings = made.build().warnings
    return made


def test_a_machine_boots_once_waits_all_the_time_between_its_jobs_and_explains_its_bill(built):
    """From 11:59 to 13:40 at 0.36 an hour: a minute, 700 s, and the other 5,300 of 6,060 s."""
    [seconds] = built.ask(
        "SELECT boot_seconds, busy_seconds, idle_seconds, spot_priced_seconds, cost_usd "
        "FROM marts.worker_time WHERE day = DATE '2026-03-10'"
    )
    assert seconds == (60, 700, 5300, 700, Decimal("0.606"))
    [found] = built.ask(
        "SELECT day, run_usd, boot_usd, idle_usd, unexplained_usd FROM marts.reconciliation"
    )
    assert found == (date(2026, 3, 10), Decimal("0.07"), Decimal("0.006"), Decimal("0.53"), 0)


def test_a_machine_that_is_taken_back_in_its_first_hour_costs_nothing_and_another_one_does(built):
    """A minute and 100 s at 0.47 of the price book, on the one that was taken back later."""
    found = built.ask(
        "SELECT category, sum(cost_usd) FROM marts.daily_spend WHERE day = DATE '2026-03-11' "
        "GROUP BY 1 HAVING sum(cost_usd) <> 0 ORDER BY 1"
    )
    assert found == [("boot", Decimal("0.007833333")), ("failed_run", Decimal("0.013055556"))]


def test_a_later_process_is_no_boot_of_more_than_an_hour(built):
    assert not [one for one in built.warnings if "what_clocks_say_can_be" in one]


def test_finance_sees_the_hours_of_the_machine_at_what_an_hour_came_to(built):
    """6,060 s at 0.36; the book's 0.47 takes the place of a list price."""
    found = built.ask(
        'SELECT sum("PricingQuantity"), any_value("PricingUnit"), sum("ListCost"), '
        'sum("BilledCost"), any_value("PricingCategory") FROM marts.focus_charges '
        "WHERE day = DATE '2026-03-10'"
    )
    hours, unit, list_cost, billed, category = found[0]
    assert (unit, billed, category) == ("Hours", Decimal("0.606"), "Dynamic")
    assert hours == pytest.approx(Decimal(6060) / 3600, abs=Decimal("1e-8"))
    assert list_cost == pytest.approx(hours * Decimal("0.47"))
