"""What a simulated fleet is like: who sends what, which machines do it, and what befalls them.

Figures are made up, and shaped like those of a real fleet; prices come from a price book.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from pipelines.billing.prices import PriceBook

SECOND = 1_000_000  # moments and lengths are whole microseconds; moments since the first day
HOUR, DAY = 3_600 * SECOND, 86_400 * SECOND


@dataclass(frozen=True, slots=True)
class Machine:
    """One sku of a backend. Shares are of 1, lengths are medians in seconds.

    jobs_a_life: mean; 0: an API, which has no lives. least_seconds: what a start is billed at
    the least. killed: lives that end in the middle of a job. stops: of those, in good order.
    empty: lives without a job, for each life that has some; they are in no ledger.
    bucket: how long a line of its bill is.
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
        """Paid by the minute of audio."""
        return not self.jobs_a_life


@dataclass(frozen=True, slots=True)
class Sender:
    """A tenant: its share of the recordings, how long they are, what is spoken."""

    name: str
    share: float
    noun: str
    median_minutes: float
    languages: tuple[str, ...]  # drawn evenly: name one twice for more of it


MACHINES = (
    Machine(
        *("runpod", "l4", 0.55, 0.110, "NVIDIA L4"),
        boot_seconds=22,
        idle_seconds=5,
        jobs_a_life=6,
        killed=0.01,
        empty=0.02,
    ),
    Machine(
        *("runpod", "rtx4090", 0.12, 0.065, "NVIDIA GeForce RTX 4090"),
        boot_seconds=18,
        idle_seconds=60,
        jobs_a_life=3,
        killed=0.01,
        empty=0.02,
    ),
    Machine(
        *("aws_gpu", "g5.xlarge", 0.25, 0.095, "NVIDIA A10G"),
        boot_seconds=95,
        idle_seconds=300,
        jobs_a_life=12,
        least_seconds=60,
        killed=0.04,
        stops=0.6,
        empty=0.02,
        bucket=HOUR,
    ),
    Machine("openai", "whisper-1", 0.08, 0.02, model="whisper-1", failed=0.02),
)

SENDERS = (
    Sender("synthetic-university", 0.40, "lecture", 75, ("pt", "pt", "pt", "en")),
    Sender("synthetic-court", 0.25, "hearing", 130, ("pt",)),
    Sender("synthetic-council", 0.15, "session", 95, ("pt", "pt", "es")),
    Sender("synthetic-podcasts", 0.15, "episode", 38, ("pt", "en", "es")),
    Sender("synthetic-clinic", 0.05, "meeting", 22, ("pt", "")),
)


@dataclass(frozen=True)
class Plan:
    """A fleet for some days. Days are counted from 0, which is `first_day`.

    outage: the day on which most of RunPod is gone. anomaly: the day on which one sender (the
    third) brings its archive. unbilled_days: so many of the last have no bill yet.
    """

    seed: int
    first_day: date
    days: int
    recordings_a_day: float
    prices: PriceBook
    machines: tuple[Machine, ...] = MACHINES
    senders: tuple[Sender, ...] = SENDERS
    outage: int | None = None
    anomaly: int | None = None
    unbilled_days: int = 0

    @property
    def start(self) -> datetime:
        """The first moment, UTC."""
        return datetime.combine(self.first_day, time(), UTC)


def moment(plan: Plan, micros: int) -> datetime:
    """As a time, UTC."""
    return plan.start + timedelta(microseconds=micros)
