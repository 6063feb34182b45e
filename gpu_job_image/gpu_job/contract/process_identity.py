"""Identifies a process, and tells whether a process of this machine is dead.

Part of the contract: the worker stores its place in its leases, so an orchestrator on the same
machine knows immediately that the owner of a lease is dead.
"""

import contextlib
import os
import platform
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

from . import WorkerPlace

_PROC = Path("/proc")


def here() -> WorkerPlace:
    """The place of this process."""
    return place_of(os.getpid())


def place_of(pid: int) -> WorkerPlace:
    """The place of a process on this machine, such as a child process."""
    return WorkerPlace(
        boot_id=_boot_id(),
        pid_namespace=_pid_namespace(),
        pid=pid,
        started=_started(pid) or "",
    )


def is_known_dead(place: WorkerPlace) -> bool:
    """True only if it is certain: same boot, same process namespace, and no such process.

    Always False for a process of another machine, another container or an earlier boot; its lease
    expires when its heartbeats stop.
    """
    if (place.boot_id, place.pid_namespace) != (_boot_id(), _pid_namespace()):
        return False
    return _started(place.pid) != place.started


@lru_cache(maxsize=1)
def _boot_id() -> str:
    with contextlib.suppress(OSError):
        return (_PROC / "sys/kernel/random/boot_id").read_text().strip()
    return f"{platform.node()}:{_shell('sysctl', '-n', 'kern.bootsessionuuid')}"


@lru_cache(maxsize=1)
def _pid_namespace() -> str:
    # containers of one machine share the boot ID, but not process IDs
    with contextlib.suppress(OSError):
        return str((_PROC / "self/ns/pid").readlink())
    return sys.platform


def _started(pid: int) -> str | None:
    """Start time of the process, in the platform's unit; None for a missing process or a zombie."""
    if _PROC.joinpath("self/stat").exists():
        try:
            fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            return None
        return None if fields[0] in "ZX" else fields[19]  # proc(5): state, starttime in ticks
    return _shell("ps", "-o", "lstart=", "-p", str(pid)) or None


def _shell(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603  # fixed words, no user input
