"""Estimates of cost and time for recordings, on every backend with a price."""

import dataclasses
import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from escriba.backend_names import RUNPOD

from .ledger_rows import per_audio_hour
from .measured_speeds import planned_speed
from .price_book import Price, PriceBook, total
from .quotes import JobSize, Quote, Speed, audio_quote, machine_quote

_PLANNED_RTF_SERVICE = 0.02  # hosted services take about a minute for an hour of audio

Quoter = Callable[[JobSize, Price, Speed], Quote]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A backend to estimate. workers: how many run concurrently.

    idle_seconds: paid idle time of each worker at its end.
    """

    price: Price
    speed: Callable[[JobSize], Speed]
    quote: Quoter
    workers: int
    idle_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Estimate:
    """The estimate for all jobs together. machine_seconds: None if audio is what is priced."""

    backend: str
    sku: str
    jobs: int
    audio_seconds: float
    cost_usd: Decimal
    usd_per_audio_hour: Decimal | None
    machine_seconds: float | None
    wall_seconds: float
    workers: int
    basis: str


def estimate(jobs: Sequence[JobSize], where: Candidate) -> Estimate:
    """The estimate for these jobs: each worker boots once, runs jobs longest first, then idles."""
    speeds = [where.speed(job) for job in jobs]
    runs = [
        where.quote(job, where.price, dataclasses.replace(speed, start_seconds=0.0))
        for job, speed in zip(jobs, speeds, strict=True)
    ]
    workers = min(where.workers, len(jobs))
    start_seconds = max((speed.start_seconds for speed in speeds), default=0.0)
    cost = total(run.cost_usd for run in runs)
    by_audio = where.price.unit == "audio_minute"
    idle_seconds = 0.0 if by_audio else where.idle_seconds
    if not by_audio and jobs:
        cost += workers * _start_usd(jobs[0], where, start_seconds + idle_seconds)
    audio_seconds = sum(job.audio_ms for job in jobs) / 1000
    run_seconds = [run.run_seconds for run in runs]
    return Estimate(
        backend=where.price.backend,
        sku=where.price.sku,
        jobs=len(jobs),
        audio_seconds=audio_seconds,
        cost_usd=cost,
        usd_per_audio_hour=per_audio_hour(cost, audio_seconds),
        machine_seconds=None
        if by_audio
        else sum(run_seconds) + workers * (start_seconds + idle_seconds),
        wall_seconds=start_seconds + _makespan(run_seconds, workers) if jobs else 0.0,
        workers=workers,
        basis="; ".join(dict.fromkeys(speed.basis for speed in speeds)),
    )


def planned_candidate(price: Price, workers: int) -> Candidate:
    """A backend from the price book that is not configured here, at planned speeds."""
    quote = audio_quote if price.unit == "audio_minute" else machine_quote
    return Candidate(price, lambda job: _planned_by(price, job), quote, workers)


def _planned_by(price: Price, job: JobSize) -> Speed:
    if price.unit == "audio_minute":
        return Speed(_PLANNED_RTF_SERVICE, 0.0, "priced by audio length")
    return planned_speed(price.backend, job)


def on_runpod_l4(
    book: PriceBook, audio_seconds: float, when: datetime, *, diarized: bool
) -> Decimal:
    """USD for this audio on a RunPod L4 at the planned RTF, without a cold start."""
    price = book.at(RUNPOD, "l4", when)
    job = JobSize(round(audio_seconds * 1000), 0, 0, "", None, diarized)
    speed = dataclasses.replace(planned_speed(price.backend, job), start_seconds=0.0)
    return machine_quote(job, price, speed).cost_usd


def _start_usd(job: JobSize, where: Candidate, start_seconds: float) -> Decimal:
    nothing = dataclasses.replace(job, audio_ms=0, speech_ms=0, audio_bytes=0)
    return where.quote(nothing, where.price, Speed(0.0, start_seconds, "")).cost_usd


def _makespan(run_seconds: Sequence[float], workers: int) -> float:
    """Seconds until the last worker is done; the first free worker takes the longest job."""
    free_at = [0.0] * workers
    for seconds in sorted(run_seconds, reverse=True):
        heapq.heapreplace(free_at, free_at[0] + seconds)
    return max(free_at)
