"""The progress of one order: several sources tell it, and it never goes backwards."""

from dataclasses import dataclass

from .backend import Progress


@dataclass(slots=True)
class ForwardProgress:
    """A Progress; passes on what is ahead of all that was told before.

    Heartbeats tell it every 30 s, some backends more often, and an attempt that follows a lost one
    begins further back.
    """

    tell: Progress
    told_ms: int = 0

    def __call__(self, done_ms: int) -> None:
        """done_ms: of speech."""
        if done_ms > self.told_ms:
            self.told_ms = done_ms
            self.tell(done_ms)
