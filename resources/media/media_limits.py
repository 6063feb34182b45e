"""The limits of a child process that reads one file, and the refusal that each one means."""

import errno
import signal
from dataclasses import dataclass
from typing import Final

from escriba.audio.limit_errors import (
    DecoderCrashed,
    MediaKilled,
    OpenedTooMuch,
    TookTooLong,
    TookTooMuchCpu,
    TookTooMuchMemory,
    WroteTooMuch,
)

OPEN_FILES: Final = 64  # eight tracks, each read by a decoder of its own, and the files written
ANSWER_BYTES: Final = 16_000_000  # a day of speech in 50,000 regions is 3 MB
HOUR_MS: Final = 3_600_000
MOST_MS: Final = 100 * HOUR_MS  # progress beyond any recording, in all its passes
SLOW_PATIENCE: Final = 20  # a slow file has the lowest priority, and waits most of the time
NOT_GUARDED: Final = 70  # exit status of a process that could not be limited, before it read a file
MEGABYTE: Final = 1_000_000  # the settings, which have it too, are nothing for a child to load


@dataclass(frozen=True)
class MediaLimits:
    """Limits of one file.

    Attributes:
        cpu_seconds: CPU time, besides `cpu_seconds_per_hour` of audio decoded so far.
        wall_seconds: Wall time, besides the length of the audio decoded so far.
        memory_bytes: Private memory, besides that of the process before it read anything.
        output_bytes: Size of each written file.
        slow_seconds: When a file without much progress counts as slow.
    """

    cpu_seconds: float
    cpu_seconds_per_hour: float
    wall_seconds: float
    memory_bytes: int
    output_bytes: int
    slow_seconds: float = 3.0

    def cpu_allowed(self, done_ms: int) -> float:
        """CPU seconds that a file may have taken after this much audio."""
        return self.cpu_seconds + self.cpu_seconds_per_hour * done_ms / HOUR_MS

    def wall_allowed(self, done_ms: int, *, is_slow: bool = False) -> float:
        """Wall seconds that a file may have taken after this much audio."""
        return (self.wall_seconds + done_ms / 1000) * (SLOW_PATIENCE if is_slow else 1)

    def died(self, status: int, done_ms: int) -> MediaKilled:
        """The refusal for a process that died of itself, by its wait status."""
        number = status & 0x7F
        if number == signal.SIGXCPU:
            return self.too_much_cpu(done_ms)
        if number == signal.SIGXFSZ:
            return self.too_much_output()
        how = f"signal {signal.Signals(number).name}" if number else f"status {status >> 8}"
        return DecoderCrashed(f"the decoder ended without an answer ({how})")

    def failed(self, number: int | None) -> MediaKilled | None:
        """The refusal for an error of the system in the child; None: no limit is behind it."""
        if number == errno.ENOMEM:
            limit = self.memory_bytes // MEGABYTE
            return TookTooMuchMemory(f"reading the file took more than {limit} MB of memory")
        if number == errno.EFBIG:
            return self.too_much_output()
        if number == errno.EMFILE:
            return OpenedTooMuch(f"reading the file opened more than {OPEN_FILES} files")
        return None

    def too_much_cpu(self, done_ms: int) -> TookTooMuchCpu:
        """The refusal for too much CPU time."""
        limit = self.cpu_allowed(done_ms)
        return TookTooMuchCpu(
            f"reading the file took more than {limit:.0f} s of CPU for {_audio(done_ms)}"
        )

    def too_long(self, done_ms: int, *, is_slow: bool = False) -> TookTooLong:
        """The refusal for too much wall time."""
        limit = self.wall_allowed(done_ms, is_slow=is_slow)
        return TookTooLong(f"reading the file took more than {limit:.0f} s for {_audio(done_ms)}")

    def too_much_output(self) -> WroteTooMuch:
        """The refusal for too large a file."""
        limit = self.output_bytes // MEGABYTE
        return WroteTooMuch(f"the optimized audio became larger than {limit} MB")


def _audio(done_ms: int) -> str:
    return f"{done_ms / 1000:.0f} s of audio" if done_ms else "its headers"
