"""One worker process, from its start to its end: what each job of it is told by."""

import os
import secrets
import socket
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from . import place
from .card import Card
from .contract import Usage

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def _worker_name() -> str:
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"


def container_started_at() -> datetime | None:
    """When process 1 of this container, or of this machine, began; None where nobody tells.

    From /proc/1/stat, field 22: ticks since boot, counted as CLOCK_BOOTTIME counts.
    """
    try:
        fields = Path("/proc/1/stat").read_text().rpartition(")")[2].split()
        started = int(fields[19]) / os.sysconf("SC_CLK_TCK")
        age = time.clock_gettime(time.CLOCK_BOOTTIME) - started
    except (OSError, ValueError, IndexError, AttributeError):
        return None
    return datetime.now(UTC) - timedelta(seconds=age)


@dataclass
class Session:
    """A worker that has loaded its models.

    boot: a nonce: attempts of one session share it, so that its idle time can be found.
    container_started_at: asked once, when the models are ready: a clock that is set later moves
        neither against the other.
    told_until: the end of its last job, as it was told.
    """

    worker: str = field(default_factory=_worker_name)
    boot: str = field(default_factory=lambda: secrets.token_hex(8))
    card: Card = field(default_factory=Card.none)
    models_ready_at: datetime | None = None
    jobs: int = 0  # claimed so far
    container_started_at: datetime | None = field(default_factory=container_started_at)
    told_until: datetime | None = None

    def usage(self, model_revision: str) -> Usage:
        """Of a job that begins now, the next of this session if it can be claimed.

        It begins after the one before it, also where the clock was set back in between.
        """
        now = max(datetime.now(UTC), self.told_until or _LONG_AGO)
        return Usage(
            worker=self.worker,
            place=place.here(),
            started_at=now,
            ended_at=now,
            boot=self.boot,
            sequence=self.jobs + 1,
            container_started_at=self.container_started_at,
            models_ready_at=self.models_ready_at,
            gpu=self.card.name,
            model_revision=model_revision,
        )
