"""Conversations with tones as voices, of any length, and who speaks when."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gpu_job.contract import SpeechRegion

RATE_HZ = 16_000
PITCHES_HZ = tuple(300 * 1.28**i for i in range(10))  # one for each voice; 2.8 kHz at the most
_LOOP_SECONDS = 20
_LOUDNESS = 3_000
_NOISE = 30


@dataclass(frozen=True)
class Said:
    """One stretch of one voice, in samples."""

    start: int
    end: int
    voice: int


def plan(seconds: float, voices: int, seed: int = 1) -> list[Said]:
    """Turns of 1.5 to 5 s, one in six begun before the last one ends, else pauses up to 0.8 s."""
    dice = np.random.default_rng(seed)
    said: list[Said] = []
    at, end, voice = 0.5, seconds - 0.5, 0
    while at < end - 2:
        length = min(dice.uniform(1.5, 5), end - at)
        said.append(Said(round(at * RATE_HZ), round((at + length) * RATE_HZ), voice))
        overlaps = dice.random() < 1 / 6
        at += length + (-dice.uniform(0.5, 1) if overlaps else dice.uniform(0.1, 0.8))
        voice = (voice + int(dice.integers(1, voices))) % voices
    return said


def play(said: list[Said], out: npt.NDArray[np.int16], seed: int = 1) -> None:
    """Write the sound of a conversation into `out` (1, n), in place; it may be a mapped file."""
    dice = np.random.default_rng(seed)
    time = np.arange(_LOOP_SECONDS * RATE_HZ) / RATE_HZ
    noise = dice.normal(0, _NOISE, len(time)).astype(np.int16)
    for low in range(0, out.shape[1], len(noise)):
        out[0, low : low + len(noise)] = noise[: out.shape[1] - low]
    beat = 1 + 0.5 * np.sin(2 * np.pi * 3.1 * time)  # as syllables come and go
    loops = [(_LOUDNESS * beat * np.sin(2 * np.pi * p * time)).astype(np.int16) for p in PITCHES_HZ]
    for one in said:
        begin = int(dice.integers(0, len(time) - (one.end - one.start)))
        out[0, one.start : one.end] += loops[one.voice][begin : begin + one.end - one.start]


def conversation(seconds: float, voices: int, seed: int = 1) -> npt.NDArray[np.int16]:
    """A short one in memory: int16 (1, n)."""
    out = np.zeros((1, round(seconds * RATE_HZ)), np.int16)
    play(plan(seconds, voices, seed), out, seed)
    return out


def all_of(samples: npt.NDArray[np.int16]) -> tuple[SpeechRegion, ...]:
    """One region from the first to the last sample: nothing is skipped."""
    return (SpeechRegion(start_ms=0, end_ms=samples.shape[1] * 1000 // RATE_HZ),)
