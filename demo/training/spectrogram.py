"""Whisper's spectrogram up to, but without, the logarithm: power can be mixed, decibels cannot."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

HOP_SAMPLES, FFT_SAMPLES = 160, 400  # 10 ms and 25 ms at 16 kHz
WHISPER_MELS = 80


def whisper_filters() -> Floats:
    """The mel filters that faster-whisper applies, (80, 201)."""
    from faster_whisper.feature_extractor import FeatureExtractor  # noqa: PLC0415  slow to import

    return FeatureExtractor(feature_size=WHISPER_MELS).mel_filters


def mel_power(audio: Floats, filters: Floats) -> Floats:
    """Mono 16 kHz audio as mel power, (bands, frames) with 10 ms a frame."""
    padded = np.pad(audio, (FFT_SAMPLES // 2, FFT_SAMPLES // 2 + HOP_SAMPLES))
    frames = np.lib.stride_tricks.sliding_window_view(padded, FFT_SAMPLES)[::HOP_SAMPLES]
    hann = np.hanning(FFT_SAMPLES + 1)[:-1].astype(np.float32)
    spectrum = np.abs(np.fft.rfft(frames * hann, axis=1)) ** 2
    return (filters @ spectrum.T.astype(np.float32)).astype(np.float32)


def white_noise_power(filters: Floats) -> Floats:
    """Mel power of white noise of variance 1, (bands,): 150 is the sum of the squared window."""
    return filters.sum(1) * 150
