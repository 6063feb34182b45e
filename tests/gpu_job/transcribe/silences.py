"""Sounds in which nobody speaks: float in -1…1, 16 kHz, half a minute each."""

import numpy as np

RATE = 16_000
SECONDS = 30
_TIMES = np.arange(RATE * SECONDS) / RATE


def _noise(colour, loud, seed=0):
    """Noise whose power falls with the frequency to the power of `colour`."""
    dice = np.random.default_rng(seed)
    hertz = np.fft.rfftfreq(len(_TIMES), 1 / RATE)
    shape = np.maximum(hertz, 20) ** (-colour / 2)
    phases = dice.normal(size=len(hertz)) + 1j * dice.normal(size=len(hertz))
    sound = np.fft.irfft(shape * phases, len(_TIMES))
    return loud * sound / np.abs(sound).max()


def _tone(hertz, loud=0.3):
    return loud * np.sin(2 * np.pi * hertz * _TIMES)


def _clicks():
    dice = np.random.default_rng(1)
    return 0.8 * (dice.random(len(_TIMES)) < 1e-3)


SOUNDS = {
    "digital silence": np.zeros(len(_TIMES)),
    "dither": _noise(0, 1e-4),
    "hiss": _noise(0, 0.05),
    "loud hiss": _noise(0, 0.5),
    "a fan": _noise(1, 0.3),
    "traffic": _noise(2, 0.5),
    "hum of 50 Hz": _tone(50, 0.2) + _tone(100, 0.06) + _tone(150, 0.05),
    "hum of 60 Hz": _tone(60, 0.2) + _tone(120, 0.1) + _tone(180, 0.05),
    "a tone of 440 Hz": _tone(440),
    "a tone of 1 kHz": _tone(1000),
    "a telephone's tone": _tone(425) * (np.sin(np.pi * _TIMES) > 0),
    "beeps": _tone(800) * (np.sin(2 * np.pi * _TIMES) > 0),
    "keys of a telephone": _tone(697, 0.2) + _tone(1209, 0.2),
    "a tone that rises": _tone(200 + 50 * _TIMES),
    "a tone that swells": _tone(300) * (1 + np.sin(8 * np.pi * _TIMES)) / 2,
    "clicks": _clicks(),
}


def samples_of(sound):
    """int16 (1, n), as a worker has them."""
    return (np.clip(sound, -1, 1) * 32767).astype(np.int16)[None]
