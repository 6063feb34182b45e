"""What an attempt buys from an API that bills by audio."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass
class Purchases:
    """Milliseconds of audio that this attempt bought, or may have bought.

    tell: called with the sum when it changes. It is told before a request is sent, since a killed
    worker tells nothing.
    """

    bought_ms: int = 0
    tell: Callable[[int], None] = lambda _: None

    def add(self, audio_ms: int) -> None:
        """Count audio that is bought now."""
        self.bought_ms += audio_ms
        self.tell(self.bought_ms)

    def take_back(self, audio_ms: int) -> None:
        """Count audio no longer: the API surely does not bill it."""
        self.add(-audio_ms)
