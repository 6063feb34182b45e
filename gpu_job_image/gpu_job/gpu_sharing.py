"""Decides from measured memory whether transcription and diarization share the GPU concurrently."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from .common.gpu_memory import Card

_MARGIN = 1.25  # times the measured memory of the diarizer
_SAMPLE_SECONDS = 0.1
LEAST_SPEECH_MS = 120_000  # pyannote's 32 windows of 10 s, one each second, are 42 s


class Sharing:
    """The first job of two minutes or more runs both in turn and measures the diarizer's memory.

    Never allowed without a GPU: there, the other cores decode the next recordings.
    is_apart: the words are written elsewhere, so the two never compete.
    """

    def __init__(self, card: Card, *, is_apart: bool = False) -> None:
        self._card, self._is_apart = card, is_apart
        self._diarizer_bytes: int | None = None
        self._forbidden = False

    @property
    def allowed(self) -> bool:
        """Whether the free GPU memory suffices for the diarizer."""
        if self._is_apart:
            return not self._forbidden
        if self._forbidden or not self._card.is_there or self._diarizer_bytes is None:
            return False
        return self._card.memory().free >= self._diarizer_bytes * _MARGIN

    def forbid(self) -> None:
        """Disallow it for the rest of the session, after it ran out of memory."""
        self._forbidden = True

    @contextmanager
    def measured(self, speech_ms: int) -> Iterator[None]:
        """Measure the peak of additional GPU memory in use within the block.

        A recording too short to fill the diarizer's batches says nothing about longer ones.
        """
        if speech_ms < LEAST_SPEECH_MS:
            yield
            return
        before, over = self._card.memory().used, threading.Event()
        most = before

        def sample() -> None:
            nonlocal most
            while not over.wait(_SAMPLE_SECONDS):
                most = max(most, self._card.memory().used)

        thread = threading.Thread(target=sample, name="gpu-memory", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
            most = max(most, self._card.memory().used)
            self._diarizer_bytes = max(self._diarizer_bytes or 0, most - before)
