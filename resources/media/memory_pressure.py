"""Tells whether the system killed a process because the machine, or its container, had no memory.

Linux counts such kills before each one: for a cgroup, with those below it, in `memory.events` (v2)
or `memory.oom_control` (v1), and for the whole machine in `/proc/vmstat`. No count names its
victim, so a process that got SIGKILL while a count rose is taken for one. Its own limit
(RLIMIT_DATA) never kills: it makes an allocation fail. Sources: the kernel's
admin-guide/cgroup-v2.rst and mm/oom_kill.c.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

_PROC: Final = Path("/proc")
_CGROUPS: Final = Path("/sys/fs/cgroup")
_COUNT: Final = "oom_kill"


def kill_counts(proc: Path = _PROC, cgroups: Path = _CGROUPS) -> Sequence[int]:
    """The kills so far, by each count that this system has; empty where it has none."""
    return [count for path in _sources(proc, cgroups) if (count := _count_in(path)) is not None]


def has_killed(before: Sequence[int], now: Sequence[int]) -> bool:
    """Whether any of the counts rose."""
    return len(before) == len(now) and any(b < n for b, n in zip(before, now, strict=True))


def _sources(proc: Path, cgroups: Path) -> Iterator[Path]:
    yield proc / "vmstat"
    with suppress(OSError):
        for line in (proc / "self/cgroup").read_text().splitlines():
            number, controllers, name = line.split(":", 2)
            for own in (name.lstrip("/"), ""):  # a container may see its own cgroup as the root
                if number == "0":
                    yield cgroups / own / "memory.events"
                elif "memory" in controllers.split(","):
                    yield cgroups / "memory" / own / "memory.oom_control"


def _count_in(path: Path) -> int | None:
    with suppress(OSError, ValueError, IndexError):
        for line in path.read_text().splitlines():
            if line.startswith(f"{_COUNT} "):
                return int(line.split()[1])
    return None
