"""What happens to speech on its way into a recording, done to mel power instead of audio."""

import random
from dataclasses import dataclass, field

import numpy as np

from demo.training.spectrogram import (
    WHISPER_MELS,
    Floats,
    whisper_filters,
    white_noise_power,
)

TEN = np.float32(2.302585)  # ln 10: exp is quicker than a power
FLOOR_DECADES = 8  # Whisper's: 80 dB under the peak


@dataclass
class Dice:
    """The two seeded sources of chance: single choices, and whole arrays."""

    seed: int
    one: random.Random = field(init=False)
    many: np.random.Generator = field(init=False)

    def __post_init__(self) -> None:
        self.one, self.many = random.Random(self.seed), np.random.default_rng(self.seed)


def _channel_colour(mel: Floats, dice: Dice) -> Floats:
    """A smooth random curve over the bands, as microphones and rooms have."""
    knots = dice.many.normal(0, 0.25, 6)
    curve = np.interp(np.linspace(0, 5, WHISPER_MELS), np.arange(6), knots)
    return mel + curve.astype(np.float32)[:, None]


def _vocal_tract(mel: Floats, dice: Dice) -> Floats:
    """A stretched band axis, as a longer or shorter vocal tract has."""
    place = np.clip(np.arange(WHISPER_MELS) * dice.one.uniform(0.95, 1.05), 0, 78.999)
    below = place.astype(int)
    return mel[below] + (place - below).astype(np.float32)[:, None] * (mel[below + 1] - mel[below])


def vary(mel: Floats, dice: Dice) -> Floats:
    """Power of one utterance, (80, frames), with a random channel and vocal tract."""
    if dice.one.random() < 0.5:
        mel = _channel_colour(mel, dice)
    if dice.one.random() < 0.4:
        mel = _vocal_tract(mel, dice)
    return np.exp(mel * TEN)


class Recorder:
    """Turns mixed power into what faster-whisper would feed its encoder."""

    def __init__(self, dice: Dice) -> None:
        self.dice = dice
        self._white = white_noise_power(whisper_filters())

    def add_noise(self, power: Floats) -> None:
        """Add tilted noise of 44 to 90 dB under full scale to (80, frames), in place."""
        rng = self.dice.one
        tilt = np.linspace(0, rng.uniform(-1.5, 0.5), WHISPER_MELS)
        noise = self._white * 10 ** (2 * rng.uniform(-4.5, -2.2) + tilt)
        grain = np.exp(self.dice.many.normal(0, 0.35, power.shape).astype(np.float32))
        power += noise.astype(np.float32)[:, None] * grain

    def record(self, power: Floats, limit: int, *, silent: bool) -> Floats:
        """Whisper's normalised log-mel of (80, frames); zeros after frame `limit`.

        faster-whisper normalises by the peak of the whole recording, which may lie outside this
        window, and pads features, not audio, with zeros.
        """
        rng, mel = self.dice.one, np.log10(power)
        peak = mel.max() + (rng.uniform(0, 0.8) if rng.random() < 0.5 else 0)
        if silent and rng.random() < 0.5:
            peak = max(peak, rng.uniform(-2, 2.5))
        mel = (np.maximum(mel, peak - FLOOR_DECADES) + 4) / 4
        mel[:, limit:] = 0
        if rng.random() < 0.3:  # a stripe of bands is lost
            mean, first = mel.mean(), rng.randint(0, 72)
            mel[first : first + rng.randint(1, 7)] = mean
        return mel
