"""A histogram that only grows, and the buckets of each of ours."""

from bisect import bisect_left
from collections.abc import Iterator
from typing import Final

from pydantic import BaseModel, Field

# a podcast takes seconds, a day of hearings half a night (seconds)
LATENCY_BUCKETS: Final = (
    *(15.0, 30.0, 60.0, 120.0, 180.0, 300.0, 450.0, 600.0, 900.0, 1_200.0, 1_800.0),
    *(2_700.0, 3_600.0, 5_400.0, 7_200.0, 10_800.0, 14_400.0, 21_600.0, 43_200.0, 86_400.0),
)
# a warm worker takes a second, a cold one 5 to 30, a spot machine minutes (seconds)
START_BUCKETS: Final = (
    1.0,
    2.0,
    5.0,
    10.0,
    20.0,
    30.0,
    60.0,
    120.0,
    300.0,
    600.0,
    1_800.0,
    7_200.0,
)
# run time by audio time: 0.2 is planned, above 0.5 is slow
RTF_BUCKETS: Final = (0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.75, 1.0, 2.0, 5.0)


class HistogramTotals(BaseModel):
    """How many values fell into each bucket, by its upper bound; the last one has no bound."""

    bounds: tuple[float, ...]
    counts: list[int] = Field(default_factory=list)
    sum: float = 0.0

    def observe(self, value: float) -> None:
        """Count a value, which is not negative."""
        if not self.counts:
            self.counts = [0] * (len(self.bounds) + 1)
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value

    def cumulative(self) -> Iterator[tuple[str, int]]:
        """Each bound as Prometheus writes it, and how many values are not above it."""
        total, counts = 0, self.counts or [0] * (len(self.bounds) + 1)
        for bound, count in zip((*map(str, self.bounds), "+Inf"), counts, strict=True):
            total += count
            yield bound, total
