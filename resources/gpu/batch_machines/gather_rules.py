"""How long jobs are gathered for one machine, and how much work fills one; pure rules."""

from collections.abc import Sequence
from dataclasses import dataclass

from escriba.settings import Settings

# jobs whose predictions fill a lease to 1/1.5 still fit if each takes 1.5 times as long, which is
# where an attempt's own run limit stops it (escriba/billing/quote_ceiling.py)
RUN_GROWTH = 1.5
START_SHARE = 0.05  # of a lease: a start that costs more than this is not worth a machine


@dataclass(frozen=True, slots=True)
class GatherRules:
    """The limits of one backend.

    most_jobs, most_wait_seconds: of one gathering. most_machines: jobs are spread over at most so
    many. lease_limit_seconds: of a machine, without its start of start_seconds. jobs_at_once: of
    this process.
    """

    most_jobs: int
    most_wait_seconds: float
    most_machines: int
    lease_limit_seconds: int
    start_seconds: float
    jobs_at_once: int

    @property
    def full_seconds(self) -> float:
        """The work after which the start is 5 % of a lease."""
        return self.start_seconds * (1 - START_SHARE) / START_SHARE

    @property
    def enough_seconds(self) -> float:
        """The work that leaves at once: two leases, so that no part of it is left over."""
        return 2 * max(self.most_work_seconds, self.full_seconds)

    @property
    def most_work_seconds(self) -> float:
        """The most predicted work of one lease."""
        return self.lease_limit_seconds / RUN_GROWTH


def rules_of(settings: Settings, start_seconds: float) -> GatherRules:
    """The rules of the settings, for machines with such a planned start."""
    return GatherRules(
        most_jobs=settings.machine_gather_jobs,
        most_wait_seconds=settings.machine_gather_seconds,
        most_machines=settings.machines_at_once,
        lease_limit_seconds=settings.machine_lease_seconds,
        start_seconds=start_seconds,
        jobs_at_once=settings.machine_jobs_at_once,
    )


def hold_seconds(rules: GatherRules, run_seconds: Sequence[float]) -> float:
    """How long jobs are held back for others, counted from the first of them.

    Jobs wait as long as their share of a start: 5 % of their work. That is what company can save
    each of them in a full lease, so a short job that stays alone leaves within seconds, while a
    burst, whose work grows with each arrival, gets the time to arrive. What no machine can take in
    one lease leaves at once.

    run_seconds: the predicted work of each.
    """
    work = sum(run_seconds)
    if len(run_seconds) >= rules.most_jobs or work >= rules.enough_seconds:
        return 0.0
    return min(rules.most_wait_seconds, START_SHARE * work)
