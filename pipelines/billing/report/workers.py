"""Advice about workers: how long they wait, what fails, and what boots for nothing."""

from collections.abc import Iterator
from decimal import Decimal

from .advice import Advice
from .comparison import spent, wasted
from .figures import ZERO, Bill, Figures, Waiting
from .wording import WASTE, backend, days, no_bill_yet, percent, place, usd, which_days

_TIMEOUTS = (5, 10, 15, 30, 60, 120, 300)  # seconds that providers take
_LEAST_TAILS = 10  # lives, before a timeout is judged
_FAILING = ("failed", "lost", "buried", "duplicate")
_FAILING_SHARE = Decimal("0.01")
_UNEXPLAINED_SHARE = Decimal("0.02")
_HOUR = 3_600


def shorter_timeout(figures: Figures) -> Iterator[Advice]:
    """Workers that wait longer than it pays: the pauses that were, under other timeouts."""
    for one in figures.waiting:
        if one.tails < _LEAST_TAILS or not figures.can_send_to(one.backend):
            continue
        shorter = [t for t in _TIMEOUTS if t < one.timeout_seconds]
        if not shorter:
            continue
        best = min(shorter, key=lambda t: paid_seconds(one, t))
        saved = paid_seconds(one, one.timeout_seconds) - paid_seconds(one, best)
        more = sum(pause > best for pause in one.pauses)
        yield Advice(
            title=f"{place(f'{one.backend}/{one.sku}')} waits {one.timeout_seconds:g} s for "
            f"another job; {best} s would do",
            what_to_do=_how(one.backend, best),
            saving_usd=one.usd_per_hour * Decimal(repr(saved)) / _HOUR,
            rests_on=f"{one.tails:,} workers waited in vain at their end; {more:,} of "
            f"{len(one.pauses):,} pauses would have cost a start of {one.boot_seconds:.0f} s.",
        )


def paid_seconds(one: Waiting, timeout: float) -> float:
    """What waiting would have come to: pauses, what is waited in vain, and more starts."""
    waited = sum(min(pause, timeout) for pause in one.pauses)
    starts = sum(pause > timeout for pause in one.pauses) * one.boot_seconds
    return waited + starts + one.tails * timeout


def _how(name: str, seconds: int) -> str:
    if name == "runpod":
        return f"`RUNPOD_IDLE_SECONDS={seconds}`, then `escriba deploy runpod`."
    return f"Let its workers go after {seconds} s without a job."


def failing(figures: Figures) -> Iterator[Advice]:
    """What attempts cost that made no transcript."""
    total = spent(figures.spend, figures.periods.now)
    for (kind, name), (cost, attempts) in wasted(figures, figures.periods.now).items():
        if kind in _FAILING and cost > total * _FAILING_SHARE:
            yield Advice(
                title=f"{WASTE[kind]} at {backend(name)} cost {usd(cost)}",
                what_to_do="See what they died of: `escriba sql` counts them by error_type and "
                "recording, `escriba doctor` looks at the backend.",
                saving_usd=cost,
                rests_on=f"{attempts:,} attempts. All of it, which is the most that is to be had.",
            )


def _most_on(bill: Bill) -> str:
    return f"; more than 5 % of {which_days(bill.alarming)}" if bill.alarming else ""


def unexplained(figures: Figures) -> Iterator[Advice]:
    """What is billed and no job tells of: workers that start and never get one."""
    for bill in figures.bills:
        if bill.billed_usd > ZERO and bill.unexplained_usd > bill.billed_usd * _UNEXPLAINED_SHARE:
            share = float(bill.unexplained_usd / bill.billed_usd)
            yield Advice(
                title=f"{backend(bill.backend)} billed {usd(bill.unexplained_usd)} that no job "
                "explains",
                what_to_do="Look at workers that start and get no job: a container that crashes, "
                "more workers than jobs, something else on the same account.",
                saving_usd=bill.unexplained_usd,
                rests_on=f"{percent(share)} of {usd(bill.billed_usd)} billed for "
                f"{days(bill.days)}{_most_on(bill)}{no_bill_yet(bill)}.",
            )
