"""What a job asks for, what a backend can do, and what it would cost and take there."""

import dataclasses
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Literal

from gpu_job.contract import JobOptions

from .prices import NANODOLLAR, Price, Tariff, total
from .stretches import parts_of

HealthState = Literal["well", "degraded", "down"]


@dataclass(frozen=True, slots=True)
class JobSize:
    """What of a job decides who may do it, how long that takes and what it costs.

    language: a code, or None where it is to be detected. regions of speech: `speech_ms`, of all
    channels together.
    """

    audio_ms: int
    speech_ms: int
    audio_bytes: int
    model: str
    language: str | None
    diarized: bool
    channels: int = 1


def size_of(
    options: JobOptions, *, audio_ms: int, speech_ms: int, audio_bytes: int, channels: int
) -> JobSize:
    """Of a job with these options."""
    return JobSize(
        audio_ms=audio_ms,
        speech_ms=speech_ms,
        audio_bytes=audio_bytes,
        model=options.model,
        language=options.language,
        diarized=options.diarizer != "none",
        channels=channels,
    )


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a backend can do, and where. None: without a limit.

    paid: its seconds are on somebody's bill, so that budgets hold them.
    third_party: the audio leaves the user's own machines and cloud accounts.
    is_here: on this machine, which is in a region that its owner chose.
    regions: where it may run; empty: unknown, which a tenant who names regions forbids.
    quality: higher is better, by the models it runs.
    idle_seconds: how long a worker waits for another job before it ends, and is paid for.
    warm_workers: so many are asked for and paid all the time.
    last_resort: has a job only where no other of the same health may, unless it is primary.
    """

    paid: bool
    third_party: bool
    diarization: bool = True
    languages: frozenset[str] | None = None
    models: frozenset[str] | None = None
    max_audio_seconds: float | None = None
    max_audio_bytes: int | None = None
    regions: frozenset[str] = frozenset()
    quality: int = 0
    idle_seconds: float = 0.0
    warm_workers: int = 0
    last_resort: bool = False
    is_here: bool = False


@dataclass(frozen=True, slots=True)
class Health:
    """Whether a backend takes jobs now, and why not.

    lasting: waiting does not mend it, somebody must (a refused key, no workers allowed).
    probe: one job shall find out whether it is well again, so that it is not left out for ever.
    """

    state: HealthState
    reason: str = ""
    lasting: bool = False
    probe: bool = False


@dataclass(frozen=True, slots=True)
class Speed:
    """How fast a backend is: run seconds for a second of audio, and seconds until it begins.

    basis: where that is known from, in a few words.
    """

    rtf: float
    start_seconds: float
    basis: str


@dataclass(frozen=True, slots=True)
class Quote:
    """What one attempt would cost and take. `latency_seconds` = start + run.

    most_usd: what it may cost at most, where somebody bills it (ceilings.py), and of that
    overhead_usd for a boot and an idle worker; then it is stopped after run_limit_seconds.
    """

    backend: str
    sku: str
    cost_usd: Decimal
    run_seconds: float
    latency_seconds: float
    basis: str
    run_limit_seconds: int = 0
    overhead_usd: Decimal = Decimal(0)
    most_usd: Decimal | None = None

    @property
    def ceiling_usd(self) -> Decimal:
        """What a limit on money must have room for."""
        return self.cost_usd if self.most_usd is None else self.most_usd


def machine_quote(job: JobSize, price: Price, speed: Speed) -> Quote:
    """Of a backend whose machine time is paid; its start is paid as well as its run."""
    run_seconds = job.audio_ms / 1000 * speed.rtf
    latency = run_seconds + speed.start_seconds
    cost = price.cost_usd(Decimal(repr(latency))).quantize(NANODOLLAR, ROUND_HALF_EVEN)
    return Quote(price.backend, price.sku, cost, run_seconds, latency, speed.basis)


def audio_quote(job: JobSize, price: Price, speed: Speed) -> Quote:
    """Of a backend whose price is of the audio, however long it takes."""
    run_seconds = job.audio_ms / 1000 * speed.rtf
    seconds = Decimal(job.audio_ms) / 1000
    cost = price.cost_usd(seconds).quantize(NANODOLLAR, ROUND_HALF_EVEN)
    latency = run_seconds + speed.start_seconds
    return Quote(price.backend, price.sku, cost, run_seconds, latency, speed.basis)


def at_its_time(quote: Quote, rate: Tariff, since: datetime) -> Quote:
    """The quote of what begins at a moment, each second of machine time at its own price.

    Audio has the price of when it is sent.
    """
    if rate.at(since).unit == "audio_minute":
        return quote
    until = since + timedelta(seconds=quote.latency_seconds)
    cost = total(part.usd for part in parts_of(rate, since, until)).quantize(NANODOLLAR)
    return dataclasses.replace(quote, cost_usd=cost)
