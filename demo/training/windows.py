"""Random windows: several utterances with pauses, at random levels, with noise."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from demo.training.acoustics import Dice, Recorder, vary
from demo.training.material import Material
from demo.training.spectrogram import WHISPER_MELS, Floats

Labels = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Placed:
    """An utterance in a window, in seconds; no end where the window ends within it."""

    start_seconds: float
    end_seconds: float | None
    utterance: int


@dataclass
class Window:
    """`mel` (80, frames of 10 ms); a phoneme and a word label for every 20 ms."""

    language: str
    power: Floats
    phones: Labels
    words: Labels
    placed: list[Placed] = field(default_factory=list)
    mel: Floats = field(init=False)


class WindowMixer:
    """Makes windows; `english` is the share of English ones."""

    def __init__(self, material: Material, dice: Dice, english: float) -> None:
        self.material, self.dice, self.english = material, dice, english
        self.recorder = Recorder(dice)

    def window(self, seconds: int, *, full: bool) -> Window:
        """A window of so many seconds; `full` ones may end early and are then padded."""
        rng, window = self.dice.one, self._empty(seconds * 100)
        limit = self._limit(seconds * 100, full=full)
        if rng.random() > 0.04:
            self._fill(window, limit, full=full)
        if rng.random() < 0.7:
            self.recorder.add_noise(window.power[:, :limit])
        window.mel = self.recorder.record(window.power, limit, silent=not window.placed)
        return window

    def _empty(self, frames: int) -> Window:
        language = "en" if self.dice.one.random() < self.english else "pt"
        power = np.full((WHISPER_MELS, frames), 1e-10, np.float32)
        phones, words = np.zeros(frames // 2, np.int64), np.zeros(frames // 2, np.int64)
        return Window(language, power, phones, words)

    def _limit(self, frames: int, *, full: bool) -> int:
        """Where the recording ends: a third of the full windows are short recordings."""
        rng = self.dice.one
        if full and rng.random() < 0.35:
            return rng.choice([rng.randint(20, 400), rng.randint(200, 2000)])
        return frames

    def _fill(self, window: Window, limit: int, *, full: bool) -> None:
        rng = self.dice.one
        early, late = rng.randint(0, 60), rng.randint(0, 250 if full else 120)
        position = rng.choice([0, early, late])
        level = 10 ** rng.uniform(-2, 0.3)
        pause_seconds = rng.choice([0.2, 0.5, 0.5, 1.0])
        while True:
            end = self._place(window, position, limit, level)
            if end is None:
                return
            position = end + int(100 * (0.15 + rng.expovariate(1 / pause_seconds)))
            if position > limit - 60 or rng.random() < 0.04:
                return

    def _place(self, window: Window, position: int, limit: int, level: float) -> int | None:
        """Add one utterance at a frame; the frame after it, or None where nothing can follow."""
        rng = self.dice.one
        number = rng.choice(self.material.by_language[window.language])
        speech = vary(self.material.pool.mel(number), self.dice)
        speech = speech * (level * 10 ** rng.uniform(-0.8, 0))
        frames = speech.shape[1]
        fitting = min(frames, limit - position)
        cut = fitting < frames - 3
        padded = limit < window.power.shape[1]
        if cut and (fitting < 40 or padded or rng.random() < 0.5):
            return None
        window.power[:, position : position + fitting] += speech[:, :fitting]
        self._label(window, number, position, fitting)
        end = position + frames
        window.placed.append(Placed(position / 100, None if cut else end / 100, number))
        return None if cut else end

    def _label(self, window: Window, number: int, position: int, frames: int) -> None:
        phones, words = self.material.labels[number]
        first, last = position // 2, min(len(window.phones), (position + frames) // 2)
        count = min(last - first, len(phones))
        window.phones[first : first + count] = phones[:count]
        window.words[first : first + count] = words[:count]
