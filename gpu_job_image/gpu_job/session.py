"""One worker process from start to end, and the usage records of its jobs."""

import os
import secrets
import socket
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from .common.gpu_memory import Card
from .contract import CloudMachine, Usage, process_identity

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def _worker_name() -> str:
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"


def container_started_at() -> datetime | None:
    """Start time of process 1 of this container or machine; None if unknown.

    From /proc/1/stat, field 22: ticks since boot on CLOCK_BOOTTIME.
    """
    try:
        fields = Path("/proc/1/stat").read_text().rpartition(")")[2].split()
        started = int(fields[19]) / os.sysconf("SC_CLK_TCK")
        age = time.clock_gettime(time.CLOCK_BOOTTIME) - started
    except (OSError, ValueError, IndexError, AttributeError):
        return None
    return datetime.now(UTC) - timedelta(seconds=age)


@dataclass
class WorkerSession:
    """A worker that has loaded its models.

    boot: a nonce shared by all attempts of the session, from which idle time is computed.
    container_started_at: read once, when the models are ready, so that a later clock change does
        not move it relative to `models_ready_at`.
    reported_until: the reported end of the last job.
    machine: the machine of a cloud, asked for once.
    buys: whether it buys from an API that bills by audio.
    """

    worker: str = field(default_factory=_worker_name)
    boot: str = field(default_factory=lambda: secrets.token_hex(8))
    card: Card = field(default_factory=Card.none)
    models_ready_at: datetime | None = None
    jobs: int = 0  # leases taken so far
    container_started_at: datetime | None = field(default_factory=container_started_at)
    reported_until: datetime | None = None
    machine: CloudMachine | None = None
    buys: bool = False

    def usage(self, model_revision: str) -> Usage:
        """The usage record of a job that starts now as the next one of this session.

        It starts after the previous job even if the clock was set back in between.
        """
        now = max(datetime.now(UTC), self.reported_until or _LONG_AGO)
        return Usage(
            worker=self.worker,
            place=process_identity.here(),
            started_at=now,
            ended_at=now,
            boot=self.boot,
            sequence=self.jobs + 1,
            container_started_at=self.container_started_at,
            models_ready_at=self.models_ready_at,
            gpu=self.card.name,
            model_revision=model_revision,
            machine=self.machine,
            bought_ms=0 if self.buys else None,
        )
