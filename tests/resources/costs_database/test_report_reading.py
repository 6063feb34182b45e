"""What a report reads out of the marts, where hand-made figures would prove nothing."""

from datetime import date, timedelta

import pytest

from escriba.reports.periods import last_days
from resources.costs_database.report_figures import read_figures


@pytest.fixture
def read(costs):
    """The figures of ten days, of what is in the bucket."""

    def of(days=10):
        costs.load()
        costs.build(checks=False)
        periods = last_days(days, date(2026, 3, 20))
        return read_figures(costs.settings.costs_database, periods)

    return of


def test_a_worker_that_died_with_its_last_job_did_not_wait_for_another(
    costs, read, attempt, session
):
    def life(name, *states):
        for number, state in enumerate(states):
            began = attempt().started_at + timedelta(minutes=10 * number)
            made = attempt(
                f"{name}{number}",
                attempt_id=f"acme:{name}{number}:1",
                started_at=began,
                status=state,
            )
            costs.write(made, session(made, name, number + 1))

    life("waited", "done", "failed")
    life("mended", "lost", "done")
    life("lost", "done", "lost")
    life("stopped", "stopped")

    [waiting] = read().waiting

    assert waiting.tails == 2
    assert len(waiting.pauses) == 3


def test_days_that_are_not_explained_and_days_without_a_bill_are_known(costs, read, attempt, bill):
    first = attempt("a")
    second = attempt("b", started_at=first.started_at + timedelta(days=1))
    costs.write(first, second, bill("runpod", "0.30"))

    [found] = read().bills

    assert (found.days, found.alarming, found.unbilled) == (
        1,
        (date(2026, 3, 10),),
        (date(2026, 3, 11),),
    )


def test_the_curve_of_a_month_begins_with_it_however_short_the_period(costs, read, attempt):
    first = attempt("a", started_at=attempt().started_at.replace(day=1))
    costs.write(first, attempt("b", started_at=first.started_at - timedelta(days=9)))

    assert [row.day for row in read(days=1).spend] == [date(2026, 3, 1)]
