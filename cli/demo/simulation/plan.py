"""The plan of a simulated fleet: senders, machines, and incidents.

Figures are invented but shaped like those of a real fleet; prices come from a price book.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from escriba.backend_names import AWS_GPU, OPENAI, RUNPOD
from escriba.billing.price_book import PriceBook

SECOND = 1_000_000  # times and lengths are whole microseconds; times count from the first day
HOUR, DAY = 3_600 * SECOND, 86_400 * SECOND


@dataclass(frozen=True, slots=True)
class SimulatedMachine:
    """One sku of a backend. Shares are fractions, lengths are medians in seconds.

    jobs_a_life: mean; 0: an API, which has no worker lives. least_seconds: the billed minimum of
    a life. killed: share of lives that end during a job. stops: share of those that end in an
    orderly way. empty: lives without a job for each life with jobs; they are in no ledger.
    bucket: the length of a line of its bill.
    """

    backend: str
    sku: str
    share: float
    rtf: float
    gpu: str = ""
    model: str = "large-v3-turbo"
    boot_seconds: float = 0.0
    idle_seconds: float = 0.0
    jobs_a_life: float = 0.0
    least_seconds: int = 0
    killed: float = 0.0
    stops: float = 0.0
    failed: float = 0.01
    empty: float = 0.0
    bucket: int = DAY

    @property
    def is_api(self) -> bool:
        """Whether it is priced by the minute of audio."""
        return not self.jobs_a_life


@dataclass(frozen=True, slots=True)
class Sender:
    """A tenant: its share of the recordings, their length, and their languages."""

    name: str
    share: float
    noun: str
    median_minutes: float
    languages: tuple[str, ...]  # drawn evenly; repeat one to draw it more often


MACHINES = (
    SimulatedMachine(
        *(RUNPOD, "l4", 0.55, 0.110, "NVIDIA L4"),
        boot_seconds=22,
        idle_seconds=5,
        jobs_a_life=6,
        killed=0.01,
        empty=0.02,
    ),
    SimulatedMachine(
        *(RUNPOD, "rtx4090", 0.12, 0.065, "NVIDIA GeForce RTX 4090"),
        boot_seconds=18,
        idle_seconds=60,
        jobs_a_life=3,
        killed=0.01,
        empty=0.02,
    ),
    SimulatedMachine(
        *(AWS_GPU, "g5.xlarge", 0.25, 0.095, "NVIDIA A10G"),
        boot_seconds=95,
        idle_seconds=300,
        jobs_a_life=12,
        least_seconds=60,
        killed=0.04,
        stops=0.6,
        empty=0.02,
        bucket=HOUR,
    ),
    SimulatedMachine(OPENAI, "whisper-1", 0.08, 0.02, model="whisper-1", failed=0.02),
)

SENDERS = (
    Sender("synthetic-university", 0.40, "lecture", 75, ("pt", "pt", "pt", "en")),
    Sender("synthetic-court", 0.25, "hearing", 130, ("pt",)),
    Sender("synthetic-council", 0.15, "session", 95, ("pt", "pt", "es")),
    Sender("synthetic-podcasts", 0.15, "episode", 38, ("pt", "en", "es")),
    Sender("synthetic-clinic", 0.05, "meeting", 22, ("pt", "")),
)


@dataclass(frozen=True)
class SimulationPlan:
    """A fleet for a number of days, counted from 0, which is `first_day`.

    outage: the day on which most of RunPod is down. anomaly: the day on which the third sender
    uploads its archive. unbilled_days: how many of the last days have no bill yet.
    """

    seed: int
    first_day: date
    days: int
    recordings_a_day: float
    prices: PriceBook
    machines: tuple[SimulatedMachine, ...] = MACHINES
    senders: tuple[Sender, ...] = SENDERS
    outage: int | None = None
    anomaly: int | None = None
    unbilled_days: int = 0

    @property
    def start(self) -> datetime:
        """The start of the first day, UTC."""
        return datetime.combine(self.first_day, time(), UTC)


def moment(plan: SimulationPlan, micros: int) -> datetime:
    """Microseconds since the start as a time, UTC."""
    return plan.start + timedelta(microseconds=micros)
