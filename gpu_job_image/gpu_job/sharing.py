"""Whether words and speakers are looked for at once on one card: measured, not believed."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from .card import Card

_MARGIN = 1.25  # on what the diarizer was seen to take
_LOOK_SECONDS = 0.1
LEAST_SPEECH_MS = 120_000  # pyannote's 32 windows of 10 s, one each second, are 42 s


class Sharing:
    """The first job of two minutes does one after the other, and is watched; then it is known.

    Without a card it is never allowed: there the other cores decode the next recordings.
    """

    def __init__(self, card: Card) -> None:
        self._card = card
        self._diarizer_bytes: int | None = None
        self._forbidden = False

    @property
    def allowed(self) -> bool:
        """Whether the free memory holds what the diarizer takes."""
        if self._forbidden or not self._card.is_there or self._diarizer_bytes is None:
            return False
        return self._card.memory().free >= self._diarizer_bytes * _MARGIN

    def forbid(self) -> None:
        """It ran out of memory: not again in this session."""
        self._forbidden = True

    @contextmanager
    def measured(self, speech_ms: int) -> Iterator[None]:
        """Note how much more of the card is in use in the block than before it, at most.

        A recording that is too short to fill the diarizer's batches tells nothing of longer ones.
        """
        if speech_ms < LEAST_SPEECH_MS:
            yield
            return
        before, over = self._card.memory().used, threading.Event()
        most = before

        def look() -> None:
            nonlocal most
            while not over.wait(_LOOK_SECONDS):
                most = max(most, self._card.memory().used)

        thread = threading.Thread(target=look, name="card", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
            most = max(most, self._card.memory().used)
            self._diarizer_bytes = max(self._diarizer_bytes or 0, most - before)
