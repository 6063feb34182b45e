"""The same speech as a bad microphone hears it: quiet, or from the far end of a room."""

import numpy as np

from bench.speechless import RATE_HZ, Dice, Sound, at_level, noise

REVERBERATION_S = 0.8  # RT60: a meeting room with bare walls
DIRECT_TO_REVERBERANT_DB = -3.0  # some metres from the microphone
NOISE_DB = 17.0  # signal to noise, of the room's air conditioning


def quieter(sound: Sound, db: float) -> Sound:
    """The same, so many dB lower, in the steps that 16 bits leave."""
    return np.round(sound * 10 ** (-db / 20) * 32_767) / 32_767


def far(sound: Sound, dice: Dice, *, reverberation_s: float = REVERBERATION_S) -> Sound:
    """From afar: direct sound, noise that dies away by 60 dB (Polack's model), and the room."""
    times = np.arange(int(reverberation_s * RATE_HZ)) / RATE_HZ
    tail = dice.normal(size=len(times)) * 10 ** (-3 * times / reverberation_s)
    tail[: RATE_HZ // 400] = 0  # 2.5 ms until the first wall
    tail *= 10 ** (-DIRECT_TO_REVERBERANT_DB / 20) / np.sqrt(np.sum(np.square(tail)))
    tail[0] = 1.0
    count = len(sound) + len(tail)
    heard = np.fft.irfft(np.fft.rfft(sound, count) * np.fft.rfft(tail, count), count)[: len(sound)]
    heard = at_level(heard, -32)
    return heard + at_level(noise(len(heard) / RATE_HZ, 1.0, dice)[: len(heard)], -32 - NOISE_DB)
