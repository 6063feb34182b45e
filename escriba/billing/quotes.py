"""What a job needs, what a backend can do, and what the job would cost and take there."""

import dataclasses
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Literal

from gpu_job.contract import JobOptions

from .price_book import NANODOLLAR, Price, Tariff, total
from .price_periods import priced_parts

_SPEAKERS = "speakers:"  # before a diarizer's name, in the place of a speech model
WORKER_DIARIZERS = frozenset({"light", "pyannote"})  # of this project's own workers

HealthState = Literal["well", "degraded", "down"]


@dataclass(frozen=True, slots=True)
class JobSize:
    """The properties of a job that determine its backend, duration and cost.

    language: a code, or None to detect it. speech_ms: of all channels together. transcribed: False:
    the job only finds speakers, and `model` names what finds them, as in the ledger. diarizer: what
    finds them, if it is diarized.
    """

    audio_ms: int
    speech_ms: int
    audio_bytes: int
    model: str
    language: str | None
    diarized: bool
    channels: int = 1
    transcribed: bool = True
    diarizer: str = "light"

    @property
    def words_alone(self) -> "JobSize":
        """The job for the words, if another one finds the speakers."""
        return dataclasses.replace(self, diarized=False)

    @property
    def speakers_alone(self) -> "JobSize":
        """The job for the speakers, if another one writes the words."""
        model = speakers_model(self.diarizer)
        return dataclasses.replace(self, model=model, language=None, transcribed=False)


def speakers_model(diarizer: str) -> str:
    """The name of a diarizer in the place of a speech model, for a job without words."""
    return f"{_SPEAKERS}{diarizer}"


def finds_only_speakers(model: str) -> bool:
    """Whether the model of a ledger's row is that of a job without words.

    Hours of audio count with the words: `dbt_costs/macros/audio.sql` has the same rule in SQL.
    """
    return model.startswith(_SPEAKERS)


def size_of(
    options: JobOptions, *, audio_ms: int, speech_ms: int, audio_bytes: int, channels: int
) -> JobSize:
    """The size of a job with these options."""
    transcribed = options.task != "diarize"
    return JobSize(
        audio_ms=audio_ms,
        speech_ms=speech_ms,
        audio_bytes=audio_bytes,
        model=options.model if transcribed else speakers_model(options.diarizer),
        language=options.language,
        diarized=options.diarizer != "none",
        channels=channels,
        transcribed=transcribed,
        diarizer=options.diarizer,
    )


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a backend can do, and where. None: no limit.

    paid: a provider bills its seconds, so budgets apply.
    third_party: the audio leaves the user's own machines and cloud accounts.
    transcription: False: it only finds speakers, in jobs of their own.
    diarizers: what it can find speakers with, if `diarization`.
    is_here: it runs on this machine, so its region is not checked.
    regions: where it may run; empty: unknown, which a tenant's list of regions rules out.
    quality: higher is better, by the models it runs.
    idle_seconds: paid time that a worker waits for another job before it ends.
    warm_workers: workers that are paid all the time.
    last_resort: gets a job only if no other backend of the same health can, unless it is primary.
    is_api: its models run behind an API; no other backend can load those that exist only there.
    """

    paid: bool
    third_party: bool
    diarization: bool = True
    transcription: bool = True
    diarizers: frozenset[str] = WORKER_DIARIZERS
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
    is_api: bool = False


@dataclass(frozen=True, slots=True)
class Health:
    """Whether a backend takes jobs now, and why not.

    lasting: an operator has to fix it, waiting does not help (a refused key, no workers allowed).
    probe: one job may test whether it is healthy again.
    """

    state: HealthState
    reason: str = ""
    lasting: bool = False
    probe: bool = False


@dataclass(frozen=True, slots=True)
class Speed:
    """How fast a backend is: run seconds per second of audio, and seconds until a job starts.

    basis: where the figures come from, in a few words.
    """

    rtf: float
    start_seconds: float
    basis: str


@dataclass(frozen=True, slots=True)
class Quote:
    """What one attempt would cost and take. `latency_seconds` = start + run.

    most_usd: its maximum cost on a paid backend (quote_ceiling.py), which includes overhead_usd
    for boot and idle time; the attempt is stopped after run_limit_seconds. paid_seconds: what it
    costs; None: all of latency_seconds.
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
    paid_seconds: float | None = None

    @property
    def ceiling_usd(self) -> Decimal:
        """The amount that must fit into every spending limit."""
        return self.cost_usd if self.most_usd is None else self.most_usd


def machine_quote(job: JobSize, price: Price, speed: Speed) -> Quote:
    """The quote of a backend that is paid by machine time, start included."""
    run_seconds = job.audio_ms / 1000 * speed.rtf
    latency = run_seconds + speed.start_seconds
    cost = price.leased_usd(Decimal(repr(latency))).quantize(NANODOLLAR, ROUND_HALF_EVEN)
    return Quote(price.backend, price.sku, cost, run_seconds, latency, speed.basis)


def shared_start_quote(job: JobSize, price: Price, speed: Speed, work_seconds: float) -> Quote:
    """The quote of a machine that processes several jobs after one start.

    The cost has the job's share of the start, by its part of the machine's work; the duration has
    a whole start. work_seconds: the expected work of the machine, this job included.
    """
    whole = machine_quote(job, price, speed)
    share = whole.run_seconds / work_seconds if work_seconds > whole.run_seconds else 1.0
    paid = whole.run_seconds + speed.start_seconds * share
    cost = price.leased_usd(Decimal(repr(paid))).quantize(NANODOLLAR, ROUND_HALF_EVEN)
    return dataclasses.replace(whole, cost_usd=cost, paid_seconds=paid)


def audio_quote(job: JobSize, price: Price, speed: Speed) -> Quote:
    """The quote of a backend that is paid by audio length, however long it takes."""
    run_seconds = job.audio_ms / 1000 * speed.rtf
    seconds = Decimal(job.audio_ms) / 1000
    cost = price.cost_usd(seconds).quantize(NANODOLLAR, ROUND_HALF_EVEN)
    latency = run_seconds + speed.start_seconds
    return Quote(price.backend, price.sku, cost, run_seconds, latency, speed.basis)


def quote_at_time_prices(quote: Quote, rate: Tariff, since: datetime) -> Quote:
    """The quote of an attempt that begins at `since`, each machine second at its own price.

    Audio has the price at the time it is sent.
    """
    if rate.at(since).unit == "audio_minute":
        return quote
    paid = quote.latency_seconds if quote.paid_seconds is None else quote.paid_seconds
    until = since + timedelta(seconds=paid)
    beside = Decimal(repr(paid)) * rate.at(since).beside_usd_per_hour / 3600
    cost = total(part.usd for part in priced_parts(rate, since, until)) + beside
    cost = cost.quantize(NANODOLLAR, ROUND_HALF_EVEN)
    return dataclasses.replace(quote, cost_usd=cost)
