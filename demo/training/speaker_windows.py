"""Windows of one speaker each, with random channel, reverberation, noise and pauses."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from demo.training.pools import Pool
from demo.training.spectrogram import Floats, white_noise_power
from gpu_job.diarize.log_mel import MEL_FILTERS, N_MELS, normalise


class SpeakerWindows:
    """Augmented windows from a speaker pool; the same seed gives the same ones."""

    def __init__(self, path: Path, seed: int) -> None:
        self.pool, self.rng = Pool(path), np.random.default_rng(seed)
        speaker = np.array([meta["speaker"] for meta in self.pool.meta])
        self.speakers = int(speaker.max()) + 1
        self._utterances = [np.flatnonzero(speaker == s) for s in range(self.speakers)]
        self._white = white_noise_power(MEL_FILTERS)

    def batch(self, size: int) -> tuple[Tensor, Tensor]:
        """Windows (size, N_MELS, frames), all of one length of 0.6 to 1.6 s; speakers (size,)."""
        replace = self.speakers < size
        speakers = self.rng.choice(self.speakers, size, replace=replace)
        frames = int(self.rng.integers(60, 160))
        windows = np.stack([self.window(speaker, frames) for speaker in speakers])
        return torch.from_numpy(windows), torch.from_numpy(speakers)

    def window(self, speaker: int, frames: int) -> Floats:
        """One normalised window, (N_MELS, frames)."""
        rng, power = self.rng, self._cut(speaker, frames)
        if rng.random() < 0.5:
            power = self._colour(power)
        if rng.random() < 0.4:
            power = self._reverberate(power)
        if rng.random() < 0.7:
            power = self._add_noise(power)
        if rng.random() < 0.3:  # wrapped around, as short regions are repeated to fill a window
            power = np.roll(power, rng.integers(0, frames // 3), axis=1)
        return normalise(np.log10(np.maximum(power, 1e-10)))

    def _cut(self, speaker: int, frames: int) -> Floats:
        mel = self.pool.mel(self.rng.choice(self._utterances[speaker]))
        if mel.shape[1] <= frames:
            mel = np.tile(mel, (1, frames // mel.shape[1] + 1))
        first = self.rng.integers(0, mel.shape[1] - frames + 1)
        return 10 ** mel[:, first : first + frames]

    def _colour(self, power: Floats) -> Floats:
        """A smooth random curve over the bands."""
        knots = self.rng.normal(0, 0.3, 5)
        curve = np.interp(np.linspace(0, 4, N_MELS), np.arange(5), knots)
        return power * (10**curve).astype(np.float32)[:, None]

    def _reverberate(self, power: Floats) -> Floats:
        """An exponential tail in the power domain that falls 57 dB in 0.1 to 0.6 s."""
        decay = np.exp(-13.8 / (100 * self.rng.uniform(0.1, 0.6)))
        wet = self.rng.uniform(0.05, 0.5)
        tail: npt.NDArray[np.floating] = np.zeros(N_MELS, np.float32)
        heard = np.empty_like(power)
        for frame in range(power.shape[1]):
            tail = tail * decay + power[:, frame] * (1 - decay)
            heard[:, frame] = power[:, frame] + wet * tail
        return heard

    def _add_noise(self, power: Floats) -> Floats:
        """Tilted noise, 5 to 45 dB under the speech."""
        rng = self.rng
        tilt = np.linspace(0, rng.uniform(-2, 0.5), N_MELS)
        shape = (self._white * 10**tilt).astype(np.float32)
        noise = shape[:, None] * np.exp(rng.normal(0, 0.4, power.shape)).astype(np.float32)
        return power + noise * (power.mean() / noise.mean() * 10 ** rng.uniform(-4.5, -0.5))
