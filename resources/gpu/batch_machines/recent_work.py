"""How much work a machine got lately, which is what a start is shared by."""

from collections import deque
from collections.abc import Callable, Sequence

from .gather_rules import GatherRules

KEPT_SECONDS = 3_600.0


class RecentWork:
    """The mean of the last hour. Without a machine in it, the next one is expected to be full.

    Otherwise a backend that once had a lone job would look expensive forever, and no night would
    ever be sent there to show the contrary. A mean of many machines, since the last one may have
    got what was left over: by it alone, a night leaves its cheapest backend for an hour.
    """

    def __init__(self, rules: GatherRules, clock: Callable[[], float]) -> None:
        self._rules, self._clock = rules, clock
        self._machines: deque[tuple[float, float]] = deque()  # when, and its work

    def left(self, work_seconds: Sequence[float]) -> None:
        """Note the predicted work of the machines of one gathering."""
        self._machines.extend((self._clock(), one) for one in work_seconds)

    def work_seconds(self) -> float:
        """The predicted work of a machine."""
        since = self._clock() - KEPT_SECONDS
        while self._machines and self._machines[0][0] < since:
            self._machines.popleft()
        if not self._machines:
            return self._rules.full_seconds
        return sum(work for _, work in self._machines) / len(self._machines)
