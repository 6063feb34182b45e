"""How fast backends were, from what was measured, and what to plan with for a job."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median

from .quotes import JobSize, Speed

MEASURED_DAYS = 14
FEWEST_JOBS = 5  # fewer say little of what the next one takes
_START_AT_MOST = 2  # times the planned start: what is longer was the provider's queue

# to plan with where nothing is measured: RTF, and seconds until a machine begins. The RTF is that
# of a card of 24 GB; nobody measured the others for these tables.
_PLANNED = {
    "runpod": (0.2, 30.0),
    "aws_gpu": (0.2, 240.0),
    "gcp_gpu": (0.2, 240.0),
    "local": (0.5, 5.0),
}
_PLANNED_ELSEWHERE = (0.2, 60.0)
_PLANNED_RTF_DIARIZATION = 0.1

Key = tuple[str, str, str, bool]  # backend, sku, model, diarized


@dataclass(frozen=True, slots=True)
class Run:
    """A job that was done: what the ledger says of it."""

    key: Key
    rtf: float
    audio_seconds: float
    start_seconds: float


@dataclass(frozen=True, slots=True)
class Measured:
    """Of the jobs of one key, in the last MEASURED_DAYS."""

    rtf: float
    start_seconds: float
    jobs: int


def planned_speed(backend: str, job: JobSize) -> Speed:
    """Of a machine, before there is a measured one."""
    rtf, start_seconds = _PLANNED.get(backend, _PLANNED_ELSEWHERE)
    if job.diarized and backend != "local":
        rtf = round(rtf + _PLANNED_RTF_DIARIZATION, 6)
    return Speed(rtf, start_seconds, f"planned: RTF {rtf:g}")


def measured_of(runs: Iterable[Run]) -> dict[Key, Measured]:
    """Medians by key: the RTF of an average second of audio, the start of an average job.

    Weighted by audio, since short jobs are slow for their length and cost little.
    """
    by_key: defaultdict[Key, list[Run]] = defaultdict(list)
    for run in runs:
        by_key[run.key].append(run)
    return {
        key: Measured(
            rtf=_weighted_median([(run.rtf, run.audio_seconds) for run in of_key]),
            start_seconds=median(run.start_seconds for run in of_key),
            jobs=len(of_key),
        )
        for key, of_key in by_key.items()
    }


def speed_of(
    job: JobSize, backend: str, sku: str, planned: Speed, measured: Mapping[Key, Measured]
) -> Speed:
    """What was measured of such jobs there; `planned` where that is too little.

    A start is at most twice the planned one: nobody can tell it from the provider's queue.
    """
    known = measured.get((backend, sku, job.model, job.diarized))
    if known is None or known.jobs < FEWEST_JOBS:
        return planned
    return Speed(
        rtf=known.rtf,
        start_seconds=min(known.start_seconds, _START_AT_MOST * planned.start_seconds),
        basis=f"measured: RTF {known.rtf:.3g} in {known.jobs:,} jobs of {MEASURED_DAYS} days",
    )


def _weighted_median(weighted: list[tuple[float, float]]) -> float:
    """The value at which half of all weight is reached."""
    half = sum(weight for _, weight in weighted) / 2
    reached = 0.0
    for value, weight in sorted(weighted):
        reached += weight
        if reached >= half:
            return value
    raise ValueError("a median of nothing was asked for")
