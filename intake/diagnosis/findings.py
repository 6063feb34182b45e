"""A finding of `escriba doctor --deep`, and the figures from which something is one."""

from decimal import Decimal
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

Code = Literal[
    "slow_jobs", "cold_starts", "failures", "dear_jobs", "stuck_jobs", "queue_without_workers"
]
SLOW_RTF: Final = 0.5  # processing seconds for a second of audio
COLD_START_SECONDS: Final = 10.0
DEAR_USD: Final = Decimal(1)  # of one job, with all its attempts
STUCK_SECONDS: Final = 3_600.0
LONG_QUEUE: Final = 50  # recordings that wait
FEW_WORKERS: Final = 5
MOST_NAMED: Final = 20  # recordings in a finding; the count has all


class DeepFinding(BaseModel):
    """Recordings with the same trouble.

    count: of jobs. recordings: names of up to 20 of them, the worst first. cause: the likely one.
    command: what mends it, for a shell or `.env`. page: more about it.
    """

    model_config = ConfigDict(frozen=True)

    code: Code
    found: str
    count: int
    recordings: tuple[str, ...]
    cause: str
    command: str

    @property
    def page(self) -> str:
        """The section of the runbook."""
        return f"docs/runbook.md#{self.code.replace('_', '-')}"
