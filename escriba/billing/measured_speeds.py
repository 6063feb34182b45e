"""How fast backends are: measured speeds, and planned ones for jobs without measurements."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median

from escriba.backend_names import AWS_GPU, GCP_GPU, LOCAL, OPENAI, PYANNOTE_AI, RUNPOD

from .quotes import JobSize, Speed

MEASURED_DAYS = 14
FEWEST_JOBS = 5  # fewer do not predict the next one
_START_AT_MOST = 2  # times the planned start; a longer start was the provider's queue

# used without measurements: RTF, and seconds until a machine starts the job. The RTF is that of a
# GPU with 24 GB; others have not been measured for this table.
_PLANNED = {
    RUNPOD: (0.2, 30.0),
    AWS_GPU: (0.2, 240.0),
    GCP_GPU: (0.2, 240.0),
    LOCAL: (0.5, 5.0),
    OPENAI: (0.05, 5.0),  # ten minutes of audio come back in about half a minute
    PYANNOTE_AI: (0.05, 20.0),
}
_PLANNED_ELSEWHERE = (0.2, 60.0)
_PLANNED_RTF_DIARIZATION = 0.1

Key = tuple[str, str, str, bool]  # backend, sku, model, diarized


@dataclass(frozen=True, slots=True)
class CompletedRun:
    """A completed job, from the ledger."""

    key: Key
    rtf: float
    audio_seconds: float
    start_seconds: float


@dataclass(frozen=True, slots=True)
class MeasuredSpeed:
    """The speed of the jobs of one key in the last MEASURED_DAYS."""

    rtf: float
    start_seconds: float
    jobs: int


def planned_speed(backend: str, job: JobSize) -> Speed:
    """The speed to plan with before there are measurements."""
    rtf, start_seconds = _PLANNED.get(backend, _PLANNED_ELSEWHERE)
    if not job.transcribed:
        rtf = min(rtf, _PLANNED_RTF_DIARIZATION)
        return Speed(rtf, start_seconds, f"planned: RTF {rtf:g}")
    if job.diarized and backend != LOCAL:
        rtf = round(rtf + _PLANNED_RTF_DIARIZATION, 6)
    return Speed(rtf, start_seconds, f"planned: RTF {rtf:g}")


def planned_start_seconds(backend: str) -> float:
    """The seconds to plan until a machine of a backend starts its first job."""
    return _PLANNED.get(backend, _PLANNED_ELSEWHERE)[1]


def measured_of(runs: Iterable[CompletedRun]) -> dict[Key, MeasuredSpeed]:
    """Medians by key: the RTF weighted by audio, the start by job.

    Weighting by audio matters because short jobs are slow for their length and cost little.
    """
    by_key: defaultdict[Key, list[CompletedRun]] = defaultdict(list)
    for run in runs:
        by_key[run.key].append(run)
    return {
        key: MeasuredSpeed(
            rtf=_weighted_median([(run.rtf, run.audio_seconds) for run in of_key]),
            start_seconds=median(run.start_seconds for run in of_key),
            jobs=len(of_key),
        )
        for key, of_key in by_key.items()
    }


def speed_of(
    job: JobSize, backend: str, sku: str, planned: Speed, measured: Mapping[Key, MeasuredSpeed]
) -> Speed:
    """The measured speed of such jobs on a backend; `planned` if there are too few of them.

    The start is capped at twice the planned one, since a longer one includes the provider's queue.
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
    """The value at which half of the total weight is reached."""
    half = sum(weight for _, weight in weighted) / 2
    reached = 0.0
    for value, weight in sorted(weighted):
        reached += weight
        if reached >= half:
            return value
    raise ValueError("no values to take a median of")
