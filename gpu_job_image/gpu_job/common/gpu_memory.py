"""The GPU as the driver reports it: its name and memory in use by all processes, without CUDA."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .settings import WorkerSettings

GIB = 1 << 30


@dataclass(frozen=True)
class Memory:
    """Bytes of GPU memory, of all processes together."""

    used: int
    free: int


class Card:
    """One GPU, or none: then all figures are 0 and nothing fails.

    Create it with `find`; tests pass their own `read`.
    """

    def __init__(self, name: str, read: Callable[[], Memory]) -> None:
        self.name = name
        self._read = read
        self.peak_bytes = 0

    @classmethod
    def find(cls, visible: str | None = None) -> "Card":
        """The first GPU that this process may use; a card without a name if there is none.

        visible: CUDA_VISIBLE_DEVICES: numbers or UUIDs; the first one counts.
        """
        first = "0" if visible is None else visible.split(",")[0].strip()
        if first in {"", "-1"}:
            return cls.none()
        try:
            import pynvml  # noqa: PLC0415  # comes with the `pyannote` and `runpod` extras
        except ImportError:
            return cls.none()
        try:
            pynvml.nvmlInit()
            by_number, by_uuid = pynvml.nvmlDeviceGetHandleByIndex, pynvml.nvmlDeviceGetHandleByUUID
            handle = by_number(int(first)) if first.isdecimal() else by_uuid(first)
            name = pynvml.nvmlDeviceGetName(handle)
        except pynvml.NVMLError:
            return cls.none()
        return cls(name, lambda: _memory(pynvml, handle))

    @classmethod
    def none(cls) -> "Card":
        """The placeholder for a machine without a GPU."""
        return cls("", lambda: Memory(0, 0))

    @classmethod
    def of(cls, settings: WorkerSettings) -> "Card":
        """The GPU that a worker with these settings uses; none on a CPU."""
        return cls.none() if settings.device == "cpu" else cls.find(settings.visible_cards)

    @property
    def is_there(self) -> bool:
        """Whether there is a GPU at all."""
        return bool(self.name)

    def memory(self) -> Memory:
        """The current memory; `peak_bytes` keeps the maximum seen."""
        memory = self._read()
        self.peak_bytes = max(self.peak_bytes, memory.used)
        return memory


def _memory(pynvml: Any, handle: Any) -> Memory:  # noqa: ANN401  # a module without types
    try:
        found = pynvml.nvmlDeviceGetMemoryInfo(handle)
    except pynvml.NVMLError:  # the GPU fell off the bus, or its driver was replaced
        return Memory(0, 0)
    return Memory(int(found.used), int(found.free))
