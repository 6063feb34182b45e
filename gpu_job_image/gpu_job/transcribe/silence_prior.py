"""How likely a text is to Whisper in silence, and how much the sound adds to that.

"I'm sorry." over the murmur of a crowd is as likely without the murmur: nobody said it. Real speech
is far more likely with its sound than without, even if the model is unsure of every word
(docs/decisions/0012).
"""

import math
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from .raw_segments import RawSegment

SECONDS = 30
DITHER = 1e-4  # of full scale, -80 dB: Whisper was not trained on pure digital silence
MOST_TOKENS = 400  # of a window; a Whisper holds 448
LEAST_CHANCE = 1e-6  # of a token: a single one must not decide
_FRAMES = 100  # of the alignment, which is not used


class SilencePrior:
    """A loaded Whisper applied to silence, which is encoded once."""

    def __init__(self, model: Any) -> None:  # noqa: ANN401  # faster_whisper.WhisperModel
        self._model = model

    def sound_adds(
        self, segments: Sequence[RawSegment], language: str, task: str = "transcribe"
    ) -> list[float]:
        """For each segment of one window, how much the sound raises its log probability.

        Mean natural log probability of its words with their sound, minus that in silence. About 0
        for text that continues itself, 2 to 6 for speech.
        """
        silent = self._silent_logprobs([segment.text for segment in segments], language, task)
        return [
            _mean([math.log(max(word.probability, LEAST_CHANCE)) for word in segment.words]) - alone
            for segment, alone in zip(segments, silent, strict=True)
        ]

    def _silent_logprobs(self, texts: Sequence[str], language: str, task: str) -> list[float]:
        tokenizer = self._tokenizer(language, task)
        parts = [tokenizer.encode(f" {text}") for text in texts]
        tokens = [token for part in parts for token in part][:MOST_TOKENS]
        [found] = self._model.model.align(self._silence, tokenizer.sot_sequence, [tokens], _FRAMES)
        logs = [math.log(max(chance, LEAST_CHANCE)) for chance in found.text_token_probs]
        means: list[float] = []
        at = 0
        for part in parts:
            own = logs[at : at + len(part)]
            means.append(_mean(own) if own else means[-1] if means else 0.0)
            at += len(part)
        return means

    def _tokenizer(self, language: str, task: str) -> Any:  # noqa: ANN401
        from faster_whisper.tokenizer import Tokenizer  # noqa: PLC0415

        return Tokenizer(
            self._model.hf_tokenizer,
            self._model.model.is_multilingual,
            task=task,
            language=language,
        )

    @cached_property
    def _silence(self) -> Any:  # noqa: ANN401  # ctranslate2.StorageView
        dice = np.random.default_rng(0)
        sound = dice.normal(0, DITHER, SECONDS * 16_000).astype(np.float32)
        return self._model.encode(self._model.feature_extractor(sound)[:, :3000])


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
