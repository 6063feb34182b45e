"""Sounds without any word that could be written down, generated from a seed.

Float in -1…1, mono, 16 kHz, at a level in dBFS (RMS). Weather, machines, music and hands are
noise and tones; a crowd is many voices over one another, and reversed talk one voice backwards:
both are made of recordings that are given, and no word of them can be told.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

RATE_HZ = 16_000
Sound = npt.NDArray[np.float64]
Dice = np.random.Generator


@dataclass(frozen=True)
class Speechless:
    """A sound without words: its kind and its level."""

    kind: str
    name: str
    sound: Sound


def at_level(sound: Sound, dbfs: float) -> Sound:
    """The same at an RMS of so many dB below full scale; peaks are clipped."""
    rms = float(np.sqrt(np.mean(np.square(sound)))) or 1.0
    clipped: Sound = np.clip(sound * 10 ** (dbfs / 20) / rms, -1, 1)
    return clipped


def noise(seconds: float, colour: float, dice: Dice) -> Sound:
    """Noise; its power falls with the frequency to the power of `colour` (0 white, 2 brown)."""
    count = int(seconds * RATE_HZ)
    hertz = np.fft.rfftfreq(count, 1 / RATE_HZ)
    phases = dice.normal(size=len(hertz)) + 1j * dice.normal(size=len(hertz))
    made: Sound = np.fft.irfft(np.maximum(hertz, 20) ** (-colour / 2) * phases, count)
    made /= float(np.abs(made).max())
    return made


def rain(seconds: float, dice: Dice) -> Sound:
    """Hiss with drops in it."""
    drops = (dice.random(int(seconds * RATE_HZ)) < 2e-3) * dice.normal(size=int(seconds * RATE_HZ))
    return noise(seconds, 0.3, dice) + 0.6 * _filtered(drops, 60)


def engine(seconds: float, dice: Dice) -> Sound:
    """Harmonics of a crankshaft that goes up and down, over rumble."""
    times = _times(seconds)
    turns = 2 * np.pi * np.cumsum(32 + 9 * np.sin(times / 3) + 2 * np.sin(times)) / RATE_HZ
    parts = _sum(np.sin(k * turns + dice.random() * 6) / k for k in range(1, 30))
    return parts + 3 * noise(seconds, 1.5, dice)


def hum(seconds: float, dice: Dice) -> Sound:
    """The mains, and its harmonics."""
    base = dice.choice([50, 60])
    return _sum(np.sin(2 * np.pi * base * k * _times(seconds)) / k**2 for k in (1, 2, 3, 5))


def clicks(seconds: float, dice: Dice) -> Sound:
    """A keyboard, a clock."""
    struck = (dice.random(int(seconds * RATE_HZ)) < 3e-4) * dice.normal(size=int(seconds * RATE_HZ))
    return _filtered(struck, 30) + 1e-3 * noise(seconds, 0, dice)


def music(seconds: float, dice: Dice) -> Sound:
    """A melody over chords and a drum, 110 beats a minute, each note with overtones."""
    beat, made = 60 / 110, np.zeros(int(seconds * RATE_HZ))
    for i in range(int(seconds / beat)):
        chord = 110 * 2 ** (dice.choice([0, 5, 7, 9]) / 12) * np.array([1, 1.26, 1.5])
        lead = 440 * 2 ** (dice.choice([0, 2, 4, 7, 9, 12]) / 12)
        note = _sum(_note(hertz, beat * 1.5) for hertz in (*chord, lead))
        drum = _fade(noise(0.12, 1, dice), 0.03)
        _lay(made, note, i * beat)
        _lay(made, 2 * drum, i * beat)
    return made


def applause(seconds: float, dice: Dice) -> Sound:
    """A thousand hands: short bursts of noise, thicker and thinner."""
    made = np.zeros(int(seconds * RATE_HZ))
    for at in dice.random(int(seconds * 120)) * seconds:
        _lay(made, dice.random() * _fade(noise(0.03, 0.2, dice), 0.006), at)
    return made * (1 + 0.4 * np.sin(2 * np.pi * _times(seconds) / 7))


def laughter(seconds: float, dice: Dice) -> Sound:
    """Several people: breaths of "ha", five in a second, each lower than the one before."""
    made = 0.01 * noise(seconds, 1, dice)
    for _ in range(int(seconds / 2)):
        at, pitch, open_hz = dice.random() * seconds, dice.uniform(140, 420), dice.uniform(600, 900)
        for k in range(int(dice.integers(4, 10))):
            _lay(made, _ha(pitch * 0.96**k, open_hz, dice), at + k * dice.uniform(0.16, 0.22))
    return made


def crowd(seconds: float, voices: Sequence[Sound], count: int, dice: Dice) -> Sound:
    """So many simultaneous voices, equally loud, each beginning anywhere in a recording."""
    made = np.zeros(int(seconds * RATE_HZ))
    for _ in range(count):
        own = at_level(np.concatenate([voices[i] for i in dice.permutation(len(voices))]), -26)
        made += np.resize(np.roll(own, -int(dice.integers(len(own)))), len(made))
    return made


def reversed_talk(seconds: float, voices: Sequence[Sound], dice: Dice) -> Sound:
    """One voice after another, backwards: it sounds like an unknown language."""
    own = np.concatenate([voices[i] for i in dice.permutation(len(voices))])[::-1]
    return np.resize(own, int(seconds * RATE_HZ))


MACHINES: dict[str, Callable[[float, Dice], Sound]] = {
    "rain": rain,
    "engine": engine,
    "hum": hum,
    "clicks": clicks,
    "music": music,
    "applause": applause,
    "laughter": laughter,
    "hiss": lambda seconds, dice: noise(seconds, 0, dice),
    "traffic": lambda seconds, dice: noise(seconds, 2, dice),
}
LEVELS_DBFS = (-20, -40, -60)
LENGTHS_S = (10, 30, 75)
CROWDS = (6, 10, 20)


def clips(
    voices: Mapping[str, Sequence[Sound]], *, seed: int = 0, quick: bool = False
) -> Iterator[Speechless]:
    """Each kind, at several levels and lengths; `voices`: recordings of speech, by language."""
    dice = np.random.default_rng(seed)
    everyone = [voice for own in voices.values() for voice in own]
    for kind, make in MACHINES.items():
        for level, seconds in zip(LEVELS_DBFS[: 1 if quick else 3], LENGTHS_S, strict=False):
            made = at_level(make(seconds, dice), level)
            yield Speechless(kind, f"{kind} of {seconds} s at {level} dBFS", made)
    if not quick:
        yield Speechless("long", "rain of 300 s", at_level(rain(300, dice), -30))
        yield Speechless("silence", "digital silence of 60 s", np.zeros(60 * RATE_HZ))
    for count in CROWDS:
        for level, seconds in zip(LEVELS_DBFS[: 1 if quick else 3], LENGTHS_S, strict=False):
            made = at_level(crowd(seconds, everyone, count, dice), level)
            yield Speechless("crowd", f"{count} voices for {seconds} s at {level} dBFS", made)
    for language, own in voices.items():
        made = at_level(reversed_talk(25 if quick else 45, own, dice), -23)
        yield Speechless("reversed talk", f"reversed {language}", made)


def _sum(parts: Iterable[Sound]) -> Sound:
    return np.asarray(np.sum(list(parts), axis=0))


def _times(seconds: float) -> Sound:
    return np.arange(int(seconds * RATE_HZ)) / RATE_HZ


def _filtered(sound: Sound, taps: int) -> Sound:
    return np.convolve(sound, np.hanning(taps), "same")


def _fade(sound: Sound, seconds: float) -> Sound:
    return sound * np.exp(-np.arange(len(sound)) / (seconds * RATE_HZ))


def _note(hertz: float, seconds: float) -> Sound:
    times = _times(seconds)
    tones = _sum(np.sin(2 * np.pi * hertz * k * times) / k**1.5 for k in range(1, 7))
    return np.asarray(tones * np.minimum(times * 50, 1) * np.exp(-3 * times))


def _ha(pitch_hz: float, open_hz: float, dice: Dice) -> Sound:
    """Breath, then pulses of the voice through three formants."""
    times = _times(0.14)
    voice = _sum(
        np.sin(2 * np.pi * pitch_hz * k * times)
        * _sum(np.exp(-(((pitch_hz * k - f) / 120) ** 2)) for f in (open_hz, open_hz * 1.8, 2600))
        for k in range(1, int(7000 / pitch_hz))
    )
    return np.asarray((voice + 0.3 * noise(0.14, 0.5, dice)) * np.hanning(len(times)))


def _lay(made: Sound, part: Sound, at_seconds: float) -> None:
    start = int(at_seconds * RATE_HZ)
    end = min(len(made), start + len(part))
    made[start:end] += part[: max(0, end - start)]
