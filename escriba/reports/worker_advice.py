"""Advice on workers: idle timeouts, failed attempts, and boots that no job explains."""

from collections.abc import Iterator
from decimal import Decimal

from escriba.backend_names import RUNPOD

from .advice import Advice
from .comparison import spent, wasted
from .figures import ZERO, BillTotal, Figures, Waiting
from .wording import WASTE, backend, days, no_bill_yet, percent, place, usd, which_days

_TIMEOUTS = (5, 10, 15, 30, 60, 120, 300)  # seconds that providers accept
_LEAST_TAILS = 10  # worker lives, before a timeout is judged
_FAILING = ("failed", "lost", "buried", "duplicate")
_FAILING_SHARE = Decimal("0.01")
_UNEXPLAINED_SHARE = Decimal("0.02")
_HOUR = 3_600


def shorter_timeout(figures: Figures) -> Iterator[Advice]:
    """Workers with too long an idle timeout: replays the pauses under shorter timeouts."""
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
            title=f"{place(f'{one.backend}/{one.sku}')} workers wait {one.timeout_seconds:g} s "
            f"for another job; {best} s is enough",
            what_to_do=_how(one.backend, best),
            saving_usd=one.usd_per_hour * Decimal(repr(saved)) / _HOUR,
            rests_on=f"{one.tails:,} workers waited for a job that never came; {more:,} of "
            f"{len(one.pauses):,} pauses would have cost another boot of "
            f"{one.boot_seconds:.0f} s.",
        )


def paid_seconds(one: Waiting, timeout: float) -> float:
    """Seconds that this timeout would have cost: pauses, final waits and additional boots."""
    waited = sum(min(pause, timeout) for pause in one.pauses)
    starts = sum(pause > timeout for pause in one.pauses) * one.boot_seconds
    return waited + starts + one.tails * timeout


def _how(name: str, seconds: int) -> str:
    if name == RUNPOD:
        return f"Set `RUNPOD_IDLE_SECONDS={seconds}`, then run `escriba deploy runpod`."
    return f"Stop its workers after {seconds} s without a job."


def failed_attempts(figures: Figures) -> Iterator[Advice]:
    """The cost of attempts that produced no transcript."""
    total = spent(figures.spend, figures.periods.now)
    for (kind, name), (cost, attempts) in wasted(figures, figures.periods.now).items():
        if kind in _FAILING and cost > total * _FAILING_SHARE:
            yield Advice(
                title=f"{WASTE[kind]} on {backend(name)} cost {usd(cost)}",
                what_to_do="Find the cause: count them by error_type and recording with "
                "`escriba sql`, and check the backend with `escriba doctor`.",
                saving_usd=cost,
                rests_on=f"{attempts:,} attempts; the saving is their whole cost, an upper bound.",
            )


def _most_on(bill: BillTotal) -> str:
    return f"; more than 5 % on {which_days(bill.alarming)}" if bill.alarming else ""


def unexplained(figures: Figures) -> Iterator[Advice]:
    """Billed costs that no job explains, such as workers that boot and never get a job."""
    for bill in figures.bills:
        if bill.billed_usd > ZERO and bill.unexplained_usd > bill.billed_usd * _UNEXPLAINED_SHARE:
            share = float(bill.unexplained_usd / bill.billed_usd)
            yield Advice(
                title=f"{backend(bill.backend)} billed {usd(bill.unexplained_usd)} that no job "
                "explains",
                what_to_do="Look for workers that boot and get no job: a container that crashes, "
                "more workers than jobs, or other use of the same account.",
                saving_usd=bill.unexplained_usd,
                rests_on=f"{percent(share)} of {usd(bill.billed_usd)} billed for "
                f"{days(bill.days)}{_most_on(bill)}{no_bill_yet(bill)}.",
            )
