"""Aligns a text to its sound with a Whisper of this machine, on the CPU.

The model is given the text instead of writing it; its cross-attention says when each word is said
(faster_whisper's `find_alignment`, which Whisper's own word times come from too).
"""

from dataclasses import replace
from typing import Any

import numpy as np

from ..common.audio import Samples, as_float
from ..common.settings import WorkerSettings
from ..transcribe.encoder import FRAMES, spectrogram_of
from ..transcribe.load_whisper import load_whisper
from ..transcribe.raw_segments import RawWord, joins_of
from ..transcribe.windows import WINDOW_MS
from ..transcribe.word_times import in_order
from .aligner import AlignedText, Aligner, ProportionalAligner
from .speech_spans import Spans, within

MOST_TOKENS = 440  # of Whisper's context of 448, less its own signs
_OPENING = "\"'“¿([{-"  # faster-whisper's defaults: marks that belong to the next word
_CLOSING = "\"'.。,，!！?？:：”)]}、"
_SAMPLES_A_FRAME = 160
_MS_A_SECOND = 1000


class WhisperAligner:
    """A loaded Whisper. Created by `load`."""

    def __init__(self, model: Any) -> None:  # noqa: ANN401  # faster_whisper.WhisperModel
        self._model = model
        self._otherwise: Aligner = ProportionalAligner()

    @classmethod
    def load(cls, settings: WorkerSettings) -> "WhisperAligner":
        """Load ALIGN_MODEL on the CPU.

        Raises:
            ModelMissingError: with what was tried and what to do.
        """
        return cls(load_whisper(replace(settings, model=settings.align_model, device="cpu")))

    def align(self, sound: Samples, text: str, language: str, speech: Spans) -> AlignedText:
        """As in `Aligner`; what is too long for the model, or unknown to it, is spread instead."""
        tokenizer = self._tokenizer(language)
        tokens = tokenizer.encode(f" {text.strip()}") if tokenizer is not None else []
        length_ms = len(sound) // (_SAMPLES_A_FRAME // 10)
        if not (0 < len(tokens) <= MOST_TOKENS and 0 < length_ms <= WINDOW_MS):
            return self._otherwise.align(sound, text, language, speech)
        frames = max(2, min(len(sound) // _SAMPLES_A_FRAME, FRAMES))
        encoded = self._model.encode(spectrogram_of(self._model, as_float(sound)))
        found = self._model.find_alignment(tokenizer, [tokens], encoded, frames)[0]
        if not found:
            return self._otherwise.align(sound, text, language, speech)
        words = [_in_speech(word, speech) for word in _words(found)]
        return AlignedText(tuple(in_order(words, length_ms)), "aligned")

    def _tokenizer(self, language: str) -> Any:  # noqa: ANN401
        """None for a language that the model does not know."""
        from faster_whisper.tokenizer import Tokenizer  # noqa: PLC0415

        is_multilingual = self._model.model.is_multilingual
        known = self._model.hf_tokenizer.token_to_id(f"<|{language}|>") is not None
        if not (known if is_multilingual else language == "en"):
            return None
        return Tokenizer(
            self._model.hf_tokenizer, is_multilingual, task="transcribe", language=language
        )


def _in_speech(word: RawWord, speech: Spans) -> RawWord:
    """The word without a pause that it was stretched over: its longest part within the speech."""
    parts = within(speech, word.start_ms, word.end_ms)
    if not parts:
        return word
    start_ms, end_ms = max(parts, key=lambda part: part[1] - part[0])
    return replace(word, start_ms=start_ms, end_ms=end_ms)


def _words(found: list[dict[str, Any]]) -> list[RawWord]:
    """The aligned words, with their marks."""
    from faster_whisper.transcribe import merge_punctuations  # noqa: PLC0415

    merge_punctuations(found, _OPENING, _CLOSING)
    seen = [word for word in found if word["word"].strip()]
    return [
        RawWord(
            round(float(word["start"]) * _MS_A_SECOND),
            round(float(word["end"]) * _MS_A_SECOND),
            word["word"].strip(),
            round(float(np.nan_to_num(word["probability"])), 4),
            joins,
        )
        for word, joins in zip(seen, joins_of([word["word"] for word in found]), strict=True)
    ]
