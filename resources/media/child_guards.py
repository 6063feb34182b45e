"""What a process gives up, for good, before it reads a stranger's file."""

import ctypes
import math
import os
import resource
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from .landlock import leave_only
from .media_limits import OPEN_FILES, MediaLimits
from .seccomp import forbid_network_and_processes

_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
_STATUS: Final = Path("/proc/self/status")


def guard(folder: Path, limits: MediaLimits) -> Mapping[str, bool]:
    """Sets the limits, and leaves this process no network and no files but those of a folder.

    Returns:
        Which of `dies_with_parent`, `memory`, `files` and `network` this system guards.
    """
    for number in (signal.SIGXCPU, signal.SIGPIPE, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_FSIZE, limits.output_bytes)
    _limit(resource.RLIMIT_NOFILE, OPEN_FILES)
    if sys.platform != "linux":
        return dict.fromkeys(("dies_with_parent", "memory", "files", "network"), False)
    library = ctypes.CDLL(None)
    dies = library.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) == 0
    library.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    _limit(resource.RLIMIT_DATA, _data_bytes() + limits.memory_bytes)
    files = leave_only(folder)
    network = forbid_network_and_processes()
    return {"dies_with_parent": dies, "memory": True, "files": files, "network": network}


class CpuAllowance:
    """The CPU time of one file: it grows with the audio that has been decoded, in every pass."""

    def __init__(self, limits: MediaLimits) -> None:
        self.done_ms = 0
        self._limits, self._in_pass_ms = limits, 0
        self._began = _cpu_seconds()
        self._grant()

    def decoded(self, done_ms: int) -> None:
        """The present pass has decoded this much."""
        self.done_ms += max(0, done_ms - self._in_pass_ms)
        self._in_pass_ms = done_ms
        self._grant()

    def _grant(self) -> None:
        allowed = math.ceil(self._began + self._limits.cpu_allowed(self.done_ms))
        _, hard = resource.getrlimit(resource.RLIMIT_CPU)
        resource.setrlimit(resource.RLIMIT_CPU, (allowed, hard))


def _limit(kind: int, value: int) -> None:
    _, hard = resource.getrlimit(kind)
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (value, value))


def _cpu_seconds() -> float:
    times = os.times()
    return times.user + times.system


def _data_bytes() -> int:
    """Private memory of this process, as RLIMIT_DATA counts it."""
    for line in _STATUS.read_text().splitlines():
        if line.startswith("VmData:"):
            return int(line.split()[1]) * 1024
    return 0
