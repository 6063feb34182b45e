"""What every way of bench/gpu_ways.py measures by: fixed work, seconds of features, memory."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from bench.gpu_models import END

_LOOK_SECONDS = 0.05


@dataclass
class Done:
    """What was worked on since `clear`."""

    windows: int = 0
    tokens: int = 0
    features_s: float = 0.0

    def clear(self) -> None:
        """Count from nothing."""
        self.windows, self.tokens, self.features_s = 0, 0, 0.0


class FixedWhisper:
    """CTranslate2's Whisper, in which every window gets the same number of tokens.

    In its place in a WhisperModel, it holds whoever calls it to that: neither the batched
    pipeline nor the worker is changed for it.
    """

    def __init__(self, model: Any, tokens: int, done: Done) -> None:  # noqa: ANN401
        self._model, self._tokens, self._done = model, tokens, done

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self._model, name)

    def generate(self, encoded: Any, prompts: Any, **options: Any) -> Any:  # noqa: ANN401
        """As CTranslate2's, without an end."""
        unwanted = [*(options.get("suppress_tokens") or ()), END]
        fixed = {
            "max_length": 2 * self._tokens,  # of which CTranslate2 gives the answer half
            "suppress_tokens": unwanted,
        }
        found = self._model.generate(encoded, prompts, **options | fixed)
        self._done.windows += len(found)
        self._done.tokens += sum(len(each.sequences_ids[0]) for each in found)
        return found


class TimedFeatures:
    """A feature extractor, and the seconds spent in it."""

    def __init__(self, extractor: Any, done: Done) -> None:  # noqa: ANN401
        self._extractor, self._done = extractor, done

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self._extractor, name)

    def __call__(self, *given: Any, **options: Any) -> Any:  # noqa: ANN401
        """As the extractor's."""
        since = time.perf_counter()
        try:
            return self._extractor(*given, **options)
        finally:
            self._done.features_s += time.perf_counter() - since


def counted(model: Any, done: Done) -> None:  # noqa: ANN401  # WhisperForConditionalGeneration
    """Count what transformers' model works on: each pass of its decoder writes a token a row."""

    def encoded(_: Any, given: tuple[Any, ...], named: dict[str, Any]) -> None:  # noqa: ANN401
        done.windows += len(given[0] if given else named["input_features"])

    def decoded(_: Any, given: tuple[Any, ...], named: dict[str, Any]) -> None:  # noqa: ANN401
        done.tokens += len(given[0] if given else named["input_ids"])

    model.model.encoder.register_forward_pre_hook(encoded, with_kwargs=True)
    model.model.decoder.register_forward_pre_hook(decoded, with_kwargs=True)


@dataclass
class Memory:
    """The card's memory in use, of all processes together."""

    card: Any
    peak_bytes: int = field(default=0, init=False)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Look at it all the time; afterwards `peak_bytes` is the most that there was."""
        over = threading.Event()
        self.peak_bytes = self.card.memory().used

        def look() -> None:
            while not over.wait(_LOOK_SECONDS):
                self.peak_bytes = max(self.peak_bytes, self.card.memory().used)

        thread = threading.Thread(target=look, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
