"""The most memory that any process of this one's family had resident, by Linux's own account."""

import os
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

_LOOK_SECONDS: Final = 0.03
_OWN: Final = Path("/proc/self")


class PeakMemory(threading.Thread):
    """Watches this process and its descendants; a context manager. Without /proc it sees nothing.

    The kernel keeps the peak of each process, so one look while it lives is enough.
    """

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._end, self._most_kb = threading.Event(), 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self.join()

    def run(self) -> None:
        """Look until the end."""
        while not self._end.wait(_LOOK_SECONDS):
            self._look()

    def forget(self) -> None:
        """Begin anew: what was prepared for an attack is not its own."""
        with suppress(OSError):
            (_OWN / "clear_refs").write_text("5")  # resets the peak
        self._most_kb = 0

    def most_mb(self) -> float | None:
        """Since `forget`; None where no process can be seen."""
        self._look()
        return self._most_kb * 1024 / 1e6 if self._most_kb else None

    def _look(self) -> None:
        for pid in _family(os.getpid()):
            with suppress(OSError, ValueError):
                for line in Path(f"/proc/{pid}/status").read_text().splitlines():
                    if line.startswith("VmHWM:"):
                        self._most_kb = max(self._most_kb, int(line.split()[1]))


def _family(pid: int) -> list[int]:
    found = [pid]
    for parent in found:
        with suppress(OSError):
            for task in Path(f"/proc/{parent}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
    return found
