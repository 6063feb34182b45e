"""Whisper's encoder, half of the work of a small model: on a CPU, no window is encoded twice.

On a CPU, the encoded windows of the language detection are cached until they are decoded. A GPU
cannot return parts of a batch and is fast enough: there, detection uses 15 s, at a third of the
cost of 30 s. Measured with base on FLEURS in five languages, both are equally certain and accurate.
"""

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .language_vote import VOTERS

FRAME_MS = 10  # of the spectrogram
FRAMES = 3_000  # 30 s, which the encoder was trained on
LANGUAGE_FRAMES = 1_500
MOST_CACHED = VOTERS  # windows; 3 MB each for base, 8 MB for large
FLOOR = 2.0  # silence in a log-mel spectrogram: (max - 8) of (x + 4) / 4, as Whisper clips it,
SILENCE = -1.5  # but never below (-10 + 4) / 4: it counts no power below 1e-10

Spectrogram = npt.NDArray[np.float32]  # (bands, frames)
Sound = npt.NDArray[np.float32]  # mono, 16 kHz, full scale is 1
States = Any  # ctranslate2.StorageView: (windows, frames / 2, width)


def spectrogram_of(
    model: Any,  # noqa: ANN401  # faster_whisper.WhisperModel
    sound: Sound,
    frames: int = FRAMES,
) -> Spectrogram:
    """The spectrogram of up to `frames` frames, padded with silence."""
    found = model.feature_extractor(sound)[:, : len(sound) // (FRAME_MS * 16)][:, :frames]
    silence = max(float(found.max(initial=-np.inf)) - FLOOR, SILENCE)
    filled = np.full((found.shape[0], frames), silence, np.float32)
    filled[:, : found.shape[1]] = found
    return filled


class Encoder:
    """The encoder of a loaded Whisper."""

    def __init__(self, model: Any) -> None:  # noqa: ANN401  # faster_whisper.WhisperModel
        self.model = model
        self._cache: dict[bytes, npt.NDArray[np.float32]] = {}

    def encode(self, spectrograms: Sequence[Spectrogram]) -> States:
        """Encode a batch; on a CPU one by one: eight together take 15 % longer (CPU caches)."""
        if not self._is_on_cpu:
            return self.model.encode(np.stack(spectrograms))
        return _joined([self._once(each) for each in spectrograms])

    def select(
        self, encoded: States, spectrograms: Sequence[Spectrogram], places: list[int]
    ) -> States:
        """Select windows of an encoded batch; a GPU encodes them again."""
        if not self._is_on_cpu:
            return self.encode([spectrograms[i] for i in places])
        return _joined([np.asarray(encoded)[places]])

    def for_language(self, sound: Sound, *, is_decoded_later: bool) -> States:
        """Encode one stretch of audio for language detection."""
        keeps = is_decoded_later and self._is_on_cpu and len(self._cache) < MOST_CACHED
        if not keeps:
            heard = sound[: LANGUAGE_FRAMES * FRAME_MS * 16]
            return self.model.encode(spectrogram_of(self.model, heard, LANGUAGE_FRAMES))
        spectrogram = spectrogram_of(self.model, sound)
        encoded = self.model.encode(spectrogram)
        self._cache[_digest(spectrogram)] = np.array(encoded)
        return encoded

    def clear_cache(self) -> None:
        """Clear the cache of a recording that was stopped or split differently."""
        self._cache.clear()

    def _once(self, spectrogram: Spectrogram) -> npt.NDArray[np.float32]:
        kept = self._cache.pop(_digest(spectrogram), None) if self._cache else None
        return np.asarray(self.model.encode(spectrogram)) if kept is None else kept

    @property
    def _is_on_cpu(self) -> bool:
        return bool(self.model.model.device == "cpu")


def _joined(parts: Sequence[npt.NDArray[np.float32]]) -> States:
    from ctranslate2 import StorageView  # noqa: PLC0415

    return StorageView.from_array(np.concatenate(parts))


def _digest(spectrogram: Spectrogram) -> bytes:
    return hashlib.sha256(spectrogram.tobytes()).digest()
