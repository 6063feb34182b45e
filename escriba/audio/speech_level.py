"""Measures the level of speech, and amplifies quiet speech to a usual level.

Speech detectors and Whisper models were trained on speech between about -40 and -15 dBFS. Far below
it the detector finds no speech, and the model drops words: at -45 dB it lost a tenth of 350 words
that were read aloud. A recording that is quiet as a whole is therefore decoded again, amplified.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

# quieter speech is amplified; telephone speech has -35 or more, distant microphones (AMI) -39
QUIET_DBFS: Final = -40.0
TARGET_DBFS: Final = -26.0  # the level of speech to which ITU-T P.56 tests are set
MAX_GAIN_DB: Final = 60.0  # anything quieter is the noise of the converter
MIN_SPEECH_FRAMES: Final = 16  # half a second of speech: fewer are clicks
LOUD_SHARE: Final = 0.1  # of the speech frames exceed the level: vowels, not pauses
LOUDEST_SHARE: Final = 0.01  # of all frames, if no speech was detected
FULL_SCALE: Final = 32_768.0
LOWEST_DB: Final = 120  # of digital silence
FRAME_SAMPLES: Final = 512  # of the speech detector: 32 ms
KNEE: Final = np.float32(0.7)  # of full scale


@dataclass(frozen=True)
class SpeechLevel:
    """The level (dBFS, RMS of 32 ms) that the loudest tenth of the speech exceeds.

    dbfs: None if there is no sound at all.
    is_speech: False if no speech was detected; the level is then that of the loudest sound.
    """

    dbfs: float | None
    is_speech: bool

    def loudness(self) -> tuple[bool, float]:
        """Sort key: speech ranks above other sound, then the level counts."""
        return self.is_speech, -float(LOWEST_DB) if self.dbfs is None else self.dbfs

    @property
    def gain_db(self) -> float:
        """Amplification in dB; 0 for a recording that is loud enough, which stays bit-identical."""
        if self.dbfs is None or self.dbfs >= QUIET_DBFS:
            return 0.0
        return round(min(TARGET_DBFS - self.dbfs, MAX_GAIN_DB), 1)


class LevelMeter:
    """Counts frames by level in steps of 1 dB, in constant memory."""

    def __init__(self) -> None:
        self._all = np.zeros(LOWEST_DB + 1, np.int64)
        self._speech = np.zeros(LOWEST_DB + 1, np.int64)
        self._rest = np.zeros(0, np.int16)

    def feed(self, samples: npt.NDArray[np.int16], is_speech: npt.NDArray[np.bool_]) -> None:
        """Adds samples of a channel, with the speech decision of each frame that they complete.

        At the end of the recording a decision may belong to an incomplete frame; it is ignored.
        """
        sound = np.concatenate([self._rest, samples])
        whole = len(sound) - len(sound) % FRAME_SAMPLES
        self._rest = sound[whole:]
        frames = sound[:whole].reshape(-1, FRAME_SAMPLES)
        power = np.square(frames, dtype=np.float32).mean(axis=1) / np.float32(FULL_SCALE**2)
        below = np.rint(-10 * np.log10(np.maximum(power, 1e-12))).astype(np.int64)
        self._all += np.bincount(below, minlength=LOWEST_DB + 1)
        speech = below[is_speech[: len(below)]]
        self._speech += np.bincount(speech, minlength=LOWEST_DB + 1)

    @property
    def level(self) -> SpeechLevel:
        """The level of the samples so far; digital silence does not count."""
        if self._speech[:-1].sum() >= MIN_SPEECH_FRAMES:
            return SpeechLevel(_exceeded_by(self._speech, LOUD_SHARE), is_speech=True)
        if not self._all[:-1].any():
            return SpeechLevel(None, is_speech=False)
        return SpeechLevel(_exceeded_by(self._all, LOUDEST_SHARE), is_speech=False)


def _exceeded_by(counts: npt.NDArray[np.int64], share: float) -> float:
    """The level that this share of the frames reaches."""
    reached = np.cumsum(counts[:-1])
    return -float(np.searchsorted(reached, reached[-1] * share))


def amplified(sound: npt.NDArray[np.float32], gain_db: float) -> npt.NDArray[np.int16]:
    """Amplified floating-point audio as int16, without clipping.

    Above KNEE the curve bends toward full scale, for a door that slams in a quiet recording.
    """
    louder = sound * np.float32(10 ** (gain_db / 20))
    over = np.abs(louder) > KNEE
    bent = KNEE + (1 - KNEE) * np.tanh((np.abs(louder[over]) - KNEE) / (1 - KNEE))
    louder[over] = np.copysign(bent, louder[over])
    return np.asarray(np.rint(louder * (FULL_SCALE - 1)), np.int16)
