"""Input of the demo speaker embedding: log-mel power in 40 bands, 100 frames per second.

The demo embedding was trained on exactly these features; a change requires new training.
"""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

SAMPLE_RATE = 16_000
HOP_SAMPLES = 160  # 10 ms
FFT_SAMPLES = 400  # 25 ms
N_MELS = 40
LOWEST_HZ = 60.0  # below: hum
HIGHEST_HZ = 7600.0  # above: the roll-off of resamplers to 16 kHz
FLOOR_DECADES = 6  # 60 dB under the loudest point of a window is silence
SILENCE_POWER = 1e-10
FRAMES_AT_ONCE = 4096  # bounds the memory of long recordings to some 15 MB


def _mel(hertz: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Hertz on the mel scale of HTK: 2595 * log10(1 + f / 700)."""
    return 2595 * np.log10(1 + np.asarray(hertz, np.float64) / 700)


def _mel_filters() -> Floats:
    """Triangular filters of equal width in mel, (N_MELS, FFT_SAMPLES // 2 + 1), peak 1."""
    edges = 700 * (10 ** (np.linspace(_mel(LOWEST_HZ), _mel(HIGHEST_HZ), N_MELS + 2) / 2595) - 1)
    hertz = np.fft.rfftfreq(FFT_SAMPLES, 1 / SAMPLE_RATE)[None]
    low, middle, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rising, falling = (hertz - low) / (middle - low), (high - hertz) / (high - middle)
    return np.maximum(0, np.minimum(rising, falling)).astype(np.float32)


MEL_FILTERS = _mel_filters()


def log_mel(audio: Floats) -> Floats:
    """log10 of the mel power of mono 16 kHz audio in -1…1: (N_MELS, frames), 10 ms a frame.

    Frame k is centred on sample 160 k; there are `len(audio) // 160 + 2` frames.
    """
    padded = np.pad(audio.astype(np.float32), (FFT_SAMPLES // 2, FFT_SAMPLES // 2 + HOP_SAMPLES))
    frames = np.lib.stride_tricks.sliding_window_view(padded, FFT_SAMPLES)[::HOP_SAMPLES]
    hann = np.hanning(FFT_SAMPLES + 1)[:-1].astype(np.float32)
    power = [
        np.abs(np.fft.rfft(frames[i : i + FRAMES_AT_ONCE] * hann, axis=1)) ** 2 @ MEL_FILTERS.T
        for i in range(0, len(frames), FRAMES_AT_ONCE)
    ]
    return np.log10(np.maximum(np.concatenate(power), SILENCE_POWER)).T.astype(np.float32)


def normalise(mel: Floats) -> Floats:
    """Windows (…, N_MELS, frames) with a floor under each one's peak and zero mean each.

    This removes level and distance, but not the frequency response of the channel.
    """
    floored = np.maximum(mel, mel.max(axis=(-2, -1), keepdims=True) - FLOOR_DECADES)
    return (floored - floored.mean(axis=(-2, -1), keepdims=True)).astype(np.float32)
