"""Tells a file that holds a core from one that is merely long, or waits for a busy machine."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

BRISK: Final = 10.0  # times real time; good audio decodes at 100 times and more
PATIENCE: Final = 10.0  # times as much wall time as CPU time, where nothing at all is decoded
_USER, _SYSTEM = 11, 12  # fields of /proc/PID/stat after the name, from 0


class Burden:
    """The CPU time of one process since it got a file."""

    def __init__(self, pid: int, slow_seconds: float) -> None:
        self._pid, self._slow_seconds = pid, slow_seconds
        self._before = _cpu_seconds(pid)

    def is_slow(self, took_seconds: float, done_ms: int) -> bool:
        """Whether the file has used the CPU for long with little to show, or does nothing at all.

        Args:
            took_seconds: Wall time since the process got the file.
            done_ms: Audio decoded in that time.
        """
        if took_seconds < self._slow_seconds:
            return False
        if not done_ms and took_seconds > PATIENCE * self._slow_seconds:
            return True
        now = _cpu_seconds(self._pid)
        used = took_seconds  # where there is no /proc
        if now is not None and self._before is not None:
            used = now - self._before
        return used >= self._slow_seconds and done_ms < used * BRISK * 1000


def _cpu_seconds(pid: int) -> float | None:
    with suppress(OSError, ValueError, IndexError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[_USER]) + int(fields[_SYSTEM])) / os.sysconf("SC_CLK_TCK")
    return None
