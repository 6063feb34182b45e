"""Where a process lives, and whether a process that lived on this machine is gone.

A part of the contract: the worker signs its claims with its place, and an orchestrator on the
same machine knows from it, at once, that the owner of a claim is dead.
"""

import contextlib
import os
import platform
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

from .contract import Place

_PROC = Path("/proc")


def here() -> Place:
    """The place of this process."""
    return place_of(os.getpid())


def place_of(pid: int) -> Place:
    """The place of a process of this machine, such as a child."""
    return Place(
        boot_id=_boot_id(),
        pid_namespace=_pid_namespace(),
        pid=pid,
        started=_started(pid) or "",
    )


def is_known_dead(place: Place) -> bool:
    """True only where it is certain: same boot, same process namespace, and no such process.

    A process of another machine, of another container or of an earlier boot is never called dead
    from here; its claim is over when its beats stop.
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
    # containers of one machine share the boot id, but not their process numbers
    with contextlib.suppress(OSError):
        return str((_PROC / "self/ns/pid").readlink())
    return sys.platform


def _started(pid: int) -> str | None:
    """When the process began, as the platform tells it; None where there is none, or a zombie."""
    if _PROC.joinpath("self/stat").exists():
        try:
            fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            return None
        return None if fields[0] in "ZX" else fields[19]  # proc(5): state, starttime in ticks
    return _shell("ps", "-o", "lstart=", "-p", str(pid)) or None


def _shell(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603  # fixed words, no user input
