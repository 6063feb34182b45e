"""Kaldi's log mel filter bank, the input of CAM++: 80 bands, 100 frames per second.

Equal to `kaldi-native-fbank` and `torchaudio.compliance.kaldi.fbank` with their defaults, 80 bands
and no dither: 25 ms Povey windows, pre-emphasis 0.97, bands from 20 to 8000 Hz.
"""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

SAMPLE_RATE_HZ = 16_000
HOP_SAMPLES = 160
WINDOW_SAMPLES = 400
BANDS = 80
_FFT_SAMPLES = 512
_LOWEST_HZ = 20.0
_EMPHASIS = 0.97
_FLOOR = 1.1920929e-07  # of power, before the logarithm: float32's epsilon


def _mel(hertz: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Hertz on Kaldi's mel scale."""
    return 1127 * np.log(1 + np.asarray(hertz, np.float64) / 700)


def _filters() -> Floats:
    """Triangles of equal width in mel, (257, 80)."""
    edges = np.linspace(_mel(_LOWEST_HZ), _mel(SAMPLE_RATE_HZ / 2), BANDS + 2)
    mel = _mel(np.fft.rfftfreq(_FFT_SAMPLES, 1 / SAMPLE_RATE_HZ))[:, None]
    rising = (mel - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - mel) / (edges[2:] - edges[1:-1])
    filters = np.maximum(0, np.minimum(rising, falling))
    filters[-1] = 0  # Kaldi omits the last bin
    return filters.astype(np.float32)


_FILTERS = _filters()
_POVEY = (np.hanning(WINDOW_SAMPLES) ** 0.85).astype(np.float32)


def fbank(audio: Floats) -> Floats:
    """Log power of mono 16 kHz audio in -1…1, (frames, 80).

    Frame k covers samples 160 k to 160 k + 400. Audio shorter than a window has no frames.
    """
    if len(audio) < WINDOW_SAMPLES:
        return np.zeros((0, BANDS), np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(audio, WINDOW_SAMPLES)[::HOP_SAMPLES]
    frames = frames - frames.mean(axis=1, keepdims=True)
    before = np.concatenate([frames[:, :1], frames[:, :-1]], axis=1)
    spectrum = np.fft.rfft((frames - np.float32(_EMPHASIS) * before) * _POVEY, _FFT_SAMPLES)
    power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32) @ _FILTERS
    return np.log(np.maximum(power, np.float32(_FLOOR)))
